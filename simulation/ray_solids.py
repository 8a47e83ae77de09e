"""Where a ray enters a box, an ellipsoid, a cylinder or a capsule, exactly, in the solid's own frame."""

import math
from typing import Final

import numpy as np
from numba import njit

from foundation.geometry import FloatArray

KINDS: Final = {"box": 0, "ellipsoid": 1, "sphere": 1, "cylinder": 2, "capsule": 3}


@njit(cache=True)  # type: ignore[untyped-decorator]
def enter(kind: int, half: FloatArray, start: FloatArray, ray: FloatArray) -> float:
    """Distance to where the ray enters the solid; -1 when it misses or starts inside."""
    if kind == 0:
        return float(_slabs(half, start, ray, 3))
    if kind == 1:
        a = b = c = 0.0
        for k in range(3):
            u, v = start[k] / half[k], ray[k] / half[k]
            a += v * v
            b += u * v
            c += u * u
        return float(_root(a, b, c - 1.0))
    radius = half[0]
    tall = half[2] if kind == 2 else half[2] - radius
    a = ray[0] * ray[0] + ray[1] * ray[1]
    b = start[0] * ray[0] + start[1] * ray[1]
    c = start[0] * start[0] + start[1] * start[1] - radius * radius
    best = -1.0
    if a > 1e-18:
        t = _root(a, b, c)
        if t > 0 and abs(start[2] + t * ray[2]) <= tall:
            best = t
    for sign in (-1.0, 1.0):
        if kind == 2:
            if abs(ray[2]) < 1e-18:
                continue
            t = (sign * tall - start[2]) / ray[2]
            x, y = start[0] + t * ray[0], start[1] + t * ray[1]
            if t > 0 and x * x + y * y <= radius * radius and (best < 0 or t < best):
                best = t
        else:
            z = start[2] - sign * tall
            t = _root(1.0, b + z * ray[2], start[0] ** 2 + start[1] ** 2 + z * z - radius * radius)
            if t > 0 and (best < 0 or t < best):
                best = t
    return best


@njit(cache=True)  # type: ignore[untyped-decorator]
def _slabs(half: FloatArray, start: FloatArray, ray: FloatArray, axes: int) -> float:
    enter, leave = -np.inf, np.inf
    for k in range(axes):
        if abs(ray[k]) < 1e-18:
            if abs(start[k]) > half[k]:
                return -1.0
            continue
        near, far = (-half[k] - start[k]) / ray[k], (half[k] - start[k]) / ray[k]
        if near > far:
            near, far = far, near
        enter, leave = max(enter, near), min(leave, far)
    return enter if enter <= leave and enter > 0 else -1.0


@njit(cache=True)  # type: ignore[untyped-decorator]
def _root(a: float, half_b: float, c: float) -> float:
    """The smaller root of a t^2 + 2 half_b t + c; -1 when there is none ahead."""
    disc = half_b * half_b - a * c
    if disc < 0:
        return -1.0
    t = (-half_b - math.sqrt(disc)) / a
    return t if t > 0 else -1.0
