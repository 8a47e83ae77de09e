"""The drive of one who knows the room: what a run's length and time are held against.

In: a room, with everything that lies on its floor, and the robot. Out: the planner's best path over its true map, small
things and all. Equal rooms give equal drives: the search is counted, not timed. Fails as the planner does
(`CoverageError`), when the robot stands shut in.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from foundation.robot_config import RobotConfig
from navigation.coverage_planner import Budget, CoverageSettings, plan
from simulation.ground_truth import REACH_MARGIN_M, FloorTruth, floor_truth
from simulation.room_spec import Room

CELLS_M: Final = (0.02, 0.01)  # the last is the judge's, on which a passage is open that a coarser grid may shut
SAME_FLOOR_RATIO: Final = 0.98
TARGET_RATIO: Final = 0.985  # of the coverable floor: half a point more than a run must have
STEPS_PER_M2: Final = 100_000
DRIVE_MPS, TURN_RADPS = 0.3, 0.52  # at which all coverage paths are compared, whatever robot drives them


@dataclass(frozen=True, slots=True)
class IdealDrive:
    """A path over all floor that can be reached."""

    length_m: float
    rotation_rad: float
    coverage_ratio: float

    @property
    def execution_s(self) -> float:
        return self.length_m / DRIVE_MPS + self.rotation_rad / TURN_RADPS


def ideal_drive(room: Room, config: RobotConfig, steps_per_m2: int = STEPS_PER_M2) -> IdealDrive:
    """Keeping the clearance that the measures' reach keeps, with the tool as a disc.

    Raises:
        CoverageError: no cell around the dock has room for the robot.
    """
    body, tool = config.body, config.tool
    truth = whole_truth(room, config)
    free = truth.inside & (np.minimum(truth.standing_clear_m, truth.lying_clear_m) > 0)
    settings = CoverageSettings(
        robot_radius_m=body.radius_m + REACH_MARGIN_M, tool_width_m=tool.width_m - CELLS_M[0], target_ratio=TARGET_RATIO
    )
    start = room.dock.start
    budget = Budget(iterations=int(steps_per_m2 * truth.coverable_m2))
    found = plan(free, truth.geometry, (start.x_m, start.y_m), settings, budget=budget)
    return IdealDrive(found.length_m, found.rotation_rad, found.coverage_ratio)


def whole_truth(room: Room, config: RobotConfig) -> FloorTruth:
    """On the coarsest grid that shows all the floor which the judge counts."""
    body, tool = config.body, config.tool
    truths = [
        floor_truth(room, body_radius_m=body.radius_m, tool_width_m=tool.width_m, cell_m=cell_m) for cell_m in CELLS_M
    ]
    whole_m2 = truths[-1].coverable_m2
    return next(truth for truth in truths if truth.coverable_m2 >= SAME_FLOOR_RATIO * whole_m2)
