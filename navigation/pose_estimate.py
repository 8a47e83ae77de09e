"""What localisation says of one tick."""

from dataclasses import dataclass
from enum import Enum

from foundation.geometry import Pose2D


class Tracking(Enum):
    """How far the pose may be trusted."""

    TRACKING = "tracking"
    DEGRADED = "degraded"  # odometry carries it for now: drive slowly, map nothing
    LOST = "lost"  # the pose means nothing: stop and relocalise


@dataclass(frozen=True, slots=True)
class PoseEstimate:
    """Pose in `map` at `stamp_s`, and the same pose told from a keyframe of the pose graph.

    When the graph is corrected, keyframes move and `map_revision` grows by one: whoever stored things in `map` stores
    them beside a keyframe instead (`keyframe_from_base`), and asks the localiser where that keyframe is now.
    """

    stamp_s: float
    map_from_base: Pose2D
    tracking: Tracking
    keyframe: int
    keyframe_from_base: Pose2D
    map_revision: int
