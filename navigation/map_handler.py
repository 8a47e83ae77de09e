"""What is around, in layers: static from SLAM, what came since, small objects, marks, zones, swept floor; together the
floor to plan on.

Implements robot_loop.Room. All layers lie on the static map's grid and grow with it. The cost of a tick follows what
changed: blocks of cells reported by SLAM, discs of objects that moved, the floor swept. Nothing here plans or drives.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from foundation.geometry import FloatArray, Pose2D
from foundation.robot_config import RobotConfig
from navigation.carpets import Carpets
from navigation.coverage_layer import CoverageLayer
from navigation.edge_points import EdgePoint, FloorObject
from navigation.floor_shapes import polygon_cells, polygon_gap_m
from navigation.free_floor import compose_free, first_disc_blocked, gap_m, keep_off
from navigation.grid_geometry import CellRect, GridGeometry
from navigation.object_layer import DetectorHealth, ObjectLayer
from navigation.pose_estimate import PoseEstimate, Tracking
from navigation.pose_history import PoseHistory
from navigation.robot_io import DriveCommand
from navigation.seen_floor import SeenFloor
from navigation.standing_layer import StandingLayer
from navigation.static_map import FREE, OCCUPIED, StaticMap
from perception.observation import Detections, Observation

BoolGrid = NDArray[np.bool_]
_HIDDEN_M: Final = 0.12  # around an edge, floor that the camera has not seen free may be the thing itself
_SEEN_WITHIN_M: Final = 0.75  # a pixel row is 2 cm of floor there
_ZONE_MARGIN_CELLS: Final = 0.71  # no cell that a zone touches is floor, and no thin wall has gaps
_NOTHING: Final = CellRect(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place that a bumper, a cliff or a recovery found bad: a disc that the plan keeps out of."""

    keyframe: int
    keyframe_point: tuple[float, float]
    radius_m: float
    reason: str


@dataclass(frozen=True, slots=True)
class KeepOut:
    """No-go zone or virtual wall: a simple polygon (N, 2) in `map`."""

    corners_map: tuple[tuple[float, float], ...]
    name: str = "no-go"


