"""LIDARs behind pseudo-terminals: an LD19 at its full rate (375 packets of 12 points a second), an A1 at ten turns."""

import contextlib
import math
import os
import pty
import threading
import time
import tty

import numpy as np

from deploy.drivers import rplidar
from deploy.drivers.ld19 import Packet, encode

PACKETS_PER_TURN = 38
PACKET_S = 0.1 / 37.5


class Pluggable:
    """A device on a line; `unplug` and `plug` as a person does."""

    def __init__(self, link_path) -> None:
        self.port = str(link_path)
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

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._closing.set()
        self._thread.join(timeout=2)
        if self._ours >= 0:
            self.unplug()

    def _work(self) -> None:
        raise NotImplementedError


class LidarEmulator(Pluggable):
    """An LD19 in a round room of `range_m`: sends whether it is asked or not."""

    def __init__(self, link_path, range_m: float = 2.0) -> None:
        self.range_m = range_m
        super().__init__(link_path)

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


class A1Emulator(Pluggable):
    """An RPLIDAR A1 in a round room: silent after each plugging until it hears one SCAN more than it is `deaf_to`."""

    def __init__(self, link_path, range_m: float = 2.0, deaf_to: int = 0) -> None:
        self.range_m = range_m
        self.deaf_to = deaf_to
        super().__init__(link_path)

    def plug(self) -> None:
        self._heard, self._scanning = b"", False
        super().plug()

    def _work(self) -> None:
        number, began_s = 0, time.monotonic()
        while not self._closing.is_set():
            with contextlib.suppress(OSError):
                self._heard += os.read(self._ours, 64)
                if not self._scanning and self._heard.count(rplidar.SCAN) > self.deaf_to:
                    self._scanning = True
                    os.write(self._ours, rplidar.descriptor(5, 0x81))
            if self._scanning:
                degrees = range(number % 10 * 36, (number % 10 + 1) * 36)
                nodes = [rplidar.Node(degree == 0, 40, math.radians(degree), self.range_m) for degree in degrees]
                with contextlib.suppress(OSError):
                    os.write(self._ours, b"".join(rplidar.encode_node(node) for node in nodes))
            number += 1
            time.sleep(max(0.0, began_s + number * 0.01 - time.monotonic()))
