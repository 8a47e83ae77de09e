"""A robot's acceptance: a small course, every sensor and timing judged, one report. Over RobotIO: also simulated.

Needs a metre of free floor around the robot. The course: stand, ahead .2 m, back, a quarter turn left, back.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from foundation.geometry import FloatArray
from foundation.robot_config import RobotConfig
from navigation.robot_io import STOP, DriveCommand, RobotIO
from perception.observation import Observation

FREE_FLOOR_M: Final = 0.5  # around the body before it moves
STAND_TICKS: Final = 20
MOVE_TICKS: Final = 20
SPEED_MPS: Final = 0.1
TURN_RADPS: Final = 0.8


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the report."""

    name: str
    value: float
    unit: str
    low: float
    high: float

    @property
    def passed(self) -> bool:
        return self.low <= self.value <= self.high


@dataclass(frozen=True, slots=True)
class Leg:
    """A piece of the course and what was seen on it."""

    name: str
    command: DriveCommand
    seen: tuple[Observation, ...]


_COURSE: Final = (
    ("stand", STOP, STAND_TICKS),
    ("ahead", DriveCommand(SPEED_MPS, 0.0, tool_on=False), MOVE_TICKS),
    ("back", DriveCommand(-SPEED_MPS, 0.0, tool_on=False), MOVE_TICKS),
    ("left", DriveCommand(0.0, TURN_RADPS, tool_on=False), MOVE_TICKS),
    ("right", DriveCommand(0.0, -TURN_RADPS, tool_on=False), MOVE_TICKS),
    ("rest", STOP, 10),
)


def drive_course(robot: RobotIO, body_radius_m: float) -> list[Leg]:
    """Ends early, motors at zero, where something is too near, the bumper is pressed or the floor is missing."""
    legs: list[Leg] = []
    observations = robot.observations()
    try:
        for name, command, ticks in _COURSE:
            seen: list[Observation] = []
            for _ in range(ticks):
                observation = next(observations, None)
                if observation is None or observation.bumper_pressed or any(observation.cliffs):
                    legs.append(Leg(name, command, tuple(seen)))
                    return legs
                seen.append(observation)
                robot.drive(command)
            legs.append(Leg(name, command, tuple(seen)))
            if name == "stand" and _nearest_m(seen) < body_radius_m + FREE_FLOOR_M:
                return legs
        return legs
    finally:
        robot.drive(STOP)


def judge(legs: Sequence[Leg], config: RobotConfig) -> list[Check]:
    """The report's rows; a course that ended early fails its first row."""
    seen = [observation for leg in legs for observation in leg.seen]
    stamps_s = np.array([observation.stamp_s for observation in seen])
    periods_s = np.diff(stamps_s) if len(stamps_s) > 1 else np.array([math.inf])
    by_name = {leg.name: leg for leg in legs}
    wanted_s = 1 / config.hardware.tick_hz
    span_s = float(stamps_s[-1] - stamps_s[0]) if len(stamps_s) > 1 else math.inf
    rows = [
        Check("legs of the course driven", len(legs), "", len(_COURSE), len(_COURSE)),
        Check("tick period p50", float(np.median(periods_s)) * 1e3, "ms", wanted_s * 950, wanted_s * 1050),
        Check("tick period p99", float(np.percentile(periods_s, 99)) * 1e3, "ms", 0, wanted_s * 1000 + 5),
        Check("scans", _rate_hz(seen, "scan", span_s), "Hz", config.lidar.rate_hz * 0.9, config.lidar.rate_hz * 1.15),
        Check("beams that answer", _answering_ratio(seen), "share", 0.5, 1.0),
        Check("range noise, standing", _range_noise_m(by_name.get("stand")) * 1e3, "mm", 0, 30),
        Check("wheel readings", _rate_hz(seen, "wheels", span_s), "Hz", config.hardware.tick_hz * 0.9, math.inf),
        Check("driven ahead, by wheels", _driven_m(by_name.get("ahead"), config), "m", 0.14, 0.24),
        Check("driven back, by wheels", _driven_m(by_name.get("back"), config), "m", -0.24, -0.14),
        Check("turned left, by wheels", _turned_deg(by_name.get("left"), config), "degrees", 60, 110),
        Check("turned right, by wheels", _turned_deg(by_name.get("right"), config), "degrees", -110, -60),
    ]
    if config.hardware.camera != "none":
        rows.append(Check("frames", _rate_hz(seen, "frame", span_s), "Hz", config.camera.rate_hz * 0.8, math.inf))
    return rows


def as_markdown(rows: Sequence[Check]) -> str:
    """The acceptance report."""
    lines = ["# Acceptance of this robot", "", "| what | value | allowed | |", "|---|---|---|---|"]
    for row in rows:
        allowed = f"{row.low:g} to {row.high:g} {row.unit}"
        lines.append(f"| {row.name} | {row.value:.3g} {row.unit} | {allowed} | {'ok' if row.passed else 'FAILED'} |")
    return "\n".join(lines) + "\n"


def _nearest_m(seen: Sequence[Observation]) -> float:
    nearest = [float(np.nanmin(one.scan.ranges_m)) for one in seen if one.scan is not None]
    return min(nearest, default=0.0)


def _rate_hz(seen: Sequence[Observation], sensor: str, span_s: float) -> float:
    return sum(getattr(one, sensor) is not None for one in seen) / span_s if span_s > 0 else 0.0


def _answering_ratio(seen: Sequence[Observation]) -> float:
    shares = [float(np.isfinite(one.scan.ranges_m).mean()) for one in seen if one.scan is not None]
    return float(np.median(shares)) if shares else 0.0


def _range_noise_m(leg: Leg | None) -> float:
    scans: list[FloatArray] = [one.scan.ranges_m for one in leg.seen if one.scan is not None] if leg else []
    if len(scans) < 3:
        return math.inf
    stacked = np.stack(scans)  # (T, N)
    answering = np.isfinite(stacked).all(axis=0)
    return float(np.median(stacked[:, answering].std(axis=0))) if answering.any() else math.inf


def _wheels_rad(leg: Leg | None) -> tuple[float, float]:
    angles = [one.wheels for one in leg.seen if one.wheels is not None] if leg else []
    if len(angles) < 2:
        return 0.0, 0.0
    return angles[-1].left_rad - angles[0].left_rad, angles[-1].right_rad - angles[0].right_rad


def _driven_m(leg: Leg | None, config: RobotConfig) -> float:
    return sum(_wheels_rad(leg)) / 2 * config.body.wheel_radius_m


def _turned_deg(leg: Leg | None, config: RobotConfig) -> float:
    left_rad, right_rad = _wheels_rad(leg)
    return math.degrees((right_rad - left_rad) * config.body.wheel_radius_m / config.body.wheel_track_m)
