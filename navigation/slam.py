"""SLAM on one page: predict by odometry, match the scan against nearby keyframes, keep some scans, map what they saw.

`Slam` is the robot loop's Localiser. The pose of now is always told from the newest keyframe (the anchor), whose local
map the scans are matched against; where that keyframe lies in `map` is the pose graph's business, solved in the
background. No update ever waits for it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from foundation.geometry import IDENTITY, FloatArray, Pose2D
from navigation.background import Background, SteppedBackground
from navigation.keyframes import Keyframe, KeyframeStore, Relation, Snapshot
from navigation.live_map import LiveMap
from navigation.local_map import LocalMap, MapShape, build_local_map
from navigation.loop_closure import floored
from navigation.mapping_job import MappingJob, MappingResult, MappingSettings, drawn
from navigation.odometry import WheelOdometry
from navigation.pose_estimate import PoseEstimate, Tracking
from navigation.scan_matcher import Match, MatchSettings, match
from navigation.scan_points import ScanPoints, points_of
from perception.observation import Observation, Scan


@dataclass(frozen=True, slots=True)
class SlamSettings:
    """One configuration for the robot and for every log."""

    shape: MapShape = field(default_factory=MapShape)
    match: MatchSettings = field(default_factory=MatchSettings)
    range_min_m: float = 0.05
    range_max_m: float = 40.0
    keyframe_m: float = 0.35  # a new one after so much travel
    keyframe_rad: float = 0.35  # or turning, for a scan that sees half of the surroundings
    keyframe_full_turn_rad: float = 1.0  # or turning, for a scan that sees all around
    local_keyframes: int = 12  # scans are matched against the newest ones
    good_score: float = 0.45  # mean likelihood of a match to rely on
    poor_score: float = 0.25  # below, odometry is better
    min_points: int = 20
    lost_after_scans: int = 30  # without a match
    map_cell_m: float = 0.025
    map_ray_max_m: float = 8.0
    occupied_ratio: float = 0.4
    mapping: MappingSettings = field(default_factory=MappingSettings)
    job_keyframes: int = 3  # a background job waits for so many new ones


class Slam:
    """Where am I, and what stands around: wheel angles and scans in, poses and the static map out."""

    def __init__(
        self,
        settings: SlamSettings,
        *,
        laser: Pose2D,  # base_from_laser
        wheel_radius_m: float,
        wheel_track_m: float,
        background: Background,
        start: Pose2D = IDENTITY,
        keep_map: bool = True,  # False: a log's replay draws its map at the end
        clock: Callable[[], float] = lambda: 0.0,  # seconds, to time the matches
    ) -> None:
        self._settings = settings
        self._base_from_laser = laser
        self._odometry = WheelOdometry(wheel_radius_m=wheel_radius_m, wheel_track_m=wheel_track_m)
        self._background = background
        self._mapping = MappingJob(settings.mapping, settings.shape, settings.match)
        self._keep_map = keep_map
        self._offered = 0  # keyframes in the last job
        self._clock = clock
        self.match_s = 0.0  # what the last match took
        self._start = start
        self._store = KeyframeStore()
        self._ground: LocalMap | None = None
        self._anchor_from_base = IDENTITY
        self._odom_from_base = IDENTITY
        self._stamp_s: float | None = None
        self._last_ranges: FloatArray | None = None
        self._still_since_scan = IDENTITY  # motion by odometry since the last scan that was matched
        self._travelled_m = 0.0
        self._poor_scans = 0
        self._revision = 0
        self.tracking = Tracking.TRACKING
        self.static_map = LiveMap(
            self._store,
            cell_m=settings.map_cell_m,
            occupied_ratio=settings.occupied_ratio,
            ray_max_m=settings.map_ray_max_m,
        )

    def update(self, observation: Observation) -> PoseEstimate:
        """One tick of the robot loop."""
        return self.step(observation.stamp_s, self._odometry.update(observation), observation.scan)

    def step(self, stamp_s: float, odom_from_base: Pose2D, scan: Scan | None) -> PoseEstimate:
        """The same from an odometry pose of any origin, as logs have it."""
        self._take_in()
        moved = self._odom_from_base.inverse() @ odom_from_base
        self._odom_from_base = odom_from_base
        self._anchor_from_base = self._anchor_from_base @ moved
        self._still_since_scan = self._still_since_scan @ moved
        if scan is not None:
            self._look(stamp_s, scan, self._velocity(stamp_s, moved))
        elif self._far_without_scan():
            self.tracking = Tracking.DEGRADED
        self._stamp_s = stamp_s
        self._offer()
        return self._estimate(stamp_s)

    def _look(self, stamp_s: float, scan: Scan, velocity: tuple[float, float]) -> None:
        settings = self._settings
        points = points_of(scan, self._base_from_laser, stamp_s, *velocity, settings.range_min_m, settings.range_max_m)
        if len(points.points_base) < settings.min_points or self._frozen(scan):
            self._poor_scan()
            return
        if self._ground is None:
            self._keep(stamp_s, points, None)
            return
        started_s = self._clock()
        found = match(
            points.points_base,
            self._ground,
            self._anchor_from_base,
            self._prior(self._still_since_scan),
            settings.match,
        )
        self.match_s = self._clock() - started_s
        if found.score < settings.poor_score:
            self._poor_scan()
            return
        self._travelled_m += math.hypot(self._still_since_scan.x_m, self._still_since_scan.y_m)
        self._still_since_scan = IDENTITY
        self._anchor_from_base = found.anchor_from_base
        self._poor_scans = 0
        self.tracking = Tracking.TRACKING if found.score >= settings.good_score else Tracking.DEGRADED
        if self._worth_keeping(points.full_turn):
            self._keep(stamp_s, points, found)

    def _keep(self, stamp_s: float, points: ScanPoints, found: Match | None) -> None:
        """The scan becomes the new anchor; its local map is built of the newest keyframes."""
        anchor = len(self._store) - 1
        map_from_base = self._start if found is None else self._store.pose(anchor) @ self._anchor_from_base
        keyframe = Keyframe(
            stamp_s,
            points.points_base.astype(np.float32),
            points.origins_base.astype(np.float32),
            self._travelled_m,
            points.full_turn,
        )
        index = self._store.add(keyframe, map_from_base)
        if found is not None:
            self._store.relations.append(
                Relation(anchor, index, self._anchor_from_base, self._floored(found), loop=False)
            )
        self._anchor_from_base = IDENTITY
        members = range(max(0, index + 1 - self._settings.local_keyframes), index + 1)
        self._ground = build_local_map(self._store.points_around(index, members), self._settings.shape)
        if self._keep_map:
            self.static_map.add_keyframe(index)

    def _offer(self) -> None:
        """Starts a background job when enough keyframes are new."""
        if self._background.busy or len(self._store) - self._offered < self._settings.job_keyframes:
            return
        self._offered = len(self._store)
        snapshot, blank = self._store.snapshot(), self.static_map.blank() if self._keep_map else None
        self._background.submit(lambda: self._mapping.run(snapshot, blank))

    def _take_in(self) -> None:
        """A finished job's relations, poses and map take the place of the old ones."""
        result: MappingResult | None = self._background.poll()
        if result is None:
            return
        self._store.relations += result.relations
        if result.poses is None:
            return
        self._store.correct(result.poses)
        self._revision += 1
        if result.occupancy is not None:
            self.static_map.replace(result.occupancy, len(result.poses))

    def finish(self) -> None:
        """Waits for the background and settles the graph: for the end of a log, never in a running robot."""
        while self._background.busy:
            self._take_in()
        if len(self._store) == 0:
            return
        result = self._mapping.run(self._store.snapshot(), None, final=True)
        self._store.relations += result.relations
        if result.poses is not None:
            self._store.correct(result.poses)

    def snapshot(self) -> Snapshot:
        """Keyframes, their poses and relations as they are now."""
        return self._store.snapshot()

    def _floored(self, found: Match) -> FloatArray:
        loop = self._settings.mapping.loop
        return floored(found.information, loop.floor_m, loop.floor_rad)

    def _worth_keeping(self, full_turn: bool) -> bool:
        settings = self._settings
        turn_rad = settings.keyframe_full_turn_rad if full_turn else settings.keyframe_rad
        moved = self._anchor_from_base
        return math.hypot(moved.x_m, moved.y_m) > settings.keyframe_m or abs(moved.heading_rad) > turn_rad

    def _prior(self, moved: Pose2D) -> FloatArray:
        """Information (3, 3) of the prediction: odometry errs by a tenth of what moved."""
        distance_m, turn_rad = math.hypot(moved.x_m, moved.y_m), abs(moved.heading_rad)
        sigma_m = 0.01 + 0.1 * distance_m + 0.02 * turn_rad
        sigma_rad = 0.003 + 0.1 * turn_rad + 0.02 * distance_m
        return np.diag([sigma_m**-2, sigma_m**-2, sigma_rad**-2])

    def _velocity(self, stamp_s: float, moved: Pose2D) -> tuple[float, float]:
        """Forward and turning speed over the last tick, for undoing motion within a scan; zero when time is odd."""
        if self._stamp_s is None or not 1e-3 < stamp_s - self._stamp_s < 1.0:
            return 0.0, 0.0
        gap_s = stamp_s - self._stamp_s
        return math.copysign(math.hypot(moved.x_m, moved.y_m), moved.x_m) / gap_s, moved.heading_rad / gap_s

    def _frozen(self, scan: Scan) -> bool:
        """The same ranges to the last bit although the wheels turned: a LIDAR that repeats itself."""
        last, self._last_ranges = self._last_ranges, scan.ranges_m
        moved = self._still_since_scan
        if last is None or math.hypot(moved.x_m, moved.y_m) + abs(moved.heading_rad) < 0.02:
            return False
        return np.array_equal(last, scan.ranges_m, equal_nan=True)

    def _poor_scan(self) -> None:
        self._poor_scans += 1
        self.tracking = Tracking.LOST if self._poor_scans >= self._settings.lost_after_scans else Tracking.DEGRADED

    def _far_without_scan(self) -> bool:
        moved = self._still_since_scan
        return math.hypot(moved.x_m, moved.y_m) > 0.3 or abs(moved.heading_rad) > 0.8

    def _estimate(self, stamp_s: float) -> PoseEstimate:
        if len(self._store) == 0:
            return PoseEstimate(
                stamp_s, self._start @ self._anchor_from_base, self.tracking, 0, self._anchor_from_base, 0
            )
        anchor = len(self._store) - 1
        map_from_base = self._store.pose(anchor) @ self._anchor_from_base
        return PoseEstimate(stamp_s, map_from_base, self.tracking, anchor, self._anchor_from_base, self._revision)


def warm_up(settings: SlamSettings) -> None:
    """Compiles or loads every kernel, so that no tick of a run has to: a turn in a small room, a place recognised."""
    loops = replace(settings.mapping.loop, apart_m=-1.0, good_score=0.0, min_score=0.0)
    eager = replace(settings, mapping=replace(settings.mapping, loop=loops, solve_error=0.0), job_keyframes=1)
    bearings = np.linspace(-np.pi, np.pi, 90, endpoint=False)
    with np.errstate(divide="ignore"):
        ranges = np.minimum(np.abs(2.0 / np.cos(bearings)), np.abs(1.5 / np.sin(bearings)))
    slam = Slam(eager, laser=IDENTITY, wheel_radius_m=0.03, wheel_track_m=0.2, background=SteppedBackground(1))
    for tick in range(40):
        odom = Pose2D(0.01 * tick, 0.0, 0.2 * tick)
        scan = Scan(
            0.1 * tick, ranges + 1e-6 * tick, -np.pi - 0.2 * tick, float(bearings[1] - bearings[0]), 12.0, np.zeros(90)
        )
        slam.step(0.1 * tick, odom, scan)
    snapshot = slam.snapshot()
    drawn(snapshot, snapshot.poses, slam.static_map.blank())
