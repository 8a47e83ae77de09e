"""Shapes that a user draws on the floor, as cells of a grid: polygons, discs, and walls that are only drawn.

In: corners and centres in `map`, metres. Out: cells (R, C) whose centre lies inside, or within a margin of the edge.
Whether a polygon is one at all is told by `fault_of`; the rest takes sound shapes.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from foundation.geometry import FloatArray
from navigation.grid_geometry import CellRect, GridGeometry

BoolGrid = NDArray[np.bool_]
Point = tuple[float, float]  # (x_m, y_m) in map


def fault_of(corners: Sequence[Point]) -> str | None:
    """Why these corners enclose no floor; None when they do. Either way round, convex or not, but no edge crosses."""
    if len(corners) < 3:
        return f"{len(corners)} corners, a polygon has at least 3"
    edges = list(zip(corners, [*corners[1:], corners[0]]))
    for (i, first), (k, second) in itertools.combinations(enumerate(edges), 2):
        beside = k == i + 1 or (i == 0 and k == len(edges) - 1)
        if not beside and _cross(*first, *second):
            return f"the edge from {first[0]} crosses the one from {second[0]}"
    if abs(area_m2(corners)) < 1e-4:
        return f"its corners enclose {abs(area_m2(corners)):.6f} m2, at least 0.0001 are wanted"
    return None


def area_m2(corners: Sequence[Point]) -> float:
    """Positive when the corners run counter-clockwise."""
    return sum(ax * by - bx * ay for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]])) / 2


def wall_corners(start: Point, end: Point, width_m: float) -> tuple[Point, ...]:
    """The oblong of a virtual wall, counter-clockwise; it ends where it is drawn to end."""
    length_m = math.dist(start, end)
    across_x_m = -(end[1] - start[1]) / length_m * width_m / 2
    across_y_m = (end[0] - start[0]) / length_m * width_m / 2
    return (
        (start[0] - across_x_m, start[1] - across_y_m),
        (end[0] - across_x_m, end[1] - across_y_m),
        (end[0] + across_x_m, end[1] + across_y_m),
        (start[0] + across_x_m, start[1] + across_y_m),
    )


def polygon_gap_m(corners: Sequence[Point], point: Point) -> float:
    """From a point to the polygon's edge, negative inside (even and odd crossings)."""
    x_m, y_m = point
    nearest_m, inside = math.inf, False
    for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]]):
        along_x, along_y = bx - ax, by - ay
        length_m2 = along_x**2 + along_y**2
        share = ((x_m - ax) * along_x + (y_m - ay) * along_y) / length_m2 if length_m2 else 0.0
        share = min(max(share, 0.0), 1.0)
        nearest_m = min(nearest_m, math.hypot(x_m - ax - share * along_x, y_m - ay - share * along_y))
        if (ay > y_m) != (by > y_m) and x_m < ax + (y_m - ay) / along_y * along_x:
            inside = not inside
    return -nearest_m if inside else nearest_m


def polygon_cells(geometry: GridGeometry, corners: Sequence[Point], margin_m: float = 0.0) -> BoolGrid:
    """(R, C): centres inside the polygon, by even and odd crossings, or within `margin_m` of its edge."""
    cells = np.zeros(geometry.shape, dtype=np.bool_)
    points = np.array(corners, dtype=np.float64)
    rect = _rect(geometry, points.min(axis=0) - margin_m, points.max(axis=0) + margin_m)
    x_m, y_m = _centres(geometry, rect)
    inside = np.zeros((len(y_m), len(x_m)), dtype=np.bool_)
    near = np.zeros_like(inside)
    for (ax, ay), (bx, by) in zip(points, np.roll(points, -1, axis=0)):
        if ay != by:
            meets_x_m = ax + (y_m - ay) / (by - ay) * (bx - ax)
            inside ^= ((ay > y_m) != (by > y_m))[:, None] & (x_m[None, :] < meets_x_m[:, None])
        if margin_m > 0:
            near |= _near_edge(x_m, y_m, (ax, ay), (bx, by), margin_m)
    cells[rect.slices()] = inside | near
    return cells


def disc_cells(geometry: GridGeometry, centre: Point, radius_m: float) -> BoolGrid:
    """(R, C): centres at most `radius_m` away."""
    cells = np.zeros(geometry.shape, dtype=np.bool_)
    middle = np.array(centre, dtype=np.float64)
    rect = _rect(geometry, middle - radius_m, middle + radius_m)
    x_m, y_m = _centres(geometry, rect)
    cells[rect.slices()] = np.hypot(y_m[:, None] - centre[1], x_m[None, :] - centre[0]) <= radius_m
    return cells


def _rect(geometry: GridGeometry, low_map: FloatArray, high_map: FloatArray) -> CellRect:
    (row0, col0), (row1, col1) = geometry.cells(np.stack([low_map, high_map])).tolist()
    clipped = CellRect(row0, col0, row1 + 1, col1 + 1).grown(0, *geometry.shape)
    return CellRect(0, 0, 0, 0) if clipped.empty else clipped


def _centres(geometry: GridGeometry, rect: CellRect) -> tuple[FloatArray, FloatArray]:
    """x (cols,) and y (rows,) of the block's cell centres, in `map`."""
    cols, rows = np.arange(rect.col0, rect.col1, dtype=np.float64), np.arange(rect.row0, rect.row1, dtype=np.float64)
    return geometry.origin_x_m + (cols + 0.5) * geometry.cell_m, geometry.origin_y_m + (rows + 0.5) * geometry.cell_m


def _near_edge(x_m: FloatArray, y_m: FloatArray, start: Point, end: Point, margin_m: float) -> BoolGrid:
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    off_x, off_y = x_m[None, :] - start[0], y_m[:, None] - start[1]
    length2 = along_x**2 + along_y**2
    share = np.clip((off_x * along_x + off_y * along_y) / length2, 0.0, 1.0) if length2 > 0 else np.zeros((1, 1))
    near: BoolGrid = (off_x - share * along_x) ** 2 + (off_y - share * along_y) ** 2 <= margin_m**2
    return near


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether two edges that share no corner touch."""

    def side(p: Point, q: Point, r: Point) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    def between(p: Point, q: Point, r: Point) -> bool:
        return min(p[0], q[0]) <= r[0] <= max(p[0], q[0]) and min(p[1], q[1]) <= r[1] <= max(p[1], q[1])

    sides = side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)
    if sides[0] * sides[1] < 0 and sides[2] * sides[3] < 0:
        return True
    ends = ((sides[0], a, b, c), (sides[1], a, b, d), (sides[2], c, d, a), (sides[3], c, d, b))
    return any(value == 0 and between(p, q, r) for value, p, q, r in ends)
