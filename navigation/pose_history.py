"""Where the robot was a moment ago: a detector answers ticks after its frame, and is placed where that was taken."""

from collections import deque
from typing import Final

from foundation.geometry import Pose2D, wrap_angle
from navigation.pose_estimate import PoseEstimate

_KEPT_S: Final = 3.0


class PoseHistory:
    """Of the last seconds; not to be asked before the first `add`."""

    def __init__(self) -> None:
        self._told: deque[PoseEstimate] = deque()

    def add(self, estimate: PoseEstimate) -> None:
        self._told.append(estimate)
        while self._told[0].stamp_s < estimate.stamp_s - _KEPT_S:
            self._told.popleft()

    @property
    def newest(self) -> PoseEstimate:
        return self._told[-1]

    @property
    def before(self) -> PoseEstimate:
        """The one before the newest, or the only one."""
        return self._told[-2] if len(self._told) > 1 else self._told[-1]

    def at(self, stamp_s: float) -> PoseEstimate | None:
        """The pose of that time, between two ticks when need be; None when it is older than the memory."""
        later: PoseEstimate | None = None
        for estimate in reversed(self._told):
            if estimate.stamp_s <= stamp_s + 1e-6:
                return estimate if later is None else _between(estimate, later, stamp_s)
            later = estimate
        return None


def _between(early: PoseEstimate, late: PoseEstimate, stamp_s: float) -> PoseEstimate:
    """Interpolated beside the early one's keyframe."""
    share = (stamp_s - early.stamp_s) / max(late.stamp_s - early.stamp_s, 1e-9)
    if share <= 0 or early.keyframe != late.keyframe:
        return early if share < 0.5 else late
    a, b = early.keyframe_from_base, late.keyframe_from_base
    local = Pose2D(
        a.x_m + share * (b.x_m - a.x_m),
        a.y_m + share * (b.y_m - a.y_m),
        a.heading_rad + share * wrap_angle(b.heading_rad - a.heading_rad),
    )
    map_from_base = early.map_from_base @ a.inverse() @ local
    return PoseEstimate(stamp_s, map_from_base, early.tracking, early.keyframe, local, early.map_revision)
