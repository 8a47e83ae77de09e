"""Which cells the tool touches along straight lines, counted: a cell knows how often the path sweeps it.

A tool is a tuple (radius, round, left), in cells: a disc, or a bar across the driving direction, which has no round
ends; its middle lies `left` of the robot's. A cell is swept when its centre is. Places are (row, col) in cells, rows
growing with y, so that left of a drive along growing columns is towards growing rows.
"""

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ledger = NDArray[np.int16]  # (R, C): how often each cell is swept; cells that nobody wants begin at 1


def ledger_of(wanted: NDArray[np.bool_]) -> Ledger:
    """(R, C): nothing is swept yet; exactly the wanted cells are 0."""
    return np.where(wanted, np.int16(0), np.int16(1))


@njit(cache=True)  # type: ignore[untyped-decorator]
def swept_columns(row: int, r0: float, c0: float, r1: float, c1: float, radius: float, round_tool: bool) -> Any:
    """(first, last) column of grid row `row` under the tool on the line; first > last when none."""
    low, high = 1e18, -1e18
    dr, dc = r1 - r0, c1 - c0
    length = math.hypot(dr, dc)
    if round_tool or length < 1e-9:
        rest = radius * radius - (row - r0) ** 2
        if rest >= 0:
            half = math.sqrt(rest)
            low, high = min(low, c0 - half), max(high, c0 + half)
        rest = radius * radius - (row - r1) ** 2
        if rest >= 0:
            half = math.sqrt(rest)
            low, high = min(low, c1 - half), max(high, c1 + half)
    if length >= 1e-9:
        ur, uc = dr / length, dc / length
        a, b = -1e18, 1e18
        y = row - r0
        if abs(ur) > 1e-12:  # across: |y uc - x ur| <= radius
            one, two = (y * uc - radius) / ur, (y * uc + radius) / ur
            a, b = max(a, min(one, two)), min(b, max(one, two))
        elif abs(y * uc) > radius:
            b = -2e18
        if abs(uc) > 1e-12:  # along: 0 <= y ur + x uc <= length
            one, two = -y * ur / uc, (length - y * ur) / uc
            a, b = max(a, min(one, two)), min(b, max(one, two))
        elif y * ur < -1e-9 or y * ur > length + 1e-9:
            b = -2e18
        if a <= b + 1e-9:
            low, high = min(low, c0 + a), max(high, c0 + b)
    if high < low:
        return 1, 0
    return int(math.ceil(low - 1e-6)), int(math.floor(high + 1e-6))


@njit(cache=True)  # type: ignore[untyped-decorator]
def count_line(ledger: Any, r0: float, c0: float, r1: float, c1: float, tool: Any, delta: int) -> int:
    """Adds `delta` (1 or -1) to the ledger along a driven line.

    Returns how many wanted cells became swept by it, or with -1 are swept no more.
    """
    radius, round_tool, left = tool
    if left != 0.0:
        length = math.hypot(r1 - r0, c1 - c0)
        if length < 1e-9:
            return 0
        dr, dc = left * (c1 - c0) / length, -left * (r1 - r0) / length
        r0, c0, r1, c1 = r0 + dr, c0 + dc, r1 + dr, c1 + dc
    rows, cols = ledger.shape
    edge = radius + 1e-6
    changed = 0
    first = max(int(math.ceil(min(r0, r1) - edge)), 0)
    last = min(int(math.floor(max(r0, r1) + edge)), rows - 1)
    step = np.int16(delta)
    turning = np.int16(1 if delta > 0 else 0)
    for r in range(first, last + 1):
        a, b = swept_columns(r, r0, c0, r1, c1, edge, round_tool)
        a, b = max(a, 0), min(b, cols - 1)
        part = ledger[r, a : b + 1] if b >= a else ledger[r, 0:0]
        for c in range(len(part)):
            now = np.int16(part[c] + step)
            part[c] = now
            changed += now == turning
    return changed


@njit(cache=True)  # type: ignore[untyped-decorator]
def count_path(ledger: Any, path: Any, tool: Any) -> Any:
    """(N - 1,): wanted cells that each leg of the path (N, 2) is the first to sweep; fills the ledger."""
    fresh = np.zeros(max(len(path) - 1, 0), np.int64)
    for i in range(len(path) - 1):
        fresh[i] = count_line(ledger, path[i, 0], path[i, 1], path[i + 1, 0], path[i + 1, 1], tool, 1)
    return fresh
