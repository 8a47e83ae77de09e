"""The Pi's RobotIO over pseudo-terminals at full rate: scans, wheels, unplugging, and a daemon that is killed."""

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from board_emulator import BoardEmulator
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPWMPin
from lidar_emulator import A1Emulator, LidarEmulator

from deploy.hardware_robot import HardwareRobot
from deploy.pacing import Pacer
from deploy.update_errors import DriverError
from foundation.robot_config import RobotConfig
from navigation.odometry import WheelOdometry
from navigation.robot_io import DriveCommand

FORWARD = DriveCommand(0.2, 0.0)


def config_for(board, lidar, **more):
    hardware = {"motor_port": board.port, "lidar_port": lidar.port, "camera": "none", **more}
    return RobotConfig.model_validate({"hardware": hardware})


@pytest.fixture
def board():
    with BoardEmulator() as board:
        yield board


@pytest.fixture
def lidar(tmp_path):
    with LidarEmulator(tmp_path / "lidar") as lidar:
        yield lidar


def drive(robot, ticks, command=FORWARD):
    seen = []
    for observation in robot.observations():
        seen.append(observation)
        robot.drive(command)
        if len(seen) == ticks:
            return seen
    return seen


def test_a_second_of_driving_gives_whole_scans_and_turning_wheels(board, lidar):
    with HardwareRobot(config_for(board, lidar)) as robot:
        seen = drive(robot, 12)

    scans = [one.scan for one in seen if one.scan is not None]
    assert len(scans) >= 8
    assert np.nanmax(np.abs(scans[-1].ranges_m - 2.0)) < 0.01
    assert np.isnan(scans[-1].ranges_m).mean() < 0.1
    wheels = [one.wheels for one in seen if one.wheels is not None]
    turned_m = (wheels[-1].left_rad - wheels[0].left_rad) * 0.035
    assert 0.1 < turned_m < 0.3


def test_turning_left_drives_the_right_wheel_faster(board, lidar):
    with HardwareRobot(config_for(board, lidar)) as robot:
        drive(robot, 3, DriveCommand(0.1, 1.0))
        left_mps, right_mps = board.speeds

    assert math.isclose(left_mps, 0.1 - 0.13, abs_tol=1e-3)
    assert math.isclose(right_mps, 0.1 + 0.13, abs_tol=1e-3)


def test_leaving_the_robot_stops_the_wheels(board, lidar):
    with HardwareRobot(config_for(board, lidar)) as robot:
        drive(robot, 3)
    time.sleep(0.1)

    assert board.speeds == (0.0, 0.0)


def test_an_unplugged_lidar_gives_none_and_comes_back(board, lidar):
    with HardwareRobot(config_for(board, lidar)) as robot:
        drive(robot, 4)
        lidar.unplug()
        away = drive(robot, 6)
        lidar.plug()
        back = drive(robot, 14)

    assert away[-1].scan is None
    assert away[-1].wheels is not None
    assert back[-1].scan is not None


def test_an_a1_is_started_and_started_again_after_it_was_unplugged(board, tmp_path):
    with A1Emulator(tmp_path / "a1") as a1:
        hardware = config_for(board, a1).hardware.model_dump() | {"lidar": "rplidar_a1"}
        config = RobotConfig.model_validate({"hardware": hardware, "lidar": {"beams": 360}})
        with HardwareRobot(config) as robot:
            first = drive(robot, 8)
            a1.unplug()
            away = drive(robot, 6)
            a1.plug()
            back = drive(robot, 20)

    assert any(one.scan is not None for one in first)
    assert away[-1].scan is None
    scans = [one.scan for one in back if one.scan is not None]
    assert scans
    assert np.nanmax(np.abs(scans[-1].ranges_m - 2.0)) < 0.01


@pytest.fixture
def pins(monkeypatch):
    """gpiozero's mock pins in place of the machine's."""
    factory = MockFactory(pin_class=MockPWMPin)
    monkeypatch.setattr(Device, "pin_factory", factory)
    yield factory
    factory.reset()


