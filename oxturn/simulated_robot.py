"""The daemon against the simulator: the very `deploy.robotd.serve` of the Pi, its sensors and motors those of a world.

In: a world to connect to (`OXTURN_STANDIN`, or Webots), the robot's home with its delivered model, where to leave what
the run tells. Out: a folder as every daemon leaves it. Work beside the loop is stepped, so that equal seeds give equal
runs whatever the machine's speed.
"""

import argparse
import math
import shutil
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy.robotd import Folders, ServeSummary, detector_loader, serve
from foundation.errors import OxturnError
from foundation.robot_config import RobotConfig, load
from navigation.background import stepped
from navigation.job import Job
from navigation.job import load as load_job
from simulation.sim_robot import SimRobot
from simulation.standin.path import use_standin


def drive(
    config: RobotConfig,
    home: Path | None,
    out: Path,
    *,
    job: Job | None,
    seed: int,
    time_limit_s: float,
    stop: threading.Event,
) -> ServeSummary:
    """Runs the daemon until its job is done or the world ends."""
    use_standin()
    from controller import Robot

    robot = SimRobot(Robot(), config, seed=seed, time_limit_s=time_limit_s, looks=home is not None)
    folders = Folders(home, out / "job", out)
    return serve(robot, config, folders, background=stepped, load_model=detector_loader(config), stop=stop, job=job)


def in_a_room(
    config: Path | None,
    home: Path | None,
    *,
    job: Path | None = None,
    seed: int,
    rooms: int,
    speed: float,
    out: Path,
    time_limit_s: float = 24 * 3600,
) -> Mapping[str, Any]:
    """The daemon in a process of its own, in a room drawn from the seed, scored; `speed` 1 is real time, 0 unpaced."""
    from simulation.room_simulator import draw_room
    from simulation.run_room import run_room

    settings = load(config)
    asked = None if job is None else load_job(job)  # what is wrong with it is told before a world is made
    if asked is None or not asked.needs_map:
        shutil.rmtree(out / "robot" / "job", ignore_errors=True)  # an unfinished job was in another world
    command = [sys.executable, "-m", "oxturn.simulated_robot", "--out", str(out.resolve() / "robot")]
    command += ["--seed", str(seed), "--metrics-port", str(settings.monitoring.port)]
    command += [] if home is None else ["--home", str(home.resolve())]
    command += [] if job is None else ["--job", str(job.resolve())]
    command += [] if config is None else ["--config", str(config.resolve())]
    paced = [Pace(speed)] if speed > 0 else []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # the world closes, and the robot stops with it
    score = run_room(
        draw_room(seed, rooms=rooms, purpose="test"), seed=seed, out=out, bundle=None, robot_command=command,
        time_limit_s=time_limit_s, config=settings, before_step=paced,
    )  # fmt: skip
    return score.to_json()


class Pace:
    """One for `Engine.before_step`: holds the world back to so many of its seconds a second."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._began_s: float | None = None

    def __call__(self, data: Any, time_s: float) -> None:
        now_s = time.monotonic()
        if self._began_s is None:
            self._began_s = now_s - time_s / self._speed
        time.sleep(max(self._began_s + time_s / self._speed - now_s, 0.0))


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m oxturn.simulated_robot`: what a simulated run starts as the robot's own process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="the robot's folder of updates; without it LIDAR alone, no camera")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--job", type=Path)
    parser.add_argument("--metrics-port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--time-limit", type=float, default=math.inf)
    told = parser.parse_args(arguments)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        config = load(told.config)
        monitoring = config.monitoring.model_copy(update={"port": told.metrics_port})
        config = config.model_copy(update={"monitoring": monitoring})
        job = None if told.job is None else load_job(told.job)
        drive(config, told.home, told.out, job=job, seed=told.seed, time_limit_s=told.time_limit, stop=stop)
    except OxturnError as error:
        sys.stderr.write(f"oxturn: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
