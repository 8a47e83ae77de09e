"""Composes the verbs for a Pi: setup over SSH; self-test, calibration and teleoperation on the robot's own devices."""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import paramiko

from deploy import calibration, selftest, teleop
from deploy.calibration import CalibrationError, WallView
from deploy.hardware_robot import HardwareRobot
from deploy.pi_setup import RemoteShell, SetupFiles, SetupStep, carry_out
from deploy.transport import RobotAddress, open_client
from deploy.update_errors import KeysError, TransportError
from foundation import atomic_files
from foundation.geometry import FloatArray
from foundation.robot_config import RobotConfig, load
from navigation.robot_io import STOP, DriveCommand, RobotIO
from navigation.safety import Safety, SafetySettings
from perception.observation import Observation, Scan, WheelAngles

WALL_HALF_ANGLE_RAD: Final = math.radians(20)
APPROACH_MPS: Final = 0.1
APPROACH_TICKS: Final = 60
TURNS: Final = 2
TURN_RADPS: Final = 0.6
SETTLE_TICKS: Final = 8
UNIT_FOLDER: Final = Path(__file__).parent / "systemd"


def setup_files(wheel: Path, first_root: Path, push_key: Path, config: Path | None) -> SetupFiles:
    """Reads what goes onto the Pi; KeysError names a file that is missing."""
    load(config)  # a robot.toml with a mistake is told here, not on the Pi
    try:
        return SetupFiles(
            wheel.name,
            wheel.read_bytes(),
            first_root.read_bytes(),
            push_key.read_text().strip(),
            (UNIT_FOLDER / "oxturn.service").read_bytes(),
            {path.name: path.read_bytes() for path in sorted(UNIT_FOLDER.glob("*.sh"))},
            b"" if config is None else config.read_bytes(),
        )
    except OSError as error:
        raise KeysError(f"{error.filename}: {error.strerror}") from error


def set_up_pi(
    address: RobotAddress, steps: list[SetupStep], *, check_only: bool, say: Callable[[str, str], None]
) -> int:
    with open_client(address) as client:
        shell: RemoteShell = SshShell(client)
        return carry_out(steps, shell, check_only=check_only, on_step=lambda step, state: say(step.title, state))


class SshShell:
    """RemoteShell over an open paramiko client."""

    def __init__(self, client: paramiko.SSHClient) -> None:
        self._client = client

    def run(self, command: str, stdin: bytes = b"") -> tuple[int, str]:
        transport = self._client.get_transport()
        if transport is None:
            raise TransportError("the connection was lost")
        channel = transport.open_session()
        with channel:
            channel.set_combine_stderr(True)
            channel.exec_command(command)
            channel.sendall(stdin)
            channel.shutdown_write()
            output = bytearray()
            while data := channel.recv(65536):
                output += data
            return channel.recv_exit_status(), output.decode(errors="replace")


def run_selftest(config_path: Path | None, out: Path) -> tuple[bool, str]:
    config = load(config_path)
    with HardwareRobot(config) as robot:
        rows = selftest.judge(selftest.drive_course(robot, config.body.radius_m), config)
    report = selftest.as_markdown(rows)
    atomic_files.write_text(out, report)
    return all(row.passed for row in rows), report


def run_calibration(config_path: Path | None) -> list[str]:
    config = load(config_path)
    with HardwareRobot(config) as robot:
        return calibrate(robot, config)


def run_teleop(config_path: Path | None) -> None:
    config = load(config_path)
    limit = Safety(SafetySettings.of(config))
    with HardwareRobot(config) as robot, teleop.keyboard() as read_keys:
        teleop.drive(robot, teleop.KeyDriver(config.drive.turn_radps), limit, read_keys)


def calibrate(robot: RobotIO, config: RobotConfig) -> list[str]:
    """Towards the wall ahead, then two turns in place; lines for robot.toml."""
    observations = robot.observations()
    try:
        before = _stand(robot, observations)
        _drive(robot, observations, DriveCommand(APPROACH_MPS, 0.0, tool_on=False), APPROACH_TICKS)
        near = _stand(robot, observations)
        radius_m = calibration.wheel_radius_m(
            config.body.wheel_radius_m, _mean_turned_rad(before[1], near[1]), before[0], near[0]
        )
        ticks = round(TURNS * math.tau / TURN_RADPS * config.hardware.tick_hz)
        _drive(robot, observations, DriveCommand(0.0, TURN_RADPS, tool_on=False), ticks)
        turned = _stand(robot, observations)
        left_rad, right_rad = turned[1].left_rad - near[1].left_rad, turned[1].right_rad - near[1].right_rad
        track_m = calibration.wheel_track_m(
            config.body.wheel_track_m, radius_m, left_rad, right_rad, near[0], turned[0], TURNS
        )
    finally:
        robot.drive(STOP)
    return ["[body]", f"wheel_radius_m = {radius_m:.5f}", f"wheel_track_m = {track_m:.4f}"]


def _stand(robot: RobotIO, observations: Iterator[Observation]) -> tuple[WallView, WheelAngles]:
    seen = _drive(robot, observations, STOP, SETTLE_TICKS)
    scans = [one.scan for one in seen if one.scan is not None]
    wheels = [one.wheels for one in seen if one.wheels is not None]
    if not scans or not wheels:
        raise CalibrationError(f"{len(scans)} scans and {len(wheels)} wheel readings in {len(seen)} ticks")
    return calibration.wall_view(_ahead(scans[-1])), wheels[-1]


def _drive(robot: RobotIO, observations: Iterator[Observation], command: DriveCommand, ticks: int) -> list[Observation]:
    seen: list[Observation] = []
    for observation in observations:
        seen.append(observation)
        robot.drive(command)
        if len(seen) == ticks:
            break
    return seen


def _ahead(scan: Scan) -> FloatArray:
    bearings_rad = (scan.bearings_rad() + math.pi) % math.tau - math.pi
    chosen = (np.abs(bearings_rad) < WALL_HALF_ANGLE_RAD) & np.isfinite(scan.ranges_m)
    ranges_m, angles_rad = scan.ranges_m[chosen], bearings_rad[chosen]
    return np.stack([ranges_m * np.cos(angles_rad), ranges_m * np.sin(angles_rad)], axis=1)


def _mean_turned_rad(before: WheelAngles, after: WheelAngles) -> float:
    turned: Sequence[float] = (after.left_rad - before.left_rad, after.right_rad - before.right_rad)
    return sum(turned) / 2
