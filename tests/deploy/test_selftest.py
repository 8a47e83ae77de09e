"""The acceptance course and driving by keyboard, in a flat world."""

from dataclasses import replace

import pytest
from flat_world import FlatWorld

from deploy.selftest import as_markdown, drive_course, judge
from deploy.teleop import HOLD_S, KeyDriver, drive
from foundation.robot_config import RobotConfig
from navigation.robot_io import STOP, DriveCommand

CONFIG = RobotConfig.model_validate({"hardware": {"camera": "none"}})
WIDE = (-2.0, -2.0, 2.0, 2.0)


def failed(rows):
    return [row.name for row in rows if not row.passed]


def test_a_good_robot_passes():
    world = FlatWorld(WIDE, config=CONFIG, wheel_error=0.0)

    rows = judge(drive_course(world, CONFIG.body.radius_m), CONFIG)

    assert failed(rows) == []
    assert world.commands[-1] == STOP
    assert "FAILED" not in as_markdown(rows)


def test_it_does_not_move_where_there_is_no_room():
    world = FlatWorld((-0.4, -0.4, 0.4, 0.4), config=CONFIG)

    rows = judge(drive_course(world, CONFIG.body.radius_m), CONFIG)

    assert "legs of the course driven" in failed(rows)
    assert all(command == STOP for command in world.commands)


class Swapped(FlatWorld):
    """Left and right encoder plugged the wrong way round."""

    def observations(self):
        for seen in super().observations():
            wheels = replace(seen.wheels, left_rad=seen.wheels.right_rad, right_rad=seen.wheels.left_rad)
            yield replace(seen, wheels=wheels)


class Deaf(FlatWorld):
    def observations(self):
        for seen in super().observations():
            yield replace(seen, scan=seen.scan if seen.stamp_s < 2 else None)


@pytest.mark.parametrize(("world", "row"), [(Swapped, "turned left, by wheels"), (Deaf, "scans")])
def test_a_fault_is_named(world, row):
    rows = judge(drive_course(world(WIDE, config=CONFIG, wheel_error=0.0), CONFIG.body.radius_m), CONFIG)

    assert row in failed(rows)
    assert f"| {row} |" in as_markdown(rows)


def test_keys_drive_and_a_released_key_stops():
    driver = KeyDriver(1.0)
    driver.press("w", 10.0)

    assert driver.wanted(10.1) == DriveCommand(0.1, 0.0, False)
    assert driver.wanted(10.0 + HOLD_S + 0.01).speed_mps == 0.0


def test_gears_tool_turns_and_quit():
    driver = KeyDriver(1.0)
    for key in "+++++t":
        driver.press(key, 0.0)
    driver.press("a", 0.0)
    assert driver.wanted(0.0) == DriveCommand(0.0, 1.0, True)
    driver.press("s", 0.0)
    assert driver.wanted(0.0).speed_mps == -0.25
    driver.press(" ", 0.0)
    assert driver.wanted(0.0).speed_mps == 0.0
    assert driver.press("x", 0.0)
    assert not driver.press("q", 0.0)


def test_teleop_goes_through_the_limiter_and_ends_with_zero():
    world = FlatWorld(WIDE, config=CONFIG)
    keys = iter(["w", "", "q"])

    drive(
        world, KeyDriver(1.0), lambda wanted, seen: replace(wanted, speed_mps=wanted.speed_mps / 2), lambda: next(keys)
    )

    assert [command.speed_mps for command in world.commands] == [0.05, 0.05, 0.0]
