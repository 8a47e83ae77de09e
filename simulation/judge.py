"""Scores a run by the truth: floor swept by the true tool, contacts of the body, small objects run over, poses told.

In: the robot's true poses as the engine moves it, and its contacts. The robot's own belief is used only for the one
thing it is judged on itself: where it said it was. DESIGN "Measures" is the specification.
"""

import math
from collections.abc import Iterable

import numpy as np
from numba import njit
from numpy.typing import NDArray

from foundation.geometry import FloatArray, Pose2D, wrap_angle
from foundation.robot_config import RobotConfig
from simulation.footprints import Footprints, footprints_of
from simulation.ground_truth import FloorTruth, floor_truth
from simulation.room_spec import Room

CELL_M = 0.01
CONTACT_APART_S = 0.5  # touching the same thing again after this long is another collision


class Judge:
    """Fed once a basic time step."""

    def __init__(self, room: Room, config: RobotConfig) -> None:
        self.truth: FloorTruth = floor_truth(
            room, body_radius_m=config.body.radius_m, tool_width_m=config.tool.width_m, cell_m=CELL_M
        )
        self.covered: NDArray[np.bool_] = np.zeros(self.truth.geometry.shape, dtype=bool)
        self.hit: NDArray[np.bool_] = np.zeros(len(room.small_objects), dtype=bool)
        self.hit_at_s: FloatArray = np.full(len(room.small_objects), np.nan)
        self.collisions: list[tuple[float, str]] = []  # time, what was touched
        self.moving_touched: list[tuple[float, str]] = []  # a person that walks into the robot is no collision
        self.path_length_m = 0.0
        self._movers = {mover.name for mover in room.movers}
        self._trajectory: list[tuple[float, float, float, float]] = []
        self._touched_at_s: dict[str, float] = {}
        self._things: list[Footprints] = [footprints_of([(item.pose, item.parts)]) for item in room.small_objects]
        self._centres = np.array([(item.x_m, item.y_m) for item in room.small_objects]).reshape(-1, 2)
        self._body_radius_m = config.body.radius_m
        self._tool = (
            config.tool.offset_left_m - config.tool.width_m / 2,
            config.tool.offset_left_m + config.tool.width_m / 2,
        )

    def see(self, stamp_s: float, map_from_base: Pose2D, touched: Iterable[str]) -> None:
        """The true pose, and the names of walls and furniture that the body touches now."""
        pose = map_from_base
        if self._trajectory:
            _, x, y, heading = self._trajectory[-1]
            self.path_length_m += math.hypot(pose.x_m - x, pose.y_m - y)
            geometry = self.truth.geometry
            sweep(
                self.covered, geometry.origin_x_m, geometry.origin_y_m, geometry.cell_m,
                x, y, heading, pose.x_m, pose.y_m, pose.heading_rad, *self._tool,
            )  # fmt: skip
        self._trajectory.append((stamp_s, pose.x_m, pose.y_m, pose.heading_rad))
        for name in touched:
            if name in self._movers:
                self.moving_touched.append((stamp_s, name))
                continue
            if stamp_s - self._touched_at_s.get(name, -math.inf) > CONTACT_APART_S:
                self.collisions.append((stamp_s, name))
            self._touched_at_s[name] = stamp_s
        self._look_for_hits(stamp_s, pose)

    def trajectory(self) -> FloatArray:
        """(N, 4): stamp_s, x, y, heading in the world."""
        return np.array(self._trajectory, dtype=np.float64).reshape(-1, 4)

    @property
    def covered_coverable(self) -> NDArray[np.bool_]:
        return self.covered & self.truth.coverable

    @property
    def coverage_ratio(self) -> float:
        return float(self.covered_coverable.sum() / max(int(self.truth.coverable.sum()), 1))

    def _look_for_hits(self, stamp_s: float, pose: Pose2D) -> None:
        if not len(self._things):
            return
        near = np.hypot(self._centres[:, 0] - pose.x_m, self._centres[:, 1] - pose.y_m) < self._body_radius_m + 0.6
        for index in np.flatnonzero(near & ~self.hit):
            if self._things[index].distance_m(pose.x_m, pose.y_m).min() <= self._body_radius_m:
                self.hit[index] = True
                self.hit_at_s[index] = stamp_s


