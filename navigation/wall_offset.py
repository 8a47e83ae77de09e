"""How far to drive beside the planned line so that walls alongside are passed at the wanted distance by the raw scan.

The map knows a wall to a cell; the scan of now knows it to millimetres. The tool's edge should pass as near to the wall
as the body may, no nearer: a centimetre too far is a strip left along every wall, a centimetre too near is a collision.
"""

from typing import Final

import numpy as np

from foundation.geometry import FloatArray

_BESIDE_TAN: Final = 0.7  # |x| / |y| of points that count as beside the robot
_NEARER_MAX_M: Final = 0.02
_FARTHER_MAX_M: Final = 0.03
_EDGE_PASS_M: Final = 0.035  # a wall farther than this beyond the wanted distance is not being swept along
_FILTER: Final = 0.3
_QUIET_POINTS: Final = 3


class WallOffset:
    """Left offset of the drive from its line, filtered from tick to tick."""

    def __init__(self, wanted_m: float) -> None:
        self._wanted_m = wanted_m
        self.left_m = 0.0

    def update(self, points_base: FloatArray, *, may_go_nearer: bool) -> float:
        """`points_base` (N, 2) of this tick's scan; False forbids leaving the line towards a wall."""
        target_m = offset_for(side_m(points_base, 1.0), side_m(points_base, -1.0), self._wanted_m)
        if not may_go_nearer and side_m(points_base, 1.0) > self._wanted_m < side_m(points_base, -1.0):
            target_m = 0.0
        self.left_m += _FILTER * (target_m - self.left_m)
        return self.left_m


def side_m(points_base: FloatArray, sign: float) -> float:
    """Distance of the nearest things beside the robot, left (+1) or right (-1); inf without any."""
    beside = points_base[
        (sign * points_base[:, 1] > 0) & (np.abs(points_base[:, 0]) < _BESIDE_TAN * np.abs(points_base[:, 1]))
    ]
    if len(beside) < _QUIET_POINTS:
        return float("inf")
    distances = np.hypot(beside[:, 0], beside[:, 1])
    return float(np.partition(distances, _QUIET_POINTS - 1)[_QUIET_POINTS - 1])


def offset_for(left_m: float, right_m: float, wanted_m: float) -> float:
    """Offset to the left that brings the nearer wall to the wanted distance, within limits; a gap is halved."""
    towards_left, towards_right = left_m - wanted_m, right_m - wanted_m  # > 0: room to go there
    if towards_left < _EDGE_PASS_M and towards_right < _EDGE_PASS_M:
        offset = (towards_left - towards_right) / 2
    elif towards_left < _EDGE_PASS_M:
        offset = min(max(towards_left, -_FARTHER_MAX_M), _NEARER_MAX_M)
    elif towards_right < _EDGE_PASS_M:
        offset = -min(max(towards_right, -_FARTHER_MAX_M), _NEARER_MAX_M)
    else:
        offset = 0.0
    return min(max(offset, -_FARTHER_MAX_M), _FARTHER_MAX_M)
