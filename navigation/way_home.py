"""The way back to where the robot started: planned over the floor known now, tried a few times, and given up honestly.

In: the free floor, where the robot stands, where it began. Out: a `Route`, and what to do between two of them
(`HomeStep`). What can fail: no way is left. Then the robot looks round, lifts its doubts, and at last ends with the
reason; the number of ways it drives is bounded, so it never goes to and fro for ever. Nothing here reads sensors.
"""

import math
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from foundation.geometry import Pose2D, wrap_angle
from navigation.coverage_planner import CoverageError, safe_path
from navigation.grid_geometry import GridGeometry
from navigation.route import Route, no_route

BoolGrid = NDArray[np.bool_]
_ARRIVED_M: Final = 0.06
_AT_HOME_M: Final = 0.25  # a start beside a wall is met at the nearest place that is clear
_ALIGNED_RAD: Final = math.radians(5)
_SHUT_TIMES: Final = 3  # plans without a way: after the first it looks round, after the second it lifts its doubts
_WAYS_MOST: Final = 40


class HomeStep(Enum):
    """What to do where no way is being driven."""

    PLAN = "plan"
    LOOK_ROUND = "look round"
    LIFT_DOUBTS = "lift doubts"
    TURN = "turn"  # it stands there: to the heading it started with
    ARRIVED = "arrived"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True)
class Homecoming:
    """How it ended."""

    arrived: bool
    reason: str  # why not; empty when it did


def way_to(
    free: BoolGrid, geometry: GridGeometry, start_map: tuple[float, float], home: Pose2D, clearance_m: float
) -> Route:
    """The shortest way with that clearance, kept a cell wider where there is room; no route when there is none."""
    for wider_m in (geometry.cell_m, 0.0):
        try:
            way = safe_path(free, geometry, start_map, (home.x_m, home.y_m), clearance_m + wider_m)
        except CoverageError:
            continue
        if wider_m and math.dist(way[-1], (home.x_m, home.y_m)) > 2 * geometry.cell_m:
            continue  # the start is a narrow place
        way = np.concatenate([np.array([start_map]), way])
        return Route(way, np.zeros(len(way) - 1, dtype=np.bool_))
    return no_route()


class WayHome:
    """One homecoming. Told of every way that was planned, asked for a step wherever none is being driven."""

    def __init__(self, home: Pose2D) -> None:
        self.home = home
        self._end_map: tuple[float, float] | None = None  # of the newest way
        self._shut = 0
        self._tried = 0  # of what is done about a shut way
        self._ways = 0

    def heard(self, route: Route) -> None:
        """A way was planned from where the robot stands, or none was found."""
        if len(route.points_map) < 2:
            self._shut += 1
            return
        self._ways += 1
        self._shut = self._tried = 0
        self._end_map = float(route.points_map[-1, 0]), float(route.points_map[-1, 1])

    def step(self, pose: Pose2D) -> HomeStep:
        """GIVEN_UP and ARRIVED are the last word."""
        if self._stands_there(pose):
            turned = abs(wrap_angle(self.home.heading_rad - pose.heading_rad)) < _ALIGNED_RAD
            return HomeStep.ARRIVED if turned else HomeStep.TURN
        if self._shut >= _SHUT_TIMES or self.spent:
            return HomeStep.GIVEN_UP
        if self._tried < self._shut:
            self._tried += 1
            return HomeStep.LOOK_ROUND if self._tried == 1 else HomeStep.LIFT_DOUBTS
        return HomeStep.PLAN

    @property
    def spent(self) -> bool:
        """So many ways were planned that another one is not driven."""
        return self._ways > _WAYS_MOST

    def turn_rad(self, pose: Pose2D) -> float:
        """Left to turn, counter-clockwise."""
        return wrap_angle(self.home.heading_rad - pose.heading_rad)

    def ended(self, pose: Pose2D) -> Homecoming:
        """At the last step."""
        away_m = pose.distance_m(self.home)
        if self._stands_there(pose):
            return Homecoming(True, "")
        if self._shut >= _SHUT_TIMES:
            return Homecoming(False, f"no way leads back to the start, {away_m:.2f} m away; planned {self._shut} times")
        return Homecoming(False, f"the start is {away_m:.2f} m away after {self._ways} ways, limit {_WAYS_MOST}")

    def _stands_there(self, pose: Pose2D) -> bool:
        if pose.distance_m(self.home) < _ARRIVED_M:
            return True
        at_end = self._end_map is not None and math.dist((pose.x_m, pose.y_m), self._end_map) < _ARRIVED_M
        return at_end and pose.distance_m(self.home) < _AT_HOME_M
