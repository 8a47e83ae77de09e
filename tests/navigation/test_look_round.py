import math

import pytest

from foundation.geometry import Pose2D
from navigation.look_round import LookRound


@pytest.mark.parametrize("step_rad", [0.1, -0.1])
def test_it_lasts_a_whole_turn_either_way_round(step_rad):
    look, ticks = LookRound(), 0
    assert not look.active
    look.begin()
    while look.active:
        look.turned(Pose2D(0.0, 0.0, 3.0 + ticks * step_rad))
        ticks += 1

    assert ticks == math.ceil(2 * math.pi / 0.1) + 1


def test_it_begins_anew_and_can_be_broken_off():
    look = LookRound()
    look.begin()
    look.turned(Pose2D(0.0, 0.0, 0.0))
    look.turned(Pose2D(0.0, 0.0, 3.0))
    look.begin()
    look.turned(Pose2D(0.0, 0.0, -1.0))  # where it stands now is where it begins
    look.turned(Pose2D(0.0, 0.0, 2.0))
    look.turned(Pose2D(0.0, 0.0, -1.0))

    assert look.active
    look.end()
    assert not look.active
