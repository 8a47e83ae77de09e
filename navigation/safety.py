"""The last limiter before the motors: it believes the raw scan, the bumper and the cliff sensors, never the map.

A robot that it has stopped does not creep on when the noise of one scan makes room: it goes on in that direction only
with more room than it was stopped for, in several scans in a row, until it has turned or backed away. Of a table leg's
corner no more than a few beams tell how near it is.

A scan that tells nothing is none: without points (a LIDAR that is covered, or looks into the sun) or the same to the
last bit after the robot was told to move (one that hangs). While no scan comes, the last points come nearer by what was
driven since, and after SafetySettings.scan_stale_s nothing moves.

It only takes away: a limited command is never faster than the wanted one and never turns another way. What it allows is
the speed from which braking ends before the round body touches the nearest scan point on the commanded arc.
"""

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from foundation.geometry import IDENTITY, FloatArray, Pose2D
from foundation.robot_config import RobotConfig
from navigation.path_follower import ahead
from navigation.repeated_scan import RepeatedScans
from navigation.robot_io import STOP, DriveCommand
from perception.observation import Observation, Scan

_LOOK_STEP_M: Final = 0.02  # along the arc
_STANDING_MPS: Final = 1e-3  # an arc needs some speed to have a radius
_AGREE_M: Final = 0.05
_NEARING_MIN_M: Final = 0.0005
_WARY_M: Final = 0.006  # more room, to go on after a stop; a mean of five beams is wrong by up to that
_AGREEING_SCANS: Final = 3  # that leave this room, to go on beside something near; one may be wrong by a centimetre
_BESIDE_BODY_M: Final = 0.03  # nothing nearer than this: one scan is enough
_TURNED_AWAY_RAD: Final = math.radians(10)
_TOUCHING_M: Final = 0.003  # a mean of five beams is wrong by that
_POINTS_MIN: Final = 10  # with fewer the LIDAR sees nothing; a room of any size has hundreds


@dataclass(frozen=True, slots=True)
class SafetySettings:
    """Values of the limiter, all physical."""

    body_radius_m: float
    body_gap_m: float  # kept between body and scan points ahead
    nearing_m: float  # a point beside the body may come nearer by this in one stop, but never touch
    base_from_laser: Pose2D
    cruise_mps: float
    slow_mps: float
    slow_within_m: float  # ahead of the body
    slow_beside_m: float  # and beside it
    turn_radps: float
    brake_mps2: float
    latency_s: float  # from the scan to the wheels
    tick_s: float
    scan_old_s: float  # beyond it: slowly
    scan_stale_s: float  # beyond it: stop

    @staticmethod
    def of(config: RobotConfig) -> "SafetySettings":
        return SafetySettings(
            body_radius_m=config.body.radius_m,
            body_gap_m=0.004,
            nearing_m=0.004,
            base_from_laser=Pose2D(config.lidar.x_m, config.lidar.y_m, config.lidar.yaw_rad),
            cruise_mps=config.drive.cruise_mps,
            slow_mps=config.drive.slow_mps,
            slow_within_m=config.drive.slow_within_m,
            slow_beside_m=0.05,
            turn_radps=config.drive.turn_radps,
            brake_mps2=config.drive.brake_mps2,
            latency_s=1.0 / config.lidar.rate_hz,
            tick_s=1.0 / config.hardware.tick_hz,
            scan_old_s=0.25,
            scan_stale_s=0.6,
        )


