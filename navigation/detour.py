"""A blocked stretch of a route replaced by the shortest clear way around it; the rest of the route stays as planned.

In: the route (N, 2) in `map`, where the robot is on it, the floor free now. Out: the mended route, or None when no
short way leads around, so that the whole route must be planned again. What the detour leaves out is covered later.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from foundation.geometry import FloatArray
from navigation.coverage_planner import CoverageError, safe_path
from navigation.free_floor import blocked_discs
from navigation.grid_geometry import GridGeometry

BoolGrid = NDArray[np.bool_]
_STEP_M: Final = 0.03
_CLEAR_AGAIN_M: Final = 0.06  # of the route beyond the blocked stretch
_WINDOW_M: Final = 1.2  # around both ends of the blocked stretch
_DETOUR_MAX_M: Final = 2.5  # longer than the stretch it replaces


def blocked_stretches(
    free: BoolGrid, geometry: GridGeometry, points: FloatArray, arc_m: FloatArray, from_m: float, keep_m: float
) -> list[tuple[float, float]]:
    """Arc lengths (begin, end) of the parts of the route beyond `from_m` that are nearer than `keep_m` to anything."""
    along_m = np.arange(from_m, arc_m[-1], _STEP_M)
    if not len(along_m):
        return []
    places = np.stack([np.interp(along_m, arc_m, points[:, axis]) for axis in (0, 1)], axis=1)
    cells = (places - (geometry.origin_x_m, geometry.origin_y_m)) / geometry.cell_m
    blocked = blocked_discs(free, cells, keep_m / geometry.cell_m)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], blocked, [False]]).astype(np.int8)))
    return [(float(along_m[a]), float(along_m[b - 1])) for a, b in zip(edges[::2], edges[1::2])]


def mended(
    free: BoolGrid,
    geometry: GridGeometry,
    points: FloatArray,  # (N, 2) in map
    arc_m: FloatArray,  # (N,)
    progress_m: float,
    clearance_m: float,
    keep_m: float,
    leave_before_m: float,
    within_m: float,
) -> FloatArray | None:
    """(M, 2): the route from the place at `progress_m` on, with the stretches blocked that begin `within_m` bypassed.

    What blocks the route further on is looked at again from nearby: until then it may turn out smaller, or nothing.
    """
    stretches = _joined(blocked_stretches(free, geometry, points, arc_m, progress_m, keep_m), leave_before_m)
    stretches = [stretch for stretch in stretches if stretch[0] < progress_m + within_m]
    pieces = []
    here_m = progress_m
    for begin_m, end_m in stretches:
        leave_m = max(here_m, begin_m - leave_before_m)
        pieces.append(_part(points, arc_m, here_m, leave_m))
        rejoin_m = end_m + _CLEAR_AGAIN_M
        if rejoin_m >= arc_m[-1]:  # the route ends inside: stop before it
            here_m = float(arc_m[-1])
            break
        ends = _at(points, arc_m, leave_m), _at(points, arc_m, rejoin_m)
        way = _way(free, geometry, *ends, clearance_m + geometry.cell_m)  # a way round need not brush what it passes
        if way is None or _length(way) > end_m - begin_m + _DETOUR_MAX_M:
            way = _way(free, geometry, *ends, clearance_m)
        if way is None or _length(way) > end_m - begin_m + _DETOUR_MAX_M:
            return None
        pieces.append(way)
        here_m = rejoin_m
    if here_m < arc_m[-1]:
        pieces.append(_part(points, arc_m, here_m, float(arc_m[-1])))
    return np.concatenate(pieces) if pieces else None


def _joined(stretches: list[tuple[float, float]], apart_m: float) -> list[tuple[float, float]]:
    """Stretches with too little clear route between them are one."""
    joined: list[tuple[float, float]] = []
    for begin_m, end_m in stretches:
        if joined and begin_m - joined[-1][1] < 2 * apart_m + _CLEAR_AGAIN_M:
            joined[-1] = (joined[-1][0], end_m)
        else:
            joined.append((begin_m, end_m))
    return joined


def _way(
    free: BoolGrid, geometry: GridGeometry, start: FloatArray, goal: FloatArray, clearance_m: float
) -> FloatArray | None:
    """Searched in a window around both ends: its cost does not grow with the flat."""
    low, high = np.minimum(start, goal) - _WINDOW_M, np.maximum(start, goal) + _WINDOW_M
    (row0, col0), (row1, col1) = geometry.cells(np.stack([low, high]))
    row0, col0 = max(int(row0), 0), max(int(col0), 0)
    row1, col1 = min(int(row1) + 1, geometry.rows), min(int(col1) + 1, geometry.cols)
    window = GridGeometry(
        geometry.origin_x_m + col0 * geometry.cell_m,
        geometry.origin_y_m + row0 * geometry.cell_m,
        geometry.cell_m,
        row1 - row0,
        col1 - col0,
    )
    block = np.ascontiguousarray(free[row0:row1, col0:col1])
    try:
        way = safe_path(block, window, (start[0], start[1]), (goal[0], goal[1]), clearance_m)
    except CoverageError:
        return None
    return np.concatenate([start[None], way, goal[None]])


def _part(points: FloatArray, arc_m: FloatArray, begin_m: float, end_m: float) -> FloatArray:
    inside = (arc_m > begin_m + 1e-6) & (arc_m < end_m - 1e-6)
    return np.concatenate([_at(points, arc_m, begin_m)[None], points[inside], _at(points, arc_m, end_m)[None]])


def _at(points: FloatArray, arc_m: FloatArray, along_m: float) -> FloatArray:
    return np.array([np.interp(along_m, arc_m, points[:, 0]), np.interp(along_m, arc_m, points[:, 1])])


def _length(way: FloatArray) -> float:
    return float(np.hypot(*np.diff(way, axis=0).T).sum())
