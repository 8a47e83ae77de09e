"""The robot's own process in simulation: the loop of `navigation` on a `SimRobot`, in Webots or on the stand-in.

It knows what a robot knows. When it ends it leaves in `--out` what `monitoring.run_folder` lists.
"""

import argparse
import logging
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from foundation import robot_config
from foundation.robot_config import RobotConfig
from monitoring.run_folder import RunFolder
from monitoring.stage_times import StageTimes
from navigation.background import Background, stepped
from navigation.robot_loop import run
from navigation.stages import build
from perception.observation import Detections, Frame, Observation
from simulation.sim_robot import SimRobot
from simulation.standin.path import use_standin

logger = logging.getLogger(__name__)


class NoDetector:
    """LIDAR only."""

    def detect(self, observation: Observation) -> Detections | None:
        return None


class DetectorBeside:
    """Gives the newest frame to the detector when it is idle; results arrive ticks later with their frame's stamp."""

    def __init__(self, detect_frame: Callable[[Frame], Detections], background: Background) -> None:
        self._detect_frame = detect_frame
        self._background = background

    def detect(self, observation: Observation) -> Detections | None:
        found: Detections | None = self._background.poll()
        frame = observation.frame
        if frame is not None and not self._background.busy:
            self._background.submit(lambda: self._detect_frame(frame))
        return found


def cover(config: RobotConfig, *, bundle: Path | None, out: Path, seed: int, time_limit_s: float) -> bool:
    """Covers the room this process was put into; says whether the planner called the job done, not just ended."""
    turn_s = 1 / config.lidar.rate_hz if use_standin() else 0.0  # Webots' fixed LIDAR measures all beams at once
    from controller import Robot

    robot = SimRobot(
        Robot(), config, seed=seed, time_limit_s=time_limit_s, lidar_turn_s=turn_s, looks=bundle is not None
    )
    times, left, finished = StageTimes(), RunFolder(out), False
    stages = build(config, background=stepped, on_event=left.on_event)
    try:
        run(
            robot,
            times.localiser(stages.localiser),
            times.detector(_detector(config, bundle)),
            times.room(stages.room),
            times.planner(stages.planner),
            times.limiter(stages.limit),
            times.on_tick(left.on_tick),
        )
        finished = stages.planner.report().over
    finally:
        status = {"finished": finished, "coverage_ratio": float(stages.room.coverage_ratio())}
        left.finish(times.summary_json(), status, stages.room.objects(), stages.localiser.static_map)
    return finished


def _detector(config: RobotConfig, bundle: Path | None) -> Any:
    if bundle is None:
        return NoDetector()
    from perception.obstacle_detector import ObstacleDetector

    settings = config.detector
    model = ObstacleDetector(
        bundle, min_score=settings.min_score, camera=config.camera.pinhole(), range_max_m=settings.range_max_m
    )
    return DetectorBeside(model.detect_frame, stepped("detector"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Arguments as Webots' controllerArgs or a command line give them."""
    parser = argparse.ArgumentParser(prog="coverage", description=__doc__)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--out", type=Path, default=Path("coverage-run"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--time-limit-s", type=float, default=math.inf)
    given = parser.parse_args(arguments)
    finished = cover(
        robot_config.load(given.config),
        bundle=given.bundle,
        out=given.out,
        seed=given.seed,
        time_limit_s=given.time_limit_s,
    )
    logger.info("coverage %s", "done" if finished else "ended before it was done")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
