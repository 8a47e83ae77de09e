"""Which lines to drive: passes along the border, straight swaths, and short strokes for what is left.

A stroke is a polyline of clear cells, drivable as it is. Strokes are chosen so that together they sweep the wanted
floor; the order is another file's. Each step only adds strokes that sweep something new.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from navigation.coverage.grid_kernels import border, disc_offsets, line_is_clear, straightened, sweep
from navigation.coverage.reach import EIGHT, BoolGrid, Reach

Line = NDArray[np.int32]  # (N, 2) of (row, col)
PATCH_ROUNDS = 8
MIN_GAIN_CELLS = 6  # a patch smaller than this is not worth a stroke


@dataclass(frozen=True, slots=True)
class Brush:
    """The tool in cells."""

    radius: float
    disc: NDArray[np.int32]  # (K, 2)

    @staticmethod
    def of(radius_cells: float) -> "Brush":
        return Brush(radius_cells, disc_offsets(radius_cells))


def strokes(reach: Reach, wanted: BoolGrid, brush: Brush, edge_passes: int) -> list[Line]:
    """Lines that together sweep `wanted`, but for specks."""
    swept = np.zeros(wanted.shape, np.int32)  # 1 where an earlier stroke passed
    chosen: list[Line] = []
    for turn in range(edge_passes):
        chosen += _border_strokes(reach.centres, wanted, swept, brush, inset=turn * 2 * brush.radius)
    chosen += _swaths(reach.centres, wanted, swept, brush)
    chosen += _border_strokes(reach.centres, wanted, swept, brush, inset=0.0)
    chosen += _patches(reach.centres, wanted, swept, brush)
    return chosen


def borders(centres: BoolGrid) -> list[Line]:
    """Every closed border of the clear cells, outer ones and those around holes."""
    visited = np.zeros(centres.shape, np.bool_)
    left = np.zeros_like(centres)
    left[:, 1:] = centres[:, :-1]
    starts = centres & ~left
    loops = []
    for row, col in np.argwhere(starts):
        if not visited[row, col]:
            loops.append(border(centres, int(row), int(col), visited))
    return loops


def _border_strokes(
    centres: BoolGrid, wanted: BoolGrid, swept: NDArray[np.int32], brush: Brush, inset: float
) -> list[Line]:
    """The parts of the border, `inset` cells inside, along which something wanted is still unswept."""
    inner = centres if inset == 0 else ndimage.distance_transform_edt(np.pad(centres, 1))[1:-1, 1:-1] > inset
    chosen = []
    for loop in borders(inner):
        needed = _near(wanted & (swept == 0), loop, brush)
        for part in _runs(loop, needed, bridge=int(4 * brush.radius), shortest=1):
            line = straightened(centres, part)
            if sweep_gain(swept, wanted, line, brush) >= MIN_GAIN_CELLS:
                chosen.append(line)
    return chosen


def sweep_gain(swept: NDArray[np.int32], wanted: BoolGrid, line: Line, brush: Brush) -> int:
    """Marks the line as swept and returns how many wanted cells are new by it."""
    row0, col0 = np.maximum(line.min(axis=0) - int(brush.radius) - 1, 0)
    row1, col1 = line.max(axis=0) + int(brush.radius) + 2
    block = (slice(row0, row1), slice(col0, col1))
    before = int(np.count_nonzero((swept[block] != 0) & wanted[block]))
    sweep(swept, 1, line, brush.disc)
    return int(np.count_nonzero((swept[block] != 0) & wanted[block])) - before


def _near(cells: BoolGrid, loop: Line, brush: Brush) -> BoolGrid:
    away = ndimage.distance_transform_edt(~cells) if cells.any() else np.full(cells.shape, np.inf)
    near: BoolGrid = away[loop[:, 0], loop[:, 1]] <= brush.radius + 1e-6
    return near


def _runs(loop: Line, needed: BoolGrid, *, bridge: int, shortest: int) -> list[Line]:
    """Parts of a closed loop whose cells are needed, gaps up to `bridge` cells included."""
    count = len(loop)
    if not needed.any():
        return []
    if needed.all():
        return [np.vstack([loop, loop[:1]]) if count > 2 else loop]
    first = int(np.flatnonzero(~needed)[0])
    loop, needed = np.roll(loop, -first, axis=0), np.roll(needed, -first)
    places = np.flatnonzero(needed)
    breaks = np.flatnonzero(np.diff(places) > bridge)
    starts, ends = places[np.r_[0, breaks + 1]], places[np.r_[breaks, len(places) - 1]]
    return [loop[start : end + 1] for start, end in zip(starts, ends, strict=True) if end - start + 1 >= shortest]


def _swaths(centres: BoolGrid, wanted: BoolGrid, swept: NDArray[np.int32], brush: Brush) -> list[Line]:
    """Rows or columns, whichever runs longer around a place, spread evenly over each region."""
    lying = _run_lengths(centres)
    upright = _run_lengths(centres.T).T
    blur = 4 * brush.radius
    along_rows = ndimage.gaussian_filter((lying >= upright).astype(np.float32), blur) >= 0.5
    unswept = wanted & (swept == 0)
    zone = _grown(unswept, brush.radius) & centres
    chosen = _region_swaths(centres, zone & along_rows, unswept, brush)
    chosen += [line[:, ::-1] for line in _region_swaths(centres.T, (zone & ~along_rows).T, unswept.T, brush)]
    kept = []
    for line in sorted(chosen, key=lambda item: -float(np.ptp(item, axis=0).sum())):
        if sweep_gain(swept, wanted, np.ascontiguousarray(line), brush) >= MIN_GAIN_CELLS:
            kept.append(np.ascontiguousarray(line))
    return kept


def _region_swaths(centres: BoolGrid, zone: BoolGrid, unswept: BoolGrid, brush: Brush) -> list[Line]:
    """Horizontal swaths, for each connected zone spread evenly from its first row to its last."""
    parts, _ = ndimage.label(zone, EIGHT)
    width = max(2 * brush.radius, 1.0)
    chosen = []
    for index, block in enumerate(ndimage.find_objects(parts), start=1):
        if block is None:
            continue
        mine = parts[block] == index
        rows = np.flatnonzero(mine.any(axis=1)) + block[0].start
        low, high = float(rows[0]), float(rows[-1])
        number = max(math.ceil((high - low) / width) + 1, 1)
        for row in np.unique(np.rint(np.linspace(low, high, number)).astype(int)) if high > low else [int(low)]:
            chosen += _row_swaths(centres, parts, index, unswept, int(row), brush)
    return chosen


def _row_swaths(
    centres: BoolGrid, parts: NDArray[np.int32], index: int, unswept: BoolGrid, row: int, brush: Brush
) -> list[Line]:
    reach = int(brush.radius)
    band = unswept[max(row - reach, 0) : row + reach + 1].any(axis=0)
    useful = (parts[row] == index) & band
    lines = []
    for first, last in _row_runs(centres[row]):
        cols = np.flatnonzero(useful[first : last + 1]) + first
        if len(cols):
            lines.append(np.array([[row, cols[0]], [row, cols[-1]]], np.int32))
    return lines


def _patches(centres: BoolGrid, wanted: BoolGrid, swept: NDArray[np.int32], brush: Brush) -> list[Line]:
    """Short strokes for what is still unswept: from the clear cells nearest to each patch."""
    chosen = []
    for _ in range(PATCH_ROUNDS):
        left = wanted & (swept == 0)
        parts, count = ndimage.label(left, EIGHT)
        if not count:
            break
        nearest = ndimage.distance_transform_edt(~centres, return_distances=False, return_indices=True)
        for index, block in enumerate(ndimage.find_objects(parts), start=1):
            cells = np.argwhere(parts[block] == index) + (block[0].start, block[1].start)
            if len(cells) < MIN_GAIN_CELLS:
                continue
            line = _stroke_over(cells, nearest, centres)
            if sweep_gain(swept, wanted, line, brush) >= MIN_GAIN_CELLS:
                chosen.append(line)
    return chosen


def _stroke_over(cells: NDArray[np.int64], nearest: NDArray[np.int32], centres: BoolGrid) -> Line:
    """From the clear cell nearest to the patch's one end to that nearest to its other, when a line joins them."""
    middle = cells.mean(axis=0)
    _, axes = np.linalg.eigh(np.cov((cells - middle).T) if len(cells) > 2 else np.eye(2))
    along = (cells - middle) @ axes[:, -1]
    ends = [cells[int(np.argmin(along))], cells[int(np.argmax(along))]]
    first, last = (nearest[:, row, col] for row, col in ends)
    if np.array_equal(first, last) or not line_is_clear(centres, *map(float, first), *map(float, last)):
        at = cells[int(np.argmin(np.abs(along)))]
        return np.array([nearest[:, at[0], at[1]]], np.int32)
    return np.array([first, last], np.int32)


def _run_lengths(mask: BoolGrid) -> NDArray[np.int32]:
    """(R, C): length of the horizontal run of clear cells through each cell."""
    length = np.zeros(mask.shape, np.int32)
    for row in range(len(mask)):
        for first, last in _row_runs(mask[row]):
            length[row, first : last + 1] = last - first + 1
    return length


def _row_runs(line: BoolGrid) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], line.astype(np.int8), [0]])))
    return [(int(edges[i]), int(edges[i + 1]) - 1) for i in range(0, len(edges), 2)]


def _grown(mask: BoolGrid, radius: float) -> BoolGrid:
    if not mask.any():
        return mask
    grown: BoolGrid = ndimage.distance_transform_edt(~mask) <= radius
    return grown