def localisation_errors(true: FloatArray, published: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Position errors (N,) after the best rigid fit, and with both aligned at their first common stamp."""
    truth, told = matched_poses(true, published)
    if len(truth) < 2:
        return np.empty(0), np.empty(0)
    best = rigid_fit(told[:, 1:3], truth[:, 1:3])
    start = Pose2D(*truth[0, 1:4]) @ Pose2D(*told[0, 1:4]).inverse()
    errors = []
    for world_from_map in (best, start):
        moved = world_from_map.transform(told[:, 1:3])
        errors.append(np.hypot(*(moved - truth[:, 1:3]).T))
    return errors[0], errors[1]


def matched_poses(true: FloatArray, published: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Both (N, 4) of stamp_s, x, y, heading: where a published pose has the same stamp as a true one (1 ms)."""
    stamps = np.round(true[:, 0] * 1000).astype(np.int64)
    at = np.searchsorted(stamps, np.round(published[:, 0] * 1000).astype(np.int64))
    fits = at < len(stamps)
    fits[fits] = stamps[at[fits]] == np.round(published[fits, 0] * 1000)
    return true[at[fits]], published[fits]


def rigid_fit(points: FloatArray, onto: FloatArray) -> Pose2D:
    """The rotation and shift that bring points (N, 2) nearest to the others (N, 2); Kabsch in the plane."""
    middle, onto_middle = points.mean(axis=0), onto.mean(axis=0)
    a, b = points - middle, onto - onto_middle
    angle = math.atan2(float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()), float((a * b).sum()))
    turned = Pose2D(0.0, 0.0, angle).transform(middle[None])[0]
    return Pose2D(float(onto_middle[0] - turned[0]), float(onto_middle[1] - turned[1]), wrap_angle(angle))


@njit(cache=True)  # type: ignore[untyped-decorator]
def sweep(
    covered: NDArray[np.bool_],
    origin_x: float,
    origin_y: float,
    cell: float,
    x0: float,
    y0: float,
    heading0: float,
    x1: float,
    y1: float,
    heading1: float,
    right: float,
    left: float,
) -> None:
    """Marks the cells whose centre a bar from `right` to `left` (metres to the left of the centre) passes over."""
    reach = max(abs(right), abs(left)) + cell
    low_x, high_x = min(x0, x1) - reach, max(x0, x1) + reach
    low_y, high_y = min(y0, y1) - reach, max(y0, y1) + reach
    cos0, sin0, cos1, sin1 = math.cos(heading0), math.sin(heading0), math.cos(heading1), math.sin(heading1)
    rows, cols = covered.shape
    for row in range(max(int((low_y - origin_y) / cell), 0), min(int((high_y - origin_y) / cell) + 1, rows)):
        for col in range(max(int((low_x - origin_x) / cell), 0), min(int((high_x - origin_x) / cell) + 1, cols)):
            if covered[row, col]:
                continue
            px, py = origin_x + (col + 0.5) * cell, origin_y + (row + 0.5) * cell
            ahead0 = cos0 * (px - x0) + sin0 * (py - y0)
            ahead1 = cos1 * (px - x1) + sin1 * (py - y1)
            if ahead0 * ahead1 > 0:
                continue
            aside0 = -sin0 * (px - x0) + cos0 * (py - y0)
            aside1 = -sin1 * (px - x1) + cos1 * (py - y1)
            span = ahead0 - ahead1
            share = ahead0 / span if abs(span) > 1e-12 else 0.5
            aside = aside0 + share * (aside1 - aside0)
            if right <= aside <= left:
                covered[row, col] = True
