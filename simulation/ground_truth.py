"""What is true of a room: where the body may stand, which floor the tool can reach, what the LIDAR must read.

Pure, from the room's own geometry and never through an engine: the judge's yardstick and the tests' oracle.
"""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from foundation.geometry import FloatArray, Pose2D
from navigation.grid_geometry import GridGeometry
from navigation.static_map import FREE, OCCUPIED, UNKNOWN
from simulation.footprints import Footprints, clearance_grid, footprints_of, lying, standing
from simulation.room_spec import Dock, Furniture, Part, Room

BODY_TOP_M = 0.16  # the robot with its LIDAR on top: what reaches below this can be touched
REACH_MARGIN_M = 0.03  # DESIGN "Measures": reach keeps the body's radius and this


@dataclass(frozen=True, slots=True)
class FloorTruth:
    """Grids (R, C) of one room for one robot; [row, col], row along +y."""

    geometry: GridGeometry
    inside: NDArray[np.bool_]  # floor of the flat, whatever stands on it
    free: NDArray[np.bool_]  # floor on which neither wall nor furniture nor dock stands
    standing_clear_m: NDArray[np.float32]  # to wall, furniture and dock, capped
    lying_clear_m: NDArray[np.float32]  # to small objects, capped
    reach: NDArray[np.bool_]
    coverable: NDArray[np.bool_]

    @property
    def coverable_m2(self) -> float:
        return float(self.coverable.sum()) * self.geometry.cell_m**2


def floor_truth(
    room: Room, *, body_radius_m: float, tool_width_m: float, cell_m: float, with_small_objects: bool = True
) -> FloorTruth:
    """DESIGN's measures of `room` on a grid of `cell_m`."""
    geometry = GridGeometry.around(*room.bounds_m(), cell_m)
    limit_m = body_radius_m + REACH_MARGIN_M + 4 * cell_m
    inside = inside_grid(room, geometry)
    standing_clear = clearance_grid(standing(room, BODY_TOP_M), geometry, limit_m)
    nothing_lies = np.full(geometry.shape, limit_m, dtype=np.float32)
    bare = FloorTruth(geometry, inside, inside & (standing_clear > 0), standing_clear, nothing_lies, inside, inside)
    return again(bare, room if with_small_objects else None, room.dock.start, body_radius_m, tool_width_m)


def again(truth: FloorTruth, room: Room | None, start: Pose2D, body_radius_m: float, tool_width_m: float) -> FloorTruth:
    """The same walls and furniture with the small objects of `room`, or with none."""
    keep_m, cell_m = body_radius_m + REACH_MARGIN_M, truth.geometry.cell_m
    limit_m = keep_m + 4 * cell_m
    lying_clear = np.full(truth.geometry.shape, limit_m, dtype=np.float32)
    if room is not None and room.small_objects:
        lying_clear = clearance_grid(lying(room), truth.geometry, limit_m)
    clear = np.minimum(truth.standing_clear_m, lying_clear)
    reach = connected(truth.inside & (clear >= keep_m), truth.geometry, start)
    coverable = (distance_to(reach, cell_m) <= tool_width_m / 2) & truth.inside & (clear > 0)
    return replace(truth, lying_clear_m=lying_clear, reach=reach, coverable=coverable)


def occupancy(room: Room, cell_m: float) -> tuple[NDArray[np.int8], GridGeometry]:
    """(R, C) of static_map's values: floor, what stands on it (walls, furniture, dock), and the unknown outside."""
    geometry = GridGeometry.around(*room.bounds_m(), cell_m)
    stands = clearance_grid(standing(room, BODY_TOP_M), geometry, cell_m) <= 0
    cells = np.where(stands, OCCUPIED, np.where(inside_grid(room, geometry), FREE, UNKNOWN)).astype(np.int8)
    return cells, geometry


def inside_grid(room: Room, geometry: GridGeometry) -> NDArray[np.bool_]:
    """(R, C): cells whose centre lies on a floor patch."""
    cols, rows = np.meshgrid(np.arange(geometry.cols), np.arange(geometry.rows))
    x = geometry.origin_x_m + (cols + 0.5) * geometry.cell_m
    y = geometry.origin_y_m + (rows + 0.5) * geometry.cell_m
    inside = np.zeros(geometry.shape, dtype=bool)
    for floor in room.floors:
        cos, sin = math.cos(floor.heading_rad), math.sin(floor.heading_rad)
        ahead = cos * (x - floor.x_m) + sin * (y - floor.y_m)
        aside = -sin * (x - floor.x_m) + cos * (y - floor.y_m)
        inside |= (np.abs(ahead) <= floor.size_m[0] / 2) & (np.abs(aside) <= floor.size_m[1] / 2)
    return inside


