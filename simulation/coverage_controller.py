"""The robot's own process in simulation: the loop of `navigation` on a `SimRobot`, in Webots or on the stand-in.

It knows what a robot knows. When it ends it leaves in `--out`: published poses (TUM), its map, the objects it found,
stage times, some frames with what the detector saw, and its status.
"""

import argparse
import io
import logging
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from foundation import atomic_files, robot_config
from foundation.robot_config import RobotConfig
from monitoring.stage_times import StageTimes
from navigation.background import Background, SteppedBackground
from navigation.robot_loop import TickReport, run
from navigation.stages import Stages, build
from perception.observation import Detections, Frame, Observation
from simulation.sim_robot import SimRobot
from simulation.standin.path import use_standin

DETECTOR_TICKS: Final = 1  # a frame's detections arrive one tick later, as on the Pi
BACKGROUND_TICKS: Final = 3
FRAMES_KEPT: Final = 12

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


class Notebook:
    """Listens to ticks and writes the robot's folder at the end."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._poses: list[tuple[float, float, float, float]] = []
        self._frames: dict[float, Any] = {}
        self._shown = 0

    def on_tick(self, tick: TickReport) -> None:
        pose, stamp_s = tick.estimate.map_from_base, tick.observation.stamp_s
        self._poses.append((stamp_s, pose.x_m, pose.y_m, pose.heading_rad))
        if tick.observation.frame is not None:
            self._frames[stamp_s] = tick.observation.frame.image_bgr
            while len(self._frames) > 4:
                del self._frames[min(self._frames)]
        found = tick.detections
        due = self._shown < FRAMES_KEPT and len(self._poses) >= 40 * (self._shown + 1)
        if due and found is not None and len(found.scores) and found.stamp_s in self._frames:
            self._keep(self._frames[found.stamp_s], found)

    def write(self, stages: Stages, times: StageTimes, finished: bool) -> None:
        atomic_files.write_text(self._out / "published.tum", "".join(tum_line(*pose) for pose in self._poses))
        atomic_files.write_json(self._out / "tick_ms.json", times.summary_json())
        objects = [
            {"x_m": one.x_m, "y_m": one.y_m, "radius_m": one.radius_m, "class_id": int(one.class_id)}
            for one in stages.room.objects()
        ]
        atomic_files.write_json(self._out / "objects.json", objects)
        write_map(self._out, stages)
        status = {
            "finished": finished,
            "coverage_ratio": float(stages.room.coverage_ratio()),
            "ticks": len(self._poses),
        }
        atomic_files.write_json(self._out / "status.json", status)

    def _keep(self, image_bgr: Any, found: Detections) -> None:
        drawn = image_bgr.copy()
        for box, score in zip(found.boxes_px, found.scores, strict=True):
            x0, y0, x1, y1 = (round(float(value)) for value in box)
            cv2.rectangle(drawn, (x0, y0), (x1, y1), (40, 40, 255), 1)
            cv2.putText(drawn, f"{score:.2f}", (x0, max(y0 - 2, 8)), cv2.FONT_HERSHEY_PLAIN, 0.7, (0, 255, 255), 1)
        _, data = cv2.imencode(".jpg", drawn)
        atomic_files.write_bytes(self._out / "detections" / f"{self._shown:03d}.jpg", bytes(data))
        self._shown += 1


def cover(config: RobotConfig, *, bundle: Path | None, out: Path, seed: int, time_limit_s: float) -> bool:
    """Covers the room this process was put into; says whether the planner called it done."""
    use_standin()
    from controller import Robot

    robot = SimRobot(Robot(), config, seed=seed, time_limit_s=time_limit_s)
    stages = build(config, background=lambda name: SteppedBackground(BACKGROUND_TICKS))
    times, notes, finished = StageTimes(), Notebook(out), False
    planner = _Watched(stages.planner)
    try:
        run(
            robot,
            times.localiser(stages.localiser),
            times.detector(_detector(config, bundle)),
            times.room(stages.room),
            times.planner(planner),
            times.limiter(stages.limit),
            times.on_tick(notes.on_tick),
        )
        finished = planner.done
    finally:
        notes.write(stages, times, finished)
    return finished


class _Watched:
    """Notes that the planner had nothing left to do."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.done = False

    def command(self, estimate: Any, observation: Observation) -> Any:
        wanted = self._inner.command(estimate, observation)
        self.done = wanted is None
        return wanted


def _detector(config: RobotConfig, bundle: Path | None) -> Any:
    if bundle is None:
        return NoDetector()
    from perception.obstacle_detector import ObstacleDetector

    settings = config.detector
    model = ObstacleDetector(
        bundle, min_score=settings.min_score, camera=config.camera.pinhole(), range_max_m=settings.range_max_m
    )
    return DetectorBeside(model.detect_frame, SteppedBackground(DETECTOR_TICKS))


def write_map(out: Path, stages: Stages) -> None:
    """The robot's static map as arrays: cells (R, C) of navigation.static_map's values, and origin and cell size."""
    static = stages.localiser.static_map
    geometry = static.geometry
    data = io.BytesIO()
    place = np.array([geometry.origin_x_m, geometry.origin_y_m, geometry.cell_m])
    np.savez_compressed(data, robot_map=np.asarray(static.cells, np.int8), robot_map_geometry=place)
    atomic_files.write_bytes(out / "map.npz", data.getvalue())


def tum_line(stamp_s: float, x_m: float, y_m: float, heading_rad: float) -> str:
    half = heading_rad / 2
    return f"{stamp_s:.3f} {x_m:.6f} {y_m:.6f} 0 0 0 {math.sin(half):.9f} {math.cos(half):.9f}\n"


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
