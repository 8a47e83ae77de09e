import math

import pytest

from foundation.geometry import IDENTITY, Pose2D
from navigation.path_follower import ahead
from navigation.recovery import Recovery, Trouble


def play(recovery, pose=IDENTITY, moves=True, ticks=1000):
    """Poses of a robot that does what the recovery says; it cannot move when `moves` is False."""
    poses = [pose]
    for _ in range(ticks):
        command = recovery.command(pose)
        if command is None:
            return poses
        pose = ahead(pose, command, 0.1) if moves else pose
        poses.append(pose)
    raise AssertionError("the recovery does not end")


def begin(trouble, pose=IDENTITY, stamp_s=0.0):
    recovery = Recovery(0.12, 1.0)
    recovery.begin(trouble, pose, stamp_s)
    return recovery


def test_after_a_bump_it_backs_off_ten_centimetres():
    poses = play(begin(Trouble.BUMPED))

    assert poses[-1].x_m == pytest.approx(-0.10, abs=0.015)
    assert poses[-1].heading_rad == 0


@pytest.mark.parametrize("trouble", list(Trouble))
def test_every_recovery_ends_even_when_nothing_moves(trouble):
    recovery = begin(trouble)

    poses = play(recovery, moves=False)

    assert len(poses) < 400
    assert not recovery.active


def test_the_third_trouble_at_one_place_turns_away():
    recovery = Recovery(0.12, 1.0)
    for index in range(2):
        assert recovery.begin(Trouble.BUMPED, IDENTITY, 5.0 * index) is Trouble.BUMPED

    assert recovery.begin(Trouble.STUCK, Pose2D(0.1, 0.0, 0.0), 12.0) is Trouble.WEDGED

    turned = max(abs(pose.heading_rad) for pose in play(recovery))
    assert turned > math.radians(90)


def test_troubles_far_apart_or_long_ago_are_not_one_place():
    recovery = Recovery(0.12, 1.0)
    recovery.begin(Trouble.BUMPED, IDENTITY, 0.0)
    recovery.begin(Trouble.BUMPED, Pose2D(3.0, 0.0, 0.0), 1.0)

    assert recovery.begin(Trouble.BUMPED, Pose2D(6.0, 0.0, 0.0), 2.0) is Trouble.BUMPED
    assert recovery.begin(Trouble.BUMPED, IDENTITY, 500.0) is Trouble.BUMPED


def test_a_lost_robot_lifts_the_tool_and_looks_around():
    recovery = begin(Trouble.LOST)

    commands = [recovery.command(IDENTITY) for _ in range(40)]

    assert all(command.speed_mps == 0 and not command.tool_on for command in commands)
    assert commands[0].turn_radps == 0 and commands[-1].turn_radps != 0


def test_what_happened_where_is_kept():
    recovery = begin(Trouble.CLIFF, Pose2D(1.0, 2.0, 0.0), 7.0)

    (place,) = recovery.log
    assert (place.trouble, place.x_m, place.y_m, place.stamp_s) == (Trouble.CLIFF, 1.0, 2.0, 7.0)

    recovery.end()
    assert recovery.command(IDENTITY) is None


def test_a_move_that_is_skipped_gives_way_to_the_next():
    recovery = begin(Trouble.WEDGED)
    assert recovery.command(IDENTITY).speed_mps == 0  # turns away first

    recovery.skip_move()
    assert recovery.command(IDENTITY).speed_mps > 0
    assert recovery.command(Pose2D(0.14, 0.0, 0.0)).speed_mps > 0
    assert recovery.command(Pose2D(0.16, 0.0, 0.0)).speed_mps < 0  # its 15 cm count from where it began

    recovery.skip_move()
    assert not recovery.active and recovery.command(IDENTITY) is None


@pytest.mark.parametrize(("every_s", "no_end"), [(10.0, True), (25.0, False)])
def test_one_trouble_after_the_other_has_no_end(every_s, no_end):
    recovery = Recovery(0.12, 1.0)
    for number in range(10):
        assert not recovery.no_end(every_s * number)
        recovery.begin(Trouble.STUCK, Pose2D(float(number), 0.0, 0.0), every_s * number)

    assert recovery.no_end(every_s * 9) is no_end
