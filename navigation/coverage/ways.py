"""Shortest clear ways on the grid, straightened; the scratch memory is kept between calls."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from navigation.coverage.clearance import line_clear
from navigation.coverage.floor import BoolGrid, Ground
from navigation.coverage.grid_kernels import clean, nearest_marked, queue_for

Line = NDArray[np.float64]  # (N, 2) of (row, col)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def straightened(ground: Any, way: Any) -> Any:
    """(M, 2): the way (N, 2) with every point left out that a clear straight line can skip."""
    last = len(way) - 1
    out = np.empty((last + 1, 2))
    out[0] = way[0]
    kept = 1
    at = 0
    while at < last:
        near, far = at + 1, min(at + 2, last)
        step = 2
        while far > near and line_clear(ground, way[at, 0], way[at, 1], way[far, 0], way[far, 1]):
            near = far
            step *= 2
            far = min(at + step, last)
        low, high = near, far  # clear up to low; high is not, unless equal
        while high - low > 1:
            middle = (low + high) // 2
            if line_clear(ground, way[at, 0], way[at, 1], way[middle, 0], way[middle, 1]):
                low = middle
            else:
                high = middle
        out[kept] = way[low]
        kept += 1
        at = low
    return out[:kept].copy()


class Ways:
    """Ways between clear cells of one grid."""

    def __init__(self, ground: Ground, centres: BoolGrid) -> None:
        self._ground = ground
        self._centres = centres
        total = centres.size
        self._dist = np.full(total, np.inf)
        self._before = np.empty(total, np.int32)
        self._touched = np.empty(total, np.int32)
        self._queue = queue_for(total)
        self._marked = np.full(centres.shape, -1, np.int32)
        self._found = np.empty(1, np.int32)

    def between(self, start: Line, goal: Line) -> Line:
        """(N, 2) from start to goal, clear cells both and both included; ValueError when they are not connected."""
        if np.array_equal(start, goal):
            return np.array([start], np.float64)
        if line_clear(self._ground, float(start[0]), float(start[1]), float(goal[0]), float(goal[1])):
            return np.array([start, goal], np.float64)
        cols = self._centres.shape[1]
        goal_cell, start_cell = (int(goal[0]), int(goal[1])), (int(start[0]), int(start[1]))
        self._marked[goal_cell] = 1
        found, touched = nearest_marked(
            self._centres,
            self._marked,
            start_cell[0] * cols + start_cell[1],
            1,
            self._dist,
            self._before,
            self._touched,
            self._queue,
            self._found,
        )
        self._marked[goal_cell] = -1
        way = []
        cell = goal_cell[0] * cols + goal_cell[1]
        while found and cell >= 0:
            way.append((cell // cols, cell % cols))
            cell = int(self._before[cell])
        clean(self._dist, self._touched, touched)
        if not way:
            raise ValueError(f"no clear way from {start_cell} to {goal_cell}")
        line: Line = straightened(self._ground, np.array(way[::-1], np.float64))
        return line
