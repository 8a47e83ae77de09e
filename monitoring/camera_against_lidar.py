"""A free label for the camera's model: floor it claims to see cannot lie behind what the LIDAR hits."""

import math

import numpy as np

from foundation.geometry import FloatArray, Pose2D
from perception.observation import Scan

MARGIN_M = 0.15  # of the two sensors' noise and of the robot's own motion between their stamps
NEIGHBOURS_RAD = math.radians(3)  # a chair leg hides no floor: everything this close must be near, too


def floor_behind_obstacles(floor_base: FloatArray, scan: Scan, base_from_laser: Pose2D) -> float | None:
    """Share of the floor points (M, 2) that lie behind LIDAR returns; None when the two share no direction."""
    if len(floor_base) == 0:
        return None
    points_laser = base_from_laser.inverse().transform(floor_base)
    distances_m = np.hypot(points_laser[:, 0], points_laser[:, 1])  # (M,)
    bearings_rad = np.arctan2(points_laser[:, 1], points_laser[:, 0])
    beams = np.rint((bearings_rad - scan.first_bearing_rad) / scan.step_rad).astype(np.int64)
    turn = round(2 * math.pi / abs(scan.step_rad))
    beams = np.mod(beams, turn)
    far_m = _farthest_around(scan, turn)
    covered = beams < len(scan.ranges_m)
    if not covered.any():
        return None
    behind = distances_m[covered] > far_m[beams[covered]] + MARGIN_M
    return float(behind.mean())


def _farthest_around(scan: Scan, turn: int) -> FloatArray:
    """(N,): the farthest return of each beam and its neighbours; a beam without a return sees far."""
    ranges_m = np.where(np.isfinite(scan.ranges_m), scan.ranges_m, np.inf)
    reach = max(int(NEIGHBOURS_RAD / abs(scan.step_rad)), 1)
    whole_turn = len(ranges_m) >= turn
    padded = np.pad(ranges_m, reach, mode="wrap" if whole_turn else "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)  # (N, 2 reach + 1)
    farthest: FloatArray = windows.max(axis=1)
    return farthest
