"""Where the robot's centre may be, and which floor the tool can then touch.

Cells are squares; a centre stands clear when the nearest cell that is not free is radius + half a cell away, centre to
centre, which keeps the nearest square no nearer than the radius less half a cell along any straight line between clear
cells (docs: DESIGN's clearance rule). Outside the grid counts as not free.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from foundation.geometry import FloatArray
from navigation.coverage.errors import NoFloor, StartBlocked
from navigation.grid_geometry import GridGeometry

BoolGrid = NDArray[np.bool_]
EIGHT = np.ones((3, 3), dtype=bool)
START_TOLERANCE_M = 0.1


@dataclass(frozen=True, slots=True)
class Reach:
    """`centres`: cells the centre may stand on, all connected. `coverable`: floor within the tool's radius of them."""

    centres: BoolGrid  # (R, C)
    coverable: BoolGrid  # (R, C)
    start: tuple[int, int]
    outside: BoolGrid  # (R, C): clear cells of other parts, not reachable from the start


def clear_cells(free: BoolGrid, cell_m: float, radius_m: float) -> BoolGrid:
    """(R, C): cells with the radius clear around them."""
    distance = ndimage.distance_transform_edt(np.pad(free, 1))[1:-1, 1:-1]
    clear: BoolGrid = distance >= radius_m / cell_m + 0.5 - 1e-6
    return clear


def reachable(
    free: BoolGrid,
    geometry: GridGeometry,
    start_map: tuple[float, float] | None,
    radius_m: float,
    tool_radius_m: float,
    *,
    escape: bool,
) -> Reach:
    """Raises StartBlocked or NoFloor. `escape`: a start inside the margin begins at the nearest clear cell."""
    clear = clear_cells(free, geometry.cell_m, radius_m)
    if not clear.any():
        raise NoFloor(f"no cell of the map has {radius_m:.3f} m clear around it; give a smaller radius or another map")
    parts, count = ndimage.label(clear, EIGHT)
    if start_map is None:
        sizes = ndimage.sum_labels(clear, parts, np.arange(1, count + 1))
        part = int(np.argmax(sizes)) + 1
        rows, cols = np.nonzero(parts == part)
        start = int(rows[0]), int(cols[0])
    else:
        start = _start_cell(clear, geometry, start_map, radius_m, escape=escape)
        part = int(parts[start])
    centres: BoolGrid = parts == part
    reach = tool_radius_m / geometry.cell_m + 1e-6
    coverable: BoolGrid = (ndimage.distance_transform_edt(~centres) <= reach) & free
    return Reach(centres, coverable, start, clear & ~centres)


def _start_cell(
    clear: BoolGrid, geometry: GridGeometry, start_map: tuple[float, float], radius_m: float, *, escape: bool
) -> tuple[int, int]:
    point: FloatArray = np.array([start_map], dtype=np.float64)
    row, col = (int(value) for value in geometry.cells(point)[0])
    within = max(2 * radius_m, START_TOLERANCE_M) if escape else START_TOLERANCE_M
    cells = int(np.ceil(within / geometry.cell_m)) + 1
    row0, col0 = max(row - cells, 0), max(col - cells, 0)
    block = np.argwhere(clear[row0 : row + cells + 1, col0 : col + cells + 1]) + (row0, col0)
    if len(block):
        away_m = np.hypot(*(geometry.centres(block) - point).T)
        nearest = int(np.argmin(away_m))
        if away_m[nearest] <= within:
            return int(block[nearest, 0]), int(block[nearest, 1])
    x_m, y_m = start_map
    raise StartBlocked(
        f"start ({x_m:.2f}, {y_m:.2f}): nothing within {within:.2f} m has {radius_m:.3f} m clear around it"
    )
