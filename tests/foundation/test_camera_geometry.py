import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foundation.camera_geometry import PinholeCamera
from foundation.robot_config import RobotConfig

REFERENCE = RobotConfig().camera.pinhole()


def test_the_centre_of_the_image_looks_at_the_floor_where_the_pitch_says():
    floor = REFERENCE.floor_from_pixels(np.array([[160.0, 120.0]]))

    np.testing.assert_allclose(floor, [[0.14 + 0.12 / math.tan(math.radians(20)), 0.0]], atol=1e-12)


def test_a_point_to_the_left_appears_in_the_left_half():
    (pixel,) = REFERENCE.pixels_from_floor(np.array([[0.6, 0.1]]))

    assert pixel[0] < 160 and 0 < pixel[1] < 240


def test_a_thing_3_cm_wide_at_60_cm_is_about_13_pixels():
    left, right = REFERENCE.pixels_from_floor(np.array([[0.74, 0.015], [0.74, -0.015]]))

    assert 12 < right[0] - left[0] < 14


def test_above_the_horizon_there_is_no_floor():
    assert np.isnan(REFERENCE.floor_from_pixels(np.array([[160.0, 5.0]]))).all()


@given(
    st.floats(0.3, 3.0),
    st.floats(-1.0, 1.0),
    st.floats(0.05, 0.8),
    st.floats(-0.3, 0.3),
    st.sampled_from([(320, 240), (160, 120), (640, 480)]),
)
def test_floor_to_pixel_and_back_is_the_same_point(ahead_m, left_m, pitch_rad, roll_rad, size):
    camera = PinholeCamera(*size, math.radians(62.2), 0.14, 0.12, pitch_rad, roll_rad)
    point = np.array([[ahead_m, left_m]])

    np.testing.assert_allclose(camera.floor_from_pixels(camera.pixels_from_floor(point)), point, atol=1e-6)
