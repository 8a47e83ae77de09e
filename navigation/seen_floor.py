"""Floor that the camera has looked at and found free, on the grid of the map handler.

The LIDAR passes over small things; what lies behind one is unknown until the camera has seen it. A cell counts once
frames have agreed, so that one careless frame opens nothing. Cost follows the points of a frame.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from foundation.geometry import FloatArray
from navigation.grid_geometry import CellRect, GridGeometry

AGREEING_FRAMES: Final = 2
_NOTHING: Final = CellRect(0, 0, 0, 0)


class SeenFloor:
    """`free` (R, C): looked at from nearby and found free."""

    def __init__(self, geometry: GridGeometry, range_max_m: float) -> None:
        self._geometry = geometry
        self._range_max_m = range_max_m
        self._frames = np.zeros(geometry.shape, dtype=np.uint8)
        self.free: NDArray[np.bool_] = np.zeros(geometry.shape, dtype=np.bool_)

    def resize(self, geometry: GridGeometry) -> None:
        """Follow a map that has grown."""
        self._frames = self._geometry.moved_to(geometry, self._frames)
        self.free = self._geometry.moved_to(geometry, self.free)
        self._geometry = geometry

    def look(self, points_base_m: FloatArray, points_map: FloatArray) -> CellRect:
        """One frame's free floor, (M, 2) in base_link and in `map`; returns the block of cells that became free."""
        near = np.hypot(points_base_m[:, 0], points_base_m[:, 1]) <= self._range_max_m
        cells = self._geometry.cells(points_map[near])
        cells, cols = cells[self._geometry.contains(cells)], self._geometry.cols
        numbers = np.unique(cells[:, 0] * cols + cells[:, 1])  # each cell once a frame
        frames, free = self._frames.ravel(), self.free.ravel()
        frames[numbers] = np.minimum(frames[numbers] + 1, AGREEING_FRAMES)
        fresh = numbers[(frames[numbers] >= AGREEING_FRAMES) & ~free[numbers]]
        if not len(fresh):
            return _NOTHING
        free[fresh] = True
        at_rows, at_cols = np.divmod(fresh, cols)
        return CellRect(int(at_rows.min()), int(at_cols.min()), int(at_rows.max()) + 1, int(at_cols.max()) + 1)
