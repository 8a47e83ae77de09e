"""A route kept when something has appeared on it: clear stretches stay, blocked ones are led round the shortest way."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foundation.geometry import FloatArray
from navigation.coverage.clearance import line_clear
from navigation.coverage.floor import BoolGrid, Floor, floor_of
from navigation.coverage.ways import Line, Ways
from navigation.grid_geometry import GridGeometry

PIECE_M = 0.4  # a blocked leg is given up in pieces of this length
_SAME_CELLS = 1e-6
SNAP_CELLS = 2  # a corner pressed against the margin may be led to a clear cell this near


@dataclass(frozen=True, slots=True)
class Repaired:
    """`points_map` (N, 2), safe; `skipped_m`: length of the old route that can no longer be driven."""

    points_map: FloatArray
    skipped_m: float


def repaired(free: BoolGrid, geometry: GridGeometry, route_map: FloatArray, clearance_m: float) -> Repaired:
    """The route (N, 2), N >= 1, made safe on the floor as it is now. Raises StartBlocked when its begin is shut in.

    What it costs follows the route and the way round, not a new plan: order and swaths stay.
    """
    floor = floor_of(free, geometry, (float(route_map[0, 0]), float(route_map[0, 1])), clearance_m, 0.0, escape=True)
    corners = _in_pieces(route_map, geometry)
    ways: Ways | None = None
    assert floor.start is not None
    start = np.array(floor.start, np.float64)
    line: list[Line] = [start]
    if not np.array_equal(corners[0], start):
        line = [corners[0], start] if not _clear(floor, corners[0], start) else [start, corners[0]]
    skipped_cells = 0.0
    for before, corner in itertools.pairwise(corners):
        if _clear(floor, line[-1], corner):
            line.append(corner)
            continue
        skipped_cells += float(np.hypot(*(corner - before)))
        goal = _clear_cell(floor, corner, joined=False)
        if goal is None:
            continue
        while (here := _clear_cell(floor, line[-1], joined=True)) is None:
            line.pop()  # pressed into a corner that no clear cell can be reached from
        ways = ways or Ways(floor.ground, floor.centres)
        line += list(ways.between(here, goal))
    cells = np.array(line)
    cells = _apart(cells)
    cells = cells[_bends(cells)]
    xy = np.stack([cells[:, 1] + 0.5, cells[:, 0] + 0.5], axis=1) * geometry.cell_m
    return Repaired(xy + (geometry.origin_x_m, geometry.origin_y_m), skipped_cells * geometry.cell_m)


def _in_pieces(route_map: FloatArray, geometry: GridGeometry) -> Line:
    """(N, 2) of (row, col) with legs no longer than a piece."""
    origin = np.array([geometry.origin_x_m, geometry.origin_y_m])
    cells = ((route_map - origin) / geometry.cell_m - 0.5)[:, ::-1]
    pieces = [cells[:1]]
    for a, b in itertools.pairwise(cells):
        count = max(int(np.ceil(np.hypot(*(b - a)) * geometry.cell_m / PIECE_M)), 1)
        pieces.append(a + (b - a) * np.linspace(1 / count, 1, count)[:, None])
    return np.concatenate(pieces)


def _clear(floor: Floor, a: Line, b: Line) -> bool:
    return bool(line_clear(floor.ground, a[0], a[1], b[0], b[1]))


def _clear_cell(floor: Floor, place: Line, *, joined: bool) -> Line | None:
    """The clear cell nearest to a place, when one is near; `joined`: with a clear line to it."""
    row, col = (int(value) for value in np.rint(place))
    row0, col0 = max(row - SNAP_CELLS, 0), max(col - SNAP_CELLS, 0)
    near = np.argwhere(floor.centres[row0 : max(row + SNAP_CELLS + 1, 0), col0 : max(col + SNAP_CELLS + 1, 0)])
    near = (near + (row0, col0)).astype(np.float64)
    for index in np.argsort(np.hypot(*(near - place).T), kind="stable"):
        if not joined or _clear(floor, place, near[index]):
            cell: Line = near[index]
            return cell
    return None


def _apart(cells: Line) -> Line:
    """Without repeated points: where one lies a rounding error beside the next, neither would look like a corner."""
    moved = np.abs(np.diff(cells, axis=0)).max(axis=1) > _SAME_CELLS
    return np.asarray(cells[np.append(True, moved)])


def _bends(cells: Line) -> NDArray[np.bool_]:
    """(N,): False at corners where the line goes straight on."""
    keep = np.ones(len(cells), np.bool_)
    if len(cells) > 2:
        a, b = np.diff(cells, axis=0)[:-1], np.diff(cells, axis=0)[1:]
        cross = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
        keep[1:-1] = (cross > 1e-6) | (np.sum(a * b, axis=1) < 0)
    return keep
