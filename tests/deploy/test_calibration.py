"""Calibration finds the numbers that made the measurements."""

import math

import numpy as np
import pytest

from deploy.calibration import (
    CalibrationError,
    WallView,
    camera_mounting,
    lidar_yaw_rad,
    wall_view,
    wheel_radius_m,
    wheel_track_m,
)
from foundation.camera_geometry import PinholeCamera


def wall(distance_m, bearing_rad, noise_m=0.005, count=60):
    rng = np.random.default_rng(1)
    along = np.linspace(-0.5, 0.5, count)
    off = distance_m + noise_m * rng.standard_normal(count)
    cos, sin = math.cos(bearing_rad), math.sin(bearing_rad)
    return np.stack([off * cos - along * sin, off * sin + along * cos], axis=1)


def test_a_wall_is_seen_where_it_is():
    view = wall_view(wall(1.2, 0.3))

    assert view.distance_m == pytest.approx(1.2, abs=0.003)
    assert view.bearing_rad == pytest.approx(0.3, abs=0.01)


def test_a_cloud_is_no_wall():
    with pytest.raises(CalibrationError, match="scatter"):
        wall_view(np.random.default_rng(0).normal(size=(100, 2)))
    with pytest.raises(CalibrationError, match="at least 20"):
        wall_view(np.zeros((3, 2)))


def test_the_wheel_radius_follows_from_the_wall_coming_nearer():
    assert wheel_radius_m(0.035, 20.0, WallView(2.0, 0, 0), WallView(1.28, 0, 0)) == pytest.approx(0.036)


def test_a_wheel_far_from_its_nominal_size_is_a_mistake():
    with pytest.raises(CalibrationError, match="measure again"):
        wheel_radius_m(0.035, 20.0, WallView(2.0, 0, 0), WallView(1.0, 0, 0))
    with pytest.raises(CalibrationError, match="at least"):
        wheel_radius_m(0.035, 20.0, WallView(2.0, 0, 0), WallView(1.9, 0, 0))


def test_the_track_follows_from_whole_turns():
    turned_rad = 2 * math.tau + 0.1
    track_m, radius_m = 0.267, 0.0352
    wheel_rad = turned_rad * track_m / 2 / radius_m

    found = wheel_track_m(0.26, radius_m, -wheel_rad, wheel_rad, WallView(1, 0.5, 0), WallView(1, 0.4, 0), 2)

    assert found == pytest.approx(track_m)


@pytest.mark.parametrize("yaw_rad", [-0.05, 0.0, 0.03])
@pytest.mark.parametrize("drift_rad", [-0.02, 0.0, 0.02])
@pytest.mark.parametrize("side", [1, -1])
def test_the_lidars_yaw_follows_from_a_side_wall(yaw_rad, drift_rad, side):
    true_bearing_rad = side * (math.pi / 2 + drift_rad)
    seen = WallView(0.5, true_bearing_rad - yaw_rad, 0)
    after_m = 0.5 + math.sin(drift_rad)

    assert lidar_yaw_rad(seen, 1.0, 0.5, after_m) == pytest.approx(yaw_rad, abs=1e-6)


def test_the_cameras_mounting_follows_from_marks_on_the_floor():
    camera = PinholeCamera(320, 240, math.radians(62.2), 0.14, 0.131, math.radians(18.3))
    ahead_m = np.array([0.3, 0.4, 0.6, 0.9, 1.3])
    pixels = camera.pixels_from_floor(np.stack([camera.x_m + ahead_m, np.zeros(5)], axis=1))

    height_m, pitch_rad = camera_mounting(pixels[:, 1], ahead_m, 240, camera.focal_px)

    assert height_m == pytest.approx(0.131, abs=0.001)
    assert math.degrees(pitch_rad) == pytest.approx(18.3, abs=0.1)


def test_marks_too_near_each_other_say_so():
    with pytest.raises(CalibrationError, match="3 marks"):
        camera_mounting(np.array([100.0, 101.0]), np.array([0.5, 0.51]), 240, 265.0)
    with pytest.raises(CalibrationError, match="agree"):
        camera_mounting(np.array([200.0, 100.0, 200.0]), np.array([0.3, 0.31, 1.3]), 240, 265.0)
