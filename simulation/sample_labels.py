"""Exact labels of one frame: visible boxes and pixels from the mask, floor contacts from the room's own geometry."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from foundation.geometry import Pose2D
from perception.sample_format import LabelledObject
from simulation.footprints import Footprints, lying
from simulation.room_spec import Room


class ObjectGeometry:
    """The footprints of a room's small objects, ready to be asked about from any pose."""

    def __init__(self, room: Room) -> None:
        self.prints = prints = lying(room)
        self._kinds = [item.kind for item in room.small_objects]
        self._prints: list[Footprints] = [prints.of(i) for i in range(len(room.small_objects))]
        self.discs = [_disc(item) for item in self._prints]  # (x, y, radius) in map

    def seen(self, instances: NDArray[np.uint16], map_from_base: Pose2D) -> list[LabelledObject]:
        """Every object with a pixel in the instance image (H, W); points in `base_link`."""
        extents = mask_extents(instances, len(self._kinds) + 1)
        base_from_map = map_from_base.inverse()
        found = []
        for number, (x0, y0, x1, y1, pixels) in enumerate(extents.tolist()):
            if number == 0 or pixels == 0:
                continue
            prints = self._prints[number - 1]
            x, y, distance = prints.nearest_point(map_from_base.x_m, map_from_base.y_m)
            disc_x, disc_y, radius = self.discs[number - 1]
            contact, centre = base_from_map.transform(np.array([[x, y], [disc_x, disc_y]])).tolist()
            found.append(
                LabelledObject(
                    instance=number,
                    class_name=self._kinds[number - 1],
                    box_px=(x0, y0, x1, y1),
                    pixels=pixels,
                    contact_base_m=(contact[0], contact[1]),
                    centre_base_m=(centre[0], centre[1]),
                    radius_m=radius,
                    distance_m=distance,
                )
            )
        return found


def mask_extents(instances: NDArray[np.uint16], count: int) -> NDArray[np.int64]:
    """(count, 5): x0, y0, x1, y1 (exclusive) and pixels of each number in the image; zeros where it is not."""
    extents: NDArray[np.int64] = _extents(np.ascontiguousarray(instances), count)
    return extents


def _disc(prints: Footprints) -> tuple[float, float, float]:
    """Centre of the bounding box, and the radius around it that holds everything."""
    low, high = np.full(2, np.inf), np.full(2, -np.inf)
    for corners, count, radius in zip(prints.corners_m, prints.counts, prints.radii_m, strict=True):
        low = np.minimum(low, corners[:count].min(axis=0) - radius)
        high = np.maximum(high, corners[:count].max(axis=0) + radius)
    x, y = (low + high) / 2
    reach = 0.0
    for corners, count, radius in zip(prints.corners_m, prints.counts, prints.radii_m, strict=True):
        reach = max(reach, max(math.hypot(a - x, b - y) for a, b in corners[:count]) + float(radius))
    return float(x), float(y), reach


@njit(cache=True)  # type: ignore[untyped-decorator]
def _extents(instances: NDArray[np.uint16], count: int) -> NDArray[np.int64]:
    out = np.zeros((count, 5), dtype=np.int64)
    height, width = instances.shape
    for i in range(count):
        out[i, 0], out[i, 1] = width, height
    for row in range(height):
        for col in range(width):
            number = instances[row, col]
            if number == 0 or number >= count:
                continue
            out[number, 0] = min(out[number, 0], col)
            out[number, 1] = min(out[number, 1], row)
            out[number, 2] = max(out[number, 2], col + 1)
            out[number, 3] = max(out[number, 3], row + 1)
            out[number, 4] += 1
    for i in range(count):
        if out[i, 4] == 0:
            out[i, :] = 0
    return out
