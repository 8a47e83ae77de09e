"""SLAM on one page: predict by odometry, match the scan against nearby keyframes, keep some scans, map what they saw.

`Slam` is the robot loop's Localiser. The pose of now is always told from the newest keyframe (the anchor), whose local
map the scans are matched against; where that keyframe lies in `map` is the pose graph's business, solved in the
background. No update ever waits for it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from foundation.geometry import IDENTITY, Pose2D
from navigation.background import Background, SteppedBackground
from navigation.keyframes import Keyframe, KeyframeStore, Relation, Snapshot
from navigation.live_map import LiveMap
from navigation.local_map import LocalMap, MapShape, build_local_map
from navigation.loop_closure import floored
from navigation.map_agreement import agreement
from navigation.mapping_job import MappingJob, MappingResult, MappingSettings, drawn
from navigation.motion_model import SlipWatch, prior_information, speeds
from navigation.odometry import WheelOdometry
from navigation.pose_estimate import PoseEstimate, Tracking
from navigation.relocalisation import KnownGround, Look, RelocalisationSettings, Relocaliser, look
from navigation.repeated_scan import RepeatedScans
from navigation.scan_matcher import Match, MatchSettings, match
from navigation.scan_points import ScanPoints, points_of
from perception.observation import Observation, Scan

SHORT_M, SHORT_RAD = 0.3, 0.8  # without a scan so far, the pose is degraded
FAR_M, FAR_RAD = 3.0, 6.0  # and so far, lost
SURE_SCANS = 3  # a lost robot believes its match after so many good ones in a row


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
    fair_score: float = 0.6  # below, look farther around
    fair_fit: float = 0.75  # unless so well fits what the ground knows of the scan
    known_ratio: float = 0.3  # which is so much at least
    new_ratio: float = 0.8  # of the points that the ground knows; below, the scan sees new ground
    keyframe_new_m: float = 0.1  # and becomes a keyframe after so little travel
    good_score: float = 0.45  # mean likelihood of a match to rely on
    poor_score: float = 0.25  # below, odometry is better
    min_points: int = 20
    min_agreement: float = 0.75  # of a match with the map where it has a say: right places .97, wrong ones up to .73
    sure_agreement: float = 0.85  # to come back when lost
    lost_after_scans: int = 15  # without a match
    map_cell_m: float = 0.025
    map_ray_max_m: float = 8.0
    occupied_ratio: float = 0.4
    mapping: MappingSettings = field(default_factory=MappingSettings)
    relocalisation: RelocalisationSettings = field(default_factory=RelocalisationSettings)
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
        start: Pose2D | None = IDENTITY,  # map_from_base at the start; None: somewhere in the saved map
        saved: Snapshot | None = None,  # a map to drive in: where it has keyframes near, none are made
        unfinished: bool = False,  # it is of this very job, and is made on as if there had been no pause
        keep_map: bool = True,  # False: a log's replay draws its map at the end
        clock: Callable[[], float] = lambda: 0.0,  # seconds, to time the matches
    ) -> None:
        self._settings = settings
        self._base_from_laser = laser
        self._odometry = WheelOdometry(wheel_radius_m=wheel_radius_m, wheel_track_m=wheel_track_m)
        self._background = background
        self._mapping = MappingJob(settings.mapping, settings.shape, settings.match)
        self._store = KeyframeStore()
        self._keep_map = keep_map
        self._offered = 0  # keyframes in the last job
        self._clock = clock
        self.match_s = 0.0  # what the last match took
        self._ground: LocalMap | None = None
        self._anchor = 0
        self._anchor_from_base = start or IDENTITY
        self._odom_from_base = IDENTITY
        self._since_scan = IDENTITY  # motion by odometry since the last scan that was matched
        self._unseen_m, self._unseen_rad = 0.0, 0.0  # driven and turned since then, to and fro
        self._repeated = RepeatedScans()  # by odometry
        self._stamp_s: float | None = None
        self._points: ScanPoints | None = None  # of the newest scan, for looking around when lost
        self._travelled_m = 0.0
        self._poor_scans = 0
        self._sure_scans = 0
        self._slip = SlipWatch()
        self._revision = 0
        self.tracking = Tracking.TRACKING
        self.static_map = LiveMap(
            self._store,
            cell_m=settings.map_cell_m,
            occupied_ratio=settings.occupied_ratio,
            ray_max_m=settings.map_ray_max_m,
        )
        self._saved = 0
        self._put_down = saved is not None and start is None  # nothing is known: no match near a guess counts
        self._relocaliser = Relocaliser(settings.relocalisation)
        self._known: KnownGround | None = None  # while lost: the map to look around in
        if saved is not None and len(saved.keyframes):
            self._go_on_with(saved, start)
            self._saved = 0 if unfinished else self._saved

    @property
    def slipping(self) -> bool:
        """The wheels claim a motion that the scans do not see."""
        return self._slip.slipping

    def update(self, observation: Observation) -> PoseEstimate:
        """One tick of the robot loop."""
        return self.step(observation.stamp_s, self._odometry.update(observation), observation.scan)

    def step(self, stamp_s: float, odom_from_base: Pose2D, scan: Scan | None) -> PoseEstimate:
        """The same from an odometry pose of any origin, as logs have it."""
        self._take_in()
        moved = self._odom_from_base.inverse() @ odom_from_base
        self._odom_from_base = odom_from_base
        self._anchor_from_base = self._anchor_from_base @ moved
        self._since_scan = self._since_scan @ moved
        self._unseen_m += math.hypot(moved.x_m, moved.y_m)
        self._unseen_rad += abs(moved.heading_rad)
        self._repeated.moved(moved)
        if scan is not None:
            gap_s = 0.0 if self._stamp_s is None else stamp_s - self._stamp_s
            self._look(stamp_s, scan, speeds(moved, gap_s))
        else:
            self._points = None  # what was seen elsewhere tells a lost robot nothing
            if self._moved_unseen(SHORT_M, SHORT_RAD):
                self._blind()
        self._stamp_s = stamp_s
        self._offer()
        map_from_base = self._map_from_base()
        return PoseEstimate(stamp_s, map_from_base, self.tracking, self._anchor, self._anchor_from_base, self._revision)

    def _look(self, stamp_s: float, scan: Scan, velocity: tuple[float, float]) -> None:
        settings = self._settings
        points = points_of(scan, self._base_from_laser, stamp_s, *velocity, settings.range_min_m, settings.range_max_m)
        self._points = None
        if len(points.points_base) < settings.min_points or self._repeated.repeats(scan):
            self._blind()
            return
        self._points = points
        if self._ground is None:
            self._keep(stamp_s, points, None)
            return
        started_s = self._clock()
        found = self._match(points, self._ground)
        self.match_s = self._clock() - started_s
        if not self._believed(found, points):
            self._contradicted()
            return
        before = self._anchor_from_base @ self._since_scan.inverse()
        self._slip.compare(self._since_scan, before.inverse() @ found.anchor_from_base)
        self._travelled_m += math.hypot(self._since_scan.x_m, self._since_scan.y_m)
        self._seen()
        self._anchor_from_base = found.anchor_from_base
        self._poor_scans, self._known = 0, None
        self.tracking = Tracking.TRACKING if found.score >= settings.good_score else Tracking.DEGRADED
        if self._worth_keeping(points.full_turn, found) and not self._on_saved_ground():
            self._keep(stamp_s, points, found)

    def _match(self, points: ScanPoints, ground: LocalMap) -> Match:
        """Near the prediction; when that fits badly or wheels slip, as far around as odometry may be wrong.

        Some bases tell backward motion as forward (fr079's does), so that far is twice what odometry tells.
        """
        matching, moved = self._settings.match, self._since_scan
        prior = prior_information(moved, slipping=self.slipping)
        found = match(points.points_base, ground, self._anchor_from_base, prior, matching)
        certain = self._fits(found) and not self.slipping
        if certain or self.tracking is Tracking.LOST:
            return found
        prior = prior_information(moved, slipping=True)
        far_m = min(matching.search_m + 2.2 * math.hypot(moved.x_m, moved.y_m), matching.search_max_m)
        far_rad = min(matching.search_rad + 0.5 * abs(moved.heading_rad), matching.search_max_rad)
        wide = match(points.points_base, ground, self._anchor_from_base, prior, matching, far_m, far_rad)
        return wide if wide.score > found.score + 0.02 else found

    def _fits(self, found: Match) -> bool:
        """As a whole, or what the ground knows of it: a scan that sees new ground is no sign of a wrong guess."""
        settings, seen = self._settings, found.seen_ratio
        return found.score >= settings.fair_score or (
            seen >= settings.known_ratio and found.score >= settings.fair_fit * seen
        )

    def _believed(self, found: Match, points: ScanPoints) -> bool:
        """By its score and by what the map knows; a lost robot asks for more, several scans in a row."""
        settings = self._settings
        if found.score < settings.poor_score:
            return False
        if not self._keep_map:
            return True
        pose = self._store.pose(self._anchor) @ found.anchor_from_base
        cells, geometry = self.static_map.cells, self.static_map.geometry
        ratio = agreement(pose, points.points_base, points.origins_base, cells, geometry).ratio
        if self.tracking is not Tracking.LOST:
            return ratio >= settings.min_agreement
        if self._put_down:
            return False
        sure = ratio >= settings.sure_agreement and found.score >= settings.good_score
        self._sure_scans = self._sure_scans + 1 if sure else 0
        return self._sure_scans >= SURE_SCANS

    def _keep(self, stamp_s: float, points: ScanPoints, found: Match | None) -> None:
        """The scan becomes the new anchor; its local map is built of the newest keyframes."""
        keyframe = Keyframe(
            stamp_s,
            points.points_base.astype(np.float32),
            points.origins_base.astype(np.float32),
            self._travelled_m,
            points.full_turn,
        )
        index = self._store.add(keyframe, self._map_from_base())
        if found is not None:
            information = floored(
                found.information, self._settings.mapping.loop.floor_m, self._settings.mapping.loop.floor_rad
            )
            self._store.relations.append(Relation(self._anchor, index, self._anchor_from_base, information, loop=False))
        self._anchor, self._anchor_from_base = index, IDENTITY
        self._look_from_anchor()
        if self._keep_map:
            self.static_map.add_keyframe(index)

    def _look_from_anchor(self) -> None:
        """The local map of the newest keyframes; on a saved map, of those that lie nearest."""
        newest = range(max(0, self._anchor + 1 - self._settings.local_keyframes), self._anchor + 1)
        members = self._store.nearest(self._anchor, self._settings.local_keyframes) if self._saved else list(newest)
        self._ground = build_local_map(*self._store.surfaces(self._anchor, members), self._settings.shape)

    def _anchor_at(self, index: int, map_from_base: Pose2D) -> None:
        """The pose is told from another keyframe from now on."""
        self._anchor, self._anchor_from_base = index, self._store.pose(index).inverse() @ map_from_base
        self._look_from_anchor()

    def _on_saved_ground(self) -> bool:
        """Where the saved map has a keyframe near, the robot goes over to it and makes none of its own."""
        if not self._saved:
            return False
        map_from_base = self._map_from_base()
        index, distance_m = self._store.closest(map_from_base, self._saved)
        if distance_m > 2 * self._settings.keyframe_m:
            return False
        if index != self._anchor:
            self._anchor_at(index, map_from_base)
        return True

    def _offer(self) -> None:
        """Starts a background job: looking around when lost, else mapping when enough keyframes are new."""
        if self._background.busy:
            return
        if self.tracking is Tracking.LOST:
            if self._keep_map and self._points is not None and len(self._store):
                self._background.submit(self._look_around(self._points, self._odom_from_base))
        elif len(self._store) - self._offered >= self._settings.job_keyframes:
            self._offered = len(self._store)
            snapshot = self._store.snapshot()
            still = self.static_map if self._keep_map else None
            blank, drawn_at_m = (None, None) if still is None else (still.blank(), still.drawn_at_m())
            self._background.submit(lambda: self._mapping.run(snapshot, blank, drawn_at_m))

    def _look_around(self, points: ScanPoints, odom_from_base: Pose2D) -> Callable[[], Look]:
        """A look at the whole map with the newest scan; the map as it is now."""
        settings = self._settings
        if self._known is None:  # newly lost
            self._relocaliser = Relocaliser(settings.relocalisation)
            self._known = KnownGround(self._store.snapshot(), self.static_map.cells.copy(), self.static_map.geometry)
        known = self._known
        return lambda: look(known, points, odom_from_base, settings.relocalisation, settings.match, settings.shape)

    def _take_in(self) -> None:
        """A finished job's results take the place of the old ones."""
        result: MappingResult | Look | None = self._background.poll()
        if isinstance(result, Look):
            self._found(result)
        elif result is not None:
            self._store.relations += result.relations
            if result.poses is not None:
                self._store.correct(result.poses)
                self._revision += 1
            if result.poses is not None and result.occupancy is not None:
                self.static_map.replace(result.occupancy, len(result.poses))

    def _found(self, seen: Look) -> None:
        """A lost robot that is sure of its place goes on there."""
        if self.tracking is not Tracking.LOST:
            return
        map_from_odom = self._relocaliser.consider(seen)
        if map_from_odom is None:
            return
        map_from_base = map_from_odom @ self._odom_from_base
        index, _ = self._store.closest(map_from_base, len(self._store))
        self._anchor_at(index, map_from_base)
        self._seen()
        self._revision += 1
        self.tracking, self._poor_scans, self._put_down = Tracking.DEGRADED, 0, False

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
        """Keyframes, their poses and relations as they are now: what navigation.saved_map keeps."""
        return self._store.snapshot()

    def _go_on_with(self, saved: Snapshot, start: Pose2D | None) -> None:
        """Takes over a saved map; without a start the robot is lost in it."""
        self._store.take_over(saved)
        self._saved = self._offered = self._mapping.state.searched = len(saved.keyframes)
        if self._keep_map:
            for index in range(self._saved):
                self.static_map.add_keyframe(index)
        map_from_base = self._store.pose(0) if start is None else start
        self._anchor_at(self._store.closest(map_from_base, self._saved)[0], map_from_base)
        self.tracking = Tracking.LOST if start is None else Tracking.TRACKING

    def _map_from_base(self) -> Pose2D:
        if len(self._store) == 0:
            return self._anchor_from_base  # before the first scan the start itself is the anchor
        return self._store.pose(self._anchor) @ self._anchor_from_base

    def _worth_keeping(self, full_turn: bool, found: Match) -> bool:
        settings = self._settings
        new_ground = found.seen_ratio < settings.new_ratio and self._fits(found)
        turn_rad = settings.keyframe_full_turn_rad if full_turn else settings.keyframe_rad
        moved = self._anchor_from_base
        far_m = settings.keyframe_new_m if new_ground else settings.keyframe_m
        return math.hypot(moved.x_m, moved.y_m) > far_m or abs(moved.heading_rad) > turn_rad

    def _blind(self) -> None:
        """Nothing to match: odometry carries the pose for a while."""
        if self.tracking is not Tracking.LOST:
            self.tracking = Tracking.LOST if self._moved_unseen(FAR_M, FAR_RAD) else Tracking.DEGRADED

    def _contradicted(self) -> None:
        """The scan fits nowhere near: a few are people, many in a row are another place."""
        self._poor_scans += 1
        if self.tracking is not Tracking.LOST:
            lost = self._poor_scans >= self._settings.lost_after_scans
            self.tracking = Tracking.LOST if lost else Tracking.DEGRADED
            self._sure_scans = 0

    def _moved_unseen(self, metres: float, radians: float) -> bool:
        return self._unseen_m > metres or self._unseen_rad > radians

    def _seen(self) -> None:
        """A scan was matched: odometry starts from there."""
        self._since_scan, self._unseen_m, self._unseen_rad = IDENTITY, 0.0, 0.0


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
