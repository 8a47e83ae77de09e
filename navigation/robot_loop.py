"""The robot on one page: sense, localise, detect, map, plan, limit, drive.

The same loop runs on the Pi, in Webots and on the stand-in. Each stage is an argument behind a small Protocol; the loop
knows no clock, no file, no metric. Reports leave through `on_tick`. However the loop ends, the motors are told to stop.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from navigation.pose_estimate import PoseEstimate
from navigation.robot_io import STOP, DriveCommand, RobotIO
from perception.observation import Detections, Observation


class Localiser(Protocol):
    """Where am I: wheel angles and scans in, pose in `map` out."""

    def update(self, observation: Observation) -> PoseEstimate: ...


class Detector(Protocol):
    """What lies on the floor: the newest finished result, or None; it may belong to an earlier frame."""

    def detect(self, observation: Observation) -> Detections | None: ...


class Room(Protocol):
    """What is around: the map handler."""

    def integrate(
        self, estimate: PoseEstimate, observation: Observation, detections: Detections | None, driven: DriveCommand
    ) -> None: ...


class Planner(Protocol):
    """Where next: None when the job is done."""

    def command(self, estimate: PoseEstimate, observation: Observation) -> DriveCommand | None: ...


class Limiter(Protocol):
    """The last step before the motors; it sees raw sensors, because it must not trust the map."""

    def __call__(self, wanted: DriveCommand, observation: Observation) -> DriveCommand: ...


@dataclass(frozen=True, slots=True)
class TickReport:
    """What happened in one tick, for metrics, logs and views."""

    observation: Observation
    estimate: PoseEstimate
    detections: Detections | None
    wanted: DriveCommand
    command: DriveCommand


def run(
    robot: RobotIO,
    localiser: Localiser,
    detector: Detector,
    room: Room,
    planner: Planner,
    limit: Limiter,
    on_tick: Callable[[TickReport], None],
) -> None:
    """Drives until the planner is done or the host ends the run."""
    command = STOP
    try:
        for observation in robot.observations():  # the host paces the loop
            estimate = localiser.update(observation)
            detections = detector.detect(observation)
            room.integrate(estimate, observation, detections, command)
            wanted = planner.command(estimate, observation)
            if wanted is None:
                return
            command = limit(wanted, observation)
            robot.drive(command)
            on_tick(TickReport(observation, estimate, detections, wanted, command))
    finally:
        robot.drive(STOP)