def connected(mask: NDArray[np.bool_], geometry: GridGeometry, start: Pose2D) -> NDArray[np.bool_]:
    """The cells of `mask` that hang together (4 neighbours) with the start's cell; none when it is not in `mask`."""
    row, col = geometry.cells(np.array([[start.x_m, start.y_m]]))[0]
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    if not (0 <= row < geometry.rows and 0 <= col < geometry.cols) or not labels[row, col]:
        return np.zeros_like(mask)
    together: NDArray[np.bool_] = labels == labels[row, col]
    return together


def distance_to(mask: NDArray[np.bool_], cell_m: float) -> FloatArray:
    """(R, C): from each cell's centre to the nearest cell's centre of `mask`; inf when there is none."""
    if not mask.any():
        return np.full(mask.shape, np.inf)
    cells = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    distance: FloatArray = cells.astype(np.float64) * cell_m
    return distance


def floor_name_at(room: Room, x_m: float, y_m: float) -> str:
    """The kind of the highest floor patch under the point; empty outside."""
    best, name = -1.0, ""
    for floor in room.floors:
        ahead, aside = floor.pose.inverse().transform(np.array([[x_m, y_m]]))[0]
        if abs(ahead) <= floor.size_m[0] / 2 and abs(aside) <= floor.size_m[1] / 2 and floor.top_m >= best:
            best, name = floor.top_m, floor.kind
    return name


def scan_slice(room: Room, height_m: float) -> Footprints:
    """What stands in the LIDAR's plane; owners number walls, then furniture, then the dock."""

    def cut(parts: tuple[Part, ...]) -> list[Part]:
        return [part for part in parts if abs(part.position_m[2] - height_m) < part.size_m[2] / 2]

    here = Pose2D(0.0, 0.0, 0.0)
    standers: list[Furniture | Dock] = [*room.furniture, room.dock]
    things: list[tuple[Pose2D, list[Part]]] = [(here, cut((wall.part(),))) for wall in room.walls]
    things += [(item.pose, cut(item.parts)) for item in standers]
    return footprints_of(things)


def true_ranges(prints: Footprints, laser: Pose2D, bearings_rad: FloatArray, range_max_m: float) -> FloatArray:
    """(N,) exact distances from the laser's pose in `map` along `bearings_rad`; inf beyond `range_max_m`."""
    angles = laser.heading_rad + np.asarray(bearings_rad, dtype=np.float64)
    ranges: FloatArray = _cast(
        laser.x_m, laser.y_m, np.cos(angles), np.sin(angles), prints.corners_m, prints.counts, prints.radii_m
    )
    ranges[ranges >= range_max_m] = np.inf
    return ranges


@njit(cache=True)  # type: ignore[untyped-decorator]
def _cast(
    x: float,
    y: float,
    cos: FloatArray,
    sin: FloatArray,
    corners: FloatArray,
    counts: NDArray[np.int64],
    radii: FloatArray,
) -> FloatArray:
    """Rays against polygons and circles (a rounded polygon of one point)."""
    out = np.full(len(cos), np.inf)
    for beam in range(len(cos)):
        dx, dy = cos[beam], sin[beam]
        best = np.inf
        for i in range(len(counts)):
            if counts[i] == 1:
                cx, cy = corners[i, 0, 0] - x, corners[i, 0, 1] - y
                along = cx * dx + cy * dy
                miss = radii[i] ** 2 - (cx * cx + cy * cy - along * along)
                if miss >= 0:
                    t = along - math.sqrt(miss)
                    if 0 <= t < best:
                        best = t
                continue
            for j in range(counts[i]):
                k = j + 1 if j + 1 < counts[i] else 0
                ax, ay = corners[i, j, 0] - x, corners[i, j, 1] - y
                ex, ey = corners[i, k, 0] - corners[i, j, 0], corners[i, k, 1] - corners[i, j, 1]
                cross = dx * ey - dy * ex
                if abs(cross) < 1e-15:
                    continue
                t = (ax * ey - ay * ex) / cross
                u = (ax * dy - ay * dx) / cross
                if 0 <= t < best and 0 <= u <= 1:
                    best = t
        out[beam] = best
    return out
