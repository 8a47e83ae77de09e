"""Points of a turning LIDAR to whole scans: clockwise sensor angles to counter-clockwise bearings in `laser`. Pure."""

import math
from typing import Final

import numpy as np

from foundation.geometry import FloatArray
from perception.observation import Scan

_MIN_FILLED_RATIO: Final = 0.5  # a turn with fewer points was cut: it is dropped


class TurnAssembler:
    """Collects points until the angle wraps, then gives a Scan of `beams` equal steps.

    Beam 0 looks along `laser`'s x axis (the sensor's zero; its mounting is the configuration's `lidar.yaw_rad`).
    A beam that got no point is NaN, one whose point is 0 m is inf, one beyond `range_max_m` is inf.
    """

    def __init__(self, beams: int, range_min_m: float, range_max_m: float) -> None:
        self._beams = beams
        self._range_min_m = range_min_m
        self._range_max_m = range_max_m
        self._last_rad = 0.0
        self._clear()

    def add(self, clockwise_rad: FloatArray, ranges_m: FloatArray, stamps_s: FloatArray) -> list[Scan]:
        """Points (N,) in the order measured; the scans (none or one, rarely more) that they complete."""
        scans: list[Scan] = []
        start = 0
        turned = np.flatnonzero(np.diff(clockwise_rad, prepend=self._last_rad) < -math.pi)
        for end in (*turned.tolist(), len(clockwise_rad)):
            self._put(clockwise_rad[start:end], ranges_m[start:end], stamps_s[start:end])
            if end < len(clockwise_rad) or (turned.size and end == turned[-1]):
                scans += self._finish()
            start = end
        if len(clockwise_rad):
            self._last_rad = float(clockwise_rad[-1])
        return scans

    def _put(self, clockwise_rad: FloatArray, ranges_m: FloatArray, stamps_s: FloatArray) -> None:
        beams = np.rint((-clockwise_rad % math.tau) / math.tau * self._beams).astype(np.int64) % self._beams
        nothing = (ranges_m < self._range_min_m) | (ranges_m > self._range_max_m)
        self._ranges_m[beams] = np.where(nothing, np.inf, ranges_m)
        self._stamps_s[beams] = stamps_s

    def _finish(self) -> list[Scan]:
        filled = np.isfinite(self._stamps_s)
        if filled.mean() < _MIN_FILLED_RATIO:
            self._clear()
            return []
        newest_s = float(self._stamps_s[filled].max())
        offsets_s = np.where(filled, self._stamps_s - newest_s, 0.0)
        scan = Scan(newest_s, self._ranges_m, 0.0, math.tau / self._beams, self._range_max_m, offsets_s)
        self._clear()
        return [scan]

    def _clear(self) -> None:
        self._ranges_m = np.full(self._beams, np.nan)
        self._stamps_s = np.full(self._beams, np.nan)
