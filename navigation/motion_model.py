"""How far odometry may be trusted: the prediction's uncertainty, speeds within a scan, and wheels that slip."""

import math
from typing import Final

import numpy as np

from foundation.geometry import FloatArray, Pose2D, wrap_angle

SLIP_SCANS: Final = 3  # so many in a row must tell it
SLIP_M: Final = 0.015
SLIP_RAD: Final = 0.03
SLIP_RATIO: Final = 0.5  # of what the wheels claim


def prior_information(moved: Pose2D, *, slipping: bool) -> FloatArray:
    """Information (3, 3) of a prediction after odometry moved so: it errs by a tenth, by much more when wheels slip."""
    distance_m, turn_rad = math.hypot(moved.x_m, moved.y_m), abs(moved.heading_rad)
    share = 1.0 if slipping else 0.1
    sigma_m = 0.01 + share * distance_m + 0.02 * turn_rad
    sigma_rad = 0.003 + share * turn_rad + 0.02 * distance_m
    return np.diag([sigma_m**-2, sigma_m**-2, sigma_rad**-2])


def speeds(moved: Pose2D, gap_s: float) -> tuple[float, float]:
    """Forward (m/s) and turning (rad/s) speed of a motion that took `gap_s`; zero when that time is odd."""
    if not 1e-3 < gap_s < 1.0:
        return 0.0, 0.0
    return math.copysign(math.hypot(moved.x_m, moved.y_m), moved.x_m) / gap_s, moved.heading_rad / gap_s


class SlipWatch:
    """Wheels claim a motion that scans do not see, several scans in a row."""

    def __init__(self) -> None:
        self._scans = 0

    @property
    def slipping(self) -> bool:
        return self._scans >= SLIP_SCANS

    def compare(self, claimed: Pose2D, seen: Pose2D) -> None:
        """Motions between two matched scans, by odometry and by the scans."""
        claimed_m = math.hypot(claimed.x_m, claimed.y_m)
        off_m = claimed.distance_m(seen)
        off_rad = abs(wrap_angle(claimed.heading_rad - seen.heading_rad))
        slipped = off_m > max(SLIP_M, SLIP_RATIO * claimed_m) or off_rad > max(
            SLIP_RAD, SLIP_RATIO * abs(claimed.heading_rad)
        )
        self._scans = self._scans + 1 if slipped else 0
