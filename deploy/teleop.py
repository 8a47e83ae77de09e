"""Driving by keyboard: keys to commands, through the same last limiter as everything else."""

import select
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from navigation.robot_io import STOP, DriveCommand, RobotIO
from navigation.robot_loop import Limiter

HELP: Final = "w ahead, s back, a left, d right, space stop, t tool, + faster, - slower, q quit"
HOLD_S: Final = 0.6  # a key counts this long; terminals repeat held keys
SPEEDS_MPS: Final = (0.05, 0.1, 0.15, 0.25)


class KeyDriver:
    """Keys in, wanted command out. Pure but for the time passed in."""

    def __init__(self, turn_radps: float) -> None:
        self._turn_radps = turn_radps
        self._gear = 1
        self._tool_on = False
        self._moving = (0, 0)  # ahead, left
        self._pressed_s = float("-inf")

    def press(self, key: str, now_s: float) -> bool:
        """False to quit."""
        if key == "q":
            return False
        moves = {"w": (1, 0), "s": (-1, 0), "a": (0, 1), "d": (0, -1), " ": (0, 0)}
        if key in moves:
            self._moving, self._pressed_s = moves[key], now_s
        elif key == "t":
            self._tool_on = not self._tool_on
        elif key in "+-":
            self._gear = min(max(self._gear + (1 if key == "+" else -1), 0), len(SPEEDS_MPS) - 1)
        return True

    def wanted(self, now_s: float) -> DriveCommand:
        """Stands as soon as no key was pressed for a while."""
        ahead, left = self._moving if now_s - self._pressed_s <= HOLD_S else (0, 0)
        return DriveCommand(ahead * SPEEDS_MPS[self._gear], left * self._turn_radps, self._tool_on)


def drive(robot: RobotIO, driver: KeyDriver, limit: Limiter, read_keys: Callable[[], str]) -> None:
    """Until `q` or the end of the run; motors at zero however it ends."""
    try:
        for observation in robot.observations():
            now_s = time.monotonic()
            if not all(driver.press(key, now_s) for key in read_keys()):
                return
            robot.drive(limit(driver.wanted(now_s), observation))
    finally:
        robot.drive(STOP)


@contextmanager
def keyboard() -> Iterator[Callable[[], str]]:
    """Reads what was typed since the last call, without waiting or echo."""
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        yield lambda: "".join(_waiting())
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _waiting() -> Iterator[str]:
    while select.select([sys.stdin], [], [], 0)[0]:
        key = sys.stdin.read(1)
        if not key:
            return
        yield key
