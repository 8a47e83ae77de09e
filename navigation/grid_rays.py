"""Straight beams over a grid of cells, cell by cell in the order they are met.

Source: Amanatides and Woo, "A fast voxel traversal algorithm for ray tracing", Eurographics 1987.
"""

import math
from typing import Any

from numba import njit


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def ray_start(x: float, y: float, dx: float, dy: float) -> Any:
    """Where a beam from (x, y) in direction (dx, dy), a unit vector, begins; all in cells.

    (col, row, step_col, step_row, per_col, per_row, next_col, next_row): its cell, the way to the next one, how long
    the beam is in a column or a row, and where along it the first of each ends.
    """
    col, row = math.floor(x), math.floor(y)
    step_col, step_row = (1 if dx > 0 else -1), (1 if dy > 0 else -1)
    per_col = 1.0 / abs(dx) if abs(dx) > 1e-12 else 1e30
    per_row = 1.0 / abs(dy) if abs(dy) > 1e-12 else 1e30
    next_col = (col + 1 - x if dx > 0 else x - col) * per_col
    next_row = (row + 1 - y if dy > 0 else y - row) * per_row
    return col, row, step_col, step_row, per_col, per_row, next_col, next_row
