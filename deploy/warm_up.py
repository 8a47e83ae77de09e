"""Compiles, or loads from the cache, every kernel of the loop before the first sensor is opened.

numba compiles at first use, a minute's work on a Pi: not while wheels turn and a watchdog counts. The whole loop runs
over a made-up room instead, whatever kernels it has, until a route is planned and driven; what only some jobs and
detours need is called beside it. A test drives a job afterwards and sees that nothing was left to compile.
"""

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from foundation.geometry import FloatArray
from foundation.robot_config import RobotConfig
from navigation.background import SteppedBackground
from navigation.detour import mended
from navigation.grid_geometry import GridGeometry
from navigation.robot_io import DriveCommand
from navigation.robot_loop import run
from navigation.room_segmentation import RoomSettings, segmented
from navigation.stages import build
from navigation.static_map import FREE
from perception.observation import Detections, Observation, Scan, WheelAngles

HALF_LENGTH_M: Final = 0.9
HALF_WIDTH_M: Final = 0.7  # a square looks the same after a quarter turn
TICKS: Final = 110  # fifteen of waiting, sixty of looking round, then a route
SEEN_UNTIL_S: Final = 0.8  # the robot still stands: the thing stays where it is


class _BoxRoom:
    """RobotIO of a robot that drives in an empty room and measures without error."""

    def __init__(self, config: RobotConfig) -> None:
        self._config = config
        self._command = DriveCommand(0.0, 0.0)
        self._x_m = self._y_m = self._heading_rad = 0.0
        self._wheels = [0.0, 0.0]

    def observations(self) -> Iterator[Observation]:
        for tick in range(TICKS):
            yield self._observation(tick * 0.1)
            self._move(0.1)

    def drive(self, command: DriveCommand) -> None:
        self._command = command

    def _move(self, step_s: float) -> None:
        speed_mps, turn_radps, body = self._command.speed_mps, self._command.turn_radps, self._config.body
        self._heading_rad += turn_radps * step_s
        self._x_m += speed_mps * step_s * math.cos(self._heading_rad)
        self._y_m += speed_mps * step_s * math.sin(self._heading_rad)
        for wheel, side in ((0, -1), (1, 1)):
            self._wheels[wheel] += (
                (speed_mps + side * turn_radps * body.wheel_track_m / 2) * step_s / body.wheel_radius_m
            )

    def _observation(self, stamp_s: float) -> Observation:
        beams = self._config.lidar.beams
        bearings_rad = np.arange(beams) * math.tau / beams
        cos, sin = (_never_zero(wave(bearings_rad + self._heading_rad)) for wave in (np.cos, np.sin))
        along_x_m = (np.sign(cos) * HALF_LENGTH_M - self._x_m) / cos
        along_y_m = (np.sign(sin) * HALF_WIDTH_M - self._y_m) / sin
        ranges_m = np.minimum(along_x_m, along_y_m)
        scan = Scan(stamp_s, ranges_m, 0.0, math.tau / beams, self._config.lidar.range_max_m, np.zeros(beams))
        return Observation(stamp_s, scan, None, WheelAngles(self._wheels[0], self._wheels[1]), self._command.turn_radps)


def _never_zero(values: FloatArray) -> FloatArray:
    return np.where(np.abs(values) < 1e-9, 1e-9, values)


class _OneThing:
    """A detector that sees one small thing ahead at first, so that the object layer's kernels run too."""

    def detect(self, observation: Observation) -> Detections | None:
        if observation.stamp_s > SEEN_UNTIL_S:
            return None
        return Detections(
            observation.stamp_s,
            np.array([[0.5, 0.1]]),
            np.array([0.03]),
            np.array([0.9]),
            np.zeros(1, np.int64),
            np.zeros((1, 4)),
            np.array([[0.4, 0.0], [0.6, -0.1]]),
        )


def warm_up(config: RobotConfig) -> None:
    """Half a second with a warm cache, about a minute on a fresh Pi."""
    stages = build(config, background=lambda name: SteppedBackground(1))
    room = _BoxRoom(config)
    run(room, stages.localiser, _OneThing(), stages.room, stages.planner, stages.limit, lambda report: None)
    _go_around_something()
    cells = np.full((60, 60), FREE, np.int8)
    segmented(cells, GridGeometry(0.0, 0.0, 0.1, 60, 60), (3.0, 3.0), RoomSettings())


def _go_around_something() -> None:
    free = np.ones((60, 60), dtype=np.bool_)
    free[28:32, 28:32] = False
    route, arc_m = np.array([[1.0, 3.0], [5.0, 3.0]]), np.array([0.0, 4.0])
    mended(free, GridGeometry(0.0, 0.0, 0.1, 60, 60), route, arc_m, 0.0, 0.2, 0.2, 0.3, 4.0)
