"""Reads CARMEN logs (`.clf`, also gzipped): laser scans with the odometry of their moment, in the order of the file.

Understands FLASER (180 degrees, the first beam at -90) and ROBOTLASER1; other messages are passed over. Only the order
of lines counts as time: stamps of old logs jump. A line that cannot be understood is an error that names it.
"""

import gzip
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from foundation.errors import OxturnError
from foundation.geometry import IDENTITY, FloatArray, Pose2D
from perception.observation import Scan

BEAMS_MAX = 20_000
MOUNT_MAX_M = 1.0  # a laser farther from its base: the log's laser poses were corrected, they tell no mounting
NO_RETURN_M = 80.0  # SICK scanners report 81.83 and the like where nothing came back


class CarmenLogError(OxturnError):
    """A log that cannot be read: which line, what was expected there."""


@dataclass(frozen=True, slots=True)
class LogScan:
    """One scan; `odom_from_laser` is dead reckoning, told for the laser."""

    stamp_s: float  # ipc_timestamp
    ranges_m: FloatArray  # (N,)
    first_bearing_rad: float
    step_rad: float
    range_max_m: float
    odom_from_laser: Pose2D

    def as_scan(self, range_max_m: float = math.inf) -> Scan:
        """As the localiser takes it, all beams of one moment; ranges at or beyond `range_max_m` count as no return."""
        return Scan(
            self.stamp_s,
            self.ranges_m,
            self.first_bearing_rad,
            self.step_rad,
            min(self.range_max_m, range_max_m),
            np.zeros(len(self.ranges_m)),
        )


def read_log(path: Path) -> Iterator[LogScan]:
    """Raises CarmenLogError with the line number; also when the file holds no scan at all."""
    mount: Pose2D | None = None
    for number, line in _lines(path):
        name, _, rest = line.partition(" ")
        if name not in ("FLASER", "ROBOTLASER1"):
            continue
        fields = _Fields(f"{path}, line {number}", name, rest.split())
        ranges_m, first_rad, step_rad, max_m = _flaser(fields) if name == "FLASER" else _robotlaser(fields)
        laser, odom = fields.pose("laser pose"), fields.pose("odometry pose")
        if name == "ROBOTLASER1":
            fields.skip(5, "velocities and safety distances")
        stamp_s = fields.number("ipc_timestamp")
        if mount is None:
            mount = odom.inverse() @ laser
            if math.hypot(mount.x_m, mount.y_m) > MOUNT_MAX_M:
                mount = IDENTITY
        yield LogScan(stamp_s, ranges_m, first_rad, step_rad, max_m, odom @ mount)
    if mount is None:
        raise CarmenLogError(f"{path}: no FLASER or ROBOTLASER1 line; is this a CARMEN log?")


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    number = 0
    try:
        with _opened(path) as file:
            for number, raw in enumerate(file, start=1):
                yield number, raw.decode("ascii", errors="replace").strip()
    except FileNotFoundError as error:
        raise CarmenLogError(f"{path}: no such file") from error
    except (OSError, EOFError, zlib.error) as error:
        raise CarmenLogError(f"{path}, after line {number}: cannot be read: {error}") from error


def _opened(path: Path) -> IO[bytes]:
    """By its first bytes, not its name."""
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if zipped else path.open("rb")  # type: ignore[return-value]


class _Fields:
    """Words of one line, taken from the left."""

    def __init__(self, where: str, name: str, words: list[str]) -> None:
        self._where, self._name, self._words, self._at = where, name, words, 0

    def number(self, what: str, *, finite: bool = True) -> float:
        word = self._word(what)
        try:
            value = float(word)
        except ValueError:
            raise self.error(f"{what} is {word[:40]!r}, want a number") from None
        if finite and not math.isfinite(value):
            raise self.error(f"{what} is {word[:40]}, want a finite number")
        return value

    def numbers(self, count: int, what: str) -> FloatArray:
        """(count,); NaN and infinity may be among them."""
        words = self._words[self._at : self._at + count]
        if len(words) < count:
            raise self.error(f"{count} {what} announced, {len(words)} found before the line ends")
        try:
            values = np.array(words, dtype=np.float64)
        except ValueError:
            for _ in range(count):
                self.number(what, finite=False)  # names the first bad word
            raise
        self._at += count
        return values

    def count(self, what: str) -> int:
        value = self.number(f"number of {what}")
        if value != int(value) or not 0 <= value <= BEAMS_MAX:
            raise self.error(f"number of {what} is {value:g}, want a whole number from 0 to {BEAMS_MAX}")
        return int(value)

    def pose(self, what: str) -> Pose2D:
        return Pose2D(self.number(f"{what} x"), self.number(f"{what} y"), self.number(f"{what} theta"))

    def skip(self, count: int, what: str) -> None:
        for _ in range(count):
            self._word(what)

    def error(self, message: str) -> CarmenLogError:
        return CarmenLogError(f"{self._where}: {self._name}: {message}")

    def _word(self, what: str) -> str:
        if self._at >= len(self._words):
            raise self.error(f"the line ends after {len(self._words)} fields, {what} expected")
        self._at += 1
        return self._words[self._at - 1]


def _flaser(fields: _Fields) -> tuple[FloatArray, float, float, float]:
    count = fields.count("readings")
    if count < 2:
        raise fields.error(f"number of readings is {count}, want 2 or more")
    ranges_m = fields.numbers(count, "readings")
    step_rad = math.pi / (count - count % 2)  # 180 beams of 1 degree, 181 with both ends; 360 or 361 of half
    return ranges_m, -math.pi / 2, step_rad, NO_RETURN_M


def _robotlaser(fields: _Fields) -> tuple[FloatArray, float, float, float]:
    fields.skip(1, "laser type")
    first_rad = fields.number("start angle")
    fields.skip(1, "field of view")
    step_rad, max_m = fields.number("angular resolution"), fields.number("maximum range")
    fields.skip(2, "accuracy and remission mode")
    ranges_m = fields.numbers(fields.count("readings"), "readings")
    fields.skip(fields.count("remissions"), "remissions")
    if len(ranges_m) < 2 or step_rad == 0.0:
        raise fields.error(f"{len(ranges_m)} readings {step_rad:g} rad apart, want 2 or more, apart")
    return ranges_m, first_rad, step_rad, min(max_m, NO_RETURN_M) if max_m > 0 else NO_RETURN_M
