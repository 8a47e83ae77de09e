"""The robot's one configuration: typed, checked, read from `robot.toml`; its defaults are the reference robot.

A missing key takes its default; an unknown key or a value out of range is a `ConfigError` that names it. Only the
files that compose a program read it; algorithms receive plain values or their own section.
"""

import math
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import Field

from foundation.camera_geometry import PinholeCamera
from foundation.checked_section import Section, checked, text_of
from foundation.errors import ConfigError


class Body(Section):
    radius_m: float = Field(0.17, gt=0, le=2)
    height_m: float = Field(0.085, gt=0, le=2)  # of the shell; the LIDAR stands on a turret
    mass_kg: float = Field(3.2, gt=0, le=500)
    wheel_track_m: float = Field(0.26, gt=0, le=2)
    wheel_radius_m: float = Field(0.035, gt=0, le=0.5)
    encoder_ticks_per_turn: int = Field(1440, ge=4)


class Tool(Section):
    """Brush, mop, lamp or mower deck: a straight bar across the robot."""

    width_m: float = Field(0.26, gt=0, le=4)
    offset_left_m: float = Field(0.0, ge=-2, le=2)


class Lidar(Section):
    """2D LIDAR; defaults are an LD19."""

    x_m: float = 0.0
    y_m: float = 0.0
    z_m: float = Field(0.14, gt=0)
    yaw_rad: float = 0.0
    beams: int = Field(450, ge=8, le=20_000)
    rate_hz: float = Field(10.0, gt=0, le=100)
    range_min_m: float = Field(0.02, ge=0)
    range_max_m: float = Field(12.0, gt=0)
    noise_m: float = Field(0.01, ge=0)
    dropout_ratio: float = Field(0.005, ge=0, lt=1)


class Camera(Section):
    """Forward camera; defaults are a Pi Camera Module 2 read at 320x240."""

    width_px: int = Field(320, ge=32, le=4096)
    height_px: int = Field(240, ge=24, le=4096)
    horizontal_fov_rad: float = Field(math.radians(62.2), gt=0.1, lt=3)
    x_m: float = 0.14
    z_m: float = Field(0.12, gt=0)
    pitch_down_rad: float = Field(math.radians(20), ge=-1.5, le=1.5)
    rate_hz: float = Field(10.0, gt=0, le=120)

    def pinhole(self) -> PinholeCamera:
        return PinholeCamera(
            self.width_px, self.height_px, self.horizontal_fov_rad, self.x_m, self.z_m, self.pitch_down_rad
        )


class Drive(Section):
    cruise_mps: float = Field(0.25, gt=0, le=3)
    slow_mps: float = Field(0.12, gt=0, le=3)
    slow_within_m: float = Field(0.25, ge=0, le=5)  # gap between body and the nearest thing
    turn_radps: float = Field(1.0, gt=0, le=10)
    brake_mps2: float = Field(0.5, gt=0, le=20)


class Planner(Section):
    margin_m: float = Field(0.02, ge=0, le=1)  # kept between body and anything, on top of the radius
    cell_m: float = Field(0.025, gt=0.001, le=0.5)


class Battery(Section):
    """How far a charge carries; without `recharge` a job is driven on whatever the battery says."""

    recharge: bool = False  # drive back to the start while that is affordable, wait until charged, go on
    full_drive_s: float = Field(5400.0, gt=0, le=1e6)  # of driving, from full to empty
    charge_s: float = Field(7200.0, gt=0, le=1e6)  # from empty to full; used where no level is measured
    reserve_ratio: float = Field(0.15, ge=0, lt=1)
    charged_ratio: float = Field(0.95, gt=0, le=1)


class Detector(Section):
    min_score: float = Field(0.5, gt=0, lt=1)
    range_max_m: float = Field(1.2, gt=0)


class Monitoring(Section):
    host: str = "127.0.0.1"
    port: int = Field(9108, ge=0, le=65535)  # 0 = any free port
    view_port: int | None = Field(None, ge=0, le=65535)  # of the live page; none without
    linger_s: float = Field(20.0, ge=0, le=600)  # at most, after a job that ended well, until one more scrape has come


class Updates(Section):
    home: Path = Path("/var/lib/oxturn")
    confirm_within_s: float = Field(4.5, gt=0)
    software_healthy_s: float = Field(20.0, gt=0)  # a run on new software confirms it after so long


class GpioPins(Section):
    """BCM numbers, for motors without a board; the wiring table of docs/pi.md."""

    left: tuple[int, int] = (12, 16)  # forward, backward
    right: tuple[int, int] = (13, 26)
    left_encoder: tuple[int, int] = (5, 6)
    right_encoder: tuple[int, int] = (20, 21)
    tool: int = 17
    bumper: int = 27
    cliffs: tuple[int, int, int, int] = (22, 23, 24, 25)
    full_speed_mps: float = Field(0.5, gt=0, le=5)


class Hardware(Section):
    """What hangs on the Pi; read by the daemon alone."""

    tick_hz: float = Field(10.0, ge=8, le=12)  # recoveries, pauses and limits count ticks of a tenth of a second
    lidar: Literal["ld19", "rplidar_a1"] = "ld19"
    lidar_port: str = "/dev/serial0"
    motors: Literal["board", "gpio"] = "board"
    motor_port: str = "/dev/ttyACM0"
    gpio: GpioPins = GpioPins()
    camera: Literal["picamera2", "v4l2", "none"] = "picamera2"
    camera_device: int = Field(0, ge=0, le=63)  # v4l2: the number of /dev/video


class RobotConfig(Section):
    """One table of `robot.toml` a field."""

    body: Body = Body()
    tool: Tool = Tool()
    lidar: Lidar = Lidar()
    camera: Camera = Camera()
    drive: Drive = Drive()
    planner: Planner = Planner()
    battery: Battery = Battery()
    detector: Detector = Detector()
    monitoring: Monitoring = Monitoring()
    updates: Updates = Updates()
    hardware: Hardware = Hardware()

    @property
    def clearance_m(self) -> float:
        """What the planner keeps between the robot's centre and anything."""
        return self.body.radius_m + self.planner.margin_m


def parse(text: str, origin: str = "robot.toml") -> RobotConfig:
    """Raises ConfigError with the key, the value and the limit; `origin` names the text in the message."""
    try:
        return checked(RobotConfig, tomllib.loads(text), origin)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{origin}: not TOML: {error}") from error


def load(path: Path | None) -> RobotConfig:
    """The configuration in `path`; the reference robot when there is none."""
    if path is None:
        return RobotConfig()
    return parse(text_of(path), str(path))
