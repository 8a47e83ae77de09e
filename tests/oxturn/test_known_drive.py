"""What the robot takes over a floor that it knows: all of it, at its own speeds, by no needless way."""

import pytest

from foundation.robot_config import RobotConfig
from oxturn.known_drive import known_drive
from simulation.room_simulator import draw_room

CONFIG = RobotConfig()


@pytest.fixture(scope="module")
def drives():
    rooms = [draw_room(3, rooms=1, purpose="test", small_objects=(count, count)) for count in (0, 10)]
    return [known_drive(room, CONFIG) for room in rooms]


def test_it_sweeps_the_floor_and_drives_no_faster_than_the_robot_does(drives):
    for drive in drives:
        assert 0.98 < drive.coverage_ratio <= 1
        driving_s = drive.duration_s - drive.turning_s
        assert CONFIG.drive.slow_mps < drive.length_m / driving_s < CONFIG.drive.cruise_mps
        assert drive.rotation_rad / drive.duration_s < CONFIG.drive.turn_radps
        assert 0.2 < drive.slow_s / driving_s < 0.95


def test_things_cost_time(drives):
    bare, strewn = drives

    assert strewn.rotation_rad > bare.rotation_rad
    assert strewn.slow_s / strewn.length_m > bare.slow_s / bare.length_m


def test_a_room_whose_floor_is_shut_is_no_drive():
    wide = RobotConfig.model_validate({"body": {"radius_m": 1.9}, "tool": {"width_m": 0.3}})

    assert known_drive(draw_room(3, rooms=1, purpose="test"), wide).duration_s == 0


def test_a_route_is_not_much_longer_than_its_floor_asks_for():
    room = draw_room(6001, purpose="test", small_objects=(10, 12))
    drive = known_drive(room, CONFIG)

    coverable_m2 = 13.3
    assert drive.length_m * CONFIG.tool.width_m / coverable_m2 < 1.6
    assert known_drive(room, CONFIG) == drive
