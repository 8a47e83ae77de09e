"""The reference robot as an MJCF fragment: a round body on two driven wheels and two smooth casters.

In: the robot's configuration and where it stands. Out: MJCF text whose names the stand-in's engine relies on. Frames by
REP-103: `base_link` is the body named `robot`, on the floor under the centre. Nothing here knows a simulator's API.
"""

import math
from dataclasses import dataclass
from typing import Final

from foundation.geometry import Pose2D
from foundation.robot_config import RobotConfig

ROBOT: Final = "robot"
CAMERA: Final = "camera"
LEFT_WHEEL: Final = "left_wheel"
RIGHT_WHEEL: Final = "right_wheel"
BODY_GEOMS: Final = ("robot:body", "robot:turret")
ROBOT_GEOM_GROUP: Final = 5  # masked out of the robot's own rays

WHEEL_WIDTH_M: Final = 0.02
WHEEL_MASS_KG: Final = 0.1
CASTER_RADIUS_M: Final = 0.01
CASTER_LIFT_M: Final = 0.0003  # the wheels carry the weight, a caster only keeps the balance
GROUND_CLEARANCE_M: Final = 0.015
TURRET_RADIUS_M: Final = 0.05
MOTOR_MAX_TORQUE_NM: Final = 0.6
MOTOR_MAX_VELOCITY_RADPS: Final = 16.0
MOTOR_ACCELERATION_RADPS2: Final = 60.0
CLIFF_SENSORS_BASE_M: Final = ((0.15, 0.06), (0.15, -0.06), (0.08, 0.14), (0.08, -0.14))  # front pair, side pair
CLIFF_SENSOR_HEIGHT_M: Final = 0.02


@dataclass(frozen=True, slots=True)
class RobotMjcf:
    """Pieces for the sections of one MJCF document."""

    worldbody: str
    actuator: str


def robot_mjcf(config: RobotConfig, start: Pose2D, *, wheel_scale: tuple[float, float] = (1.0, 1.0)) -> RobotMjcf:
    """The robot standing at `start` (world_from_base); `wheel_scale` makes the true wheels differ from the nominal."""
    body = config.body
    top_m = body.height_m
    turret_top_m = config.lidar.z_m - 0.015
    caster_x_m = body.radius_m - 0.05
    body_mass_kg = body.mass_kg - 2 * WHEEL_MASS_KG
    half = start.heading_rad / 2
    shell = f'contype="1" conaffinity="1" group="{ROBOT_GEOM_GROUP}" friction="0.3 0.005 0.0001"'
    caster = (
        f'type="sphere" size="{CASTER_RADIUS_M}" contype="1" conaffinity="1" condim="1" priority="1" mass="0.01" '
        f'group="{ROBOT_GEOM_GROUP}" rgba=".1 .1 .1 1"'
    )
    worldbody = f"""
    <body name="{ROBOT}" pos="{start.x_m:.9g} {start.y_m:.9g} 0" quat="{math.cos(half):.12g} 0 0 {math.sin(half):.12g}">
      <freejoint name="{ROBOT}"/>
      <geom name="{BODY_GEOMS[0]}" type="cylinder" size="{body.radius_m} {(top_m - GROUND_CLEARANCE_M) / 2:.6g}"
        pos="0 0 {(top_m + GROUND_CLEARANCE_M) / 2:.6g}" mass="{body_mass_kg:.6g}" rgba=".16 .17 .2 1" {shell}/>
      <geom name="{BODY_GEOMS[1]}" type="cylinder" size="{TURRET_RADIUS_M} {(turret_top_m - top_m) / 2:.6g}"
        pos="{config.lidar.x_m} {config.lidar.y_m} {(turret_top_m + top_m) / 2:.6g}" mass="0.1"
        rgba=".1 .1 .1 1" {shell}/>
      <geom name="robot:caster_front" pos="{caster_x_m:.6g} 0 {CASTER_RADIUS_M + CASTER_LIFT_M:.6g}" {caster}/>
      <geom name="robot:caster_back" pos="{-caster_x_m:.6g} 0 {CASTER_RADIUS_M + CASTER_LIFT_M:.6g}" {caster}/>
      <camera name="{CAMERA}" pos="{config.camera.x_m} 0 {config.camera.z_m}" {_camera_axes(config)}/>
      {_wheel(LEFT_WHEEL, body.wheel_track_m / 2, body.wheel_radius_m * wheel_scale[0])}
      {_wheel(RIGHT_WHEEL, -body.wheel_track_m / 2, body.wheel_radius_m * wheel_scale[1])}
    </body>"""
    actuator = "\n".join(
        f'    <velocity name="{name}" joint="{name}" kv="0.4" '
        f'forcerange="{-MOTOR_MAX_TORQUE_NM} {MOTOR_MAX_TORQUE_NM}"/>'
        for name in (LEFT_WHEEL, RIGHT_WHEEL)
    )
    return RobotMjcf(worldbody, actuator)


def vertical_fov_rad(horizontal_fov_rad: float, width_px: int, height_px: int) -> float:
    """Of square pixels."""
    return 2 * math.atan(math.tan(horizontal_fov_rad / 2) * height_px / width_px)


def _camera_axes(config: RobotConfig) -> str:
    camera = config.camera
    sin, cos = math.sin(camera.pitch_down_rad), math.cos(camera.pitch_down_rad)
    fovy_deg = math.degrees(vertical_fov_rad(camera.horizontal_fov_rad, camera.width_px, camera.height_px))
    return f'xyaxes="0 -1 0 {sin:.12g} 0 {cos:.12g}" fovy="{fovy_deg:.9g}"'


def _wheel(name: str, y_m: float, radius_m: float) -> str:
    return f"""<body name="{name}" pos="0 {y_m:.6g} {radius_m:.9g}">
        <joint name="{name}" type="hinge" axis="0 1 0" damping="0.0005" armature="0.0008"/>
        <geom name="robot:{name}" type="ellipsoid" size="{radius_m:.9g} {radius_m:.9g} {WHEEL_WIDTH_M / 2}"
          zaxis="0 1 0" mass="{WHEEL_MASS_KG}" contype="1" conaffinity="1" condim="4" priority="1"
          friction="1.0 0.003 0.0001" group="{ROBOT_GEOM_GROUP}" rgba=".05 .05 .05 1"/>
      </body>"""
