"""The static map of a running robot: occupancy from keyframes, and where the keyframes are now."""

import numpy as np
from numpy.typing import NDArray

from foundation.geometry import Pose2D
from navigation.grid_geometry import CellRect, GridGeometry
from navigation.keyframes import KeyframeStore
from navigation.occupancy_map import OccupancyMap


class LiveMap:
    """navigation.static_map.StaticMap over SLAM's keyframes."""

    def __init__(self, store: KeyframeStore, *, cell_m: float, occupied_ratio: float, ray_max_m: float) -> None:
        self._store = store
        self._settings = (cell_m, occupied_ratio, ray_max_m)
        self._occupancy = self.blank()

    @property
    def geometry(self) -> GridGeometry:
        return self._occupancy.geometry

    @property
    def cells(self) -> NDArray[np.int8]:
        return self._occupancy.cells

    def take_changed(self) -> CellRect:
        return self._occupancy.take_changed()

    def keyframe_pose(self, keyframe: int) -> Pose2D:
        return self._store.pose(keyframe)

    def add_keyframe(self, index: int) -> None:
        """Maps what the keyframe saw."""
        keyframe = self._store.keyframes[index]
        self._occupancy.integrate(
            self._store.pose(index),
            keyframe.points_base.astype(np.float64),
            keyframe.origins_base.astype(np.float64),
        )

    def blank(self) -> OccupancyMap:
        """An empty map with the same settings."""
        cell_m, occupied_ratio, ray_max_m = self._settings
        return OccupancyMap(cell_m=cell_m, occupied_ratio=occupied_ratio, ray_max_m=ray_max_m)

    def replace(self, occupancy: OccupancyMap, count: int) -> None:
        """A map redrawn from the first `count` keyframes takes this one's place; younger keyframes are added.

        The grid never shrinks, even where a stray beam that had made it grow now ends elsewhere: layers lie on it.
        """
        occupancy.contain(self._occupancy.geometry)
        self._occupancy = occupancy
        for index in range(count, len(self._store)):
            self.add_keyframe(index)
        occupancy.touch_all()
