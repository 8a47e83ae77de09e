"""A LIDAR that hangs gives the same ranges again and again, with new stamps: what tells it from a robot that stands."""

import math
from typing import Final

import numpy as np

from foundation.geometry import FloatArray, Pose2D
from perception.observation import Scan

_MOVED_M_OR_RAD: Final = 0.02  # between two scans that cannot be equal: noise alone would have changed them


class RepeatedScans:
    """Told every motion and asked of every scan; what counts as motion (odometry, commands) is the caller's belief."""

    def __init__(self) -> None:
        self._ranges_m: FloatArray | None = None
        self._moved_m_or_rad = 0.0  # since they last changed

    def moved(self, motion: Pose2D) -> None:
        """Driven and turned since the last call."""
        self._moved_m_or_rad += math.hypot(motion.x_m, motion.y_m) + abs(motion.heading_rad)

    def repeats(self, scan: Scan) -> bool:
        """Equal to the one before to the last bit although the robot moved."""
        if self._ranges_m is not None and np.array_equal(self._ranges_m, scan.ranges_m, equal_nan=True):
            return self._moved_m_or_rad >= _MOVED_M_OR_RAD
        self._ranges_m, self._moved_m_or_rad = scan.ranges_m, 0.0
        return False
