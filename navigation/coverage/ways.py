"""Shortest clear ways on the grid, straightened; the scratch memory is kept between calls."""

import numpy as np

from navigation.coverage.grid_kernels import clean, line_is_clear, nearest_marked, straightened
from navigation.coverage.reach import BoolGrid
from navigation.coverage.strokes import Line


class Ways:
    """Ways between clear cells of one grid."""

    def __init__(self, centres: BoolGrid) -> None:
        self._centres = centres
        total = centres.size
        self._dist = np.full(total, np.inf)
        self._before = np.empty(total, np.int32)
        self._touched = np.empty(total, np.int32)
        self._heap_cost = np.empty(4 * total + 8)
        self._heap_cell = np.empty(4 * total + 8, np.int32)
        self._marked = np.full(centres.shape, -1, np.int32)
        self._found = np.empty(1, np.int32)

    def between(self, start: Line, goal: Line) -> Line:
        """(N, 2) cells from start to goal, both included; ValueError when they are not connected."""
        if np.array_equal(start, goal):
            return np.array([start], np.int32)
        if line_is_clear(self._centres, float(start[0]), float(start[1]), float(goal[0]), float(goal[1])):
            return np.array([start, goal], np.int32)
        cols = self._centres.shape[1]
        self._marked[goal[0], goal[1]] = 1
        first = int(start[0]) * cols + int(start[1])
        found, touched = nearest_marked(
            self._centres,
            self._marked,
            first,
            1,
            self._dist,
            self._before,
            self._touched,
            self._heap_cost,
            self._heap_cell,
            self._found,
        )
        self._marked[goal[0], goal[1]] = -1
        way = []
        cell = int(goal[0]) * cols + int(goal[1])
        while found and cell >= 0:
            way.append((cell // cols, cell % cols))
            cell = int(self._before[cell])
        clean(self._dist, self._touched, touched)
        if not way:
            raise ValueError(f"no clear way from {tuple(start)} to {tuple(goal)}")
        line: Line = straightened(self._centres, np.array(way[::-1], np.int32))
        return line
