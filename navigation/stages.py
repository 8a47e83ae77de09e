"""Composes the stages of the robot loop from one configuration; hosts add the detector and the RobotIO."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from foundation.geometry import IDENTITY, Pose2D
from foundation.robot_config import RobotConfig
from navigation.background import Background
from navigation.covering import Covering
from navigation.job_keeper import JobKeeper
from navigation.job_store import JobStore, JobStoreError, SavedJob
from navigation.map_handler import MapHandler
from navigation.planned_routes import PlannedRoutes
from navigation.safety import Safety, SafetySettings
from navigation.slam import Slam, SlamSettings

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stages:
    """The robot's own stages, ready for navigation.robot_loop.run."""

    localiser: Slam
    room: MapHandler
    planner: Covering
    limit: Safety
    keeper: JobKeeper | None  # to be told of every tick, and of the end


def build(config: RobotConfig, *, background: Callable[[str], Background], state_dir: Path | None = None) -> Stages:
    """`background(name)` makes a worker beside the loop; an unfinished job in `state_dir` is gone on with."""
    lidar = config.lidar
    store, job = (None, None) if state_dir is None else _unfinished(JobStore(state_dir / "job.sqlite"))
    localiser = Slam(
        SlamSettings(map_cell_m=config.planner.cell_m),
        laser=Pose2D(lidar.x_m, lidar.y_m, lidar.yaw_rad),
        wheel_radius_m=config.body.wheel_radius_m,
        wheel_track_m=config.body.wheel_track_m,
        background=background("pose graph"),
        start=IDENTITY if job is None else job.pose,
        saved=None if job is None else job.snapshot,
        unfinished=True,
    )
    room = MapHandler(config, localiser.static_map)
    if job is not None:
        room.restore(job.sweeps, job.points, job.marks)
    planner = Covering(config, room, PlannedRoutes(config), background("routes"))
    keeper = None if store is None else JobKeeper(store, background("job"), localiser, room, job)
    return Stages(localiser, room, planner, Safety(SafetySettings.of(config)), keeper)


def _unfinished(store: JobStore) -> tuple[JobStore | None, SavedJob | None]:
    """A job that cannot be kept is said, and done all the same."""
    try:
        return store, store.begin()
    except JobStoreError as error:
        logger.error("%s", error)
        return None, None
