"""Composes the stages of the robot loop from one configuration; hosts add the detector and the RobotIO."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from foundation.geometry import IDENTITY, Pose2D
from foundation.robot_config import RobotConfig
from navigation.background import Background
from navigation.covering import Covering
from navigation.job import WHOLE_FLOOR, Job, JobError, JobProgress
from navigation.job_keeper import JobKeeper
from navigation.job_store import JobStore, JobStoreError, SavedJob, UnreadableJob
from navigation.known_rooms import rooms_of
from navigation.map_handler import MapHandler
from navigation.planned_routes import PlannedRoutes
from navigation.recharging import Recharging
from navigation.safety import Safety, SafetySettings
from navigation.slam import Slam, SlamSettings
from navigation.wanted_floor import lay_out

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stages:
    """The robot's own stages, ready for navigation.robot_loop.run."""

    localiser: Slam
    room: MapHandler
    planner: Covering | Recharging
    limit: Safety
    keeper: JobKeeper | None  # to be told of every tick, and of the end


def build(
    config: RobotConfig,
    *,
    background: Callable[[str], Background],
    state_dir: Path | None = None,
    job: Job | None = None,
    on_event: Callable[[str], None] = logger.info,
) -> Stages:
    """`background(name)` makes a worker beside the loop; an unfinished job in `state_dir` is gone on with.

    Another `job` than the unfinished one puts that aside; None goes on with it, or is the whole floor. Raises JobError
    for a job that cannot be done, and for an unfinished one that cannot be read when no other is given; what lies in
    `state_dir` is then as it was.
    """
    lidar = config.lidar
    store, known = (None, None) if state_dir is None else _looked(JobStore(state_dir / "job.sqlite"), job)
    begun = JobProgress(store.job if store else job or WHOLE_FLOOR) if known is None else known.progress
    needs_map = begun.job.needs_map if known is None else bool(begun.job.rooms)
    ground = _finished(store, begun.job) if needs_map else None
    localiser = Slam(
        SlamSettings(map_cell_m=config.planner.cell_m),
        laser=Pose2D(lidar.x_m, lidar.y_m, lidar.yaw_rad),
        wheel_radius_m=config.body.wheel_radius_m,
        wheel_track_m=config.body.wheel_track_m,
        background=background("pose graph"),
        start=known.pose if known else ground.progress.home or IDENTITY if ground else IDENTITY,
        saved=known.snapshot if known else ground.snapshot if ground else None,
        unfinished=known is not None or ground is None,
    )
    room = MapHandler(config, localiser.static_map)
    if known is not None:
        room.restore(known.sweeps, known.points, known.marks, begun.pass_begins_at)
    lay_out(begun.job, room, rooms_of(ground, config.planner.cell_m) if ground and begun.job.rooms else None)
    covering = Covering(config, room, PlannedRoutes(config), background("routes"), on_event, begun)
    planner: Covering | Recharging = covering
    if config.battery.recharge:
        planner = Recharging(config, room, covering, background("way home"), on_event)
    keeper = None
    if store is not None and _started(store):
        keeper = JobKeeper(store, background("job"), localiser, room, known, planner.progress)
    return Stages(localiser, room, planner, Safety(SafetySettings.of(config)), keeper)


def _finished(store: JobStore | None, job: Job) -> SavedJob:
    """What a job on a saved map is driven on, from its beginning to its end."""
    ground = None if store is None else store.finished()
    if ground is None:
        wants = f"rooms {list(job.rooms)} are wanted" if job.rooms else "on_saved_map is set"
        raise JobError(f"{wants}, and no map of a finished job is known: cover the whole floor once before")
    return ground


def _looked(store: JobStore, asked: Job | None) -> tuple[JobStore | None, SavedJob | None]:
    """A job that cannot be kept is said, and done all the same: as long as it is known what it is."""
    try:
        return store, store.look(asked)
    except UnreadableJob as error:
        advice = "its no-go zones are not known: give a job with --job, or move the file away"
        raise JobError(f"{error}; {advice}") from error
    except JobStoreError as error:
        logger.error("%s", error)
        return None, None


def _started(store: JobStore) -> bool:
    """Only now, when all the rest can be done, is anything written."""
    try:
        store.start()
    except JobStoreError as error:
        logger.error("%s", error)
        return False
    return True
