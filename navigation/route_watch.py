"""What lies along the route being driven, as the map knows it now: the first blocked place, and where to go slowly."""

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from foundation.geometry import FloatArray, Pose2D
from foundation.robot_config import RobotConfig
from navigation.map_handler import MapHandler
from navigation.path_follower import PathFollower

_CHECK_STEP_M: Final = 0.03
_LEAVE_M: Final = 0.2  # of a route that begins too near to something
_BESIDE_M: Final = 0.05
_SUSPECT_M: Final = 0.35


class RouteWatch:
    """Reads the room and the follower; changes neither."""

    def __init__(self, config: RobotConfig, room: MapHandler, follower: PathFollower) -> None:
        self._room = room
        self._follower = follower
        self._clearance_m = config.clearance_m
        self._body_radius_m = config.body.radius_m
        self._slow_within_m = config.drive.slow_within_m

    def keep_m(self) -> float:
        """Nearer to a cell that is not free than this, the route counts as blocked."""
        _, geometry = self._room.traversable()
        return self._clearance_m - 0.015 - 0.5 * geometry.cell_m

    def is_clear(self, start_map: tuple[float, float], end_map: tuple[float, float]) -> bool:
        """Whether a straight leg keeps what a route must keep."""
        steps = max(math.ceil(math.dist(start_map, end_map) / _CHECK_STEP_M), 1)
        return self._room.first_blocked(np.linspace(start_map, end_map, steps + 1), self.keep_m(), 0.0) is None

    def first_blocked_m(self) -> float:
        """Arc length of the first blocked place on the rest of the route; inf without one."""
        follower = self._follower
        along_m = np.arange(follower.progress_m + 0.02, follower.arc_m[-1], _CHECK_STEP_M)
        if not len(along_m):
            return math.inf
        places = np.stack([np.interp(along_m, follower.arc_m, follower.points[:, axis]) for axis in (0, 1)], axis=1)
        keep_m = self.keep_m()
        leaving = int(np.searchsorted(along_m, follower.progress_m + _LEAVE_M))
        here_m = self._room.gap_m(*follower.at(follower.progress_m), keep_m)
        if here_m < keep_m and leaving:  # too near already: out is allowed, as long as it does not get nearer
            first = self._room.first_blocked(places[:leaving], max(here_m - _CHECK_STEP_M / 2, 0.0), tolerance_m=0.0)
            if first is not None:
                return float(along_m[first])
            places, along_m = places[leaving:], along_m[leaving:]
        first = self._room.first_blocked(places, keep_m, tolerance_m=0.0)
        return math.inf if first is None else float(along_m[first])

    def joined(self, points: FloatArray, join_m: float, pose: Pose2D) -> FloatArray:
        """A new route (N, 2) from where the robot is: after the old one up to `join_m`, or from the pose itself."""
        follower = self._follower
        if join_m < math.inf and not follower.finished:
            keep = (follower.arc_m > follower.progress_m) & (follower.arc_m < join_m)
            here, join = np.array([follower.at(follower.progress_m)]), np.array([follower.at(join_m)])
            return np.concatenate([here, follower.points[keep], join, points])
        if math.hypot(points[0, 0] - pose.x_m, points[0, 1] - pose.y_m) > 0.01:
            return np.concatenate([[[pose.x_m, pose.y_m]], points])
        return points

    def wants_slow(self, pose: Pose2D) -> bool:
        """The next stretch nears or brushes anything the map knows.

        The limiter does the same by the raw scan; this one also sees objects below the LIDAR's plane.
        """
        suspects = self._room.suspects()
        if suspects:  # one before the body is looked at slowly
            ahead = pose.inverse().transform(np.array([(thing.x_m, thing.y_m) for thing in suspects]))
            beside = np.abs(ahead[:, 1]) < self._body_radius_m + _BESIDE_M
            if (beside & (ahead[:, 0] > 0) & (ahead[:, 0] < self._body_radius_m + _SUSPECT_M)).any():
                return True
        return brushes(self._follower, self._room.gap_m, self._body_radius_m, self._slow_within_m)


def brushes(
    follower: PathFollower, gap_m: Callable[[float, float, float], float], body_radius_m: float, slow_within_m: float
) -> bool:
    """Whether the body passes nearer than 5 cm to anything before the next stop, at most `slow_within_m` on.

    `gap_m`: distance from (x, y) to what is not free, as far as it is asked for.
    """
    keep_m = body_radius_m + _BESIDE_M
    look_m = min(slow_within_m + 0.05, follower.leg_end_m - follower.progress_m)
    for along_m in np.arange(0.0, look_m + 0.01, 0.05):
        x_m, y_m = follower.at(follower.progress_m + along_m)
        if gap_m(x_m, y_m, keep_m) < keep_m:
            return True
    return False
