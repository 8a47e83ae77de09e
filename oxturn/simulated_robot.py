"""The daemon against the simulator: the very `deploy.robotd.serve` of the Pi, its sensors and motors those of a world.

In: a world to connect to (`OXTURN_STANDIN`, or Webots), the robot's home with its delivered model, where to leave what
the run tells. Out: a folder as every daemon leaves it. Work beside the loop is stepped, so that equal seeds give equal
runs whatever the machine's speed.
"""

import argparse
import math
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from deploy.robotd import Folders, ServeSummary, detector_loader, serve
from foundation.errors import OxturnError
from foundation.robot_config import RobotConfig, load
from navigation.background import Background, SteppedBackground
from simulation.sim_robot import SimRobot
from simulation.standin.path import use_standin

DELIVERY_TICKS = {"detector": 1, "routes": 3, "pose graph": 5}


def stepped(name: str) -> Background:
    """What a Raspberry Pi needs for the work, in ticks."""
    return SteppedBackground(DELIVERY_TICKS.get(name, 1))


def drive(
    config: RobotConfig, home: Path | None, out: Path, *, seed: int, time_limit_s: float, stop: threading.Event
) -> ServeSummary:
    """Runs the daemon until its job is done or the world ends."""
    use_standin()
    from controller import Robot

    robot = SimRobot(Robot(), config, seed=seed, time_limit_s=time_limit_s)
    folders = Folders(home, out / "job", out)
    return serve(robot, config, folders, background=stepped, load_model=detector_loader(config), stop=stop)


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m oxturn.simulated_robot`: what a simulated run starts as the robot's own process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="the robot's folder of updates; without it LIDAR alone")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--config", type=Path)
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
        drive(config, told.home, told.out, seed=told.seed, time_limit_s=told.time_limit, stop=stop)
    except OxturnError as error:
        sys.stderr.write(f"oxturn: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
