"""Which cells the tool touches along straight lines, counted: a cell knows how often the path sweeps it.

A tool is a tuple (radius, round, left), in cells: a disc, or a bar across the driving direction, which has no round
ends; its middle lies `left` of the robot's. A cell is swept when its centre is. Places are (row, col) in cells, rows
growing with y, so that left of a drive along growing columns is towards growing rows.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from navigation.coverage.grid_kernels import norm

_BLOCK_BITS = 3  # missed cells are summed over blocks of 8 x 8
MOST_LINES = 16  # of one move: those it drives anew and those it leaves

Ledger = NDArray[np.int16]  # (R, C): how often each cell is swept; cells that nobody wants begin at 1


class Sweeps(NamedTuple):
    """A ledger, and where it is still 0."""

    ledger: Any  # (R, C) int16
    missed: Any  # int32, of each block of cells: how many are 0


def ledger_of(wanted: NDArray[np.bool_]) -> Ledger:
    """(R, C): nothing is swept yet; exactly the wanted cells are 0."""
    return np.where(wanted, np.int16(0), np.int16(1))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def sweeps_of(ledger: Any) -> Any:
    """The ledger itself, not a copy, with its missed cells summed."""
    rows, cols = ledger.shape
    missed = np.zeros(((rows >> _BLOCK_BITS) + 1, (cols >> _BLOCK_BITS) + 1), np.int32)
    for r in range(rows):
        for c in range(cols):
            missed[r >> _BLOCK_BITS, c >> _BLOCK_BITS] += ledger[r, c] == 0
    return Sweeps(ledger, missed)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def leg_of(r0: float, c0: float, r1: float, c1: float, left: float) -> Any:
    """What `swept_columns` asks of the line of the tool's middle, so that no row has to divide.

    (r0, c0, r1, c1, length, slope, side, lean, behind, before): y rows from its begin, the strip beside the line holds
    the columns within `side` / radius of c0 + y slope; the strip between its ends those from `behind` to `before`
    of c0 - y lean.
    """
    length = norm(r1 - r0, c1 - c0)
    if length < 1e-9:
        return r0, c0, r1, c1, length, 0.0, 0.0, 0.0, 0.0, 0.0
    ur, uc = (r1 - r0) / length, (c1 - c0) / length
    r0, c0, r1, c1 = r0 + left * uc, c0 - left * ur, r1 + left * uc, c1 - left * ur
    slope, side = (uc / ur, 1 / abs(ur)) if abs(ur) > 1e-12 else (0.0, 1e18)
    lean, reach = (ur / uc, length / uc) if abs(uc) > 1e-12 else (0.0, 0.0)
    return r0, c0, r1, c1, length, slope, side, lean, min(reach, 0.0), max(reach, 0.0)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def swept_columns(row: int, leg: Any, radius: float, round_tool: bool) -> Any:
    """(first, last) column of grid row `row` under the tool on the leg (see `leg_of`); first > last when none.

    `row` is within `radius` of the leg's rows.
    """
    low, high = 1e18, -1e18
    r0, c0, r1, c1, length, slope, side, lean, behind, before = leg
    y = row - r0
    if round_tool or length < 1e-9:
        rest = radius * radius - y * y
        if rest >= 0:
            half = math.sqrt(rest)
            low, high = c0 - half, c0 + half
        rest = radius * radius - (row - r1) ** 2
        if rest >= 0:
            half = math.sqrt(rest)
            low, high = min(low, c1 - half), max(high, c1 + half)
    if length >= 1e-9:
        a, b = y * slope - radius * side, y * slope + radius * side
        if before > behind:
            a, b = max(a, behind - y * lean), min(b, before - y * lean)
        elif (row - r0) * (row - r1) > 1e-9:  # a line along the columns ends with its rows
            b = -2e18
        if a <= b + 1e-9:
            low, high = min(low, c0 + a), max(high, c0 + b)
    if high < low:
        return 1, 0
    return int(math.ceil(low - 1e-6)), int(math.floor(high + 1e-6))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def count_line(ledger: Any, r0: float, c0: float, r1: float, c1: float, tool: Any, delta: int) -> int:
    """Adds `delta` (1 or -1) to the ledger along a driven line.

    Returns how many wanted cells became swept by it, or with -1 are swept no more.
    """
    radius, round_tool, left = tool
    leg = leg_of(r0, c0, r1, c1, left)
    if left != 0.0 and leg[4] < 1e-9:
        return 0
    rows, cols = ledger.shape
    edge = radius + 1e-6
    changed = 0
    first = max(int(math.ceil(min(leg[0], leg[2]) - edge)), 0)
    last = min(int(math.floor(max(leg[0], leg[2]) + edge)), rows - 1)
    step = np.int16(delta)
    turning = np.int16(1 if delta > 0 else 0)
    for r in range(first, last + 1):
        a, b = swept_columns(r, leg, edge, round_tool)
        a, b = max(a, 0), min(b, cols - 1)
        part = ledger[r, a : b + 1] if b >= a else ledger[r, 0:0]
        for c in range(len(part)):
            now = np.int16(part[c] + step)
            part[c] = now
            changed += now == turning
    return changed


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def swap_lines(sweeps: Any, lines: Any, count: int, tool: Any, write: bool, least: int) -> int:
    """Wanted cells swept more, or less, if of `lines` (K, 5) the first `count` are driven or driven no more.

    A line is (r0, c0, r1, c1, sign). Cells that old and new lines share are not looked at: a line that moves a little
    costs little. With `write` the ledger is changed so. Else it is only read, and no further than until fewer than
    `least` cells are sure: the answer is then not the number, but below `least` too.
    """
    radius, round_tool, left = tool
    ledger, missed = sweeps
    rows, cols = ledger.shape
    edge = radius + 1e-6
    legs = np.empty((count, 10))
    first = np.empty(count, np.int64)
    last = np.empty(count, np.int64)
    top, bottom = rows, -1
    for k in range(count):
        leg = leg_of(lines[k, 0], lines[k, 1], lines[k, 2], lines[k, 3], left)
        for q in range(10):
            legs[k, q] = leg[q]
        first[k] = max(int(math.ceil(min(leg[0], leg[2]) - edge)), 0)
        last[k] = min(int(math.floor(max(leg[0], leg[2]) + edge)), rows - 1)
        if left != 0.0 and leg[4] < 1e-9:
            last[k] = -1
        top, bottom = min(top, first[k]), max(bottom, last[k])
    gained, missing = 0, 0  # missing: cells further on that may still be gained, at most
    if not write:
        for k in range(count):
            if lines[k, 4] > 0 and last[k] >= first[k]:
                missing += _missed_around(missed, first[k], last[k], legs[k, 1], legs[k, 3], edge, cols)
    at = np.empty(2 * count, np.int64)  # columns where a line begins or has ended, in order
    by = np.empty(2 * count, np.int64)
    for r in range(top, bottom + 1):
        if not write and gained + missing < least:
            return gained + missing
        number = 0
        for k in range(count):
            if r < first[k] or r > last[k]:
                continue
            leg = (
                legs[k, 0], legs[k, 1], legs[k, 2], legs[k, 3], legs[k, 4],
                legs[k, 5], legs[k, 6], legs[k, 7], legs[k, 8], legs[k, 9],
            )  # fmt: skip
            a, b = swept_columns(r, leg, edge, round_tool)
            a, b = max(a, 0), min(b, cols - 1)
            if b < a:
                continue
            sign = 1 if lines[k, 4] > 0 else -1
            for column, change in ((a, sign), (b + 1, -sign)):
                q = number
                while q > 0 and at[q - 1] > column:
                    at[q], by[q] = at[q - 1], by[q - 1]
                    q -= 1
                at[q], by[q] = column, change
                number += 1
        delta = 0
        for q in range(number - 1):
            delta += by[q]
            if delta == 0 or at[q + 1] == at[q]:
                continue
            part = ledger[r, at[q] : at[q + 1]]
            if delta > 0:
                fresh = 0
                for c in range(len(part)):
                    fresh += part[c] == 0
                gained += fresh
                missing -= fresh
            else:
                gone = np.int16(-delta)
                for c in range(len(part)):
                    gained -= part[c] == gone
            if write:
                _add(part, np.int16(delta), missed[r >> _BLOCK_BITS], at[q])
    return gained


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _missed_around(missed: Any, first: int, last: int, c0: float, c1: float, edge: float, cols: int) -> int:
    """Missed cells in the blocks that hold a line's rows first..last and its columns, `edge` to both sides."""
    left = min(max(int(min(c0, c1) - edge), 0), cols - 1) >> _BLOCK_BITS
    right = max(min(int(max(c0, c1) + edge), cols - 1), 0) >> _BLOCK_BITS
    total = 0
    for block in range(first >> _BLOCK_BITS, (last >> _BLOCK_BITS) + 1):
        for column in range(left, right + 1):
            total += missed[block, column]
    return total


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _add(part: Any, step: Any, missed: Any, first: int) -> None:
    """To a part of a ledger's row that begins in column `first`; `missed` is the row of its blocks."""
    for c in range(len(part)):
        was = part[c]
        part[c] = np.int16(was + step)
        missed[(first + c) >> _BLOCK_BITS] += (part[c] == 0) - (was == 0)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def lay_leg(lines: Any, count: int, a: Any, b: Any, sign: float) -> int:
    """One more line for `swap_lines`; returns how many there are."""
    lines[count, 0], lines[count, 1], lines[count, 2], lines[count, 3], lines[count, 4] = a[0], a[1], b[0], b[1], sign
    return count + 1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def lay_chain(lines: Any, count: int, chain: Any, sign: float) -> int:
    """The legs of a chain (K, 2), one after another."""
    laid = count
    for i in range(len(chain) - 1):
        laid = lay_leg(lines, laid, chain[i], chain[i + 1], sign)
    return laid


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def count_path(ledger: Any, path: Any, tool: Any) -> Any:
    """(N - 1,): wanted cells that each leg of the path (N, 2) is the first to sweep; fills the ledger."""
    fresh = np.zeros(max(len(path) - 1, 0), np.int64)
    for i in range(len(path) - 1):
        fresh[i] = count_line(ledger, path[i, 0], path[i, 1], path[i + 1, 0], path[i + 1, 1], tool, 1)
    return fresh
