"""Takes tiny hooks out of a route: legs of a few centimetres that make the robot stop and turn far, for nothing.

A route begins at the middle of a cell near the robot, is joined to what is left of the one before, and brushes patches:
each leaves points a little off the line. In: a polyline, the heading at its start, and a test for straight legs. Out:
the same polyline without points that lie beside a short leg, where going straight turns less and is clear. No point
moves; the first and the last stay.
"""

import itertools
import math
from collections.abc import Callable
from typing import Final

import numpy as np

from foundation.geometry import FloatArray

SHORT_M: Final = 0.05
SAVED_RAD: Final = 0.3  # a hook is worth less than this is left alone

Clear = Callable[[tuple[float, float], tuple[float, float]], bool]


def without_hooks(points: FloatArray, heading_rad: float | None, is_clear: Clear) -> FloatArray:
    """(N, 2) to (M, 2), M <= N. `heading_rad` None: the first turn costs nothing."""
    places = [(x_m, y_m) for x_m, y_m in np.asarray(points, dtype=np.float64).tolist()]
    at = 1
    while at < len(places) - 1:
        before, here, after = places[at - 1 : at + 2]
        short = min(math.dist(before, here), math.dist(here, after)) < SHORT_M
        if short and _saved_rad(places, at, heading_rad) > SAVED_RAD and is_clear(before, after):
            del places[at]
            at = max(at - 1, 1)
        else:
            at += 1
    return np.array(places).reshape(-1, 2)


def _saved_rad(places: list[tuple[float, float]], at: int, heading_rad: float | None) -> float:
    """How much less is turned around here when point `at` is left out."""
    around = places[max(at - 2, 0) : at + 3]
    begins = heading_rad if at < 2 else None
    without = [place for place in around if place is not places[at]]
    return _turned_rad(around, begins) - _turned_rad(without, begins)


def _turned_rad(places: list[tuple[float, float]], heading_rad: float | None) -> float:
    total, last = 0.0, heading_rad
    for (ax, ay), (bx, by) in itertools.pairwise(places):
        if math.hypot(bx - ax, by - ay) < 1e-6:
            continue
        heading = math.atan2(by - ay, bx - ax)
        total += 0.0 if last is None else abs(math.remainder(heading - last, 2 * math.pi))
        last = heading
    return total
