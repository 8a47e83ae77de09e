"""Which robots a world has and which devices each carries: what a controller can reach is decided here, by the world.

The slot `robot` has exactly a real robot's sensors: no GPS, no absolute orientation, no recognition. A slot with
`supervisor` may ask the world for the truth.
"""

import math
from dataclasses import dataclass
from typing import Final

from foundation.robot_config import RobotConfig
from simulation import robot_model
from simulation.standin.messages import DeviceSpec

CLIFF_SENSORS: Final = tuple(f"cliff_{index}" for index in range(len(robot_model.CLIFF_SENSORS_BASE_M)))
LEFT_MOTOR: Final = "left_motor"
RIGHT_MOTOR: Final = "right_motor"
LEFT_ENCODER: Final = "left_encoder"
RIGHT_ENCODER: Final = "right_encoder"


@dataclass(frozen=True, slots=True)
class Slot:
    """A robot of the world that one controller may take."""

    name: str
    supervisor: bool
    devices: tuple[DeviceSpec, ...]


def robot_slot(config: RobotConfig) -> Slot:
    """The robot itself: what the Raspberry Pi would have, nothing else."""
    return Slot("robot", supervisor=False, devices=_robot_devices(config, recognition=False))


def capture_slot(config: RobotConfig) -> Slot:
    """The same robot in a supervisor's hands, its camera with recognition, and a GPS: for labelled samples."""
    truth = (DeviceSpec("gps", "GPS"), DeviceSpec("inertial_unit", "InertialUnit"))
    return Slot("capture", supervisor=True, devices=(*_robot_devices(config, recognition=True), *truth))


def judge_slot() -> Slot:
    """A supervisor without a body that scores what the robot does."""
    return Slot("judge", supervisor=True, devices=())


def _robot_devices(config: RobotConfig, *, recognition: bool) -> tuple[DeviceSpec, ...]:
    lidar, camera = config.lidar, config.camera
    motor = {"max_velocity": robot_model.MOTOR_MAX_VELOCITY_RADPS, "max_torque": robot_model.MOTOR_MAX_TORQUE_NM}
    return (
        DeviceSpec(
            "lidar",
            "Lidar",
            {
                "fov": 2 * math.pi,
                "horizontal_resolution": lidar.beams,
                "number_of_layers": 1,
                "min_range": lidar.range_min_m,
                "max_range": lidar.range_max_m,
            },
        ),
        DeviceSpec(
            "camera",
            "Camera",
            {
                "width": camera.width_px,
                "height": camera.height_px,
                "fov": camera.horizontal_fov_rad,
                "recognition": recognition,
                "noise": not recognition,  # a capture adds its own, and logs it
            },
        ),
        DeviceSpec(LEFT_MOTOR, "Motor", motor),
        DeviceSpec(RIGHT_MOTOR, "Motor", motor),
        DeviceSpec(LEFT_ENCODER, "PositionSensor"),
        DeviceSpec(RIGHT_ENCODER, "PositionSensor"),
        DeviceSpec("gyro", "Gyro"),
        DeviceSpec("accelerometer", "Accelerometer"),
        DeviceSpec("bumper", "TouchSensor"),
        *(DeviceSpec(name, "DistanceSensor") for name in CLIFF_SENSORS),
    )