class Safety:
    """robot_loop.Limiter: remembers the newest scan that tells something, so that a silent LIDAR is noticed."""

    def __init__(self, settings: SafetySettings) -> None:
        self._settings = settings
        self._wary = replace(settings, body_gap_m=settings.body_gap_m + _WARY_M, nearing_m=_NEARING_MIN_M)
        self._stopped = 0.0  # the direction in which it was stopped, 0 for none
        self._turned_rad = 0.0  # since then
        self._scans_with_room = 0  # in a row, for going on there
        self._points_base: FloatArray = np.zeros((0, 2))
        self._scan_s: float | None = None
        self._repeated = RepeatedScans()  # by what the wheels were told
        self._last = STOP
        self._last_s: float | None = None

    def __call__(self, wanted: DriveCommand, observation: Observation) -> DriveCommand:
        told = self._take_in(observation)
        age_s = math.inf if self._scan_s is None else observation.stamp_s - self._scan_s
        going_on = self._stopped * wanted.speed_mps > 0
        settings = self._wary if going_on else self._settings
        command = limited(
            wanted, self._points_base, age_s, observation.bumper_pressed, any(observation.cliffs), settings
        )
        if not going_on:
            self._scans_with_room = 0
        elif not self._sure_of_room(command, told):
            command = replace(command, speed_mps=0.0)
        self._remember(wanted, command)
        self._last, self._last_s = command, observation.stamp_s
        return command

    def _take_in(self, observation: Observation) -> bool:
        """The points of now: a new scan's, or the last ones as seen from where the robot has driven since."""
        moved = self._moved(observation.stamp_s)
        self._repeated.moved(moved)
        scan = observation.scan
        if scan is not None and not self._repeated.repeats(scan):
            points_base = scan_points(scan, self._settings.base_from_laser)
            if len(points_base) >= _POINTS_MIN:
                self._points_base, self._scan_s = points_base, scan.stamp_s
                return True
        self._points_base = moved.inverse().transform(self._points_base)
        return False

    def _moved(self, stamp_s: float) -> Pose2D:
        """By the last command, since the last tick."""
        if self._last_s is None or not 0 < stamp_s - self._last_s <= self._settings.scan_stale_s:
            return IDENTITY
        return ahead(IDENTITY, self._last, stamp_s - self._last_s)

    def _sure_of_room(self, command: DriveCommand, told: bool) -> bool:
        """Whether enough scans in a row have let it go on, this one included."""
        if abs(command.speed_mps) < _STANDING_MPS:
            self._scans_with_room = 0
        elif told:
            self._scans_with_room += 1
        beside_m = self._settings.body_radius_m + _BESIDE_BODY_M
        return self._scans_with_room >= _AGREEING_SCANS or not ((self._points_base**2).sum(axis=1) < beside_m**2).any()

    def _remember(self, wanted: DriveCommand, command: DriveCommand) -> None:
        """Stopped, until it turns well away or drives."""
        if abs(wanted.speed_mps) > _STANDING_MPS and abs(command.speed_mps) < _STANDING_MPS:
            self._stopped = math.copysign(1.0, wanted.speed_mps)
            self._turned_rad = 0.0
        elif command.speed_mps != 0:
            self._stopped = 0.0
        else:
            self._turned_rad += abs(command.turn_radps) * self._settings.tick_s
            if self._turned_rad > _TURNED_AWAY_RAD:
                self._stopped = 0.0


def limited(
    wanted: DriveCommand,
    points_base: FloatArray,  # (N, 2)
    scan_age_s: float,
    bumper_pressed: bool,
    cliff: bool,
    settings: SafetySettings,
) -> DriveCommand:
    """The nearest command to `wanted` that is safe; STOP when it is no number or the scan is too old."""
    if not (math.isfinite(wanted.speed_mps) and math.isfinite(wanted.turn_radps)):
        return STOP
    if not -0.05 <= scan_age_s <= settings.scan_stale_s:  # a scan from the future is as bad as an old one
        return STOP
    if abs(wanted.speed_mps) < _STANDING_MPS:
        wanted = replace(wanted, speed_mps=0.0)
    if wanted.speed_mps > 0 and (bumper_pressed or cliff):
        return replace(wanted, speed_mps=0.0, turn_radps=0.0 if cliff else _clamped(wanted.turn_radps, settings))
    top_mps = settings.slow_mps if scan_age_s > settings.scan_old_s else settings.cruise_mps
    turn_radps = _clamped(wanted.turn_radps, settings)
    if wanted.speed_mps != 0 and near_ahead(wanted, points_base, settings):
        top_mps = min(top_mps, settings.slow_mps)
    speed_mps = max(-top_mps, min(wanted.speed_mps, top_mps))
    if speed_mps != 0:
        # slowing keeps the arc: turn and speed shrink together
        allowed_mps = _speed_with_room(speed_mps, turn_radps, points_base, settings)
        turn_radps *= max(allowed_mps / abs(speed_mps), 0.0) if allowed_mps > 0 else 1.0
        speed_mps = math.copysign(allowed_mps, speed_mps)
    return replace(wanted, speed_mps=speed_mps, turn_radps=turn_radps)


