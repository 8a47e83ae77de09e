"""Geoms as a camera's rays meet them: everything that does not change from pixel to pixel, worked out once a picture.

A ray through the picture is `across * A + up * B - C` in each geom's own frame, so that a ray costs two
multiplications an axis. Round geoms are drawn into a picture of geoms by such rays, exactly: OpenGL makes a ball of
hundreds of flat faces, which a software renderer takes longer for than for its pixels.
"""

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from foundation.geometry import FloatArray
from simulation.headless_mujoco import mujoco
from simulation.ray_solids import KINDS, entered

PLANE: Final = -2
_OTHER: Final = -1
_ELLIPSOID: Final = KINDS["ellipsoid"]
_CYLINDER: Final = KINDS["cylinder"]
_CAPSULE: Final = KINDS["capsule"]
_KIND_OF_TYPE: Final = np.array(
    [KINDS.get(kind.name.removeprefix("mjGEOM_").lower(), _OTHER) for kind in map(mujoco.mjtGeom, range(9))], np.int64
)
_KIND_OF_TYPE[int(mujoco.mjtGeom.mjGEOM_PLANE)] = PLANE
_SPHERE: Final = int(mujoco.mjtGeom.mjGEOM_SPHERE)
START, HALF, ACROSS, UP, AHEAD = range(5)  # rows of a geom in `frames`
_NEAREST_M: Final = 0.01


@njit(cache=True)  # type: ignore[untyped-decorator]
def seen_from(
    eye: FloatArray,
    axes: FloatArray,
    types: NDArray[np.int32],
    sizes: FloatArray,
    places: FloatArray,
    rotations: FloatArray,
) -> tuple[NDArray[np.int64], FloatArray]:
    """Kinds (G,), negative for what `ray_solids` does not know, and frames (G, 5, 3).

    `axes` is map_from_camera with the camera looking along -z. Of the geoms (G,): MuJoCo's types and sizes, places
    (G, 3) and rotations (G, 9), map_from_geom. A frame holds the eye, the half sizes, A, B and C.
    """
    count = len(types)
    kinds, frames = np.empty(count, np.int64), np.zeros((count, 5, 3))
    for geom in range(count):
        frame = frames[geom]
        for k in range(3):
            for m in range(3):
                turned = rotations[geom, 3 * m + k]
                frame[START, k] += turned * (eye[m] - places[geom, m])
                frame[ACROSS, k] += turned * axes[m, 0]
                frame[UP, k] += turned * axes[m, 1]
                frame[AHEAD, k] += turned * axes[m, 2]
            frame[HALF, k] = sizes[geom, k]
        kind = _KIND_OF_TYPE[types[geom]]
        half = frame[HALF]
        if types[geom] == _SPHERE:
            half[1] = half[2] = half[0]
        elif kind > _ELLIPSOID:  # radius and half length; a capsule's without its ends
            half[2] = half[1] + (half[0] if kind == _CAPSULE else 0.0)
            half[1] = half[0]
        kinds[geom] = kind
    return kinds, frames


@njit(cache=True)  # type: ignore[untyped-decorator]
def met_at(kinds: NDArray[np.int64], frames: FloatArray, geom: int, across: float, up: float, ahead: float) -> float:
    """How many of its lengths ahead the ray enters the geom; not positive when it does not.

    No array is cut: that would cost most.
    """
    kind = kinds[geom]
    x = frames[geom, ACROSS, 0] * across + frames[geom, UP, 0] * up - frames[geom, AHEAD, 0] * ahead
    y = frames[geom, ACROSS, 1] * across + frames[geom, UP, 1] * up - frames[geom, AHEAD, 1] * ahead
    z = frames[geom, ACROSS, 2] * across + frames[geom, UP, 2] * up - frames[geom, AHEAD, 2] * ahead
    if kind < 0:
        return -frames[geom, START, 2] / z if kind == PLANE and z != 0 else -1.0
    return float(
        entered(
            kind,
            frames[geom, HALF, 0],
            frames[geom, HALF, 1],
            frames[geom, HALF, 2],
            frames[geom, START, 0],
            frames[geom, START, 1],
            frames[geom, START, 2],
            x,
            y,
            z,
        )
    )


@njit(cache=True)  # type: ignore[untyped-decorator]
def draw_round(
    geoms: NDArray[np.int32],
    curved: NDArray[np.int64],
    kinds: NDArray[np.int64],
    frames: FloatArray,
    tangents: tuple[float, float],
) -> None:
    """Puts the geoms `curved` (N,) into `geoms` (H, W), top row first, where they lie before what is there."""
    height, width = geoms.shape
    for geom in curved:
        left_px, right_px = _span(kinds[geom], frames, geom, ACROSS, tangents[0], width)
        low_px, high_px = _span(kinds[geom], frames, geom, UP, tangents[1], height)
        for row in range(height - high_px, height - low_px):
            up = (1 - (row + 0.5) / height * 2) * tangents[1]
            for col in range(left_px, right_px):
                across = ((col + 0.5) / width * 2 - 1) * tangents[0]
                distance = met_at(kinds, frames, geom, across, up, 1.0)
                if distance <= 0:
                    continue
                other = geoms[row, col]
                if other >= 0:
                    before = met_at(kinds, frames, other, across, up, 1.0)
                    if 0 < before <= distance:
                        continue
                geoms[row, col] = geom


@njit(cache=True)  # type: ignore[untyped-decorator]
def cast(
    rays: FloatArray,
    eye: FloatArray,
    geoms: NDArray[np.int64],
    types: NDArray[np.int32],
    sizes: FloatArray,
    places: FloatArray,
    rotations: FloatArray,
    range_max_m: float,
    hits: NDArray[np.int32],
    ranges: FloatArray,
) -> None:
    """What each of the rays (N, 3), of length 1, meets first of `geoms` (M,) and how far away; -1 and -1.0 for nothing.

    As MuJoCo's own `mj_multiRay`, which asks every geom of the model for every ray; from within a solid nothing of it
    is seen.
    """
    kinds, frames = seen_from(eye, np.eye(3), types[geoms], sizes[geoms], places[geoms], rotations[geoms])
    count = len(geoms)
    away, radii = np.empty((count, 3)), np.empty(count)
    for g in range(count):
        for k in range(3):
            away[g, k] = places[geoms[g], k] - eye[k]
        half = frames[g, HALF]
        radii[g] = math.sqrt(half[0] ** 2 + half[1] ** 2 + half[2] ** 2)
    for i in range(len(rays)):
        x, y, z = rays[i]
        nearest, seen = range_max_m, -1
        for g in range(count):
            if kinds[g] >= 0:
                along = away[g, 0] * x + away[g, 1] * y + away[g, 2] * z
                square = away[g, 0] ** 2 + away[g, 1] ** 2 + away[g, 2] ** 2 - along * along
                if along < -radii[g] or along - radii[g] > nearest or square > radii[g] ** 2:
                    continue
            distance = met_at(kinds, frames, g, x, y, -z)
            if 0 < distance < nearest:
                nearest, seen = distance, geoms[g]
        hits[i] = seen
        ranges[i] = nearest if seen >= 0 else -1.0


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
