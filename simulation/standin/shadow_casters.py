"""Which geoms out of view cast a shadow into it: a software renderer pays twice for each that is drawn for nothing.

A lamp's shadow of a geom lies within the cone from the lamp around the geom's bounding sphere, from the sphere down to
the floor at z 0. What stands higher than that, or nearly beside the lamp, is taken to shadow everything.
"""

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from foundation.geometry import FloatArray
from simulation.standin.view_solids import view_sides

_GRAZING_RAD: Final = math.radians(3)  # flatter than that a shadow is taken for endless


@njit(cache=True)  # type: ignore[untyped-decorator]
def cast_into_view(
    eye: FloatArray,
    axes: FloatArray,
    tangents: tuple[float, float],
    lamps: FloatArray,
    places: FloatArray,
    reach: FloatArray,
) -> NDArray[np.bool_]:
    """(G,): False for geoms of which no lamp's shadow falls into the view.

    `axes` (3, 3) is map_from_camera with the camera looking along -z; `tangents` are of half the view across and up;
    `lamps` (L, 3) those that cast shadows; `reach` (G,) the bounding spheres' radii, 0 for endless geoms.
    """
    normals = np.empty((5, 3))
    normals[:4] = view_sides(axes, tangents)
    normals[4] = axes[:, 2]  # behind the eye
    out = np.zeros(len(reach), np.bool_)
    for i in range(len(reach)):
        for lamp in lamps:
            out[i] = out[i] or reach[i] <= 0 or _falls_into(normals, eye, lamp, places[i], reach[i])
    return out


@njit(cache=True)  # type: ignore[untyped-decorator]
def _falls_into(normals: FloatArray, eye: FloatArray, lamp: FloatArray, place: FloatArray, reach: float) -> bool:
    """Unless the cone lies wholly beyond one of the planes: it is the hull of a ball at the geom and one at its end."""
    away = place - lamp
    distance = math.sqrt((away**2).sum())
    if distance <= reach:
        return True
    opening = math.asin(reach / distance)
    down = math.asin(min(max(-away[2] / distance, -1.0), 1.0))
    if down - opening < _GRAZING_RAD:
        return True
    end = lamp[2] / math.sin(down - opening)  # along the axis: the flattest ray has met the floor by then
    if end <= distance:
        return True
    width = math.tan(opening)
    for side in range(5):
        normal = normals[side]
        near, far = 0.0, 0.0
        for k in range(3):
            near += normal[k] * (place[k] - eye[k])
            far += normal[k] * (lamp[k] + away[k] / distance * end - eye[k])
        if near > distance * width and far > end * width:
            return False
    return True
