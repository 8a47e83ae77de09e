"""What a real robot's numbers are, from a few drives by a wall: wheels, track, LIDAR yaw, camera pitch and height.

Pure: measurements in, corrected configuration values out. Who drives and measures is `oxturn pi calibrate`.
"""

import math
from dataclasses import dataclass

import numpy as np

from deploy.update_errors import DeployError
from foundation.geometry import FloatArray, wrap_angle


class CalibrationError(DeployError):
    """Measurements from which nothing can be said."""


@dataclass(frozen=True, slots=True)
class WallView:
    """A straight wall as the LIDAR sees it: its distance, and the direction of its normal in `laser`."""

    distance_m: float
    bearing_rad: float
    spread_m: float  # r.m.s. of the points about the line


def wall_view(points_laser: FloatArray) -> WallView:
    """The line through points (N, 2) in `laser`; CalibrationError for too few or when they form no line."""
    if len(points_laser) < 20:
        raise CalibrationError(f"{len(points_laser)} points on the wall, at least 20 are needed")
    centre = points_laser.mean(axis=0)
    _, sizes, axes = np.linalg.svd(points_laser - centre, full_matrices=False)
    normal = axes[1]
    distance_m = float(centre @ normal)
    if distance_m < 0:
        normal, distance_m = -normal, -distance_m
    spread_m = float(sizes[1] / math.sqrt(len(points_laser)))
    if sizes[1] > 0.2 * sizes[0] or spread_m > 0.03:
        raise CalibrationError(f"the wall's points scatter by {spread_m * 100:.1f} cm about a line, limit 3 cm")
    return WallView(distance_m, math.atan2(normal[1], normal[0]), spread_m)


def wheel_radius_m(nominal_m: float, turned_rad: float, before: WallView, after: WallView) -> float:
    """Driving straight at a wall: `turned_rad` is the mean of both wheels."""
    driven_m = before.distance_m - after.distance_m
    if abs(driven_m) < 0.3:
        raise CalibrationError(f"the wall came {driven_m:.2f} m nearer, drive at least .3 m")
    return _near(nominal_m, driven_m / turned_rad, "wheel radius")


def wheel_track_m(
    nominal_m: float,
    radius_m: float,
    left_rad: float,
    right_rad: float,
    before: WallView,
    after: WallView,
    full_turns: int,
) -> float:
    """Turning in place by about `full_turns` to the left, the wall before and after giving the rest."""
    turned_rad = full_turns * math.tau + wrap_angle(before.bearing_rad - after.bearing_rad)
    if turned_rad < math.pi:
        raise CalibrationError(f"turned by {math.degrees(turned_rad):.0f} degrees, turn at least once")
    return _near(nominal_m, (right_rad - left_rad) * radius_m / turned_rad, "wheel track")


def lidar_yaw_rad(before: WallView, driven_m: float, side_before_m: float, side_after_m: float) -> float:
    """Driving along: a wall on the side that comes nearer although the robot goes straight is seen askew.

    `before.bearing_rad` is the side wall's normal as seen; the true drift is (side_after - side_before) / driven.
    """
    if driven_m < 0.3:
        raise CalibrationError(f"drove {driven_m:.2f} m, at least .3 m are needed")
    drift_rad = math.asin(max(-1.0, min(1.0, (side_after_m - side_before_m) / driven_m)))
    left = before.bearing_rad > 0
    true_bearing_rad = math.pi / 2 + drift_rad if left else -math.pi / 2 - drift_rad
    return wrap_angle(true_bearing_rad - before.bearing_rad)


def camera_mounting(
    rows_px: FloatArray, distances_m: FloatArray, height_px: int, focal_px: float
) -> tuple[float, float]:
    """(height above the floor, pitch down) from image rows (N,) of marks on the floor at distances (N,) from the lens.

    tan(pitch + angle of the row) = height / distance: solved by least squares over pitch.
    """
    if len(rows_px) < 3 or np.ptp(distances_m) < 0.2:
        raise CalibrationError(f"{len(rows_px)} marks, all within .2 m: 3 marks over more than that are needed")
    angles_rad = np.arctan((rows_px - height_px / 2) / focal_px)
    pitches_rad = np.linspace(0.0, 1.2, 2401)
    heights_m = distances_m[None] * np.tan(
        pitches_rad[:, None] + angles_rad[None]
    )  # (P, N): equal where pitch is right
    usable = (heights_m > 0).all(axis=1)
    scatter = np.where(usable, heights_m.std(axis=1) / np.maximum(heights_m.mean(axis=1), 1e-9), np.inf)
    best = int(np.argmin(scatter))
    if scatter[best] > 0.05:
        raise CalibrationError(f"the marks agree within {scatter[best]:.0%} only, limit 5 %")
    return float(heights_m[best].mean()), float(pitches_rad[best])


def _near(nominal: float, found: float, what: str) -> float:
    if not 0.8 * nominal < found < 1.25 * nominal:
        raise CalibrationError(f"{what} comes out as {found:.4f} m, configured is {nominal:.4f}: measure again")
    return found
