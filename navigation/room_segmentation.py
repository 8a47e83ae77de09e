"""The rooms of a finished map: parts of the floor that narrow passages keep apart, numbered along a short tour.

In: the static map's cells, how wide a door may be, where the robot starts. Out: `Rooms`: a label for every cell of
floor, a place deep inside each room. What can fail: a map without floor (`NoRooms`). Pure; equal maps give equal rooms.

Distance transform and watershed, from among the methods that R. Bormann, F. Jordan, W. Li, J. Hampp, M. Haegele compare
in "Room Segmentation: Survey, Implementation, and Analysis" (ICRA 2016): the floor is flooded from its widest places
down; where two floods meet in a passage no wider than a door, and clearly narrower than both, there is a door, else
they are one room. As in their morphological method, what is too small joins the neighbour it shares most border with.
Furniture that stands free is taken for floor first, so that a table's legs make no doors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import ndimage

from foundation.errors import OxturnError
from navigation.grid_geometry import GridGeometry
from navigation.room_tour import short_tour
from navigation.static_map import FREE

BoolGrid = NDArray[np.bool_]
Labels = NDArray[np.int32]
EIGHT: Final = np.ones((3, 3), dtype=np.bool_)
_FURNITURE_MOST_M: Final = 1.5  # longer things are walls
_EDGE_M: Final = 0.15  # a wall is never twice at the same place
_NARROWER: Final = 0.75  # than the rooms on both sides a door must be


class NoRooms(OxturnError):
    """A map without a room: what it holds, what is wanted."""


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """What counts as a door, and as a room."""

    door_width_most_m: float = 1.3
    room_least_m2: float = 1.5


@dataclass(frozen=True, slots=True)
class Rooms:
    """`labels` (R, C): 0 where no room is, else its number, 1 to N; `places_map` (N, 2): deep inside each, in order."""

    labels: Labels
    geometry: GridGeometry
    places_map: NDArray[np.float64]

    @property
    def count(self) -> int:
        return len(self.places_map)

    def at(self, x_m: float, y_m: float) -> int:
        """The number of the room around a place in `map`; 0 where there is none."""
        cells = self.geometry.cells(np.array([[x_m, y_m]]))
        return int(self.labels[cells[0, 0], cells[0, 1]]) if self.geometry.contains(cells)[0] else 0

    def cells_of(self, numbers: Sequence[int]) -> BoolGrid:
        """(R, C): those rooms, and `_EDGE_M` of what borders on each alone."""
        away, nearest = ndimage.distance_transform_edt(self.labels == 0, return_indices=True)
        spread = np.where(away * self.geometry.cell_m <= _EDGE_M, self.labels[tuple(nearest)], 0)
        return np.asarray(np.isin(spread, np.asarray(numbers)))


def segmented(
    cells: NDArray[np.int8], geometry: GridGeometry, start_map: tuple[float, float], settings: RoomSettings
) -> Rooms:
    """Rooms of a map (R, C) of static_map's values; the first one is where the tour from `start_map` begins."""
    floor = _without_furniture(cells == FREE, geometry.cell_m)
    wide = np.asarray(ndimage.distance_transform_edt(np.pad(floor, 1))[1:-1, 1:-1], dtype=np.float64)
    order = np.argsort(-wide.ravel(), kind="stable")[: int(np.count_nonzero(floor))].astype(np.int64)
    labels = _flooded(wide, order, 0.5 * settings.door_width_most_m / geometry.cell_m, _NARROWER)
    labels = _without_small(labels, settings.room_least_m2 / geometry.cell_m**2)
    count = int(labels.max(initial=0))
    if count == 0:
        free_m2 = float(np.count_nonzero(cells == FREE)) * geometry.cell_m**2
        raise NoRooms(f"{free_m2:.2f} m2 of the map are free, a room has at least {settings.room_least_m2} m2")
    deepest = np.array([np.argmax(np.where(labels == number, wide, -1.0)) for number in range(1, count + 1)])
    places = np.stack(np.unravel_index(deepest, floor.shape), axis=1)  # (N, 2) of (row, col)
    start = geometry.cells(np.array([start_map]))[0]
    tour = short_tour(floor, places, start)
    numbers = np.zeros(count + 1, dtype=np.int32)
    numbers[tour + 1] = np.arange(1, count + 1)
    return Rooms(numbers[labels], geometry, geometry.centres(places[tour]))


