"""A minute of the whole loop (600 ticks) over a made-up room: the robot's kernels compile and run on this processor."""

import sys
import time

from deploy import warm_up
from foundation.robot_config import RobotConfig


def main() -> None:
    began_s = time.monotonic()
    warm_up.warm_up(RobotConfig())
    compiled_s = time.monotonic() - began_s
    warm_up.TICKS = 600  # type: ignore[misc]
    began_s = time.monotonic()
    warm_up.warm_up(RobotConfig())
    took_s = time.monotonic() - began_s
    sys.stdout.write(f"kernels {compiled_s:.0f} s, then 600 ticks in {took_s:.0f} s\n")


if __name__ == "__main__":
    main()