def scan_points(scan: Scan, base_from_laser: Pose2D) -> FloatArray:
    """Hit points (M, 2) in base_link: beams that a neighbour agrees with, each the mean of those that agree.

    One speck is no wall; a table leg fills two beams. The mean of five beams halves the noise that would stop the robot
    beside a wall, and at .2 m bends a straight wall by less than a millimetre.
    """
    ranges_m = np.where(np.isfinite(scan.ranges_m) & (scan.ranges_m < scan.range_max_m), scan.ranges_m, np.inf)
    ranges_m = np.where(ranges_m > 0, ranges_m, np.inf)
    neighbours = np.stack([np.roll(ranges_m, shift) for shift in (-2, -1, 0, 1, 2)])  # (5, N)
    with np.errstate(invalid="ignore"):
        agrees = np.abs(neighbours - ranges_m) < _AGREE_M
    hit = np.isfinite(ranges_m) & (agrees[1] | agrees[3])
    mean_m = np.where(agrees, neighbours, 0.0)[:, hit].sum(axis=0) / np.maximum(agrees[:, hit].sum(axis=0), 1)
    bearings_rad = scan.bearings_rad()[hit]
    return base_from_laser.transform(np.stack([mean_m * np.cos(bearings_rad), mean_m * np.sin(bearings_rad)], axis=1))


def near_ahead(wanted: DriveCommand, points_base: FloatArray, settings: SafetySettings) -> bool:
    """Whether the body, driven `slow_within_m` along the arc, would pass anything nearer than `slow_beside_m`.

    A wall that the drive runs along at a distance is not what a stop is for; one that it nears, or brushes, is.
    """
    keep_m = settings.body_radius_m + settings.slow_beside_m
    near = points_base[(points_base**2).sum(axis=1) <= (keep_m + settings.slow_within_m) ** 2]
    if not len(near):
        return False
    direction, turn_per_m = math.copysign(1.0, wanted.speed_mps), wanted.turn_radps / abs(wanted.speed_mps)
    centres = _arc(direction, turn_per_m, np.linspace(0.0, settings.slow_within_m, 8))
    distance_m2 = ((near[None] - centres[:, None]) ** 2).sum(axis=2)  # (8, M)
    return bool(distance_m2.min() < keep_m**2)


def _clamped(turn_radps: float, settings: SafetySettings) -> float:
    return max(-settings.turn_radps, min(turn_radps, settings.turn_radps))


def _speed_with_room(speed_mps: float, turn_radps: float, points_base: FloatArray, settings: SafetySettings) -> float:
    """Largest speed (>= 0) along the arc from which the body still stops in time."""
    stop_m = speed_mps**2 / (2 * settings.brake_mps2) + abs(speed_mps) * settings.latency_s
    room_m = free_arc_m(math.copysign(1.0, speed_mps), turn_radps / abs(speed_mps), stop_m, points_base, settings)
    if room_m >= stop_m:
        return abs(speed_mps)
    brake, latency = settings.brake_mps2, settings.latency_s
    return max(-brake * latency + math.sqrt((brake * latency) ** 2 + 2 * brake * room_m), 0.0)


def free_arc_m(
    direction: float, turn_per_m: float, length_m: float, points_base: FloatArray, settings: SafetySettings
) -> float:
    """How far the body may go along the arc, up to `length_m`, before a point is nearer than radius + gap.

    A point that is already nearer is no obstacle to a drive that leaves it: only points that come nearer count.
    """
    keep_m = settings.body_radius_m + settings.body_gap_m
    reach_m = keep_m + length_m
    near = points_base[(points_base**2).sum(axis=1) <= reach_m**2]
    if not len(near):
        return length_m
    steps = max(math.ceil(length_m / _LOOK_STEP_M), 1)
    along_m = np.linspace(length_m / steps, length_m, steps)  # (S,)
    centres = _arc(direction, turn_per_m, along_m)
    distance_m = np.sqrt(((near[None] - centres[:, None]) ** 2).sum(axis=2))  # (S, M)
    now_m = np.sqrt((near**2).sum(axis=1))
    left_m = now_m - settings.body_radius_m - _TOUCHING_M
    nearing_m = np.clip(left_m, _NEARING_MIN_M, settings.nearing_m)  # no creeping up
    hits = ((distance_m < keep_m) & (distance_m < now_m - nearing_m)).any(axis=1)
    if not hits.any():
        return length_m
    first = int(np.argmax(hits))
    return float(along_m[first - 1]) if first else 0.0


def _arc(direction: float, turn_per_m: float, along_m: FloatArray) -> FloatArray:
    """(S, 2): where the centre is after the lengths (S,) of an arc; `direction` is +1 forward, -1 backward."""
    if abs(turn_per_m) < 1e-6:
        return np.stack([direction * along_m, np.zeros_like(along_m)], axis=1)
    angle_rad = turn_per_m * along_m
    return np.stack([direction * np.sin(angle_rad), direction * (1 - np.cos(angle_rad))], axis=1) / turn_per_m
