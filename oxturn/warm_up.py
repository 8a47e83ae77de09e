"""Compiles every number kernel into numba's cache on disk: done once at install, so that no run waits for it."""

import importlib.util
import tempfile
from pathlib import Path

from foundation.robot_config import RobotConfig


def compile_kernels(config: RobotConfig) -> None:
    """The robot's own stages over a made-up room, what SLAM uses only on loops and places known again, and a capture.

    A machine without the simulator's engine has no simulator to warm up.
    """
    from deploy.warm_up import warm_up
    from navigation import slam

    slam.warm_up(slam.SlamSettings(map_cell_m=config.planner.cell_m))
    warm_up(config)
    if importlib.util.find_spec("mujoco") is not None:
        _capture_and_judge(config)


def _capture_and_judge(config: RobotConfig) -> None:
    from foundation.geometry import IDENTITY
    from simulation.dataset_writer import CaptureSettings, capture_room
    from simulation.judge import Judge
    from simulation.room_simulator import draw_room

    with tempfile.TemporaryDirectory(prefix="oxturn-") as folder:
        settings = CaptureSettings(1, 2, 0, config.camera.width_px, config.camera.height_px)
        capture_room(settings, 0, Path(folder))
    judge = Judge(draw_room(0, rooms=1), config)
    for stamp_s in (0.0, 0.1):
        judge.see(stamp_s, IDENTITY, ())