def _without_furniture(free: BoolGrid, cell_m: float) -> BoolGrid:
    """(R, C): free floor, and under what stands in it without touching a wall."""
    things, _ = ndimage.label(~np.pad(free, 1, constant_values=False), EIGHT)
    floor = free.copy()
    for number, box in enumerate(ndimage.find_objects(things), 1):
        rows, cols = (side.stop - side.start for side in box)
        if number != things[0, 0] and max(rows, cols) * cell_m <= _FURNITURE_MOST_M:
            inside = things[box] == number
            floor[box[0].start - 1 : box[0].stop - 1, box[1].start - 1 : box[1].stop - 1] |= inside
    return floor


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _flooded(wide: Any, order: Any, door: float, narrower: float) -> Any:
    """(R, C) labels from 1: cells are taken widest first; `door`: half of the widest door, in cells.

    What is wider than a room's widest door is its core; the rest of the floor goes to the core it is nearest to.
    """
    rows, cols = wide.shape
    room = np.full(rows * cols, -1, np.int64)
    up = np.empty(len(order), np.int64)  # union of rooms, each named by its number of birth
    peak = np.empty(len(order))
    gate = np.zeros(len(order))  # half of the room's widest door
    born = 0
    for index in order:
        row, col = index // cols, index % cols
        here = wide[row, col]
        mine = -1
        for dr in range(-1, 2):
            for dc in range(-1, 2):
                r, c = row + dr, col + dc
                if (dr == 0 and dc == 0) or not (0 <= r < rows and 0 <= c < cols) or room[r * cols + c] < 0:
                    continue
                other = room[r * cols + c]
                while up[other] != other:
                    up[other] = up[up[other]]
                    other = up[other]
                if mine < 0 or mine == other:
                    mine = other
                    continue
                low, high = (other, mine) if peak[other] <= peak[mine] else (mine, other)
                if here < door and here < narrower * peak[low]:
                    gate[low], gate[high] = max(gate[low], here), max(gate[high], here)
                    mine = high  # for now
                    continue
                up[low] = high
                gate[high] = max(gate[low], gate[high])
                mine = high
        if mine < 0:
            mine = born
            up[born] = born
            peak[born] = here
            born += 1
        room[index] = mine
    labels = np.zeros((rows, cols), np.int32)
    number = np.zeros(born, np.int32)
    count = 0
    queue = np.empty(len(order), np.int64)
    head, tail = 0, 0
    for index in order:
        mine = room[index]
        while up[mine] != mine:
            mine = up[mine]
        row, col = index // cols, index % cols
        if wide[row, col] <= gate[mine]:
            continue
        if number[mine] == 0:
            count += 1
            number[mine] = count
        labels[row, col] = number[mine]
        queue[tail] = index
        tail += 1
    while head < tail:
        row, col = queue[head] // cols, queue[head] % cols
        head += 1
        for dr in range(-1, 2):
            for dc in range(-1, 2):
                r, c = row + dr, col + dc
                if 0 <= r < rows and 0 <= c < cols and labels[r, c] == 0 and room[r * cols + c] >= 0:
                    labels[r, c] = labels[row, col]
                    queue[tail] = r * cols + c
                    tail += 1
    return labels


def _without_small(labels: Labels, cells_least: float) -> Labels:
    """Rooms that are too small join the neighbour they share most border with, smallest first; without one they go."""
    labels = labels.copy()
    while True:
        sizes = np.bincount(labels.ravel())
        small = [number for number in np.argsort(sizes, kind="stable") if number and 0 < sizes[number] < cells_least]
        if not small:
            _, dense = np.unique(np.concatenate([[0], labels.ravel()]), return_inverse=True)
            return np.asarray(dense[1:].reshape(labels.shape), dtype=np.int32)
        mine = labels == small[0]
        beside = labels[ndimage.binary_dilation(mine, EIGHT) & ~mine]
        border = np.bincount(beside[beside > 0], minlength=1)
        labels[mine] = int(np.argmax(border)) if border.any() else 0
