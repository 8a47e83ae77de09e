"""Compiles every number kernel into numba's cache on disk: done once at install, so that no run waits for it."""

from foundation.robot_config import RobotConfig


def compile_kernels(config: RobotConfig) -> None:
    """The robot's own stages over a made-up room, and what SLAM uses only on loops and places known again."""
    from deploy.warm_up import warm_up
    from navigation import slam

    slam.warm_up(slam.SlamSettings(map_cell_m=config.planner.cell_m))
    warm_up(config)
