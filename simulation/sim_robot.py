"""The simulated robot behind `RobotIO`: Webots' `controller` API and nothing else, so that it runs in both engines.

It has what the real robot has. There is no peeking: no Supervisor, GPS, recognition or segmentation here (a test greps
this file and watches it run). Beams that come back are dropped by chance as an LD19 drops them.
"""

import math
from collections.abc import Iterator
from typing import Any, Final

import cv2
import numpy as np

from foundation.robot_config import RobotConfig
from navigation.robot_io import DriveCommand
from perception.observation import Frame, Observation, Scan, WheelAngles

TICK_MS: Final = 100
CLIFF_M: Final = 0.06  # no floor nearer than this below a cliff sensor
CLIFF_SENSORS: Final = ("cliff_0", "cliff_1", "cliff_2", "cliff_3")


class SimRobot:
    """One tick is 100 ms of simulated time; `observations` ends when the simulation does."""

    def __init__(
        self,
        robot: Any,
        config: RobotConfig,
        *,
        seed: int,
        time_limit_s: float = math.inf,
        lidar_turn_s: float = TICK_MS / 1000,
        looks: bool = True,
    ) -> None:
        """`robot` is a `controller.Robot`; `lidar_turn_s` is how long a scan took: 0 for Webots' fixed LIDAR.

        Without `looks` the camera stays off, and the engine need not draw what nobody would see.
        """
        self._robot = robot
        self._config = config
        self._time_limit_s = time_limit_s
        self._rng = np.random.default_rng([seed, 0x10])
        self._lidar = robot.getDevice("lidar")
        self._camera = robot.getDevice("camera") if looks else None
        self._motors = (robot.getDevice("left_motor"), robot.getDevice("right_motor"))
        self._encoders = (robot.getDevice("left_encoder"), robot.getDevice("right_encoder"))
        self._gyro = robot.getDevice("gyro")
        self._bumper = robot.getDevice("bumper")
        self._cliffs = [robot.getDevice(name) for name in CLIFF_SENSORS]
        for sensor in (self._lidar, *self._encoders, self._gyro, *self._cliffs, *([self._camera] if looks else [])):
            sensor.enable(TICK_MS)
        self._bumper.enable(int(robot.getBasicTimeStep()))
        for motor in self._motors:
            motor.setPosition(math.inf)
            motor.setVelocity(0.0)
        beams = self._lidar.getHorizontalResolution()
        self._beam_offsets_s = -lidar_turn_s / beams * np.arange(beams)  # the head turns clockwise: the first is newest

    def observations(self) -> Iterator[Observation]:
        step_ms = int(self._robot.getBasicTimeStep())
        while self._robot.getTime() < self._time_limit_s:
            bumped = False
            for _ in range(TICK_MS // step_ms):
                if self._robot.step(step_ms) == -1:
                    return
                bumped |= self._bumper.getValue() > 0.5
            yield self._observation(bumped)

    def drive(self, command: DriveCommand) -> None:
        body = self._config.body
        spin_mps = command.turn_radps * body.wheel_track_m / 2
        wheels_mps = (command.speed_mps - spin_mps, command.speed_mps + spin_mps)
        limit = self._motors[0].getMaxVelocity()
        fastest = max(abs(speed) / body.wheel_radius_m for speed in wheels_mps)
        scale = min(1.0, limit / fastest) if fastest else 1.0  # slower, but on the same arc
        for motor, speed_mps in zip(self._motors, wheels_mps, strict=True):
            motor.setVelocity(scale * speed_mps / body.wheel_radius_m)

    def _observation(self, bumped: bool) -> Observation:
        stamp_s = self._robot.getTime()
        left, right = (encoder.getValue() for encoder in self._encoders)
        return Observation(
            stamp_s=stamp_s,
            scan=self._scan(stamp_s),
            frame=self._frame(stamp_s),
            wheels=WheelAngles(left, right),
            turn_rate_radps=self._gyro.getValues()[2],
            bumper_pressed=bumped,
            cliffs=tuple(sensor.getValue() > CLIFF_M for sensor in self._cliffs),
        )

    def _scan(self, stamp_s: float) -> Scan:
        left_to_right = np.array(self._lidar.getRangeImage(), np.float64)
        ranges_m = np.ascontiguousarray(left_to_right[::-1])  # counter-clockwise
        ranges_m[self._rng.random(len(ranges_m)) < self._config.lidar.dropout_ratio] = math.inf
        step_rad = self._lidar.getFov() / len(ranges_m)
        first_rad = -self._lidar.getFov() / 2 + step_rad / 2
        return Scan(stamp_s, ranges_m, first_rad, step_rad, self._lidar.getMaxRange(), self._beam_offsets_s)

    def _frame(self, stamp_s: float) -> Frame | None:
        if self._camera is None:
            return None
        shape = (self._camera.getHeight(), self._camera.getWidth(), 4)
        bgra = np.frombuffer(self._camera.getImage(), np.uint8).reshape(shape)
        return Frame(stamp_s, np.asarray(cv2.cvtColor(bgra, cv2.COLOR_BGRA2BGR), np.uint8))
