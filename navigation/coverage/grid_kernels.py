"""Numba kernels on cell grids [row, col]: lengths, shortest ways and border tracing."""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit


class Queue(NamedTuple):
    """Memory of `nearest_marked` for a grid: one for many searches."""

    cost: Any  # (4 * R * C,) of each entry
    cell: Any
    following: Any  # next entry of the same bucket, -1 for none


def queue_for(cells: int) -> Queue:
    """For a grid of so many cells; each may be entered four times."""
    size = 4 * cells + 8
    return Queue(np.empty(size), np.empty(size, np.int32), np.empty(size, np.int32))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def norm(rows: float, cols: float) -> float:
    """Length of a vector in cells: math.hypot, which minds numbers of 1e154, takes three times as long."""
    return math.sqrt(rows * rows + cols * cols)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def nearest_marked(centres: Any, marked: Any, start: int, want: int, dist: Any, before: Any, touched: Any,
                   queue: Any, found: Any) -> tuple[int, int]:  # fmt: skip
    """Dijkstra from cell `start` until `want` cells with `marked` >= 0 are settled.

    `dist` (R*C) must be inf and stays so after `clean`; `touched` lists cells to clean. Returns the counts of both;
    `found` holds the settled marked cells in order of distance. The queue is buckets one step wide: no step is shorter,
    so whatever lies in the first one is settled, in any order (Denardo and Fox, Operations Research 27, 1979).
    """
    rows, cols = centres.shape
    flat = centres.ravel()
    marks = marked.ravel()
    first = np.full(4, -1, np.int64)  # entry of the bucket now and the three after it, round and round
    dist[start] = 0.0
    before[start] = -1
    touched[0] = start
    queue.cost[0], queue.cell[0], queue.following[0] = 0.0, start, -1
    first[0] = 0
    n_touched = size = waiting = 1
    n_found = bucket = 0
    while waiting > 0:
        entry = first[bucket & 3]
        if entry < 0:
            if n_found >= want:
                break
            bucket += 1
            continue
        first[bucket & 3] = queue.following[entry]
        waiting -= 1
        cost, cell = queue.cost[entry], queue.cell[entry]
        if cost > dist[cell]:
            continue
        if marks[cell] >= 0 and n_found < len(found):
            found[n_found] = cell
            n_found += 1
        row, col = cell // cols, cell % cols
        for dr in range(-1, 2):
            for dc in range(-1, 2):
                r, c = row + dr, col + dc
                if (dr == 0 and dc == 0) or r < 0 or c < 0 or r >= rows or c >= cols:
                    continue
                other = r * cols + c
                if not flat[other]:
                    continue
                new = cost + (1.4142135623730951 if dr and dc else 1.0)
                if new < dist[other]:
                    if dist[other] == np.inf:
                        touched[n_touched] = other
                        n_touched += 1
                    dist[other] = new
                    before[other] = cell
                    if size < len(queue.cost):
                        at = int(new) & 3
                        queue.cost[size], queue.cell[size], queue.following[size] = new, other, first[at]
                        first[at] = size
                        size += 1
                        waiting += 1
    for i in range(1, n_found):  # nearly in order already
        cell, k = found[i], i
        while k > 0 and dist[found[k - 1]] > dist[cell]:
            found[k] = found[k - 1]
            k -= 1
        found[k] = cell
    return min(n_found, want), n_touched


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def clean(dist: Any, touched: Any, count: int) -> None:
    """Makes `dist` inf again where it was touched."""
    for i in range(count):
        dist[touched[i]] = np.inf


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def border(centres: Any, row0: int, col0: int, visited: Any) -> Any:
    """Moore's tracing of the border through (row0, col0), whose left neighbour is not clear; (N, 2), closed."""
    rows, cols = centres.shape
    around = np.array([[0, -1], [-1, -1], [-1, 0], [-1, 1], [0, 1], [1, 1], [1, 0], [1, -1]])
    out = [(row0, col0)]
    visited[row0, col0] = True
    row, col, come = row0, col0, 0
    first_row, first_col = -1, -1
    for _ in range(rows * cols * 2):
        moved = False
        for k in range(1, 9):
            turn = (come + k) % 8
            r, c = row + around[turn, 0], col + around[turn, 1]
            if 0 <= r < rows and 0 <= c < cols and centres[r, c]:
                # the last cell looked at before this one was not clear: start there, seen from the new cell
                pr, pc = row + around[(turn + 7) % 8, 0] - r, col + around[(turn + 7) % 8, 1] - c
                for t in range(8):
                    if around[t, 0] == pr and around[t, 1] == pc:
                        come = t
                if row == row0 and col == col0:
                    if first_row == r and first_col == c:
                        return np.array(out, np.int32)
                    if first_row < 0:
                        first_row, first_col = r, c
                row, col = r, c
                out.append((row, col))
                visited[row, col] = True
                moved = True
                break
        if not moved:
            return np.array(out, np.int32)
    return np.array(out, np.int32)
