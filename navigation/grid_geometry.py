"""Where a grid lies in `map`: the one place that converts cells and metres.

Grids are indexed [row, col]; row grows with +y, col with +x; cell (0, 0)'s lower-left corner is the origin. Origins are
whole multiples of the cell size, so that two grids of one cell size always shift by whole cells.
"""

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from foundation.geometry import FloatArray

Cell = TypeVar("Cell", bound=np.generic)


@dataclass(frozen=True, slots=True)
class CellRect:
    """Half-open block of cells: rows [row0, row1), columns [col0, col1)."""

    row0: int
    col0: int
    row1: int
    col1: int

    @property
    def empty(self) -> bool:
        return self.row1 <= self.row0 or self.col1 <= self.col0

    def slices(self) -> tuple[slice, slice]:
        return slice(self.row0, self.row1), slice(self.col0, self.col1)

    def grown(self, cells: int, rows: int, cols: int) -> "CellRect":
        """By `cells` on every side, cut to a grid of rows x cols."""
        return CellRect(
            max(self.row0 - cells, 0),
            max(self.col0 - cells, 0),
            min(self.row1 + cells, rows),
            min(self.col1 + cells, cols),
        )

    def union(self, other: "CellRect") -> "CellRect":
        """Smallest block around both."""
        if self.empty:
            return other
        if other.empty:
            return self
        return CellRect(
            min(self.row0, other.row0),
            min(self.col0, other.col0),
            max(self.row1, other.row1),
            max(self.col1, other.col1),
        )


@dataclass(frozen=True, slots=True)
class GridGeometry:
    """Placement of a grid of rows x cols square cells in `map`."""

    origin_x_m: float
    origin_y_m: float
    cell_m: float
    rows: int
    cols: int

    @staticmethod
    def around(x0_m: float, y0_m: float, x1_m: float, y1_m: float, cell_m: float) -> "GridGeometry":
        """The smallest aligned grid that holds the box."""
        col0, row0 = math.floor(x0_m / cell_m + 1e-9), math.floor(y0_m / cell_m + 1e-9)
        col1, row1 = math.ceil(x1_m / cell_m - 1e-9), math.ceil(y1_m / cell_m - 1e-9)
        return GridGeometry(col0 * cell_m, row0 * cell_m, cell_m, max(row1 - row0, 1), max(col1 - col0, 1))

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows, self.cols

    def cells(self, points_map: FloatArray) -> NDArray[np.int64]:
        """(N, 2) of (row, col) for points (N, 2) of (x, y); may lie outside the grid."""
        points_map = np.asarray(points_map, dtype=np.float64)
        cols = np.floor((points_map[:, 0] - self.origin_x_m) / self.cell_m)
        rows = np.floor((points_map[:, 1] - self.origin_y_m) / self.cell_m)
        return np.stack([rows, cols], axis=1).astype(np.int64)

    def centres(self, cells: NDArray[np.signedinteger]) -> FloatArray:
        """(N, 2) of (x, y) in `map` for cells (N, 2) of (row, col)."""
        cells = np.asarray(cells)
        return np.stack(
            [
                self.origin_x_m + (cells[:, 1] + 0.5) * self.cell_m,
                self.origin_y_m + (cells[:, 0] + 0.5) * self.cell_m,
            ],
            axis=1,
        )

    def contains(self, cells: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(N,): which of the cells (N, 2) lie on the grid."""
        return (cells[:, 0] >= 0) & (cells[:, 0] < self.rows) & (cells[:, 1] >= 0) & (cells[:, 1] < self.cols)

    def moved_to(self, other: "GridGeometry", cells: NDArray[Cell]) -> NDArray[Cell]:
        """The layer `cells` (R, C) of this grid on `other`, a grid grown from it; zeros where there was none."""
        rows, cols = self.shift_to(other)
        grown = np.zeros(other.shape, dtype=cells.dtype)
        grown[rows : rows + self.rows, cols : cols + self.cols] = cells
        return grown

    def shift_to(self, other: "GridGeometry") -> tuple[int, int]:
        """(rows, cols) to add to a cell of this grid to get the same place's cell in `other`."""
        return (
            round((self.origin_y_m - other.origin_y_m) / self.cell_m),
            round((self.origin_x_m - other.origin_x_m) / self.cell_m),
        )
