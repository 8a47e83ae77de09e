"""How near anything comes: exact distances on cell grids, and whether a straight line keeps the robot's clearance.

Places are (row, col) in cells, cell centres at whole numbers. A cell that is not free is a square; outside the grid
nothing is free. The rule is the planner's contract: no point of a line nearer to such a square than `gap` cells.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from navigation.coverage.grid_kernels import norm

SAMPLE_SLACK = 0.002  # between samples a quarter cell apart the gap dips by less than this many cells


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def squared_distance(target: Any, outside: bool) -> Any:
    """(R, C) int32: squared distance in cells to the nearest cell of `target`; `outside`: the world beyond counts.

    Meijster, Roerdink and Hesselink (2000): one pass down and up the columns, one lower envelope along each row.
    """
    rows, cols = target.shape
    far = rows + cols
    column = np.empty((rows, cols), np.int32)
    for c in range(cols):
        column[0, c] = 0 if target[0, c] else (1 if outside else far)
    for r in range(1, rows):
        for c in range(cols):
            column[r, c] = 0 if target[r, c] else column[r - 1, c] + 1
    for c in range(cols):
        if outside and column[rows - 1, c] > 1:
            column[rows - 1, c] = 1
    for r in range(rows - 2, -1, -1):
        for c in range(cols):
            if column[r + 1, c] + 1 < column[r, c]:
                column[r, c] = column[r + 1, c] + 1
    out = np.empty((rows, cols), np.int32)
    seat = np.empty(cols, np.int64)
    begin = np.empty(cols, np.int64)
    for r in range(rows):
        last = 0
        seat[0] = 0
        begin[0] = 0
        line = column[r]
        for u in range(1, cols):
            height = line[u] * line[u]
            while last >= 0:
                s, t = seat[last], begin[last]
                if (t - s) * (t - s) + line[s] * line[s] > (t - u) * (t - u) + height:
                    last -= 1
                else:
                    break
            if last < 0:
                last = 0
                seat[0] = u
                begin[0] = 0
            else:
                s = seat[last]
                cut = 1 + (u * u - s * s + height - line[s] * line[s]) // (2 * (u - s))
                if cut < cols:
                    last += 1
                    seat[last] = u
                    begin[last] = cut
        for u in range(cols - 1, -1, -1):
            s = seat[last]
            best = (u - s) * (u - s) + line[s] * line[s]
            if outside:
                side = min(u + 1, cols - u)
                best = min(best, side * side)
            out[r, u] = best
            if u == begin[last]:
                last -= 1
    return out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def gap_at(free: Any, row: float, col: float, within: float) -> float:
    """Cells from a point to the nearest square that is not free; `within` + 1 when none is that near."""
    rows, cols = free.shape
    best = (within + 1.0) ** 2
    for r in range(int(math.floor(row - within)), int(math.ceil(row + within)) + 1):
        dr = max(abs(r - row) - 0.5, 0.0)
        if dr * dr >= best:
            continue
        for c in range(int(math.floor(col - within)), int(math.ceil(col + within)) + 1):
            if 0 <= r < rows and 0 <= c < cols and free[r, c]:
                continue
            dc = max(abs(c - col) - 0.5, 0.0)
            best = min(best, dr * dr + dc * dc)
    return math.sqrt(best)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def centre_gaps(free: Any, distance2: Any, gap: float) -> Any:
    """(R, C) float32: from each cell's centre to the nearest square that is not free, in cells.

    Exact where it matters, a little above `gap`; elsewhere a lower bound from the distance between centres.
    """
    rows, cols = free.shape
    out = np.empty((rows, cols), np.float32)
    low, high = gap * gap, (gap + 2.2) ** 2
    for r in range(rows):
        for c in range(cols):
            if low <= distance2[r, c] <= high:
                out[r, c] = gap_at(free, r, c, gap + 2.2)
            else:
                out[r, c] = math.sqrt(distance2[r, c]) - 0.7072
    return out


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def line_clear(ground: Any, row0: float, col0: float, row1: float, col1: float) -> bool:
    """Whether the straight line keeps its gap everywhere.

    `ground`: (free (R, C), centre_gaps (R, C), gap in cells). The answer is the same the other way round.
    """
    if row0 > row1 or (row0 == row1 and col0 > col1):
        row0, col0, row1, col1 = row1, col1, row0, col0
    free, gaps, gap = ground
    rows, cols = free.shape
    length = norm(row1 - row0, col1 - col0)
    along = 0.0
    while True:
        share = along / length if length > 0 else 0.0
        row, col = row0 + (row1 - row0) * share, col0 + (col1 - col0) * share
        r, c = int(math.floor(row + 0.5)), int(math.floor(col + 0.5))
        if r < 0 or c < 0 or r >= rows or c >= cols:
            return False
        room = gaps[r, c] - norm(row - r, col - c) - gap
        if room < 0.25:
            room = gap_at(free, row, col, gap + 0.8) - gap
            if room < SAMPLE_SLACK:
                return False
        if along >= length:
            return True
        along = min(along + max(room, 0.25), length)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def chain_clear(ground: Any, chain: Any) -> bool:
    """Whether a chain of straight lines (K, 2) keeps the gap everywhere."""
    for i in range(len(chain) - 1):
        if not line_clear(ground, chain[i, 0], chain[i, 1], chain[i + 1, 0], chain[i + 1, 1]):
            return False
    return True
