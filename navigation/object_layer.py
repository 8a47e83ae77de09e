"""Small things on the floor that the LIDAR does not see: detections fused into objects by evidence over frames.

An object enters the plan after agreeing detections and leaves when its place is looked at from close by and found free,
several times. Positions are kept beside keyframes, so that a corrected graph carries the objects with it. A detector
that floods the floor is judged by what it claims and switched off; the robot then goes on by LIDAR alone.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from foundation.camera_geometry import PinholeCamera
from foundation.geometry import FloatArray, Pose2D
from perception.observation import Detections

_SAME_THING_M: Final = 0.07  # beyond both radii
_NEAR_RANGE_M: Final = 0.30  # pixel rows are finest there; the position's spread grows with the square of the range
_NEAR_SPREAD_M: Final = 0.010
_ENTER_EVIDENCE: Final = 1.6
_EVIDENCE_LIMIT: Final = 6.0
_MISS_EVIDENCE: Final = -0.8
_MISS_RANGE_M: Final = 0.75
_RADIUS_LIMITS_M: Final = (0.015, 0.25)


@dataclass(slots=True)
class FloorObject:
    """One tracked thing. `x_m`, `y_m` are its centre in `map` as the graph stands now."""

    number: int
    x_m: float
    y_m: float
    radius_m: float
    keyframe: int
    keyframe_point: tuple[float, float]
    weight: float  # sum of 1 / spread^2 of the positions fused
    evidence: float  # log-odds that it is there
    votes: dict[int, float] = field(default_factory=dict)
    seen: int = 1
    entered: bool = False
    last_seen_s: float = 0.0

    @property
    def class_id(self) -> int:
        return max(self.votes, key=lambda class_id: self.votes[class_id])

    @property
    def spread_m(self) -> float:
        """One sigma of the position, with a floor for what the pose and the camera's mounting add."""
        return math.hypot(0.006, self.weight**-0.5)

    @property
    def keep_out_m(self) -> float:
        """Radius of the disc that the plan treats as occupied."""
        return self.radius_m + min(self.spread_m, 0.02)


@dataclass(frozen=True, slots=True)
class DetectorHealth:
    """What the detector has claimed so far; `trusted` falls once and stays down."""

    trusted: bool = True
    reason: str = ""
    entered: int = 0
    vanished: int = 0
    driven_over: int = 0


