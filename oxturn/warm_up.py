"""Compiles every number kernel into numba's cache on disk: done once at install, so that no run waits for it."""

import numpy as np

from foundation.robot_config import RobotConfig


def compile_kernels(config: RobotConfig) -> None:
    """Drives the robot's stages over a toy room until each kernel has been used."""
    from navigation import slam
    from navigation.background import SteppedBackground
    from navigation.coverage_planner import CoverageSettings, plan
    from navigation.grid_geometry import GridGeometry
    from navigation.stages import build

    slam.warm_up(slam.SlamSettings(map_cell_m=config.planner.cell_m))
    free = np.ones((60, 60), dtype=np.bool_)
    free[20:24, 20:40] = False
    settings = CoverageSettings(robot_radius_m=config.clearance_m, tool_width_m=config.tool.width_m, edge_passes=1)
    plan(free, GridGeometry(0.0, 0.0, config.planner.cell_m, *free.shape), (0.3, 0.3), settings)
    build(config, background=lambda name: SteppedBackground(1))