def turn_wheel(pins, encoder, steps):
    """Whole quadrature cycles, forward where `steps` is positive."""
    first, second = (pins.pin(number) for number in (encoder if steps > 0 else encoder[::-1]))
    for _ in range(abs(steps)):
        first.drive_high()
        second.drive_high()
        first.drive_low()
        second.drive_low()


def test_a_base_on_pins_turns_by_its_wheels_and_knows_no_battery(board, lidar, pins):
    config = config_for(board, lidar, motors="gpio")
    odometry = WheelOdometry(wheel_radius_m=config.body.wheel_radius_m, wheel_track_m=config.body.wheel_track_m)
    with HardwareRobot(config) as robot:
        before = drive(robot, 4)
        turn_wheel(pins, config.hardware.gpio.left_encoder, -200)
        turn_wheel(pins, config.hardware.gpio.right_encoder, 200)
        after = drive(robot, 4)
    for observation in before + after:
        pose = odometry.update(observation)

    measured = [one for one in before + after if one.wheels is not None]
    radian_per_tick = 2 * math.pi / config.body.encoder_ticks_per_turn
    turned_rad = 400 * radian_per_tick * config.body.wheel_radius_m / config.body.wheel_track_m
    assert {(one.turn_rate_radps, one.battery_ratio) for one in measured} == {(None, None)}
    assert math.isclose(pose.heading_rad, turned_rad, rel_tol=0.02)


def test_a_missing_device_is_named(board, lidar):
    lidar.unplug()
    with pytest.raises(DriverError, match=lidar.port), HardwareRobot(config_for(board, lidar)):
        pass
    lidar.plug()


KILLED = """
import sys
from deploy.hardware_robot import HardwareRobot
from foundation.robot_config import RobotConfig
from navigation.robot_io import DriveCommand
hardware = {"motor_port": sys.argv[1], "lidar_port": sys.argv[2], "camera": "none"}
with HardwareRobot(RobotConfig.model_validate({"hardware": hardware})) as robot:
    for observation in robot.observations():
        robot.drive(DriveCommand(0.25, 0.0))
"""


@pytest.mark.slow  # half a second means something on a machine that has a core to spare
def test_a_killed_daemon_moves_nothing_after_half_a_second(board, lidar):
    daemon = subprocess.Popen([sys.executable, "-c", KILLED, board.port, lidar.port], cwd=Path(__file__).parents[2])
    deadline_s = time.monotonic() + 10
    while board.heard < 5 and time.monotonic() < deadline_s:
        time.sleep(0.02)
    assert board.speeds != (0.0, 0.0)

    os.kill(daemon.pid, signal.SIGKILL)
    killed_s = time.monotonic()
    daemon.wait()
    time.sleep(0.6)

    assert board.speeds == (0.0, 0.0)
    assert board.last_moving_s - killed_s < 0.5


class VirtualTime:
    def __init__(self):
        self.now_s = 0.0

    def clock(self):
        return self.now_s

    def sleep(self, wait_s):
        self.now_s += wait_s


def test_a_late_tick_does_not_shift_the_ones_after_it():
    virtual = VirtualTime()
    stamps = []
    for number, stamp_s in enumerate(Pacer(0.1, virtual.clock, virtual.sleep).deadlines()):
        stamps.append(round(stamp_s, 6))
        virtual.now_s += 0.13 if number == 2 else 0.01
        if number == 6:
            break

    assert stamps == [0.0, 0.1, 0.2, 0.33, 0.4, 0.5, 0.6]


def test_missed_ticks_are_skipped_and_counted():
    virtual = VirtualTime()
    pacer, stamps = Pacer(0.1, virtual.clock, virtual.sleep), []
    for number, stamp_s in enumerate(pacer.deadlines()):
        stamps.append(round(stamp_s, 6))
        virtual.now_s += 0.55 if number == 1 else 0.01
        if number == 4:
            break

    assert stamps == [0.0, 0.1, 0.65, 0.7, 0.8]
    assert pacer.skipped == 4
