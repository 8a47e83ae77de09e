"""The best place for a scan in a wide window of a local map, found without looking at every cell (Hess 2016).

Grids of the likelihood's maximum over blocks of 1, 2, 4, ... cells bound the score of whole blocks of shifts, so that
most are never opened. The answer is the lattice's best pose above a threshold, or none.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from foundation.geometry import FloatArray, Pose2D
from navigation.local_map import LocalMap

LEVELS: Final = 6  # blocks of up to 32 cells


@dataclass(frozen=True, slots=True)
class Window:
    """Where to look around a guess."""

    half_m: float
    half_rad: float
    step_rad: float = 0.02


def pyramid(ground: LocalMap) -> NDArray[np.uint8]:
    """Bounds for `search`: made once when one map is searched many times."""
    levels: NDArray[np.uint8] = _pyramid(ground.likelihood)
    return levels


def search(
    points_base: FloatArray,  # (N, 2)
    ground: LocalMap,
    levels: NDArray[np.uint8],  # pyramid(ground)
    guess: Pose2D,
    window: Window,
    min_score: float,
) -> Pose2D | None:
    """anchor_from_base of the lattice pose with the best mean likelihood, when that is above `min_score` (0..1)."""
    if ground.empty or len(points_base) == 0:
        return None
    half_turns = max(0, math.ceil(window.half_rad / window.step_rad))
    found, pose = _search(
        points_base,
        np.array([guess.x_m, guess.y_m, guess.heading_rad]),
        levels,
        ground.origin_x_m,
        ground.origin_y_m,
        ground.cell_m,
        max(1, math.ceil(window.half_m / ground.cell_m)),
        half_turns,
        window.step_rad,
        int(min_score * 255 * len(points_base)),
    )
    return Pose2D(float(pose[0]), float(pose[1]), float(pose[2])) if found else None


@njit(cache=True, nogil=True)
def _pyramid(likelihood):  # type: ignore[no-untyped-def]
    """(LEVELS, R + P, C + P), P = 2 ** (LEVELS - 1).

    Cell (r, c) of level h is the maximum of the 2**h x 2**h cells from (r - P, c - P) on.
    """
    pad = 1 << (LEVELS - 1)
    rows, cols = likelihood.shape[0] + pad, likelihood.shape[1] + pad
    levels = np.zeros((LEVELS, rows, cols), dtype=np.uint8)
    levels[0, pad:, pad:] = likelihood
    for level in range(1, LEVELS):
        half = 1 << (level - 1)
        below, above = levels[level - 1], levels[level]
        for row in range(rows):
            other = min(row + half, rows - 1)
            for col in range(cols):
                right = min(col + half, cols - 1)
                above[row, col] = max(
                    max(below[row, col], below[row, right]), max(below[other, col], below[other, right])
                )
    return levels


@njit(cache=True, nogil=True)
def _score(grid, cells, count, shift_row, shift_col):  # type: ignore[no-untyped-def]
    rows, cols = grid.shape
    total = 0
    for i in range(count):
        row, col = cells[i, 0] + shift_row, cells[i, 1] + shift_col
        if row >= 0 and row < rows and col >= 0 and col < cols:
            total += grid[row, col]
    return total


@njit(cache=True, nogil=True)
def _search(points, guess, levels, x0, y0, cell, half, half_turns, step, least):  # type: ignore[no-untyped-def]
    pad = 1 << (LEVELS - 1)
    count = len(points)
    turns = 2 * half_turns + 1
    cells = np.empty((turns, count, 2), dtype=np.int32)
    for k in range(turns):
        angle = guess[2] + (k - half_turns) * step
        c, s = math.cos(angle), math.sin(angle)
        for i in range(count):
            x = c * points[i, 0] - s * points[i, 1] + guess[0] - x0
            y = s * points[i, 0] + c * points[i, 1] + guess[1] - y0
            cells[k, i, 0], cells[k, i, 1] = math.floor(y / cell) + pad, math.floor(x / cell) + pad
    top = LEVELS - 1
    blocks = (2 * half) // (1 << top) + 1
    size = turns * blocks * blocks
    bounds = np.empty(size, dtype=np.int32)
    for k in range(turns):
        for a in range(blocks):
            for b in range(blocks):
                shift_row, shift_col = -half + (a << top), -half + (b << top)
                bounds[(k * blocks + a) * blocks + b] = _score(levels[top], cells[k], count, shift_row, shift_col)
    order = np.argsort(bounds)[::-1]
    best = least
    found = False
    result = guess.copy()
    stack = np.empty((4 * LEVELS * 4, 4), dtype=np.int32)  # level, shift_row, shift_col, bound
    for n in range(size):
        if bounds[order[n]] <= best:
            break
        k = order[n] // (blocks * blocks)
        rest = order[n] % (blocks * blocks)
        stack[0, 0], stack[0, 1], stack[0, 2] = top, -half + ((rest // blocks) << top), -half + ((rest % blocks) << top)
        stack[0, 3] = bounds[order[n]]
        depth = 1
        while depth > 0:
            depth -= 1
            level, shift_row, shift_col, bound = stack[depth]
            if bound <= best:
                continue
            if level == 0:
                best, found = bound, True
                result[0], result[1] = guess[0] + shift_col * cell, guess[1] + shift_row * cell
                result[2] = guess[2] + (k - half_turns) * step
                continue
            width = 1 << (level - 1)
            first = depth
            for a in range(2):
                for b in range(2):
                    bound = _score(levels[level - 1], cells[k], count, shift_row + a * width, shift_col + b * width)
                    if bound > best:
                        # the most promising child is opened first: keep the stack sorted from here on
                        place = depth
                        while place > first and stack[place - 1, 3] > bound:
                            stack[place] = stack[place - 1]
                            place -= 1
                        stack[place, 0], stack[place, 3] = level - 1, bound
                        stack[place, 1], stack[place, 2] = shift_row + a * width, shift_col + b * width
                        depth += 1
    return found, result
