"""One turn on the spot: the camera sees to one side only."""

import math

from foundation.geometry import Pose2D, wrap_angle


class LookRound:
    """Under way until a whole turn has been measured."""

    def __init__(self) -> None:
        self._left_rad = 0.0
        self._heading_rad: float | None = None

    @property
    def active(self) -> bool:
        return self._left_rad > 0

    def begin(self) -> None:
        self._left_rad, self._heading_rad = 2 * math.pi, None

    def end(self) -> None:
        """Before it is whole."""
        self._left_rad = 0.0

    def turned(self, pose: Pose2D) -> None:
        """Told of every tick's pose."""
        if self._heading_rad is not None:
            self._left_rad -= abs(wrap_angle(pose.heading_rad - self._heading_rad))
        self._heading_rad = pose.heading_rad