class ObjectLayer:
    """All tracked things. Changes since the last `take_changed` are the discs that appeared, moved or left."""

    def __init__(self, camera: PinholeCamera, range_max_m: float) -> None:
        self._camera = camera
        self._range_max_m = range_max_m
        self._things: list[FloorObject] = []
        self._next_number = 0
        self._changed: list[tuple[float, float, float]] = []  # x, y, radius
        self.health = DetectorHealth()

    def objects(self) -> list[FloorObject]:
        """Those that count: enough evidence."""
        return [thing for thing in self._things if thing.entered]

    def suspects(self) -> list[FloorObject]:
        """Seen, but not yet believed."""
        return [thing for thing in self._things if not thing.entered]

    def take_changed(self) -> list[tuple[float, float, float]]:
        """Discs (x, y, radius) whose occupancy changed since the last call."""
        changed, self._changed = self._changed, []
        return changed

    def update(
        self,
        detections: Detections,
        map_from_base: Pose2D,
        keyframe: int,
        map_from_keyframe: Pose2D,
        on_furniture: Callable[[float, float], bool],
    ) -> None:
        """Fuse one frame's detections; `map_from_base` is the pose of the frame's own time."""
        if not self.health.trusted:
            return
        matched: set[int] = set()
        for index in range(len(detections.scores)):
            contact = detections.contacts_base_m[index]
            range_m = float(np.hypot(*contact))
            if not (math.isfinite(range_m) and 0.05 < range_m <= self._range_max_m):
                continue
            radius_m = float(np.clip(detections.radii_m[index], *_RADIUS_LIMITS_M))
            centre_base = contact * (1 + radius_m / range_m)
            x_m, y_m = (float(value) for value in map_from_base.transform(centre_base[None])[0])
            if on_furniture(x_m, y_m):
                continue
            matched.add(
                self._fuse(
                    x_m, y_m, radius_m, range_m, float(detections.scores[index]), int(detections.class_ids[index]),
                    detections.stamp_s, keyframe, map_from_keyframe,
                )
            )  # fmt: skip
        self._miss(map_from_base, matched)

    def relocate(self, map_from_keyframe: Callable[[int], Pose2D]) -> None:
        """The keyframes have moved."""
        for thing in self._things:
            point = map_from_keyframe(thing.keyframe).transform(np.array([thing.keyframe_point]))[0]
            if math.hypot(point[0] - thing.x_m, point[1] - thing.y_m) > 1e-3:
                self._touch(thing)
                thing.x_m, thing.y_m = float(point[0]), float(point[1])
                self._touch(thing)

    def judge(self, map_from_base: Pose2D, body_radius_m: float, free_floor_m2: float) -> None:
        """Once a tick: what was driven over was not there; too much claimed floor is no detector's view of a room."""
        if not self.health.trusted:
            return
        kept = []
        for thing in self._things:
            gap_m = math.hypot(thing.x_m - map_from_base.x_m, thing.y_m - map_from_base.y_m)
            if thing.entered and gap_m < 0.5 * body_radius_m:
                self._touch(thing)
                self._count(driven_over=1)
                continue
            kept.append(thing)
        self._things = kept
        believed = self.objects()
        claimed_m2 = sum(math.pi * thing.keep_out_m**2 for thing in believed)
        health = self.health
        if len(believed) > 12 + 3.0 * free_floor_m2 or claimed_m2 > 0.1 + 0.12 * free_floor_m2:
            self._distrust(f"{len(believed)} objects claim {claimed_m2:.2f} of {free_floor_m2:.1f} m2 of floor")
        elif health.entered >= 30 and health.vanished + health.driven_over > 0.6 * health.entered:
            self._distrust(f"{health.vanished + health.driven_over} of {health.entered} objects were not there")

    def _fuse(
        self, x_m: float, y_m: float, radius_m: float, range_m: float, score: float, class_id: int, stamp_s: float,
        keyframe: int, map_from_keyframe: Pose2D,
    ) -> int:  # fmt: skip
        spread_m = _NEAR_SPREAD_M * max(range_m / _NEAR_RANGE_M, 1.0) ** 2
        weight = spread_m**-2
        score = min(max(score, 0.02), 0.98)
        evidence = math.log(score / (1 - score)) + (0.4 if range_m < 0.6 else 0.0)
        thing = self._nearest(x_m, y_m, radius_m, spread_m)
        if thing is None:
            thing = FloorObject(
                self._next_number, x_m, y_m, radius_m, keyframe, (0.0, 0.0), weight, max(evidence, 0.1),
                {class_id: score}, last_seen_s=stamp_s,
            )  # fmt: skip
            self._next_number += 1
            self._things.append(thing)
        else:
            self._touch(thing)
            share = weight / (thing.weight + weight)
            thing.x_m += share * (x_m - thing.x_m)
            thing.y_m += share * (y_m - thing.y_m)
            thing.radius_m += share * (radius_m - thing.radius_m)
            thing.weight = min(thing.weight + weight, 40 / _NEAR_SPREAD_M**2)
            thing.evidence = min(thing.evidence + max(evidence, 0.1), _EVIDENCE_LIMIT)
            thing.votes[class_id] = thing.votes.get(class_id, 0.0) + score
            thing.seen += 1
            thing.last_seen_s = stamp_s
        local = map_from_keyframe.inverse().transform(np.array([[thing.x_m, thing.y_m]]))[0]
        thing.keyframe, thing.keyframe_point = keyframe, (float(local[0]), float(local[1]))
        if not thing.entered and thing.seen >= 2 and thing.evidence >= _ENTER_EVIDENCE:
            thing.entered = True
            self._count(entered=1)
        self._touch(thing)
        return thing.number

    def _nearest(self, x_m: float, y_m: float, radius_m: float, spread_m: float) -> FloorObject | None:
        best, best_m = None, math.inf
        for thing in self._things:
            gap_m = math.hypot(thing.x_m - x_m, thing.y_m - y_m)
            reach_m = _SAME_THING_M + max(thing.radius_m, radius_m) + 2 * min(spread_m, 0.06)
            if gap_m < min(reach_m, best_m):
                best, best_m = thing, gap_m
        return best

    def _miss(self, map_from_base: Pose2D, matched: set[int]) -> None:
        """Things that this frame looked at from close by and did not report."""
        unseen = [thing for thing in self._things if thing.number not in matched]
        if not unseen:
            return
        places = map_from_base.inverse().transform(np.array([[thing.x_m, thing.y_m] for thing in unseen]))
        looked_at = self._in_good_view(places)
        for thing, looked in zip(unseen, looked_at):
            if not looked:
                continue
            thing.evidence += _MISS_EVIDENCE
            if thing.evidence < 0:
                self._touch(thing)
                self._things.remove(thing)
                if thing.entered:
                    self._count(vanished=1)

    def _in_good_view(self, places_base: FloatArray) -> list[bool]:
        pixels = self._camera.pixels_from_floor(places_base)
        width, height = self._camera.width_px, self._camera.height_px
        inside = (
            (pixels[:, 0] > 0.06 * width)
            & (pixels[:, 0] < 0.94 * width)
            & (pixels[:, 1] > 0)
            & (pixels[:, 1] < 0.92 * height)
            & (places_base[:, 0] > 0)
            & (np.hypot(places_base[:, 0], places_base[:, 1]) < _MISS_RANGE_M)
        )
        return [bool(value) for value in inside]

    def _touch(self, thing: FloorObject) -> None:
        if thing.entered:
            self._changed.append((thing.x_m, thing.y_m, thing.keep_out_m))

    def _count(self, *, entered: int = 0, vanished: int = 0, driven_over: int = 0) -> None:
        health = self.health
        self.health = DetectorHealth(
            health.trusted, health.reason, health.entered + entered, health.vanished + vanished,
            health.driven_over + driven_over,
        )  # fmt: skip

    def _distrust(self, reason: str) -> None:
        for thing in self._things:
            self._touch(thing)
        self._things = []
        health = self.health
        self.health = DetectorHealth(False, reason, health.entered, health.vanished, health.driven_over)
