"""Dead reckoning: arcs, slip against the gyro, odd numbers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.geometry import Pose2D
from navigation.motion_model import SlipWatch, prior_information, speeds
from navigation.odometry import WheelOdometry
from perception.observation import Observation, WheelAngles

RADIUS_M, TRACK_M = 0.035, 0.26


def seen(stamp_s, left_m, right_m, rate_radps=None):
    return Observation(stamp_s, None, None, WheelAngles(left_m / RADIUS_M, right_m / RADIUS_M), rate_radps)


def odometry():
    return WheelOdometry(wheel_radius_m=RADIUS_M, wheel_track_m=TRACK_M)


def test_a_quarter_circle_ends_where_it_should():
    wheels = odometry()
    for k in range(101):
        turn = math.pi / 2 * k / 100
        wheels.update(seen(0.1 * k, turn * (1 - TRACK_M / 2), turn * (1 + TRACK_M / 2)))
    assert wheels.odom_from_base.x_m == pytest.approx(1.0, abs=1e-9)
    assert wheels.odom_from_base.y_m == pytest.approx(1.0, abs=1e-9)
    assert wheels.odom_from_base.heading_rad == pytest.approx(math.pi / 2)


def test_the_gyro_has_the_say_when_one_wheel_slips():
    wheels = odometry()
    for k in range(11):
        wheels.update(seen(0.1 * k, 0.0, 0.02 * k, 0.0))
    assert abs(wheels.odom_from_base.heading_rad) < 1e-6
    assert wheels.slip_rad < -0.05


def test_a_gyros_bias_is_learnt_while_the_wheels_stand():
    wheels = odometry()
    for k in range(200):
        wheels.update(seen(0.1 * k, 0.0, 0.0, 0.02))
    before = wheels.odom_from_base.heading_rad
    for k in range(200, 300):
        wheels.update(seen(0.1 * k, 0.01 * (k - 200), 0.01 * (k - 200), 0.02))
    assert abs(wheels.odom_from_base.heading_rad - before) < 0.01


@given(st.lists(st.tuples(st.floats(), st.floats(), st.floats(), st.floats()), max_size=8))
def test_no_numbers_make_the_pose_odd(rows):
    wheels = odometry()
    for stamp_s, left_rad, right_rad, rate_radps in rows:
        left_rad, right_rad = (math.copysign(min(abs(v), 1e6), v) for v in (left_rad, right_rad))
        pose = wheels.update(Observation(stamp_s, None, None, WheelAngles(left_rad, right_rad), rate_radps))
        assert all(math.isfinite(value) for value in (pose.x_m, pose.y_m, pose.heading_rad))


def test_slip_is_told_after_three_scans_that_see_no_motion():
    watch = SlipWatch()
    told = []
    for _ in range(3):
        watch.compare(Pose2D(0.03, 0, 0), Pose2D(0.001, 0, 0))
        told.append(watch.slipping)
    assert told == [False, False, True]
    watch.compare(Pose2D(0.03, 0, 0), Pose2D(0.029, 0, 0))
    assert not watch.slipping


def test_a_longer_way_is_predicted_less_surely_and_slip_less_still():
    near, far = (prior_information(Pose2D(d, 0, 0), slipping=False)[0, 0] for d in (0.01, 0.5))
    assert near > far > prior_information(Pose2D(0.5, 0, 0), slipping=True)[0, 0]


@pytest.mark.parametrize("gap_s", [0.0, -3.0, 5.0, math.nan])
def test_speeds_are_zero_when_time_is_odd(gap_s):
    assert speeds(Pose2D(1, 0, 1), gap_s) == (0.0, 0.0)
