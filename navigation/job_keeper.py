"""Tells the job store, twice a second and beside the loop, what it does not know yet.

A store that cannot write is no reason to stand: it is said once, and everything missed is told when it can again.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from foundation.geometry import Pose2D
from navigation.background import Background
from navigation.edge_points import EdgePoint
from navigation.job import JobProgress
from navigation.job_store import JobNews, JobStore, JobStoreError, SavedJob
from navigation.map_handler import MapHandler
from navigation.pose_estimate import PoseEstimate, Tracking
from navigation.slam import Slam

logger = logging.getLogger(__name__)
EVERY_TICKS: Final = 5


@dataclass(frozen=True, slots=True)
class _Told:
    """How much of each the store knows."""

    keyframes: int = 0
    relations: int = 0
    sweeps: int = 0
    map_revision: int = 0
    points: Mapping[int, tuple[object, ...]] = field(default_factory=dict)  # by number, what a change would change

    @staticmethod
    def of(job: SavedJob) -> "_Told":
        points = {point.number: _mark_of(point) for point in job.points}
        return _Told(len(job.snapshot.keyframes), len(job.snapshot.relations), len(job.sweeps), points=points)


def _mark_of(point: EdgePoint) -> tuple[object, ...]:
    """Equal as long as nothing of the point has changed; one vote more is one frame more."""
    place = point.x_m, point.y_m, point.radius_m, point.spread_m, point.keyframe, point.keyframe_point
    looks = point.evidence, point.view, point.view_evidence, point.strongest, point.nearest_m
    return *place, *looks, point.seen, point.missed, len(point.votes), sum(point.votes.values()), point.entered


class JobKeeper:
    """Keeps one job; `on_tick` costs nothing but twice a second, and then what has changed."""

    def __init__(
        self,
        store: JobStore,
        background: Background,
        localiser: Slam,
        room: MapHandler,
        known: SavedJob | None,
        progress: Callable[[], JobProgress] = JobProgress,
    ) -> None:
        self._progress = progress
        self._store = store
        self._background = background
        self._localiser = localiser
        self._room = room
        self._told = _Told() if known is None else _Told.of(known)
        self._asked = self._told
        self._ticks = 0
        self._failing = False
        self._sure: PoseEstimate | None = None  # the newest pose to rely on

    def on_tick(self, estimate: PoseEstimate) -> None:
        self._ticks += 1
        self._hear()
        if estimate.tracking is not Tracking.TRACKING:
            return  # what is kept is kept with a pose to start from
        self._sure = estimate
        if self._ticks % EVERY_TICKS == 0 and not self._background.busy:
            self._asked, news = self._news(estimate)
            self._background.submit(lambda: self._write(news))

    def end(self, done: bool) -> None:
        """The run is over; a job that is not done, the drive home included, is kept to the last tick."""
        try:
            if done:
                self._store.finish()
            elif self._sure is not None:
                self._store.add(self._news(self._sure)[1])
        except JobStoreError as error:
            logger.error("%s", error)
        finally:
            self._store.close()

    def _news(self, estimate: PoseEstimate) -> tuple[_Told, JobNews]:
        told, known = self._told, self._localiser.snapshot()
        corrected = estimate.map_revision != told.map_revision
        first_pose = 0 if corrected else told.keyframes
        sweeps, points = self._room.sweeps(told.sweeps), self._room.edge_points()
        marks = {point.number: _mark_of(point) for point in points}
        news = JobNews(
            estimate.map_from_base,
            list(enumerate(known.keyframes[told.keyframes :], told.keyframes)),
            [(k, Pose2D(*known.poses[k].tolist())) for k in range(first_pose, len(known.poses))],
            list(enumerate(known.relations[told.relations :], told.relations)),
            sweeps,
            told.sweeps,
            [
                replace(one, votes=dict(one.votes))  # they change meanwhile
                for one in points
                if told.points.get(one.number) != marks[one.number]
            ],
            self._room.marks(),
            self._progress(),
            [number for number in told.points if number not in marks],
        )
        now = _Told(len(known.keyframes), len(known.relations), told.sweeps + len(sweeps), estimate.map_revision, marks)
        return now, news

    def _write(self, news: JobNews) -> str:
        """Empty when it is written, else why not."""
        try:
            self._store.add(news)
        except JobStoreError as error:
            return str(error)
        return ""

    def _hear(self) -> None:
        fault = self._background.poll()
        if fault is None:
            return
        if fault == "":
            self._told = self._asked
        elif not self._failing:
            logger.error("%s", fault)
        self._failing = fault != ""
