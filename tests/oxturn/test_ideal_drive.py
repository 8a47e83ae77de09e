"""The drive of one who knows the room covers it, keeps clear of everything, and is the same every time."""

import pytest

from foundation.robot_config import RobotConfig
from oxturn.ideal_drive import TARGET_RATIO, IdealDrive, ideal_drive, whole_truth
from simulation.judge import Judge
from simulation.room_simulator import draw_room

STEPS = 4000


def test_it_covers_what_a_run_must_and_small_things_make_it_turn_more():
    bare = draw_room(3, rooms=1, purpose="test", small_objects=(0, 0))
    strewn = draw_room(3, rooms=1, purpose="test", small_objects=(10, 10))

    drives = [ideal_drive(room, RobotConfig(), STEPS) for room in (bare, strewn)]

    assert min(drive.coverage_ratio for drive in drives) >= TARGET_RATIO - 0.005
    assert drives[1].rotation_rad > drives[0].rotation_rad
    assert ideal_drive(strewn, RobotConfig(), STEPS) == drives[1]


@pytest.mark.parametrize(("seed", "cell_m"), [(6003, 0.01), (6011, 0.02)])
def test_no_room_is_left_out_because_its_door_is_shut_on_a_coarse_grid(seed, cell_m):
    room = draw_room(seed, rooms=None, purpose="test", small_objects=(10, 12))

    config = RobotConfig()

    truth = whole_truth(room, config)

    judged = Judge(room, config).truth
    assert truth.geometry.cell_m == cell_m
    assert truth.coverable_m2 >= 0.98 * judged.coverable_m2


def test_execution_is_driving_and_turning():
    assert IdealDrive(30.0, 5.2, 1.0).execution_s == pytest.approx(110.0)
