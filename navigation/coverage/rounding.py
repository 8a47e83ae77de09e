"""Corners of a planned path driven as arcs, where that costs no floor: nobody has to stop there and turn on the spot.

In: a path of corners in cells, with the ledger of what it sweeps. Out: the same path with arcs, as short chords, in
place of corners. A corner stays when every arc of the given radii would leave a cell unswept, come nearer to anything
than allowed, or needs more than there is of the legs. Arcs touch both legs, so the drive gets shorter by them.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from foundation.geometry import FloatArray, wrap_angles
from navigation.coverage.clearance import chain_clear
from navigation.coverage.polish import BEND_FREE
from navigation.coverage.sweeping import MOST_LINES, lay_chain, lay_leg, swap_lines, sweeps_of

MOST_RAD = math.radians(150)  # about there, the robot turns back on its own track
CHORD_RAD = math.radians(14)  # of the arc under one chord
_MOST_CHORDS = math.ceil(MOST_RAD / CHORD_RAD)
assert _MOST_CHORDS + 4 <= MOST_LINES  # a corner's two legs are taken back, and what is left of them laid
_SAME_CHORD = 1e-3  # how far an arc's chords may differ, as a share


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def round_corners(ground: Any, ledger: Any, path: Any, radii: Any, tool: Any) -> Any:
    """(M, 2) for a path (N, 2), the ledger with it; `radii` (K,) in cells are tried in their order.

    `ground` as in clearance, `ledger` and `tool` as in sweeping.
    """
    out = np.empty(((_MOST_CHORDS + 1) * len(path), 2))
    out[0] = path[0]
    n = 1
    chain = np.empty((_MOST_CHORDS + 3, 2))  # a, the arc in place of b, c
    lines = np.empty((MOST_LINES, 5))
    sweeps = sweeps_of(ledger)
    for i in range(1, len(path)):
        points = 0
        if i + 1 < len(path):
            share = 0.5 if i + 2 < len(path) else 1.0  # of the second leg: the next corner has as much
            a, b, c = out[n - 1], path[i], path[i + 1]
            points = _arc_at(ground, sweeps, a, b, c, share, radii, tool, chain, lines)
        for k in range(points):
            out[n] = chain[1 + k]
            n += 1
        if points == 0:
            out[n] = path[i]
            n += 1
    return out[:n].copy()


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _arc_at(
    ground: Any, sweeps: Any, a: Any, b: Any, c: Any, share: float, radii: Any, tool: Any, chain: Any, lines: Any
) -> int:  # fmt: skip
    """Lays the first arc that costs nothing in place of corner b, and counts it; the number of its points, or 0."""
    before, after = math.hypot(b[0] - a[0], b[1] - a[1]), math.hypot(c[0] - b[0], c[1] - b[1])
    if before < 1e-9 or after < 1e-9:
        return 0
    cross = (b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0])
    bend = math.atan2(cross, (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1]))
    if not BEND_FREE < abs(bend) <= MOST_RAD:
        return 0
    for radius in radii:
        tangent = radius * math.tan(abs(bend) / 2)
        if tangent > before or tangent > share * after:
            continue
        points: int = 1 + _lay_arc(a, b, bend, radius, tangent, chain[1:])
        chain[0], chain[points + 1] = a, c
        whole = chain[: points + 2]
        if not chain_clear(ground, whole):
            continue
        laid = lay_chain(lines, 0, whole, 1.0)
        laid = lay_leg(lines, lay_leg(lines, laid, a, b, -1.0), b, c, -1.0)
        if swap_lines(sweeps, lines, laid, tool, False, 0) >= 0:
            swap_lines(sweeps, lines, laid, tool, True, 0)
            return points
    return 0


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _lay_arc(a: Any, b: Any, bend: float, radius: float, tangent: float, arc: Any) -> int:
    """The arc that leaves the leg a, b `tangent` before b and turns by `bend`, as chords; returns their number."""
    length = math.hypot(b[0] - a[0], b[1] - a[1])
    ur, uc = (b[0] - a[0]) / length, (b[1] - a[1]) / length
    chords = int(math.ceil(abs(bend) / CHORD_RAD))
    side = radius if bend > 0 else -radius
    for k in range(chords + 1):
        angle = bend * k / chords
        along, aside = side * math.sin(angle) - tangent, side * (1.0 - math.cos(angle))
        arc[k, 0] = b[0] + along * ur - aside * uc
        arc[k, 1] = b[1] + along * uc + aside * ur
    return chords


def with_corners(points: FloatArray) -> FloatArray:
    """(M, 2) for a route (N, 2): arcs, known by their equal chords, are corners again, which a search can move.

    Of an arc that the robot is on, the rest counts.
    """
    if len(points) < 4:
        return points
    legs = np.diff(points, axis=0)
    length_m = np.hypot(legs[:, 0], legs[:, 1])
    heading_rad = np.arctan2(legs[:, 1], legs[:, 0])
    bend_rad = wrap_angles(np.diff(heading_rad, prepend=heading_rad[0]))  # (N - 1,), at point i
    kept = [points[0]]
    at = 1
    while at < len(points) - 1:
        last = _arc_end(at, bend_rad, length_m)
        total_rad = float(bend_rad[at : last + 1].sum())
        if last - at >= 2 and BEND_FREE < abs(total_rad) < MOST_RAD + CHORD_RAD:
            kept.append(_crossing(points[at], legs[at - 1], points[last], legs[last]))
            at = last + 1
        else:
            kept.append(points[at])
            at += 1
    kept.append(points[-1])
    return np.array(kept)


def _arc_end(first: int, bend_rad: FloatArray, length_m: FloatArray) -> int:
    """The last point of the arc that begins at point `first`: equal chords, each bent a little the same way."""
    last = first
    while last + 1 < len(bend_rad):
        same_way = bend_rad[last] * bend_rad[last + 1] > 0 and abs(bend_rad[last + 1]) < CHORD_RAD * 1.01
        if not same_way or abs(length_m[last] / length_m[first] - 1) > _SAME_CHORD:
            break
        last += 1
    return last


def _crossing(a: FloatArray, along_a: FloatArray, b: FloatArray, along_b: FloatArray) -> FloatArray:
    """Where the straight lines through a and b meet."""
    cross = along_a[0] * along_b[1] - along_a[1] * along_b[0]
    share = ((b - a)[0] * along_b[1] - (b - a)[1] * along_b[0]) / cross
    meeting: FloatArray = a + share * along_a
    return meeting
