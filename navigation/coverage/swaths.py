"""Straight sweeps over the wanted floor: for each part swept one way, the set of parallel lines that pays best.

A dynamic programme over the rows of a part chooses which rows to drive: a line earns what it newly sweeps and costs
its length and its two ends. Parts are taken largest first, each seeing only what is not yet swept, so neighbours share
their seams. What no line is worth is left to `patches`.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import ndimage

from navigation.coverage.sweep_labels import along_rows

BoolGrid = NDArray[np.bool_]
Line = NDArray[np.float64]  # (2, 2) of (row, col)
EIGHT = np.ones((3, 3), dtype=np.bool_)
BLOCKS_MOST = 40_000  # of the minimum cut, whose time grows faster than their number


@dataclass(frozen=True, slots=True)
class SwathCosts:
    """`pay`: cells of drive that one newly swept cell is worth; `end_cells`: what one end of a line costs."""

    pay: float
    end_cells: float


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _choose_rows(centres: Any, wanted: Any, half: int, pay: float, end_cells: float) -> Any:
    """Rows to drive, by the best sum of pay and costs."""
    rows, cols = centres.shape
    below = np.zeros((rows + 1, cols), np.int32)  # wanted cells of a column before a row
    for r in range(rows):
        for c in range(cols):
            below[r + 1, c] = below[r, c] + (1 if wanted[r, c] else 0)
    first = np.full(rows, cols, np.int32)
    last = np.full(rows, -1, np.int32)
    for r in range(rows):
        for c in range(cols):
            if centres[r, c]:
                first[r] = min(first[r], c)
                last[r] = c
    best = np.full(rows, -1e18)
    before = np.full(rows, -1, np.int32)
    far_best, far_row = 0.0, -1  # best of the rows too far back to overlap
    span = 2 * half
    for r in range(rows):
        old = r - span - 1
        if old >= 0 and best[old] > far_best:
            far_best, far_row = best[old], old
        if last[r] < 0:
            continue
        cost = 0.0
        alone = 0
        driving = False
        for c in range(first[r], last[r] + 1):
            gain = 0
            if centres[r, c]:
                gain = below[min(r + half, rows - 1) + 1, c] - below[max(r - half, 0), c]
            if gain > 0:
                alone += gain
                cost += 1.0
                if not driving:
                    cost += 2 * end_cells
                driving = True
            elif not centres[r, c]:
                driving = False
        best[r] = far_best + pay * alone - cost
        before[r] = far_row
        for p in range(max(r - span, 0), r):
            if last[p] < 0:
                continue
            twice = 0
            low = max(r - half, 0)
            high = min(p + half, rows - 1) + 1
            for c in range(max(first[r], first[p]), min(last[r], last[p]) + 1):
                if centres[r, c] and centres[p, c]:
                    twice += below[high, c] - below[low, c]
            value = best[p] + pay * (alone - twice) - cost
            if value > best[r]:
                best[r] = value
                before[r] = p
    top, value = -1, 0.0
    for r in range(rows):
        if best[r] > value:
            top, value = r, best[r]
    chosen = []
    while top >= 0:
        chosen.append(top)
        top = before[top]
    return np.array(chosen[::-1], np.int64)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _runs(centres: Any, wanted: Any, row: int, half: int, out: Any) -> int:
    """(first, last) column of each stretch of the row worth driving, ends without gain cut off; sweeps them."""
    rows, cols = centres.shape
    low, high = max(row - half, 0), min(row + half, rows - 1)
    count = 0
    c = 0
    while c < cols:
        if not centres[row, c]:
            c += 1
            continue
        end = c
        while end + 1 < cols and centres[row, end + 1]:
            end += 1
        a, b = -1, -1
        for x in range(c, end + 1):
            for r in range(low, high + 1):
                if wanted[r, x]:
                    a = x if a < 0 else a
                    b = x
                    break
        if a >= 0 and count < len(out):
            out[count, 0], out[count, 1] = a, b
            count += 1
            for x in range(max(a - half, 0), min(b + half, cols - 1) + 1):
                beyond = max(a - x, x - b, 0)
                for r in range(low, high + 1):
                    if (r - row) * (r - row) + beyond * beyond <= half * half:
                        wanted[r, x] = False
        c = end + 1
    return count


def swaths(
    centres: BoolGrid, wanted: BoolGrid, tool_radius_cells: float, costs: SwathCosts, *, crosswise: bool = False
) -> list[Line]:
    """Lines between clear cells; `wanted` (R, C) loses what they sweep. `crosswise`: each part the other way."""
    half = int(tool_radius_cells + 1e-6)
    near = ndimage.maximum_filter(wanted, size=2 * half + 1)
    rows_side = along_rows(centres & near, max(1, half // 3, math.ceil(math.sqrt(near.sum() / BLOCKS_MOST))))
    rows_side = ~rows_side if crosswise else rows_side
    lines: list[Line] = []
    for part, upright in _parts(centres & near, rows_side):
        lines += _lines_of(part, wanted, half, costs, upright)
    return lines


def _parts(centres: BoolGrid, rows_side: BoolGrid) -> list[tuple["Part", bool]]:
    """Connected places of one direction, largest first; True: swept along columns."""
    found: list[tuple[int, Part, bool]] = []
    for upright in (False, True):
        mask = centres & (~rows_side if upright else rows_side)
        labels, count = ndimage.label(mask, EIGHT)
        sizes = ndimage.sum_labels(mask, labels, np.arange(1, count + 1)) if count else []
        for index, box in enumerate(ndimage.find_objects(labels)):
            found.append((int(sizes[index]), Part(labels, index + 1, box), upright))
    found.sort(key=lambda item: (-item[0], item[1].box[0].start, item[1].box[1].start, item[2]))
    return [(part, upright) for _, part, upright in found]


@dataclass(frozen=True, slots=True)
class Part:
    """One connected place of a label image and its box."""

    labels: NDArray[np.int32]
    index: int
    box: tuple[slice, slice]


def _lines_of(part: Part, wanted: BoolGrid, half: int, costs: SwathCosts, upright: bool) -> list[Line]:
    rows, cols = wanted.shape
    row0, row1 = max(part.box[0].start - half, 0), min(part.box[0].stop + half, rows)
    col0, col1 = max(part.box[1].start - half, 0), min(part.box[1].stop + half, cols)
    centres = part.labels[row0:row1, col0:col1] == part.index
    view = wanted[row0:row1, col0:col1]
    if upright:
        centres, view = np.ascontiguousarray(centres.T), view.T
    lines: list[Line] = []
    spans = np.zeros((max(centres.shape) + 1, 2), np.int64)
    for row in _choose_rows(centres, np.ascontiguousarray(view), half, costs.pay, costs.end_cells):
        for a, b in spans[: _runs(centres, view, row, half, spans)]:
            line = np.array([[row, a], [row, b]], dtype=np.float64)
            lines.append((line[:, ::-1] if upright else line) + (row0, col0))
    return lines
