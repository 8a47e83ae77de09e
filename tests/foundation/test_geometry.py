import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foundation.geometry import IDENTITY, Pose2D, wrap_angle, wrap_angles

metres = st.floats(-100, 100)
poses = st.builds(Pose2D, metres, metres, st.floats(-math.pi, math.pi - 1e-9))


def close(a: Pose2D, b: Pose2D) -> bool:
    return a.distance_m(b) < 1e-9 and abs(wrap_angle(a.heading_rad - b.heading_rad)) < 1e-9


def test_a_point_one_metre_ahead_of_a_robot_facing_left_lies_at_plus_y():
    map_from_base = Pose2D(2.0, 3.0, math.pi / 2)

    points_map = map_from_base.transform(np.array([[1.0, 0.0]]))

    np.testing.assert_allclose(points_map, [[2.0, 4.0]], atol=1e-12)


@given(poses, poses, st.lists(st.tuples(metres, metres), min_size=1, max_size=5))
def test_composing_transforms_is_applying_them_in_turn(a_from_b: Pose2D, b_from_c: Pose2D, points: list):
    points_c = np.array(points)

    np.testing.assert_allclose(
        (a_from_b @ b_from_c).transform(points_c), a_from_b.transform(b_from_c.transform(points_c)), atol=1e-9
    )


@given(poses)
def test_a_pose_times_its_inverse_is_nothing(pose: Pose2D):
    assert close(pose @ pose.inverse(), IDENTITY)
    assert close(pose.inverse() @ pose, IDENTITY)


@given(st.floats(-50, 50))
def test_wrapped_angles_point_the_same_way_and_stay_in_range(angle_rad: float):
    wrapped = wrap_angle(angle_rad)

    assert -math.pi <= wrapped < math.pi
    assert math.isclose(math.cos(wrapped), math.cos(angle_rad), abs_tol=1e-9)
    assert wrap_angles(np.array([angle_rad]))[0] == wrapped
