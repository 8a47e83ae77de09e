"""Numba kernels on cell grids: line of sight, sweeping the tool along a line, shortest ways, border tracing.

Cells are [row, col]; lines run between cell centres and are sampled every quarter cell.
"""

import math
from typing import Any

import numpy as np
from numba import njit


@njit(cache=True)  # type: ignore[untyped-decorator]
def line_is_clear(centres: Any, row0: float, col0: float, row1: float, col1: float) -> bool:
    """Whether every sample of the straight line lies on a clear cell."""
    steps = max(int(math.ceil(math.hypot(row1 - row0, col1 - col0) * 4)), 1)
    for i in range(steps + 1):
        row = int(round(row0 + (row1 - row0) * i / steps))
        col = int(round(col0 + (col1 - col0) * i / steps))
        if row < 0 or col < 0 or row >= centres.shape[0] or col >= centres.shape[1] or not centres[row, col]:
            return False
    return True


@njit(cache=True)  # type: ignore[untyped-decorator]
def disc_offsets(radius: float) -> Any:
    """(K, 2): cells within `radius` cells of a cell."""
    reach = int(radius)
    out = []
    for row in range(-reach, reach + 1):
        for col in range(-reach, reach + 1):
            if row * row + col * col <= radius * radius + 1e-6:
                out.append((row, col))
    return np.array(out, np.int32)


@njit(cache=True)  # type: ignore[untyped-decorator]
def sweep(mark: Any, stamp: int, line: Any, disc: Any) -> int:
    """Writes `stamp` on cells under the tool along a polyline (N, 2) of cells; returns how many it newly wrote."""
    rows, cols = mark.shape
    fresh = 0
    last_row, last_col = -1, -1
    for k in range(max(len(line) - 1, 1)):
        row0, col0 = line[k, 0], line[k, 1]
        row1, col1 = (line[k + 1, 0], line[k + 1, 1]) if len(line) > 1 else (row0, col0)
        steps = max(int(math.ceil(math.hypot(row1 - row0, col1 - col0) * 4)), 1)
        for i in range(steps + 1):
            row = int(round(row0 + (row1 - row0) * i / steps))
            col = int(round(col0 + (col1 - col0) * i / steps))
            if row == last_row and col == last_col:
                continue
            last_row, last_col = row, col
            for d in range(len(disc)):
                r, c = row + disc[d, 0], col + disc[d, 1]
                if 0 <= r < rows and 0 <= c < cols and mark[r, c] != stamp:
                    mark[r, c] = stamp
                    fresh += 1
    return fresh


@njit(cache=True)  # type: ignore[untyped-decorator]
def add_counts(count: Any, seen: Any, stamp: int, line: Any, disc: Any, delta: int) -> None:
    """Adds `delta` to every cell under the tool along the line, once a cell (`seen` remembers by `stamp`)."""
    rows, cols = count.shape
    for k in range(max(len(line) - 1, 1)):
        row0, col0 = line[k, 0], line[k, 1]
        row1, col1 = (line[k + 1, 0], line[k + 1, 1]) if len(line) > 1 else (row0, col0)
        steps = max(int(math.ceil(math.hypot(row1 - row0, col1 - col0) * 4)), 1)
        for i in range(steps + 1):
            row = int(round(row0 + (row1 - row0) * i / steps))
            col = int(round(col0 + (col1 - col0) * i / steps))
            for d in range(len(disc)):
                r, c = row + disc[d, 0], col + disc[d, 1]
                if 0 <= r < rows and 0 <= c < cols and seen[r, c] != stamp:
                    seen[r, c] = stamp
                    count[r, c] += delta


@njit(cache=True)  # type: ignore[untyped-decorator]
def sole_cells(count: Any, wanted: Any, seen: Any, stamp: int, line: Any, disc: Any) -> int:
    """Wanted cells that only this line covers."""
    rows, cols = count.shape
    sole = 0
    for k in range(max(len(line) - 1, 1)):
        row0, col0 = line[k, 0], line[k, 1]
        row1, col1 = (line[k + 1, 0], line[k + 1, 1]) if len(line) > 1 else (row0, col0)
        steps = max(int(math.ceil(math.hypot(row1 - row0, col1 - col0) * 4)), 1)
        for i in range(steps + 1):
            row = int(round(row0 + (row1 - row0) * i / steps))
            col = int(round(col0 + (col1 - col0) * i / steps))
            for d in range(len(disc)):
                r, c = row + disc[d, 0], col + disc[d, 1]
                if 0 <= r < rows and 0 <= c < cols and seen[r, c] != stamp:
                    seen[r, c] = stamp
                    if wanted[r, c] and count[r, c] <= 1:
                        sole += 1
    return sole


@njit(cache=True)  # type: ignore[untyped-decorator]
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


@njit(cache=True)  # type: ignore[untyped-decorator]
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


@njit(cache=True)  # type: ignore[untyped-decorator]
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


@njit(cache=True)  # type: ignore[untyped-decorator]
def clean(dist: Any, touched: Any, count: int) -> None:
    """Makes `dist` inf again where it was touched."""
    for i in range(count):
        dist[touched[i]] = np.inf


@njit(cache=True)  # type: ignore[untyped-decorator]
def straightened(centres: Any, way: Any) -> Any:
    """(M, 2): the way (N, 2) with every point left out that a clear straight line can skip."""
    keep = [0]
    index = 0
    last = len(way) - 1
    while index < last:
        far = min(index + 1, last)
        step = 1
        while far + step <= last and line_is_clear(
            centres, way[index, 0], way[index, 1], way[far + step, 0], way[far + step, 1]
        ):
            far += step
            step *= 2
        while step > 1:
            step //= 2
            if far + step <= last and line_is_clear(
                centres, way[index, 0], way[index, 1], way[far + step, 0], way[far + step, 1]
            ):
                far += step
        keep.append(far)
        index = far
    out = np.empty((len(keep), 2), way.dtype)
    for i in range(len(keep)):
        out[i] = way[keep[i]]
    return out


@njit(cache=True)  # type: ignore[untyped-decorator]
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