class MapHandler:
    """The layers and what they say together."""

    def __init__(self, config: RobotConfig, static_map: StaticMap) -> None:
        self._static = static_map
        self._geometry = static_map.geometry
        self._body_radius_m = config.body.radius_m
        self._coverage = CoverageLayer(self._geometry, config.tool.width_m, config.tool.offset_left_m)
        self._objects = ObjectLayer(config.camera.pinhole(), config.detector.range_max_m)
        self._seen = SeenFloor(self._geometry, _SEEN_WITHIN_M)
        self._standing = StandingLayer(self._geometry, config.lidar)
        self._floor_told = False  # by the detector: one that never says so hides nothing
        self._hidden = np.zeros(self._geometry.shape, dtype=np.bool_)  # not free only because nobody has looked there
        self._driven = np.zeros(self._geometry.shape, dtype=np.bool_)  # the body stood there: floor, whatever is said
        self._free = np.zeros(self._geometry.shape, dtype=np.bool_)
        self._zone_blocked = np.zeros(self._geometry.shape, dtype=np.bool_)
        self._zones: list[KeepOut] = []
        self._carpets = Carpets(self._geometry, config.tool)
        self._draw_wanted: Callable[[GridGeometry], BoolGrid] | None = None  # None: the whole floor
        self._drawn: BoolGrid | None = None
        self._wanted: BoolGrid | None = None  # what is drawn, less carpets that are not to be swept
        self._marks: list[Mark] = []
        self._mark_discs: list[tuple[float, float, float]] = []
        self._poses = PoseHistory()
        self._map_revision: int | None = None
        self._dirty = CellRect(0, 0, *self._geometry.shape)
        self._free_cells = 0
        self.revision_of_plan_relevant_change = 0

    # what others read

    def traversable(self) -> tuple[BoolGrid, GridGeometry]:
        """(R, C) floor known to be free of walls, furniture, objects and zones, not inflated; a live view."""
        return self._free, self._geometry

    def covered(self) -> BoolGrid:
        """(R, C) swept floor; a live view."""
        return self._coverage.covered

    def objects(self) -> list[FloorObject]:
        return self._objects.objects()

    def object_discs(self) -> list[tuple[float, float, float]]:
        """(x, y, radius) of floor that small objects keep the body off."""
        return self._objects.discs()

    def suspects(self) -> list[EdgePoint]:
        """Edges seen and not yet believed."""
        return self._objects.suspects()

    def detector_health(self) -> DetectorHealth:
        return self._objects.health

    def distrust_detector(self, reason: str) -> None:
        """Go on by LIDAR alone."""
        self._objects.distrust(reason)

    def forget_doubtful_objects(self) -> int:
        """Small objects that few frames have shown; the number of edges forgotten. What is there is soon seen again."""
        return self._objects.forget_doubtful()

    def demand_of_objects(self, best_look: float) -> int:
        """Keep off only small things of which a look was so clear (log-odds); the number of things given up."""
        return self._objects.demand(best_look)

    def narrow_objects(self) -> bool:
        """Keep off small things by no more than their places may be wrong; whether that frees any floor."""
        return self._objects.narrow()

    @property
    def demanded_of_objects(self) -> float:
        """The clearness that small things must have shown."""
        return self._objects.demanded

    def claimed_m2(self) -> float:
        """Floor that small objects claim."""
        return self._objects.claimed_m2()

    def free_floor_m2(self) -> float:
        return self._free_cells * self._geometry.cell_m**2

    def needs_no_sweep(self) -> BoolGrid:
        """(R, C) a copy: floor that is swept, or not wanted."""
        return self._coverage.covered.copy() if self._wanted is None else self._coverage.covered | ~self._wanted

    def covered_m2(self) -> float:
        """Of the floor that is wanted."""
        covered = self._coverage.covered if self._wanted is None else self._coverage.covered & self._wanted
        return float(np.count_nonzero(covered)) * self._geometry.cell_m**2

    def coverage_ratio(self) -> float:
        """Swept share of the wanted free floor known now (walls' margins included: it never reaches 1)."""
        asked = self._free if self._wanted is None else self._free & self._wanted
        cells = np.count_nonzero(asked)
        return float(np.count_nonzero(self._coverage.covered & asked) / cells) if cells else 0.0

    def gap_m(self, x_m: float, y_m: float, look_m: float) -> float:
        """Distance from a place to the nearest cell that is not free, up to `look_m`."""
        return gap_m(self._free, self._geometry, x_m, y_m, look_m)

    def first_blocked(self, points_map: FloatArray, radius_m: float, tolerance_m: float) -> int | None:
        """Index of the first of the places (N, 2) that is nearer than `radius_m` to a cell that is not free."""
        geometry = self._geometry
        index = first_disc_blocked(
            self._free,
            (points_map - (geometry.origin_x_m, geometry.origin_y_m)) / geometry.cell_m,
            (radius_m - tolerance_m) / geometry.cell_m,
        )
        return None if index < 0 else int(index)

    def stood_on_m2(self) -> float:
        """Wanted floor, not swept, that the body is kept off by things which have come since the map was drawn."""
        missing = (self._static.cells == FREE) & ~self.needs_no_sweep() & ~self._zone_blocked
        return (
            float(np.count_nonzero(self._standing.keeps_off(missing, self._body_radius_m))) * self._geometry.cell_m**2
        )

    def floor_kind_at(self, x_m: float, y_m: float) -> int:
        """Index into perception.labels.FLOORS; -1 where the camera has not told."""
        return self._carpets.kinds.kind_at(x_m, y_m)

    def open_carpets(self) -> bool:
        """Let the body drive over carpets, the tool up; False when the job forbids it, or when that changes nothing."""
        opened = self._carpets.open()
        if opened:
            self._carpets_changed(CellRect(0, 0, *self._geometry.shape))
        return opened

    def shut_carpets(self) -> None:
        """Keep the body off carpets again, as the job's rule has it at the beginning."""
        if self._carpets.shut(self._under_body):
            self._carpets_changed(CellRect(0, 0, *self._geometry.shape))

    def carpet_m2(self) -> float:
        """Carpets and rugs known that the job leaves out; 0 when it sweeps them."""
        left_out = self._carpets.known & (self._static.cells == FREE) & ~self._coverage.covered
        return float(np.count_nonzero(left_out)) * self._geometry.cell_m**2

    def tool_may_sweep(self, pose: Pose2D) -> bool:
        """Whether nothing under the tool is a carpet that is not to be swept."""
        return self._carpets.tool_may_sweep(pose)

    # what others tell

    def forget_what_came(self) -> bool:
        """Things that came may have gone again; True when there were any. What stands there is soon seen again."""
        changed = self._standing.forget()
        self._dirty = self._dirty.union(changed)
        return not changed.empty

    def mark(self, estimate: PoseEstimate, x_base_m: float, y_base_m: float, radius_m: float, reason: str) -> None:
        """Keep out of a disc from now on."""
        point = estimate.keyframe_from_base.transform(np.array([[x_base_m, y_base_m]]))[0]
        self._marks.append(Mark(estimate.keyframe, (float(point[0]), float(point[1])), radius_m, reason))
        self._place_marks()

    def marks(self) -> list[Mark]:
        return list(self._marks)

    def unmark_all(self) -> None:
        """Give the marked places another chance."""
        self._place_marks()
        self._marks = []
        self._mark_discs = []

    def set_zones(self, zones: list[KeepOut]) -> None:
        """Replace the no-go zones."""
        self._zones = list(zones)
        self._draw_zones()

    def zone_at(self, x_m: float, y_m: float, deeper_m: float = 0.0) -> KeepOut | None:
        """The no-go zone that a place lies in, further than `deeper_m` from its edge."""
        place = x_m, y_m
        return next((zone for zone in self._zones if polygon_gap_m(zone.corners_map, place) < -deeper_m), None)

    def zone_gap_m(self, x_m: float, y_m: float) -> float:
        """From a place to the nearest no-go zone or virtual wall, negative inside; inf where there is none."""
        return min((polygon_gap_m(zone.corners_map, (x_m, y_m)) for zone in self._zones), default=math.inf)

    def set_wanted(self, draw: Callable[[GridGeometry], BoolGrid] | None) -> None:
        """Sweep only the floor that `draw` gives (R, C) for a grid; the rest may be driven over. None: all of it."""
        self._draw_wanted = draw
        self._drawn = None if draw is None else draw(self._geometry)
        self._weigh_wanted()

    def set_carpet(self, *, swept: bool, entered: bool) -> None:
        """What to do with carpets and rugs that the camera tells of."""
        self._carpets.set_rule(swept=swept, entered=entered)
        self._carpets_changed(CellRect(0, 0, *self._geometry.shape))

    def sweeps(self, since: int) -> FloatArray:
        """(N, 5): what the tool swept, from a number on: keyframe, x, y, heading in its frame, 1 if joined."""
        return self._coverage.sweeps(since)

    def edge_points(self) -> list[EdgePoint]:
        """Of small things, believed or not."""
        return self._objects.points()

    def begin_pass(self) -> None:
        """All the floor is to be swept once more: what covers it counts from now on."""
        self.shut_carpets()
        self._coverage.begin_pass()

    @property
    def pass_begins_at(self) -> int:
        """Number of the pass's first sweep."""
        return self._coverage.pass_begins_at

    def restore(
        self, sweeps: FloatArray, points: Sequence[EdgePoint], marks: Sequence[Mark], pass_begins_at: int = 0
    ) -> None:
        """What an earlier part of the same job knew, beside keyframes that the static map has taken over."""
        self._grow(self._static.geometry)
        self._coverage.restore(sweeps, self._static.keyframe_pose, pass_begins_at)
        self._objects.restore(points)
        self._objects.relocate(self._static.keyframe_pose)
        self._marks = list(marks)
        self._place_marks()

    # robot_loop.Room

    def integrate(
        self, estimate: PoseEstimate, observation: Observation, detections: Detections | None, driven: DriveCommand
    ) -> None:
        self._poses.add(estimate)
        self._follow_static(estimate)
        pose = estimate.map_from_base
        if estimate.tracking is Tracking.LOST:
            self._coverage.lift()
        else:
            self._stand(pose)
            if driven.tool_on:
                self._coverage.sweep(pose, estimate.keyframe, estimate.keyframe_from_base)
            else:
                self._coverage.lift()
            if detections is not None and estimate.tracking is Tracking.TRACKING:
                self._detect(detections)
            self._objects.judge(pose, self._body_radius_m, self.free_floor_m2())
            if observation.scan is not None and estimate.tracking is Tracking.TRACKING:
                before = self._poses.before
                changed = self._standing.integrate(before, estimate, observation.scan, self._static.cells)
                self._dirty = self._dirty.union(changed)
        for x_m, y_m, radius_m in self._objects.take_changed():
            self._dirty = self._dirty.union(self._disc_rect(x_m, y_m, max(radius_m, _HIDDEN_M)))
        self._compose()

    def _follow_static(self, estimate: PoseEstimate) -> None:
        changed = self._static.take_changed()
        if self._static.geometry != self._geometry:
            self._grow(self._static.geometry)
            changed = CellRect(0, 0, *self._geometry.shape)
        if self._map_revision is not None and estimate.map_revision != self._map_revision:
            self._coverage.redraw(self._static.keyframe_pose)
            self._objects.relocate(self._static.keyframe_pose)
            self._place_marks()
            self._standing.forget()
            self._driven[:] = False
            changed = CellRect(0, 0, *self._geometry.shape)
        self._map_revision = estimate.map_revision
        if not changed.empty:
            self._dirty = self._dirty.union(changed.grown(1, *self._geometry.shape))

    def _grow(self, geometry: GridGeometry) -> None:
        for name in ("_driven", "_free", "_hidden"):
            setattr(self, name, self._geometry.moved_to(geometry, getattr(self, name)))
        self._coverage.resize(geometry)
        self._seen.resize(geometry)
        self._standing.resize(geometry)
        self._carpets.resize(geometry)
        self._geometry = geometry
        self._draw_zones()
        self.set_wanted(self._draw_wanted)

    def _stand(self, pose: Pose2D) -> None:
        """The floor right under the body is floor, and nothing lies on it."""
        under = self._disc_rect(pose.x_m, pose.y_m, self._body_radius_m)
        self._seen.free[under.slices()] |= self._disc_mask(under, pose.x_m, pose.y_m, self._body_radius_m)
        if self._hidden[under.slices()].any():
            self._dirty = self._dirty.union(under)
        rect = self._disc_rect(pose.x_m, pose.y_m, 0.7 * self._body_radius_m)
        inside = self._disc_mask(rect, pose.x_m, pose.y_m, 0.7 * self._body_radius_m)
        block = self._driven[rect.slices()]
        if not block[inside].all():
            block |= inside
            self._dirty = self._dirty.union(rect)

    def _detect(self, detections: Detections) -> None:
        then = self._poses.at(detections.stamp_s)
        if then is None:
            return
        # told from the keyframe: right even when the graph was corrected in between
        map_from_keyframe = self._static.keyframe_pose(then.keyframe)
        map_from_base = map_from_keyframe @ then.keyframe_from_base
        self._objects.update(detections, map_from_base, then.keyframe, map_from_keyframe, self._on_furniture)
        if detections.floor_seen is not None and len(detections.floor_seen):
            self._floor_told = True
            floor_map = map_from_base.transform(detections.floor_seen)
            fresh = self._seen.look(detections.floor_seen, floor_map)
            if self._hidden[fresh.slices()].any():
                self._dirty = self._dirty.union(fresh)
            if detections.floor_kinds is not None:
                stamp_s, floor_base = detections.stamp_s, detections.floor_seen
                self._carpets_changed(
                    self._carpets.look(stamp_s, floor_base, floor_map, detections.floor_kinds, self._under_body)
                )

    def _carpets_changed(self, where: CellRect) -> None:
        if not where.empty:
            self._weigh_wanted()
            self._dirty = self._dirty.union(where)

    def _under_body(self) -> BoolGrid:
        """(R, C): the cells that the body stands on now."""
        pose = self._poses.newest.map_from_base
        rect, under = self._disc_rect(pose.x_m, pose.y_m, self._body_radius_m), np.zeros_like(self._free)
        under[rect.slices()] = self._disc_mask(rect, pose.x_m, pose.y_m, self._body_radius_m)
        return under

    def _weigh_wanted(self) -> None:
        self._wanted = self._drawn
        if self._carpets.known.any():
            wanted = ~self._carpets.unwanted()
            self._wanted = wanted if self._drawn is None else self._drawn & wanted

    def _on_furniture(self, x_m: float, y_m: float, within_m: float) -> bool:
        """Whether the LIDAR sees something standing there, give or take `within_m`, or nothing at all."""
        cells = max(round(within_m / self._geometry.cell_m), 1)
        row, col = (int(value) for value in self._geometry.cells(np.array([[x_m, y_m]]))[0])
        if not (cells <= row < self._geometry.rows - cells and cells <= col < self._geometry.cols - cells):
            return True
        around = self._static.cells[row - cells : row + cells + 1, col - cells : col + cells + 1]
        return bool((around == OCCUPIED).any() or not (around == FREE).any())

    def _place_marks(self) -> None:
        for disc in self._mark_discs:
            self._dirty = self._dirty.union(self._disc_rect(*disc))
        self._mark_discs = []
        for mark in self._marks:
            point = self._static.keyframe_pose(mark.keyframe).transform(np.array([mark.keyframe_point]))[0]
            disc = float(point[0]), float(point[1]), mark.radius_m
            self._mark_discs.append(disc)
            self._dirty = self._dirty.union(self._disc_rect(*disc))

    def _draw_zones(self) -> None:
        geometry = self._geometry
        self._zone_blocked = np.zeros(geometry.shape, dtype=np.bool_)
        for zone in self._zones:
            self._zone_blocked |= polygon_cells(geometry, zone.corners_map, _ZONE_MARGIN_CELLS * geometry.cell_m)
        self._dirty = CellRect(0, 0, *geometry.shape)

    def _compose(self) -> None:
        rect = self._dirty
        self._dirty = _NOTHING
        if rect.empty:
            return
        block = rect.slices()
        before = self._free[block].copy()
        compose_free(self._static.cells, self._driven, self._zone_blocked, self._free, *_corners(rect))
        self._free[block] &= ~self._standing.blocked[block]
        if not self._carpets.entered:
            self._free[block] &= ~self._carpets.known[block]
        self._hidden[block] = False
        hidden_m = _HIDDEN_M if self._floor_told else 0.0
        for discs, around_m in ((self._objects.discs(), hidden_m), (self._mark_discs, 0.0)):
            keep_off(
                self._free, self._hidden, self._seen.free, self._in_cells(discs), around_m / self._geometry.cell_m,
                *_corners(rect),
            )  # fmt: skip
        after = self._free[block]
        gained, lost = int(np.count_nonzero(after & ~before)), int(np.count_nonzero(before & ~after))
        if gained or lost:
            self.revision_of_plan_relevant_change += 1
            self._free_cells += gained - lost

    def _in_cells(self, discs: list[tuple[float, float, float]]) -> FloatArray:
        """(K, 3): discs (x, y, radius) in `map` as columns, rows and cells."""
        geometry = self._geometry
        return (np.array(discs).reshape(-1, 3) - (geometry.origin_x_m, geometry.origin_y_m, 0.0)) / geometry.cell_m

    def _disc_rect(self, x_m: float, y_m: float, radius_m: float) -> CellRect:
        reach_m = radius_m + self._geometry.cell_m
        low, high = self._geometry.cells(np.array([[x_m - reach_m, y_m - reach_m], [x_m + reach_m, y_m + reach_m]]))
        return CellRect(int(low[0]), int(low[1]), int(high[0]) + 1, int(high[1]) + 1).grown(0, *self._geometry.shape)

    def _disc_mask(self, rect: CellRect, x_m: float, y_m: float, radius_m: float) -> BoolGrid:
        geometry = self._geometry
        dx = geometry.origin_x_m + (np.arange(rect.col0, rect.col1) + 0.5) * geometry.cell_m - x_m
        dy = geometry.origin_y_m + (np.arange(rect.row0, rect.row1) + 0.5) * geometry.cell_m - y_m
        inside: BoolGrid = dy[:, None] ** 2 + dx[None, :] ** 2 <= max(radius_m, 0.5 * geometry.cell_m) ** 2
        return inside


def _corners(rect: CellRect) -> tuple[int, int, int, int]:
    return rect.row0, rect.col0, rect.row1, rect.col1
