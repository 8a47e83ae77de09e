"""Numba kernels on cell grids [row, col]: shortest ways and border tracing."""

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _push(heap_cost: Any, heap_cell: Any, size: int, cost: float, cell: int) -> int:
    i = size
    while i > 0:
        parent = (i - 1) >> 1
        if heap_cost[parent] <= cost:
            break
        heap_cost[i], heap_cell[i] = heap_cost[parent], heap_cell[parent]
        i = parent
    heap_cost[i], heap_cell[i] = cost, cell
    return size + 1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _pop(heap_cost: Any, heap_cell: Any, size: int) -> int:
    """Removes the top; the caller has read it."""
    size -= 1
    cost, cell = heap_cost[size], heap_cell[size]
    i = 0
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        if child + 1 < size and heap_cost[child + 1] < heap_cost[child]:
            child += 1
        if heap_cost[child] >= cost:
            break
        heap_cost[i], heap_cell[i] = heap_cost[child], heap_cell[child]
        i = child
    heap_cost[i], heap_cell[i] = cost, cell
    return size


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def nearest_marked(centres: Any, marked: Any, start: int, want: int, dist: Any, before: Any, touched: Any,
                   heap_cost: Any, heap_cell: Any, found: Any) -> tuple[int, int]:  # fmt: skip
    """Dijkstra from cell `start` until `want` cells with `marked` >= 0 are settled.

    `dist` (R*C) must be inf and stays so after `clean`; `touched` lists cells to clean. Returns the counts of both;
    `found` holds the settled marked cells in order of distance.
    """
    rows, cols = centres.shape
    flat = centres.ravel()
    marks = marked.ravel()
    dist[start] = 0.0
    before[start] = -1
    touched[0] = start
    n_touched = 1
    size = _push(heap_cost, heap_cell, 0, 0.0, start)
    n_found = 0
    while size > 0:
        cost, cell = heap_cost[0], heap_cell[0]
        size = _pop(heap_cost, heap_cell, size)
        if cost > dist[cell]:
            continue
        if marks[cell] >= 0:
            found[n_found] = cell
            n_found += 1
            if n_found >= want:
                break
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
                    if size < len(heap_cost):
                        size = _push(heap_cost, heap_cell, size, new, other)
    return n_found, n_touched


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
