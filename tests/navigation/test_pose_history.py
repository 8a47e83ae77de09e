import math

import pytest

from foundation.geometry import Pose2D
from navigation.pose_estimate import PoseEstimate, Tracking
from navigation.pose_history import PoseHistory

KEYFRAME = Pose2D(10.0, 0.0, 0.0)


def told(stamp_s, x_m, heading_rad=0.0, keyframe=0):
    local = Pose2D(x_m, 0.0, heading_rad)
    return PoseEstimate(stamp_s, KEYFRAME @ local, Tracking.TRACKING, keyframe, local, 0)


def history(*estimates):
    made = PoseHistory()
    for estimate in estimates:
        made.add(estimate)
    return made


def test_between_two_ticks_the_pose_is_between_them_the_short_way_round():
    poses = history(told(0.0, 0.0, math.pi - 0.1), told(0.1, 0.2, -math.pi + 0.1))

    then = poses.at(0.05)

    assert then.keyframe_from_base.x_m == pytest.approx(0.1) and then.map_from_base.x_m == pytest.approx(10.1)
    assert abs(then.keyframe_from_base.heading_rad) == pytest.approx(math.pi)


def test_beside_another_keyframe_the_nearer_tick_counts():
    poses = history(told(0.0, 0.0), told(0.1, 0.2, keyframe=1))

    assert poses.at(0.04).keyframe == 0 and poses.at(0.06).keyframe == 1


def test_what_is_older_than_the_memory_is_not_known_and_what_is_newer_is_the_newest():
    poses = history(*(told(0.1 * k, 0.01 * k) for k in range(60)))

    assert poses.at(1.0) is None
    assert poses.at(99.0) is poses.newest and poses.before.stamp_s == pytest.approx(5.8)
    assert history(told(0.0, 0.0)).before.stamp_s == 0.0
