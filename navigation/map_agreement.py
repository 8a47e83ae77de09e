"""Does a scan agree with a map from a pose? What it explains, and what it contradicts.

The mean likelihood of a match cannot tell a wrong place that has a wall where one is expected from the right one;
beams that end on known free floor, or that pass through known walls, can. Places the map does not know say nothing
either way.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from foundation.geometry import FloatArray, Pose2D
from navigation.grid_geometry import GridGeometry
from navigation.static_map import FREE, OCCUPIED

NEAR_M = 0.075  # a beam that ends so near a wall is explained by it
BEAMS = 120  # enough to judge by


@dataclass(frozen=True, slots=True)
class Agreement:
    """Shares of the scan's beams."""

    explained: float
    contradicted: float

    @property
    def ratio(self) -> float:
        """Explained among those the map has a say about; 1 where it has none."""
        told = self.explained + self.contradicted
        return self.explained / told if told > 0.05 else 1.0


def agreement(
    map_from_base: Pose2D,
    points_base: FloatArray,  # (N, 2)
    origins_base: FloatArray,  # (N, 2)
    cells: NDArray[np.int8],  # (R, C)
    geometry: GridGeometry,
) -> Agreement:
    """Of every few beams, when there are many."""
    stride = max(1, len(points_base) // BEAMS)
    if len(points_base) == 0:
        return Agreement(0.0, 0.0)
    explained, contradicted, count = _judge_beams(
        map_from_base.transform(points_base[::stride]),
        map_from_base.transform(origins_base[::stride]),
        cells,
        geometry.origin_x_m,
        geometry.origin_y_m,
        geometry.cell_m,
        math.ceil(NEAR_M / geometry.cell_m),
    )
    return Agreement(explained / count, contradicted / count)


@njit(cache=True)
def _judge_beams(ends, origins, cells, x0, y0, cell, near):  # type: ignore[no-untyped-def]
    rows, cols = cells.shape
    explained = contradicted = 0
    for i in range(len(ends)):
        row, col = math.floor((ends[i, 1] - y0) / cell), math.floor((ends[i, 0] - x0) / cell)
        hit = False
        for r in range(max(row - near, 0), min(row + near + 1, rows)):
            for c in range(max(col - near, 0), min(col + near + 1, cols)):
                if cells[r, c] == OCCUPIED:
                    hit = True
        if hit:
            explained += 1
            continue
        if row >= 0 and row < rows and col >= 0 and col < cols and cells[row, col] == FREE:
            contradicted += 1
            continue
        dx, dy = ends[i, 0] - origins[i, 0], ends[i, 1] - origins[i, 1]
        length = math.hypot(dx, dy)
        steps = int(length / (0.5 * cell))
        walls = 0
        for k in range(steps):
            share = (k + 0.5) / steps
            r = math.floor((origins[i, 1] + share * dy - y0) / cell)
            c = math.floor((origins[i, 0] + share * dx - x0) / cell)
            if r >= 0 and r < rows and c >= 0 and c < cols and cells[r, c] == OCCUPIED:
                walls += 1
        if walls >= 2:
            contradicted += 1
    return explained, contradicted, len(ends)
