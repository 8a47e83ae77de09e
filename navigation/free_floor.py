"""Cell loops of the map handler, compiled: which floor is free, and what lies near a place. Coordinates in cells."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from foundation.geometry import FloatArray
from navigation.grid_geometry import GridGeometry

BoolGrid = NDArray[np.bool_]


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def compose_free(
    static: NDArray[np.int8],
    driven: BoolGrid,
    blocked: BoolGrid,
    free: BoolGrid,
    row0: int,
    col0: int,
    row1: int,
    col1: int,
) -> None:
    """Writes `free` in the block: static free floor, floor that the body stood on, and pinholes between free cells."""
    rows, cols = static.shape
    for row in range(row0, row1):
        for col in range(col0, col1):
            if blocked[row, col]:
                free[row, col] = False
                continue
            value = static[row, col]
            if value == 0 or (value == -1 and driven[row, col]):
                free[row, col] = True
                continue
            if value > 0 or row == 0 or col == 0 or row == rows - 1 or col == cols - 1:
                free[row, col] = False
                continue
            around = 0
            walls = 0
            for dr in range(-1, 2):
                for dc in range(-1, 2):
                    other = static[row + dr, col + dc]
                    around += other == 0
                    walls += other > 0
            free[row, col] = around >= 6 and walls == 0


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def keep_off(
    free: BoolGrid,
    hidden: BoolGrid,
    known: BoolGrid,
    discs: FloatArray,
    reach: float,
    row0: int,
    col0: int,
    row1: int,
    col1: int,
) -> None:
    """In the block: cells of the discs (K, 3) of (x, y, radius) are not free; around each, up to `reach` from its
    middle, neither is what is not `known`, and that is `hidden`."""
    for index in range(len(discs)):
        x, y, radius = discs[index, 0], discs[index, 1], max(discs[index, 2], 0.5)
        far = max(radius, reach)
        for row in range(max(int(np.floor(y - far)), row0), min(int(np.floor(y + far)) + 1, row1)):
            for col in range(max(int(np.floor(x - far)), col0), min(int(np.floor(x + far)) + 1, col1)):
                gap2 = (row + 0.5 - y) ** 2 + (col + 0.5 - x) ** 2
                if gap2 <= radius * radius:
                    free[row, col] = False
                elif gap2 <= reach * reach and free[row, col] and not known[row, col]:
                    free[row, col] = False
                    hidden[row, col] = True


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def nearest_blocked(free: BoolGrid, x: float, y: float, look: float) -> float:
    """Distance in cells from (x, y) to the nearest cell square that is not free, at most `look`."""
    rows, cols = free.shape
    best = look * look
    for row in range(int(np.floor(y - look)), int(np.floor(y + look)) + 1):
        dy = max(row - y, y - row - 1.0, 0.0)
        if dy * dy >= best:
            continue
        for col in range(int(np.floor(x - look)), int(np.floor(x + look)) + 1):
            if 0 <= row < rows and 0 <= col < cols and free[row, col]:
                continue
            dx = max(col - x, x - col - 1.0, 0.0)
            gap = dx * dx + dy * dy
            if gap < best:
                best = gap
    return float(np.sqrt(best))


def gap_m(free: BoolGrid, geometry: GridGeometry, x_m: float, y_m: float, look_m: float) -> float:
    """Distance from a place to the nearest cell that is not free, up to `look_m`."""
    col, row = (x_m - geometry.origin_x_m) / geometry.cell_m, (y_m - geometry.origin_y_m) / geometry.cell_m
    return float(nearest_blocked(free, col, row, look_m / geometry.cell_m)) * geometry.cell_m


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def first_disc_blocked(free: BoolGrid, points: FloatArray, radius: float) -> int:
    """Index of the first point (N, 2) of (x, y) whose disc touches a cell square that is not free; -1 when none."""
    for index in range(len(points)):
        if nearest_blocked(free, points[index, 0], points[index, 1], radius) < radius - 1e-9:
            return index
    return -1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def blocked_discs(free: BoolGrid, points: FloatArray, radius: float) -> BoolGrid:
    """(N,): points (N, 2) of (x, y) whose disc touches a cell square that is not free."""
    blocked = np.zeros(len(points), dtype=np.bool_)
    for index in range(len(points)):
        blocked[index] = nearest_blocked(free, points[index, 0], points[index, 1], radius) < radius - 1e-9
    return blocked
