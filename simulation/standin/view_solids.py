"""Geoms as a camera's rays meet them: everything that does not change from pixel to pixel, worked out once a picture.

A ray through the picture is `across * A + up * B - C` in each geom's own frame, so that a ray costs two
multiplications an axis.
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
_CAPSULE: Final = KINDS["capsule"]
_KIND_OF_TYPE: Final = np.array(
    [KINDS.get(kind.name.removeprefix("mjGEOM_").lower(), _OTHER) for kind in map(mujoco.mjtGeom, range(9))], np.int64
)
_KIND_OF_TYPE[int(mujoco.mjtGeom.mjGEOM_PLANE)] = PLANE
_SPHERE: Final = int(mujoco.mjtGeom.mjGEOM_SPHERE)
START, HALF, ACROSS, UP, AHEAD = range(5)  # rows of a geom in `frames`


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
def view_sides(axes: FloatArray, tangents: tuple[float, float]) -> FloatArray:
    """(4, 3): outward normals, in the world, of the planes through the eye that bound the view.

    `axes` is map_from_camera; `tangents` are of half the view across and up.
    """
    normals = np.empty((4, 3))
    for side in range(4):
        along = side // 2
        sign = 1.0 if side % 2 else -1.0
        normals[side] = (sign * axes[:, along] + tangents[along] * axes[:, 2]) / math.sqrt(1 + tangents[along] ** 2)
    return normals


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
