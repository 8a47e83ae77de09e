"""The static map of a running robot: occupancy from keyframes, and where the keyframes are now."""

import numpy as np
from numpy.typing import NDArray

from foundation.geometry import FloatArray, Pose2D
from navigation.grid_geometry import CellRect, GridGeometry
from navigation.keyframes import KeyframeStore
from navigation.occupancy_map import OccupancyMap


class LiveMap:
    """navigation.static_map.StaticMap over SLAM's keyframes."""

    def __init__(self, store: KeyframeStore, *, cell_m: float, occupied_ratio: float, ray_max_m: float) -> None:
        self._store = store
        self._settings = (cell_m, occupied_ratio, ray_max_m)
        self._occupancy = self.blank()
        self._drawn: list[Pose2D] = []

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
        """Maps what the keyframe saw, the next one in their order."""
        keyframe, pose = self._store.keyframes[index], self._store.pose(index)
        self._drawn.append(pose)
        self._occupancy.integrate(
            pose,
            keyframe.points_base.astype(np.float64),
            keyframe.origins_base.astype(np.float64),
        )

    def drawn_at_m(self) -> FloatArray:
        """(K, 2): where each keyframe was when its scan was drawn; small corrections since then have not moved it."""
        return np.array([(pose.x_m, pose.y_m) for pose in self._drawn]).reshape(-1, 2)

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
        self._drawn = [self._store.pose(index) for index in range(count)]
        for index in range(count, len(self._store)):
            self.add_keyframe(index)
        occupancy.touch_all()
