"""Follows a planned line with a differential drive: turn in place at corners, regulated pure pursuit between them.

Pure pursuit cuts into a curve before it begins. So what is pursued is only the difference between the lookahead point's
bearing and what it would be on the line itself; the line's own curvature is driven beside that. On straight pieces this
is the usual law.

In: a path (N, 2) in `map` and the pose of each tick; out: a DriveCommand. The pose is first carried forward over the
command that is still on its way to the wheels, which takes one tick of latency out of the control loop.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

import numpy as np

from foundation.geometry import FloatArray, Pose2D, wrap_angle
from foundation.robot_config import RobotConfig
from navigation.robot_io import DriveCommand

CORNER_RAD: Final = math.radians(28)
_ARRIVED_M: Final = 0.012
_ALIGNED_RAD: Final = math.radians(3)
_MISALIGNED_RAD: Final = math.radians(50)  # between corners: stop and turn instead of swinging wide
_JOINING_RAD: Final = math.radians(15)  # a new path that goes on this much aside is joined without a stop
_SMOOTH_M: Final = 0.03  # to both sides: an arc comes as chords
_CURVES_AHEAD_M: Final = (0.0, 0.03, 0.06)
_TURN_SHARE: Final = 0.9  # of the turning speed goes into an arc; the rest is left for corrections


@dataclass(frozen=True, slots=True)
class FollowerSettings:
    """Speeds and distances of the follower."""

    cruise_mps: float
    slow_mps: float
    turn_radps: float
    brake_mps2: float
    turn_brake_radps2: float
    lookahead_m: float
    lookahead_s: float  # grows the lookahead with speed
    tick_s: float
    latency_s: float  # from the observation to the wheels

    @staticmethod
    def of(config: RobotConfig) -> "FollowerSettings":
        return FollowerSettings(
            cruise_mps=config.drive.cruise_mps,
            slow_mps=config.drive.slow_mps,
            turn_radps=config.drive.turn_radps,
            brake_mps2=config.drive.brake_mps2,
            turn_brake_radps2=4.0,
            lookahead_m=0.08,
            lookahead_s=0.25,
            tick_s=1.0 / config.hardware.tick_hz,
            latency_s=0.5 / config.hardware.tick_hz,
        )


class PathFollower:
    """One path at a time. `progress_m` is the arc length done; `finished` when the last point is reached."""

    def __init__(self, settings: FollowerSettings) -> None:
        self._settings = settings
        self._points: FloatArray = np.zeros((0, 2))
        self._arc_m: FloatArray = np.zeros(0)
        self._headings_rad: FloatArray = np.zeros(0)  # (N - 1,) of the legs, unwrapped
        self._heading_sums: FloatArray = np.zeros(1)  # (N,) their integral along the line
        self._corners: list[int] = []  # indices of points where the drive stops and turns; ends with the last
        self._leg_start = 0
        self._turning = True
        self._joining = True  # the path is new
        self.progress_m = 0.0
        self.lateral_error_m = 0.0
        self.finished = True

    @property
    def points(self) -> FloatArray:
        """(N, 2) in `map`: the line being followed, without double points."""
        return self._points

    @property
    def arc_m(self) -> FloatArray:
        """(N,) arc length at each point."""
        return self._arc_m

    def follow(self, path: FloatArray) -> None:
        """Start on a new path (N, 2) in `map`; it should begin near the robot."""
        keep = np.ones(len(path), dtype=bool)
        keep[1:] = np.hypot(*np.diff(path, axis=0).T) > 1e-4
        self._points = np.ascontiguousarray(path[keep])
        steps = np.hypot(*np.diff(self._points, axis=0).T) if len(self._points) > 1 else np.zeros(0)
        self._arc_m = np.concatenate([[0.0], np.cumsum(steps)])[: len(self._points)]
        self._corners = _corner_indices(self._points)
        self._headings_rad = np.unwrap(np.arctan2(*np.diff(self._points, axis=0).T[::-1])) if len(steps) else steps
        self._heading_sums = np.concatenate([[0.0], np.cumsum(self._headings_rad * steps)])
        self._leg_start = 0
        self._turning = True
        self._joining = True
        self.progress_m = 0.0
        self.lateral_error_m = 0.0
        self.finished = len(self._points) < 2

    def stop(self) -> None:
        """Forget the path."""
        self.finished = True

    def at(self, progress_m: float) -> tuple[float, float]:
        """(x, y) in `map` of the place at this arc length."""
        return (
            float(np.interp(progress_m, self._arc_m, self._points[:, 0])),
            float(np.interp(progress_m, self._arc_m, self._points[:, 1])),
        )

    @property
    def leg_end_m(self) -> float:
        """Arc length of the next place where the drive stops to turn."""
        return float(self._arc_m[self._corners[0]]) if self._corners else self.progress_m

    @property
    def remaining_m(self) -> float:
        return 0.0 if self.finished else float(self._arc_m[-1]) - self.progress_m

    def command(self, map_from_base: Pose2D, last: DriveCommand, top_mps: float) -> DriveCommand:
        """The command for this tick, no faster than `top_mps`; a command of zero when finished."""
        if self.finished:
            return DriveCommand(0.0, 0.0)
        pose = ahead(map_from_base, last, self._settings.latency_s)
        corner = self._corners[0]
        leg_end_m = float(self._arc_m[corner])
        self._advance(pose, leg_end_m)
        left_m = leg_end_m - self.progress_m
        if left_m <= _ARRIVED_M or self._passed(pose, corner):
            return self._next_leg(pose, last, top_mps)
        target_rad = self._bearing(pose, leg_end_m, self._turn_look_m() if self._turning else self._look_m(last))
        if not self._turning:
            target_rad = wrap_angle(target_rad - self._own_bearing(self._look_m(last)))
        if self._turning or abs(target_rad) > _MISALIGNED_RAD:
            moving = self._joining and last.speed_mps > 0
            self._turning = abs(target_rad) > (_JOINING_RAD if moving else _ALIGNED_RAD)
            self._joining = False
            if self._turning:
                return DriveCommand(0.0, self._turn(target_rad))
        return self._pursue(target_rad, left_m, last, top_mps)

    def _advance(self, pose: Pose2D, leg_end_m: float) -> None:
        """Nearest place on the current leg, searched a little way ahead of the last one."""
        first = max(int(np.searchsorted(self._arc_m, self.progress_m, side="right")) - 1, 0)
        last = int(np.searchsorted(self._arc_m, min(self.progress_m + 0.25, leg_end_m), side="left"))
        last = min(max(last, first + 1), len(self._points) - 1)
        start, end = self._points[first:last], self._points[first + 1 : last + 1]
        along = end - start
        length = np.hypot(along[:, 0], along[:, 1])
        offset = np.array([pose.x_m, pose.y_m]) - start
        share = np.clip((offset * along).sum(axis=1) / length**2, 0.0, 1.0)
        gap = offset - share[:, None] * along
        best = int(np.argmin((gap**2).sum(axis=1)))
        place_m = float(self._arc_m[first + best] + share[best] * length[best])
        self.progress_m = min(max(self.progress_m, place_m), leg_end_m)
        cross = along[best, 0] * offset[best, 1] - along[best, 1] * offset[best, 0]
        self.lateral_error_m = math.copysign(float(np.hypot(*gap[best])), cross)

    def _passed(self, pose: Pose2D, corner: int) -> bool:
        """The corner lies behind: overshot by a little, do not go back for it."""
        end, before = self._points[corner], self._points[max(corner - 1, 0)]
        along = end - before
        beyond = (pose.x_m - end[0]) * along[0] + (pose.y_m - end[1]) * along[1]
        return bool(beyond > 0 and self.progress_m >= float(self._arc_m[corner]) - 0.03)

    def _next_leg(self, pose: Pose2D, last: DriveCommand, top_mps: float) -> DriveCommand:
        done = self._corners.pop(0)
        self.progress_m = float(self._arc_m[done])
        if not self._corners:
            self.finished = True
            return DriveCommand(0.0, 0.0)
        self._leg_start = done
        self._turning = True
        return DriveCommand(
            0.0, self._turn(self._bearing(pose, float(self._arc_m[self._corners[0]]), self._turn_look_m()))
        )

    def _look_m(self, last: DriveCommand) -> float:
        return self._settings.lookahead_m + self._settings.lookahead_s * abs(last.speed_mps)

    def _around(self, along_m: float) -> tuple[float, float]:
        """Arc lengths (begin, end) of a short stretch of the leg; end <= begin when the place lies beyond the leg."""
        return max(along_m - _SMOOTH_M, float(self._arc_m[self._leg_start])), min(along_m + _SMOOTH_M, self.leg_end_m)

    def _heading_rad(self, along_m: float) -> float:
        """Of the line there, over a short stretch."""
        begin_m, end_m = self._around(along_m)
        if end_m - begin_m < 1e-6:
            return float(self._headings_rad[self._corners[0] - 1])
        return (self._heading_sum(end_m) - self._heading_sum(begin_m)) / (end_m - begin_m)

    def _curvature(self, along_m: float) -> float:
        """Of the line there, 1 / m, over a short stretch: beyond its ends the leg is straight."""
        begin_m, end_m = self._around(along_m)
        if end_m - begin_m < 1e-6:
            return 0.0
        first, last = self._piece_at(begin_m + 1e-9), self._piece_at(end_m - 1e-9)
        return float(self._headings_rad[last] - self._headings_rad[first]) / (2 * _SMOOTH_M)

    def _heading_sum(self, along_m: float) -> float:
        piece = self._piece_at(along_m)
        return float(self._heading_sums[piece] + self._headings_rad[piece] * (along_m - self._arc_m[piece]))

    def _piece_at(self, along_m: float) -> int:
        """Number of the straight piece there; by bisect: for one place numpy's search costs more."""
        return min(max(bisect_right(self._arc_m, along_m) - 1, 0), len(self._headings_rad) - 1)

    def _own_bearing(self, look_m: float) -> float:
        """Where the lookahead point would be seen from the line."""
        x_m, y_m = self.at(self.progress_m)
        return self._bearing(Pose2D(x_m, y_m, self._heading_rad(self.progress_m)), self.leg_end_m, look_m)

    def _turn_look_m(self) -> float:
        """Farther: standing, a near point's bearing trembles with every millimetre of the pose."""
        return 2 * self._settings.lookahead_m

    def _bearing(self, pose: Pose2D, leg_end_m: float, look_m: float) -> float:
        """Direction of the lookahead point as the robot sees it."""
        target_m = min(self.progress_m + look_m, leg_end_m)
        x_m, y_m = self.at(target_m)
        short_m = self.progress_m + look_m - target_m
        if short_m > 0:  # beyond the leg's end: extend its last direction, so that arriving does not swing the robot
            end, before = self._points[self._corners[0]], self._points[self._corners[0] - 1]
            along = (end - before) / np.hypot(*(end - before))
            x_m, y_m = x_m + short_m * float(along[0]), y_m + short_m * float(along[1])
        return wrap_angle(math.atan2(y_m - pose.y_m, x_m - pose.x_m) - pose.heading_rad)

    def _turn(self, error_rad: float) -> float:
        """As fast as still allows stopping on the mark."""
        settings = self._settings
        fast = math.sqrt(2 * settings.turn_brake_radps2 * abs(error_rad))
        return math.copysign(min(fast, abs(error_rad) / (1.5 * settings.tick_s), settings.turn_radps), error_rad)

    def _pursue(self, target_rad: float, left_m: float, last: DriveCommand, top_mps: float) -> DriveCommand:
        settings = self._settings
        braking_mps = math.sqrt(2 * 0.8 * settings.brake_mps2 * max(left_m - 0.005, 0.0))
        speed = min(top_mps, braking_mps, max(last.speed_mps, 0.0) + settings.brake_mps2 * settings.tick_s)
        speed = max(min(speed, max(left_m, 0.01) / settings.tick_s), 0.02)
        speed = min(speed, self._top_in_curves())
        curvature = self._curvature(self.progress_m + 0.5 * speed * settings.tick_s)
        turn = 2 * speed * math.sin(target_rad) / self._look_m(last) + speed * curvature
        if abs(turn) > settings.turn_radps:
            speed *= settings.turn_radps / abs(turn)
            turn = math.copysign(settings.turn_radps, turn)
        return DriveCommand(speed, turn)

    def _top_in_curves(self) -> float:
        """The speed at which the curves here and a little ahead can be turned, with room to brake before them."""
        settings, top_mps = self._settings, math.inf
        for ahead_m in _CURVES_AHEAD_M:
            curvature = self._curvature(self.progress_m + ahead_m)
            if curvature:
                there_mps = _TURN_SHARE * settings.turn_radps / abs(curvature)
                top_mps = min(top_mps, math.sqrt(there_mps**2 + 2 * 0.8 * settings.brake_mps2 * ahead_m))
        return top_mps


def ahead(map_from_base: Pose2D, command: DriveCommand, seconds: float) -> Pose2D:
    """Where `command` carries the robot in `seconds`."""
    half = Pose2D(0.0, 0.0, command.turn_radps * seconds / 2)
    return map_from_base @ half @ Pose2D(command.speed_mps * seconds, 0.0, 0.0) @ half


def _corner_indices(points: FloatArray) -> list[int]:
    """Points where the line turns sharply, measured over short chords; the last point always."""
    last = len(points) - 1
    if last < 1:
        return []
    steps = np.diff(points, axis=0)
    headings = np.arctan2(steps[:, 1], steps[:, 0])
    turns = np.abs((np.diff(headings) + np.pi) % (2 * np.pi) - np.pi)
    return [int(index) + 1 for index in np.flatnonzero(turns > CORNER_RAD)] + [last]
