"""Smooth edges in a picture drawn with one sample a pixel: only pixels beside another geom are looked at again.

A software renderer that takes four samples in every pixel needs twice the time, though all but one pixel in forty lie
inside of one geom. For the others four rays are cast at the geoms around, exactly, and the pixel becomes the mean of
the colours that these geoms have next to it. Edges between two faces of one box stay as they were drawn.
"""

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from foundation.geometry import FloatArray
from simulation.standin.view_solids import met_at

# Where in a pixel the four samples lie, right and down from its centre: no two in one row or column, as in hardware.
SAMPLES_PX: Final = ((-0.125, -0.375), (0.375, -0.125), (-0.375, 0.125), (0.125, 0.375))


@njit(cache=True)  # type: ignore[untyped-decorator]
def smoothed(
    drawn: NDArray[np.uint8],
    geoms: NDArray[np.int32],
    kinds: NDArray[np.int64],
    frames: FloatArray,
    tangents: tuple[float, float],
) -> NDArray[np.uint8]:
    """(H, W, 3) top row first, of `drawn` (H, W, 3) as OpenGL gives it, bottom first, and `geoms` (H, W), top first.

    `kinds` and `frames` of all geoms as `view_solids.seen_from` tells them; `tangents` are of half the view across and
    up.
    """
    height, width = geoms.shape
    out = drawn[::-1].copy()
    around = np.empty(9, np.int64)
    total = np.empty(3)
    for row in range(height):
        for col in range(width):
            own = geoms[row, col]
            if (
                geoms[max(row - 1, 0), col] == own
                and geoms[min(row + 1, height - 1), col] == own
                and geoms[row, max(col - 1, 0)] == own
                and geoms[row, min(col + 1, width - 1)] == own
            ):
                continue
            count, nothing_beside = _neighbours(geoms, row, col, around)
            total[:] = 0.0
            for right_px, down_px in SAMPLES_PX:
                across = ((col + 0.5 + right_px) / width * 2 - 1) * tangents[0]
                up = (1 - (row + 0.5 + down_px) / height * 2) * tangents[1]
                nearest, seen = np.inf, np.int64(-1 if nothing_beside else own)
                for n in range(count):
                    geom = around[n]
                    if kinds[geom] < 0:
                        continue
                    distance = met_at(kinds, frames, geom, across, up, 1.0)
                    if 0 < distance < nearest:
                        nearest, seen = distance, geom
                from_row, from_col = row, col
                if seen != own:
                    from_row, from_col = _nearest_pixel(geoms, row, col, down_px, right_px, seen)
                for k in range(3):
                    total[k] += drawn[height - 1 - from_row, from_col, k]
            for k in range(3):
                out[row, col, k] = np.uint8(total[k] / len(SAMPLES_PX) + 0.5)
    return out


@njit(cache=True)  # type: ignore[untyped-decorator]
def _neighbours(geoms: NDArray[np.int32], row: int, col: int, found: NDArray[np.int64]) -> tuple[int, bool]:
    """How many geoms show in the nine pixels around, into `found` (9,), and whether one of them shows none."""
    count, nothing = 0, False
    for i in range(max(row - 1, 0), min(row + 2, geoms.shape[0])):
        for j in range(max(col - 1, 0), min(col + 2, geoms.shape[1])):
            known = geoms[i, j] < 0
            nothing |= known
            for n in range(count):
                known |= found[n] == geoms[i, j]
            if not known:
                found[count] = geoms[i, j]
                count += 1
    return count, nothing


@njit(cache=True)  # type: ignore[untyped-decorator]
def _nearest_pixel(
    geoms: NDArray[np.int32], row: int, col: int, down_px: float, right_px: float, wanted: int
) -> tuple[int, int]:
    """Of the nine pixels around, the nearest to the sample that shows `wanted`; the middle one when none does."""
    found_row, found_col, closest = row, col, np.inf
    for i in range(max(row - 1, 0), min(row + 2, geoms.shape[0])):
        for j in range(max(col - 1, 0), min(col + 2, geoms.shape[1])):
            away = (i - row - down_px) ** 2 + (j - col - right_px) ** 2
            if geoms[i, j] == wanted and away < closest:
                found_row, found_col, closest = i, j, away
    return found_row, found_col
