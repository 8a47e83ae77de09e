"""What SLAM does beside the loop: recognise places, solve the graph, draw the map anew when keyframes moved.

One call is one job: it reads a snapshot and returns values; the localiser takes them in when they are ready.
"""

from dataclasses import dataclass, field

import numpy as np

from foundation.geometry import FloatArray, Pose2D
from navigation.keyframes import Relation, Snapshot
from navigation.local_map import MapShape
from navigation.loop_closure import LoopSettings, LoopState, find_loops
from navigation.occupancy_map import OccupancyMap
from navigation.pose_graph import GraphSettings, loop_errors, solve
from navigation.scan_matcher import MatchSettings


@dataclass(frozen=True, slots=True)
class MappingSettings:
    """When a job is worth its cost."""

    loop: LoopSettings = field(default_factory=LoopSettings)
    graph: GraphSettings = field(default_factory=GraphSettings)
    solve_error: float = 4.0  # a new loop's squared Mahalanobis error that calls for a solve
    solve_growth: float = 0.1  # else solve when so many relations came anew, as a share of all


@dataclass(frozen=True, slots=True)
class MappingResult:
    """New relations, and new poses of the first K keyframes when the graph was solved."""

    relations: list[Relation]
    poses: FloatArray | None  # (K, 3)
    occupancy: OccupancyMap | None


@dataclass(slots=True)
class MappingJob:
    """Keeps the search's memory from job to job; only one job runs at a time."""

    settings: MappingSettings
    shape: MapShape
    matching: MatchSettings
    state: LoopState = field(default_factory=LoopState)
    unsolved: int = 0
    weighed: set[tuple[int, int]] = field(default_factory=set)  # ends of the relations that a solve has seen

    def run(
        self,
        snapshot: Snapshot,
        blank: OccupancyMap | None,
        drawn_at_m: FloatArray | None = None,  # (K, 2)
        *,
        final: bool = False,
    ) -> MappingResult:
        """`blank`: an empty map to draw into when a keyframe comes to lie more than half of its cell from where it was
        drawn, by this solve or by several; None: no map is kept."""
        settings = self.settings
        found = find_loops(snapshot, self.state, settings.loop, self.shape, self.matching)
        relations = [*snapshot.relations, *found]
        self.unsolved += len(found)
        surprised = bool(found) and bool(np.max(loop_errors(snapshot.poses, found)) > settings.solve_error)
        many = self.unsolved > settings.solve_growth * len(snapshot.keyframes)
        if not (surprised or many or final) or not self.unsolved:
            return MappingResult(found, None, None)
        self.unsolved = 0
        fresh = np.array([final or (one.first, one.second) not in self.weighed for one in relations])
        poses = solve(snapshot.poses, relations, settings.graph, fresh)
        self.weighed.update((one.first, one.second) for one in relations)
        before_m = snapshot.poses[:, :2] if drawn_at_m is None else drawn_at_m
        moved_m = float(np.linalg.norm(poses[:, :2] - before_m, axis=1).max())
        if blank is None or moved_m < 0.5 * blank.geometry.cell_m:
            return MappingResult(found, poses, None)
        return MappingResult(found, poses, drawn(snapshot, poses, blank))


def drawn(snapshot: Snapshot, poses: FloatArray, blank: OccupancyMap) -> OccupancyMap:
    """The map that the keyframes at `poses` (K, 3) saw."""
    for keyframe, pose in zip(snapshot.keyframes, poses):
        blank.integrate(
            Pose2D(float(pose[0]), float(pose[1]), float(pose[2])),
            keyframe.points_base.astype(np.float64),
            keyframe.origins_base.astype(np.float64),
        )
    return blank
