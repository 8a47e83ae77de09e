"""Which geom each pixel shows, exactly: the labels of a picture, and what its edges are smoothed by.

OpenGL could paint numbers instead of colours, but a software renderer takes as long for that picture as for the first
one, and makes a ball of hundreds of flat faces. Here a box is at most three flat faces, filled row by row, and only a
pixel of a round geom costs a ray of its own. On a flat face one over the distance ahead is linear in the picture
(Blinn, "Hyperbolic interpolation", 1992): an addition a pixel tells what lies before what.
"""

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from foundation.geometry import FloatArray
from simulation.ray_solids import KINDS
from simulation.standin.view_solids import ACROSS, AHEAD, HALF, PLANE, START, UP, met_at

_BOX: Final = KINDS["box"]
_CYLINDER: Final = KINDS["cylinder"]
_CAPSULE: Final = KINDS["capsule"]
_NEAREST_M: Final = 0.01  # nearer to the eye nothing is seen


@njit(cache=True)  # type: ignore[untyped-decorator]
def geoms_seen(
    shown: NDArray[np.bool_],
    kinds: NDArray[np.int64],
    frames: FloatArray,
    tangents: tuple[float, float],
    height: int,
    width: int,
) -> NDArray[np.int32]:
    """(H, W) top row first, -1 where there is none.

    `shown` (G,) says which geoms are drawn; `kinds` and `frames` as `view_solids.seen_from` tells them; `tangents` are
    of half the view across and up.
    """
    geoms = np.full((height, width), -1, np.int32)
    nearness = np.zeros((height, width))  # one over the distance ahead
    corners, clipped = np.empty((4, 3)), np.empty((5, 2))
    left, right = np.empty(height), np.empty(height)
    for geom in range(len(kinds)):
        if not shown[geom]:
            continue
        if kinds[geom] == PLANE:
            if frames[geom, START, 2] > 0:
                left[:], right[:] = -0.5, width
                _fill(geoms, nearness, geom, 2, -frames[geom, START, 2], frames, tangents, left, right)
        elif kinds[geom] == _BOX:
            for axis in range(3):
                start, half = frames[geom, START, axis], frames[geom, HALF, axis]
                if abs(start) > half:
                    side = math.copysign(half, start)
                    _face(frames, geom, axis, side, corners)
                    count = _projected(corners, tangents, height, width, clipped)
                    if _rows_of(clipped, count, left, right):
                        _fill(geoms, nearness, geom, axis, side - start, frames, tangents, left, right)
        elif kinds[geom] >= 0:
            _draw_round(geoms, nearness, geom, kinds, frames, tangents)
    return geoms


@njit(cache=True)  # type: ignore[untyped-decorator]
def _face(frames: FloatArray, geom: int, axis: int, side: float, corners: FloatArray) -> None:
    """The four corners, in turn, of the box's face at `side` of its `axis`: (4, 3) right, up and ahead of the eye."""
    one = (axis + 1) % 3
    for i in range(4):
        right = up = ahead = 0.0
        for k in range(3):
            half = frames[geom, HALF, k]
            if k == axis:
                place = side
            elif k == one:
                place = half if i in (0, 1) else -half
            else:
                place = half if i in (0, 3) else -half
            away = place - frames[geom, START, k]
            right += away * frames[geom, ACROSS, k]
            up += away * frames[geom, UP, k]
            ahead -= away * frames[geom, AHEAD, k]
        corners[i, 0], corners[i, 1], corners[i, 2] = right, up, ahead


@njit(cache=True)  # type: ignore[untyped-decorator]
def _projected(corners: FloatArray, tangents: tuple[float, float], height: int, width: int, points: FloatArray) -> int:
    """How many points (5, 2), column and row with pixels' centres at whole numbers, the face shows ahead of the eye."""
    count = 0
    for i in range(4):
        j = (i + 1) % 4
        near, far = corners[i, 2] - _NEAREST_M, corners[j, 2] - _NEAREST_M
        if near >= 0:
            count = _put_point(corners, i, j, 0.0, tangents, height, width, points, count)
        if (near < 0) != (far < 0):  # where the side passes the nearest distance
            count = _put_point(corners, i, j, near / (near - far), tangents, height, width, points, count)
    return count


@njit(cache=True)  # type: ignore[untyped-decorator]
def _put_point(
    corners: FloatArray,
    i: int,
    j: int,
    share: float,
    tangents: tuple[float, float],
    height: int,
    width: int,
    points: FloatArray,
    count: int,
) -> int:
    """One more point of the picture: `share` of the way from corner i to corner j; returns how many there are."""
    x = corners[i, 0] + share * (corners[j, 0] - corners[i, 0])
    y = corners[i, 1] + share * (corners[j, 1] - corners[i, 1])
    z = max(corners[i, 2] + share * (corners[j, 2] - corners[i, 2]), _NEAREST_M)
    points[count, 0] = (x / z / tangents[0] + 1) / 2 * width - 0.5
    points[count, 1] = (1 - y / z / tangents[1]) / 2 * height - 0.5
    return count + 1


