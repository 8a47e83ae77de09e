"""Walls and furniture on a grid: how often a beam ended in a cell against how often it passed through.

The counting model (Haehnel 2004) rather than clamped log-odds: its value is the share of beams that a cell reflects, so
a chair's leg that every second beam misses stays, and one stray hit in a well-seen cell does not. Counts are halved
when large, so that the map follows furniture that was moved. Beams that graze a wall must not eat it: within one scan
a hit outweighs passing, and a beam stops counting one cell (measured across the surface) before its end. Cells never
seen are UNKNOWN. The grid grows by whole blocks of cells.
"""

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from foundation.geometry import FloatArray, Pose2D
from navigation.grid_geometry import CellRect, GridGeometry
from navigation.grid_rays import ray_start
from navigation.static_map import FREE, OCCUPIED, UNKNOWN

BLOCK_CELLS: Final = 64
COUNT_MAX: Final = 400
NOTHING: Final = CellRect(0, 0, 0, 0)


class OccupancyMap:
    """Grows where scans are integrated; `cells` is a live view."""

    def __init__(self, *, cell_m: float, occupied_ratio: float, ray_max_m: float) -> None:
        self._ratio = occupied_ratio
        self._ray_max_m = ray_max_m
        self.geometry = GridGeometry(0.0, 0.0, cell_m, 1, 1)
        self.cells: NDArray[np.int8] = np.full((1, 1), UNKNOWN, dtype=np.int8)  # (R, C)
        self._hits: NDArray[np.uint16] = np.zeros((1, 1), dtype=np.uint16)  # (R, C)
        self._passes: NDArray[np.uint16] = np.zeros((1, 1), dtype=np.uint16)  # (R, C)
        self._scan_of: NDArray[np.int32] = np.zeros((1, 1), dtype=np.int32)  # (R, C): last scan that hit the cell
        self._scans = 0
        self._changed = NOTHING

    def integrate(self, map_from_base: Pose2D, points_base: FloatArray, origins_base: FloatArray) -> None:
        """One scan's beams, from origins (N, 2) to ends (N, 2) in base_link."""
        if len(points_base) == 0:
            return
        ends = map_from_base.transform(points_base)
        origins = map_from_base.transform(origins_base)
        self._grow(np.vstack([ends, origins]))
        self._scans += 1
        row0, col0, row1, col1 = _integrate(
            ends,
            origins,
            self.geometry.origin_x_m,
            self.geometry.origin_y_m,
            self.geometry.cell_m,
            self._ray_max_m,
            self._ratio,
            self._hits,
            self._passes,
            self._scan_of,
            self._scans,
            self.cells,
        )
        self._changed = self._changed.union(CellRect(row0, col0, row1, col1))

    def take_changed(self) -> CellRect:
        """The block that changed since the last call; the whole grid after growth."""
        changed, self._changed = self._changed, NOTHING
        return changed

    def touch_all(self) -> None:
        """The whole grid counts as changed."""
        self._changed = CellRect(0, 0, self.geometry.rows, self.geometry.cols)

    def contain(self, geometry: GridGeometry) -> None:
        """Grow until another grid of the same cells lies inside."""
        low = np.array(geometry.shift_to(self.geometry))
        self._grow_to(low, low + np.array(geometry.shape))

    def _grow(self, points_map: FloatArray) -> None:
        """Until every point (N, 2) lies inside with a cell to spare."""
        cells = self.geometry.cells(points_map)
        self._grow_to(cells.min(axis=0) - 2, cells.max(axis=0) + 3)

    def _grow_to(self, low: NDArray[np.int64], high: NDArray[np.int64]) -> None:
        """Until the cells (row, col) from `low` up to, not including, `high` lie inside."""
        before = np.maximum(-low, 0)
        after = np.maximum(high - np.array(self.geometry.shape), 0)
        if not before.any() and not after.any():
            return
        before = -(-before // BLOCK_CELLS) * BLOCK_CELLS
        after = -(-after // BLOCK_CELLS) * BLOCK_CELLS
        pad = ((before[0], after[0]), (before[1], after[1]))
        self.cells = np.pad(self.cells, pad, constant_values=UNKNOWN)
        self._hits, self._passes = np.pad(self._hits, pad), np.pad(self._passes, pad)
        self._scan_of = np.pad(self._scan_of, pad)
        old = self.geometry
        col, row = round(old.origin_x_m / old.cell_m), round(old.origin_y_m / old.cell_m)
        self.geometry = GridGeometry(
            (col - int(before[1])) * old.cell_m, (row - int(before[0])) * old.cell_m, old.cell_m, *self.cells.shape
        )
        self.touch_all()


@njit(cache=True, nogil=True)
def _judge(row, col, ratio, hits, passes, cells):  # type: ignore[no-untyped-def]
    """The cell's trinary value from its counts, which are halved when they get large."""
    hit, total = int(hits[row, col]), int(hits[row, col]) + int(passes[row, col])
    if total > COUNT_MAX:
        hits[row, col] //= 2
        passes[row, col] //= 2
    cells[row, col] = OCCUPIED if hit > 0 and hit >= ratio * total else FREE


@njit(cache=True, nogil=True)
def _cut_m(i, ends, dx, dy, cell):  # type: ignore[no-untyped-def]
    """How far before end i its beam (direction dx, dy) comes within one cell of the surface it meets."""
    sine = 1.0
    for k in (i - 1, i + 1):
        if 0 <= k < len(ends):
            sx, sy = ends[k, 0] - ends[i, 0], ends[k, 1] - ends[i, 1]
            gap = math.hypot(sx, sy)
            if 1e-6 < gap < 0.25:
                sine = min(sine, abs(sx * dy - sy * dx) / gap)
    return cell / max(sine, 0.1)


@njit(cache=True, nogil=True)
def _integrate(  # type: ignore[no-untyped-def]
    ends, origins, x0, y0, cell, ray_max, ratio, hits, passes, scan_of, scan, cells
):
    """Counts one scan and re-judges its cells; returns the block (row0, col0, row1, col1) that it touched."""
    rows, cols = cells.shape
    row0, col0, row1, col1 = rows, cols, 0, 0
    for i in range(len(ends)):  # hits first: they outweigh this scan's passing beams
        if math.hypot(ends[i, 0] - origins[i, 0], ends[i, 1] - origins[i, 1]) > ray_max:
            continue
        row, col = math.floor((ends[i, 1] - y0) / cell), math.floor((ends[i, 0] - x0) / cell)
        scan_of[row, col] = scan
        hits[row, col] += 1
        _judge(row, col, ratio, hits, passes, cells)
        row0, col0, row1, col1 = min(row0, row), min(col0, col), max(row1, row + 1), max(col1, col + 1)
    for i in range(len(ends)):
        dx, dy = ends[i, 0] - origins[i, 0], ends[i, 1] - origins[i, 1]
        length = math.hypot(dx, dy)
        if length < 1e-6:
            continue
        dx, dy = dx / length, dy / length
        reach = min(length - _cut_m(i, ends, dx, dy, cell), ray_max) / cell
        x, y = (origins[i, 0] - x0) / cell, (origins[i, 1] - y0) / cell
        col, row, step_col, step_row, per_col, per_row, next_col, next_row = ray_start(x, y, dx, dy)
        travelled = 0.0
        while travelled < reach:
            if scan_of[row, col] != scan:
                passes[row, col] += 1
                _judge(row, col, ratio, hits, passes, cells)
            row0, col0, row1, col1 = min(row0, row), min(col0, col), max(row1, row + 1), max(col1, col + 1)
            if next_col < next_row:
                travelled, next_col, col = next_col, next_col + per_col, col + step_col
            else:
                travelled, next_row, row = next_row, next_row + per_row, row + step_row
    return row0, col0, row1, col1
