"""A motor board behind a pseudo-terminal: the documented protocol, its watchdog included. For tests and benches."""

import os
import pty
import select
import threading
import time
import tty

from deploy.drivers.motor_board import BOARD_WATCHDOG_S, BoardState, DriveParser, encode_state

STATE_EVERY_S = 0.02
TICKS_PER_M = 6548.0  # 1440 a turn of a 3.5 cm wheel


class BoardEmulator:
    """`port` is what the daemon opens; `speeds` what the wheels do now; `moved_m` how far they went."""

    def __init__(self) -> None:
        self._ours, theirs = pty.openpty()
        tty.setraw(theirs)
        self.port = os.ttyname(theirs)
        self._theirs = theirs
        self.speeds = (0.0, 0.0)
        self.moved_m = [0.0, 0.0]
        self.heard = 0
        self.last_moving_s = 0.0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> "BoardEmulator":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._closing.set()
        self._thread.join(timeout=2)
        os.close(self._ours)
        os.close(self._theirs)

    def _work(self) -> None:
        parser, heard_s, told_s = DriveParser(), 0.0, time.monotonic()
        while not self._closing.is_set():
            ready, _, _ = select.select([self._ours], [], [], STATE_EVERY_S / 4)
            now_s = time.monotonic()
            if ready:
                for speeds in parser.feed(os.read(self._ours, 4096)):
                    self.speeds, heard_s = (speeds.left_mps, speeds.right_mps), now_s
                    self.heard += 1
            if now_s - heard_s > BOARD_WATCHDOG_S:
                self.speeds = (0.0, 0.0)
            if any(self.speeds):
                self.last_moving_s = now_s
            if now_s - told_s >= STATE_EVERY_S:
                for wheel in (0, 1):
                    self.moved_m[wheel] += self.speeds[wheel] * (now_s - told_s)
                told_s = now_s
                ticks = [round(moved * TICKS_PER_M) for moved in self.moved_m]
                state = BoardState(ticks[0], ticks[1], 0.0, False, (False,) * 4, 12.0)
                os.write(self._ours, encode_state(state))