@njit(cache=True)  # type: ignore[untyped-decorator]
def _rows_of(points: FloatArray, count: int, left: FloatArray, right: FloatArray) -> bool:
    """From where to where (H,) each row of pixels lies within the convex outline; False when none does."""
    height, low, high = len(left), np.inf, -np.inf
    for i in range(count):
        low, high = min(low, points[i, 1]), max(high, points[i, 1])
    first, last = max(math.ceil(max(low, 0.0)), 0), math.ceil(min(high, float(height))) - 1
    left[:], right[:] = np.inf, -np.inf
    if count < 3 or first > last:
        return False
    for i in range(count):
        j = i + 1 if i + 1 < count else 0
        x0, y0, x1, y1 = points[i, 0], points[i, 1], points[j, 0], points[j, 1]
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        if y0 == y1:
            continue
        slope = (x1 - x0) / (y1 - y0)
        for row in range(max(math.ceil(y0), first), min(math.ceil(y1) - 1, last) + 1):
            x = x0 + slope * (row - y0)
            left[row], right[row] = min(left[row], x), max(right[row], x)
    return True


@njit(cache=True)  # type: ignore[untyped-decorator]
def _fill(
    geoms: NDArray[np.int32],
    nearness: FloatArray,
    geom: int,
    axis: int,
    away: float,
    frames: FloatArray,
    tangents: tuple[float, float],
    left: FloatArray,
    right: FloatArray,
) -> None:
    """Puts `geom` where its face, `away` from the eye along its own `axis`, lies before what is there."""
    height, width = geoms.shape
    by_col = frames[geom, ACROSS, axis] * tangents[0] * 2 / width / away
    by_row = -frames[geom, UP, axis] * tangents[1] * 2 / height / away
    across, up = (1 / width - 1) * tangents[0], (1 - 1 / height) * tangents[1]  # of the first pixel's centre
    first = (across * frames[geom, ACROSS, axis] + up * frames[geom, UP, axis] - frames[geom, AHEAD, axis]) / away
    for row in range(height):
        if not left[row] < right[row]:
            continue
        start = max(math.ceil(max(left[row], 0.0)), 0)
        stop = math.ceil(min(right[row], float(width)))
        begin = first + row * by_row
        for col in range(start, stop):
            near = begin + col * by_col
            if near > nearness[row, col]:
                nearness[row, col] = near
                geoms[row, col] = geom


@njit(cache=True)  # type: ignore[untyped-decorator]
def _draw_round(
    geoms: NDArray[np.int32],
    nearness: FloatArray,
    geom: int,
    kinds: NDArray[np.int64],
    frames: FloatArray,
    tangents: tuple[float, float],
) -> None:
    """Puts a round geom where it lies before what is there."""
    height, width = geoms.shape
    left_px, right_px = _span(kinds[geom], frames, geom, ACROSS, tangents[0], width)
    low_px, high_px = _span(kinds[geom], frames, geom, UP, tangents[1], height)
    for row in range(height - high_px, height - low_px):
        up = (1 - (row + 0.5) / height * 2) * tangents[1]
        for col in range(left_px, right_px):
            across = ((col + 0.5) / width * 2 - 1) * tangents[0]
            distance = met_at(kinds, frames, geom, across, up, 1.0)
            if distance > 0 and 1 / distance > nearness[row, col]:
                nearness[row, col] = 1 / distance
                geoms[row, col] = geom


@njit(cache=True)  # type: ignore[untyped-decorator]
def _span(kind: int, frames: FloatArray, geom: int, axis: int, tangent: float, pixels: int) -> tuple[int, int]:
    """First and behind the last pixel along one axis of the picture (ACROSS or UP) that the geom can touch.

    A cylinder lies between its two discs, a capsule between two balls: ellipsoids all, whose outlines are conics.
    """
    reach, flat = 0.0, 1.0
    if kind == _CYLINDER:
        reach, flat = frames[geom, HALF, 2], 0.0
    elif kind == _CAPSULE:
        reach, flat = frames[geom, HALF, 2] - frames[geom, HALF, 0], frames[geom, HALF, 0] / frames[geom, HALF, 2]
    aside = ahead = spread = depth = both = 0.0  # of its middle from the eye; of its shape
    for k in range(3):
        aside -= frames[geom, START, k] * frames[geom, axis, k]
        ahead += frames[geom, START, k] * frames[geom, AHEAD, k]
        half = frames[geom, HALF, k] * (flat if k == 2 else 1.0)
        spread += (frames[geom, axis, k] * half) ** 2
        depth += (frames[geom, AHEAD, k] * half) ** 2
        both -= frames[geom, axis, k] * frames[geom, AHEAD, k] * half * half
    beyond_low = beyond_high = True
    for along in (-reach, reach):
        x, z = aside + along * frames[geom, axis, 2], ahead - along * frames[geom, AHEAD, 2]
        square = spread + tangent * tangent * depth
        beyond_low &= -x - tangent * z > math.sqrt(max(square + 2 * tangent * both, 0.0))
        beyond_high &= x - tangent * z > math.sqrt(max(square - 2 * tangent * both, 0.0))
    if beyond_low or beyond_high:
        return 0, 0
    start, stop = pixels, 0
    for along in (-reach, reach):
        x, z = aside + along * frames[geom, axis, 2], ahead - along * frames[geom, AHEAD, 2]
        a = z * z - depth
        if z < _NEAREST_M or a < _NEAREST_M**2:  # beside or behind the eye
            return 0, pixels
        b = x * z - both
        root = math.sqrt(max(b * b - a * (x * x - spread), 0.0))
        start = min(start, math.floor(((b - root) / a / tangent + 1) / 2 * pixels))
        stop = max(stop, math.ceil(((b + root) / a / tangent + 1) / 2 * pixels))
    return max(start, 0), min(stop, pixels)
