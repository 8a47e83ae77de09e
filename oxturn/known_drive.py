"""What the robot would take to cover a floor that it knows: between the ideal drive and a run.

In: a room with everything that lies on its floor, and the robot. Out: the drive of its own planner's route over the
true map by its own follower, at the speeds that it keeps near things, without slip, noise or anything learnt on the
way, the tool as a disc. What a run takes beyond it is the price of not knowing the floor; what it takes beyond the
ideal drive is the price of the robot's speeds and of its planner. Equal rooms give equal drives. No route gives a drive
of nothing.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from foundation.geometry import FloatArray, Pose2D
from foundation.robot_config import RobotConfig
from navigation.free_floor import nearest_blocked
from navigation.grid_geometry import GridGeometry
from navigation.path_follower import FollowerSettings, PathFollower
from navigation.planned_routes import PlannedRoutes
from navigation.robot_io import DriveCommand
from navigation.route_watch import brushes
from simulation.ground_truth import distance_to, floor_truth
from simulation.room_spec import Room

BESIDE_THINGS_M: Final = 0.02  # small things are as large to the planner: their places are never known better
CELL_M: Final = 0.01
STANDING_MPS, SLOW_MPS = 0.02, 0.15
LONGEST_S: Final = 20_000.0
_STEPS_A_TICK: Final = 10  # of motion


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
    places_m, commands = _driven(route.points_map, start.heading_rad, free, truth.geometry, config)
    speeds_mps, turns_radps = np.abs(commands).T
    tick_s = FollowerSettings.of(config).tick_s
    return KnownDrive(
        duration_s=len(commands) * tick_s,
        turning_s=float((speeds_mps < STANDING_MPS).sum()) * tick_s,
        slow_s=float(((speeds_mps >= STANDING_MPS) & (speeds_mps < SLOW_MPS)).sum()) * tick_s,
        length_m=float(speeds_mps.sum()) * tick_s,
        rotation_rad=float(turns_radps.sum()) * tick_s,
        coverage_ratio=_covered(room, places_m, config),
    )


def _driven(
    points_map: FloatArray,  # (N, 2)
    heading_rad: float,
    free: NDArray[np.bool_],
    geometry: GridGeometry,
    config: RobotConfig,
) -> tuple[FloatArray, FloatArray]:
    """Places (T, 2) and commands (T, 2): metres and radians a second."""

    def gap_m(x_m: float, y_m: float, look_m: float) -> float:
        col, row = (x_m - geometry.origin_x_m) / geometry.cell_m, (y_m - geometry.origin_y_m) / geometry.cell_m
        return float(nearest_blocked(free, col, row, look_m / geometry.cell_m)) * geometry.cell_m

    settings = FollowerSettings.of(config)
    follower = PathFollower(settings)
    follower.follow(points_map)
    pose, last = Pose2D(float(points_map[0, 0]), float(points_map[0, 1]), heading_rad), DriveCommand(0.0, 0.0)
    places: list[tuple[float, float]] = []
    commands: list[tuple[float, float]] = []
    while not follower.finished and len(places) < LONGEST_S / settings.tick_s:
        slow = brushes(follower, gap_m, config.body.radius_m, config.drive.slow_within_m)
        command = follower.command(pose, last, config.drive.slow_mps if slow else config.drive.cruise_mps)
        pose = _moved(_moved(pose, last, settings.latency_s), command, settings.tick_s - settings.latency_s)
        last = command
        places.append((pose.x_m, pose.y_m))
        commands.append((command.speed_mps, command.turn_radps))
    return np.array(places), np.array(commands)


def _moved(pose: Pose2D, command: DriveCommand, for_s: float) -> Pose2D:
    step_s = for_s / _STEPS_A_TICK
    step = Pose2D(command.speed_mps * step_s, 0.0, command.turn_radps * step_s)
    for _ in range(_STEPS_A_TICK):
        pose = pose @ step
    return pose


def _covered(room: Room, places_m: FloatArray, config: RobotConfig) -> float:
    tool_m = config.tool.width_m
    truth = floor_truth(room, body_radius_m=config.body.radius_m, tool_width_m=tool_m, cell_m=CELL_M)
    visited = np.zeros(truth.geometry.shape, dtype=bool)
    cells = truth.geometry.cells(places_m)
    visited[cells[:, 0], cells[:, 1]] = True
    swept = distance_to(visited, CELL_M) <= tool_m / 2
    return float((swept & truth.coverable).sum() / max(truth.coverable.sum(), 1))
