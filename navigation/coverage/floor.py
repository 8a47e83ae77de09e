"""Where the robot's centre may be, and which floor the tool can then touch.

Cells are squares; a centre stands clear when the nearest cell that is not free is radius + half a cell away, centre to
centre. Lines may leave the clear cells a little: they keep the radius less half a cell to every square (`ground`).
Outside the grid nothing is free.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from foundation.geometry import FloatArray
from navigation.coverage.clearance import centre_gaps, squared_distance
from navigation.coverage.errors import NoFloor, StartBlocked
from navigation.grid_geometry import GridGeometry

BoolGrid = NDArray[np.bool_]
Ground = tuple[BoolGrid, NDArray[np.float32], float]  # clearance.line_clear
EIGHT = np.ones((3, 3), dtype=np.bool_)
START_TOLERANCE_M = 0.1


@dataclass(frozen=True, slots=True)
class Floor:
    """`centres`: cells the centre may stand on, all connected. `coverable`: floor that the tool can touch from them."""

    centres: BoolGrid  # (R, C)
    coverable: BoolGrid  # (R, C)
    ground: Ground  # for clearance.line_clear
    start: tuple[int, int] | None
    outside: BoolGrid  # (R, C): clear cells of other parts, not reachable from the start


def clear_cells(free: BoolGrid, cell_m: float, radius_m: float) -> BoolGrid:
    """(R, C): cells with the radius clear around them."""
    return _clear(squared_distance(~free, True), radius_m / cell_m)


def _clear(distance2: NDArray[np.int32], radius_cells: float) -> BoolGrid:
    clear: BoolGrid = distance2 >= math.ceil((radius_cells + 0.5 - 1e-6) ** 2 - 1e-9)
    return clear


def floor_of(
    free: BoolGrid,
    geometry: GridGeometry,
    start_map: tuple[float, float] | None,
    radius_m: float,
    tool_reach_m: float,
    *,
    escape: bool,
) -> Floor:
    """Raises StartBlocked or NoFloor. `escape`: a start inside the margin begins at the nearest clear cell."""
    free = np.ascontiguousarray(free)
    radius_cells = radius_m / geometry.cell_m
    distance2 = squared_distance(~free, True)
    clear = _clear(distance2, radius_cells)
    if not clear.any():
        raise NoFloor(f"no cell of the map has {radius_m:.3f} m clear around it; give a smaller radius or another map")
    parts, count = ndimage.label(clear, EIGHT)
    start = None
    if start_map is None:
        part = int(np.argmax(np.bincount(parts.ravel(), minlength=count + 1)[1:])) + 1
    else:
        start = _start_cell(clear, geometry, start_map, radius_m, escape=escape)
        part = int(parts[start])
    centres: BoolGrid = parts == part
    touched = squared_distance(centres, False) <= (tool_reach_m / geometry.cell_m + 1e-6) ** 2
    gap = max(radius_cells - 0.5, 0.0)
    ground = (free, centre_gaps(free, distance2, gap), gap)
    return Floor(centres, touched & free, ground, start, clear & ~centres)


def nearest_clear(floor: Floor) -> NDArray[np.int32]:
    """(2, R, C): row and column of the clear cell nearest to each cell."""
    found: NDArray[np.int32] = ndimage.distance_transform_edt(
        ~floor.centres, return_distances=False, return_indices=True
    )
    return found


def _start_cell(
    clear: BoolGrid, geometry: GridGeometry, start_map: tuple[float, float], radius_m: float, *, escape: bool
) -> tuple[int, int]:
    point: FloatArray = np.array([start_map], dtype=np.float64)
    row, col = (int(value) for value in geometry.cells(point)[0])
    within = max(2 * radius_m, START_TOLERANCE_M) if escape else START_TOLERANCE_M
    cells = math.ceil(within / geometry.cell_m) + 1
    row0, col0 = max(row - cells, 0), max(col - cells, 0)
    block = np.argwhere(clear[row0 : max(row + cells + 1, 0), col0 : max(col + cells + 1, 0)]) + (row0, col0)
    if len(block):
        away_m = np.hypot(*(geometry.centres(block) - point).T)
        nearest = int(np.argmin(away_m))
        if away_m[nearest] <= within:
            return int(block[nearest, 0]), int(block[nearest, 1])
    x_m, y_m = start_map
    raise StartBlocked(
        f"start ({x_m:.2f}, {y_m:.2f}): nothing within {within:.2f} m has {radius_m:.3f} m clear around it"
    )
