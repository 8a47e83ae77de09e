"""The drive of one who knows the room covers it, keeps clear of everything, and is the same every time."""

import pytest

from foundation.robot_config import RobotConfig
from oxturn.ideal_drive import TARGET_RATIO, IdealDrive, ideal_drive
from simulation.room_simulator import draw_room

STEPS = 4000


def test_it_covers_what_a_run_must_and_small_things_make_it_turn_more():
    bare = draw_room(3, rooms=1, purpose="test", small_objects=(0, 0))
    strewn = draw_room(3, rooms=1, purpose="test", small_objects=(10, 10))

    drives = [ideal_drive(room, RobotConfig(), STEPS) for room in (bare, strewn)]

    assert min(drive.coverage_ratio for drive in drives) >= TARGET_RATIO - 0.005
    assert drives[1].rotation_rad > drives[0].rotation_rad
    assert ideal_drive(strewn, RobotConfig(), STEPS) == drives[1]


def test_execution_is_driving_and_turning():
    assert IdealDrive(30.0, 5.2, 1.0).execution_s == pytest.approx(110.0)
