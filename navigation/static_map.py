"""The seam between SLAM, which maps what stands still, and the map handler, which layers the rest on it."""

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from foundation.geometry import Pose2D
from navigation.grid_geometry import CellRect, GridGeometry

FREE: Final = 0
OCCUPIED: Final = 100
UNKNOWN: Final = -1


class StaticMap(Protocol):
    """Walls and furniture as the LIDAR sees them, and where the keyframes are now."""

    @property
    def geometry(self) -> GridGeometry:
        """May grow between ticks, by whole cells, keeping the cell size; never shrinks, for layers lie on it."""
        ...

    @property
    def cells(self) -> NDArray[np.int8]:
        """(R, C) of FREE, OCCUPIED or UNKNOWN; a live view: read it, never write it."""
        ...

    def take_changed(self) -> CellRect:
        """The block that changed since the last call; the whole grid after growth or a graph correction."""
        ...

    def keyframe_pose(self, keyframe: int) -> Pose2D:
        """map_from_keyframe as the pose graph has it now."""
        ...
