"""An LD19 behind a pseudo-terminal at its full rate: 375 packets of 12 points a second, ten turns."""

import contextlib
import math
import os
import pty
import threading
import time
import tty

import numpy as np

from deploy.drivers.ld19 import Packet, encode

PACKETS_PER_TURN = 38
PACKET_S = 0.1 / 37.5


class LidarEmulator:
    """A round room of `range_m`; `unplug` and `plug` as a person does."""

    def __init__(self, link_path, range_m: float = 2.0) -> None:
        self.port = str(link_path)
        self.range_m = range_m
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._ours = self._theirs = -1
        self.plug()

    def plug(self) -> None:
        ours, theirs = pty.openpty()
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        self._ours, self._theirs = ours, theirs
        if os.path.islink(self.port):
            os.unlink(self.port)
        os.symlink(os.ttyname(theirs), self.port)

    def unplug(self) -> None:
        ours, self._ours = self._ours, -1
        os.unlink(self.port)
        os.close(self._theirs)
        os.close(ours)

    def __enter__(self) -> "LidarEmulator":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._closing.set()
        self._thread.join(timeout=2)
        if self._ours >= 0:
            self.unplug()

    def _work(self) -> None:
        number, began_s = 0, time.monotonic()
        step_rad = math.tau / PACKETS_PER_TURN
        while not self._closing.is_set():
            start_rad = number * step_rad % math.tau
            packet = Packet(
                math.radians(3600),
                start_rad,
                (start_rad + step_rad * 11 / 12) % math.tau,
                np.full(12, self.range_m),
                np.full(12, 200, np.uint8),
                int(number * 2.67) % 30_000,
            )
            with contextlib.suppress(OSError):
                os.write(self._ours, encode(packet))
            number += 1
            time.sleep(max(0.0, began_s + number * PACKET_S - time.monotonic()))
