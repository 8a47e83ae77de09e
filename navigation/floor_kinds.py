"""What the floor is made of, as the camera has told: votes of frames on a coarse grid in `map`.

In: places of floor (M, 2) in `map` with the number of their kind (`perception.labels.FLOORS`). Out: the kind of a
place, and where soft floor lies: carpet and rugs. One frame's cell is wrong now and then: a cell counts from a few
frames on and where most of them agree, specks are left out and holes closed, and what is smaller than a doormat is no
carpet. Cost follows the points of a frame, and the coarse cells when `soft` is asked for.

A corrected pose graph moves keyframes by centimetres, and cells here are a decimetre: votes stay where they are.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from foundation.geometry import FloatArray
from navigation.grid_geometry import GridGeometry
from perception.labels import FLOORS

BoolGrid = NDArray[np.bool_]
CELL_M: Final = 0.1
UNKNOWN: Final = -1
SOFT: Final = tuple(number for number, name in enumerate(FLOORS) if name in ("carpet", "rug"))
_RANGE_MAX_M: Final = 0.75  # of a place: a pixel row is 2 cm of floor there
_LEAST_FRAMES: Final = 4
_MOST_FRAMES: Final = 200  # halved beyond: a carpet that is rolled up is forgotten
_LEAST_M2: Final = 0.12
_ALL_ROUND: Final = np.ones((3, 3), np.bool_)


class FloorKinds:
    """Grows with the map."""

    def __init__(self, geometry: GridGeometry) -> None:
        self._grid = _coarse(geometry)
        self._votes = np.zeros((len(FLOORS), *self._grid.shape), np.uint16)
        self._changed = False

    def resize(self, geometry: GridGeometry) -> None:
        """Follow a map that has grown."""
        grown = _coarse(geometry)
        if grown != self._grid:
            self._votes = np.stack([self._grid.moved_to(grown, votes) for votes in self._votes])
            self._grid = grown

    def look(self, points_base_m: FloatArray, points_map: FloatArray, kinds: NDArray[np.uint8]) -> None:
        """One frame's floor: (M, 2) in base_link and in `map`, the kind (M,) of each; a cell counts once a frame."""
        near = np.hypot(points_base_m[:, 0], points_base_m[:, 1]) <= _RANGE_MAX_M
        cells, kinds = self._grid.cells(points_map[near]), kinds[near]
        inside = self._grid.contains(cells)
        cells, kinds = cells[inside], kinds[inside]
        if not len(cells):
            return
        votes, size = self._votes.reshape(len(FLOORS), -1), self._grid.rows * self._grid.cols
        numbers = np.unique(kinds * np.int64(size) + cells[:, 0] * self._grid.cols + cells[:, 1])
        self._votes.ravel()[numbers] += 1
        seen = numbers % size
        full = seen[votes[:, seen].sum(axis=0) > _MOST_FRAMES]
        votes[:, full] //= 2
        self._changed = True

    def kind_at(self, x_m: float, y_m: float) -> int:
        """Number of the kind at a place in `map`; UNKNOWN where too few frames say."""
        cell = self._grid.cells(np.array([[x_m, y_m]]))
        if not self._grid.contains(cell)[0]:
            return UNKNOWN
        votes = self._votes[:, cell[0, 0], cell[0, 1]]
        return int(votes.argmax()) if votes.sum() >= _LEAST_FRAMES else UNKNOWN

    def take_changed(self) -> bool:
        """Whether frames have been looked at since the last call."""
        changed, self._changed = self._changed, False
        return changed

    def soft(self, geometry: GridGeometry) -> BoolGrid:
        """(R, C) on the map's grid: carpet and rugs."""
        soft, seen = self._votes[list(SOFT)].sum(axis=0), self._votes.sum(axis=0)
        known = seen >= _LEAST_FRAMES
        mostly = (2 * soft > seen) & known
        around = ndimage.uniform_filter(mostly.astype(np.float64), 3, mode="constant")
        told = ndimage.uniform_filter(known.astype(np.float64), 3, mode="constant")
        smooth = known & (2 * around > told)  # what most of a cell and its neighbours say
        blobs, count = ndimage.label(smooth, _ALL_ROUND)
        sizes = ndimage.sum_labels(smooth, blobs, np.arange(count + 1))
        cells: BoolGrid = np.asarray((sizes * CELL_M**2 >= _LEAST_M2)[blobs] & smooth)
        return _on(self._grid, cells, geometry)


def _coarse(geometry: GridGeometry) -> GridGeometry:
    x1_m = geometry.origin_x_m + geometry.cols * geometry.cell_m
    y1_m = geometry.origin_y_m + geometry.rows * geometry.cell_m
    return GridGeometry.around(geometry.origin_x_m, geometry.origin_y_m, x1_m, y1_m, CELL_M)


def _on(grid: GridGeometry, cells: BoolGrid, geometry: GridGeometry) -> BoolGrid:
    """(R, C): the coarse cell that each cell of another grid lies in."""
    rows, cols = (
        np.floor((origin + (np.arange(count) + 0.5) * geometry.cell_m - grid_origin) / CELL_M).astype(np.int64)
        for origin, count, grid_origin in (
            (geometry.origin_y_m, geometry.rows, grid.origin_y_m),
            (geometry.origin_x_m, geometry.cols, grid.origin_x_m),
        )
    )
    return cells[np.ix_(rows, cols)]
