"""What the robot would take to cover a floor that it knows: between the ideal drive and a run.

In: a room with everything that lies on its floor, and the robot. Out: the drive of its own planner's route over the
true map by its own follower, at the speeds that it keeps near things, without slip, noise or anything learnt on the
way, its floor counted as a run's is. What a run takes beyond it is the price of not knowing the floor; what it takes
beyond the ideal drive is the price of the robot's speeds and of its planner. Equal rooms give equal drives. No route
gives a drive of nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from foundation.geometry import FloatArray, Pose2D
from foundation.robot_config import RobotConfig
from navigation.free_floor import gap_m
from navigation.path_follower import FollowerSettings, PathFollower, ahead
from navigation.planned_routes import PlannedRoutes
from navigation.robot_io import DriveCommand
from navigation.route_watch import brushes
from simulation.ground_truth import floor_truth
from simulation.judge import Judge
from simulation.room_spec import Room

BESIDE_THINGS_M: Final = 0.02  # small things are as large to the planner: their places are never known better
STANDING_MPS, SLOW_MPS = 0.02, 0.15
LONGEST_S: Final = 20_000.0


@dataclass(frozen=True, slots=True)
class KnownDrive:
    """One drive over all floor."""

    duration_s: float
    turning_s: float  # standing, that is at corners
    slow_s: float  # driving, beside or before something
    length_m: float
    rotation_rad: float
    coverage_ratio: float


def known_drive(room: Room, config: RobotConfig) -> KnownDrive:
    """The robot's own planner and follower over the true map of the room."""
    body, tool = config.body, config.tool
    cell_m = config.planner.cell_m
    truth = floor_truth(room, body_radius_m=body.radius_m, tool_width_m=tool.width_m, cell_m=cell_m)
    free = truth.inside & (truth.standing_clear_m > 0) & (truth.lying_clear_m > BESIDE_THINGS_M)
    start = room.dock.start
    route = PlannedRoutes(config)(free, truth.geometry, (start.x_m, start.y_m), np.zeros_like(free), quick=False)
    if len(route.points_map) < 2:
        return KnownDrive(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    judge = Judge(room, config)
    commands = _driven(route.points_map, start.heading_rad, partial(gap_m, free, truth.geometry), config, judge)
    speeds_mps, turns_radps = np.abs(commands).T
    tick_s = FollowerSettings.of(config).tick_s
    return KnownDrive(
        duration_s=len(commands) * tick_s,
        turning_s=float((speeds_mps < STANDING_MPS).sum()) * tick_s,
        slow_s=float(((speeds_mps >= STANDING_MPS) & (speeds_mps < SLOW_MPS)).sum()) * tick_s,
        length_m=float(speeds_mps.sum()) * tick_s,
        rotation_rad=float(turns_radps.sum()) * tick_s,
        coverage_ratio=judge.coverage_ratio,
    )


def _driven(
    points_map: FloatArray,  # (N, 2)
    heading_rad: float,
    gap_at_m: Callable[[float, float, float], float],
    config: RobotConfig,
    judge: Judge,
) -> FloatArray:
    """Commands (T, 2), metres and radians a second; the judge sees where they lead."""
    settings = FollowerSettings.of(config)
    follower = PathFollower(settings)
    follower.follow(points_map)
    pose, last = Pose2D(float(points_map[0, 0]), float(points_map[0, 1]), heading_rad), DriveCommand(0.0, 0.0)
    commands: list[tuple[float, float]] = []
    while not follower.finished and len(commands) < LONGEST_S / settings.tick_s:
        slow = brushes(follower, gap_at_m, config.body.radius_m, config.drive.slow_within_m)
        command = follower.command(pose, last, config.drive.slow_mps if slow else config.drive.cruise_mps)
        for driven, for_s in ((last, settings.latency_s), (command, settings.tick_s - settings.latency_s)):
            pose = ahead(pose, driven, for_s)
            judge.see(len(commands) * settings.tick_s, pose, ())
        last = command
        commands.append((command.speed_mps, command.turn_radps))
    return np.array(commands)
