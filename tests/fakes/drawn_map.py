"""A StaticMap that a test draws, and pose estimates to go with it."""

import numpy as np

from foundation.geometry import IDENTITY, Pose2D
from navigation.grid_geometry import CellRect, GridGeometry
from navigation.pose_estimate import PoseEstimate, Tracking
from navigation.static_map import FREE, OCCUPIED, UNKNOWN


class DrawnMap:
    def __init__(self, width_m=4.0, height_m=3.0, cell_m=0.025):
        self.geometry = GridGeometry(0.0, 0.0, cell_m, round(height_m / cell_m), round(width_m / cell_m))
        self.cells = np.full(self.geometry.shape, FREE, np.int8)
        self.cells[[0, -1]] = OCCUPIED
        self.cells[:, [0, -1]] = OCCUPIED
        self.keyframes = [IDENTITY]
        self._changed = CellRect(0, 0, *self.geometry.shape)

    def draw(self, row0, col0, row1, col1, value):
        self.cells[row0:row1, col0:col1] = value
        self._changed = self._changed.union(CellRect(row0, col0, row1, col1))

    def grow(self, cells):
        """By that many unknown cells on every side."""
        self.cells = np.pad(self.cells, cells, constant_values=UNKNOWN)
        old = self.geometry
        self.geometry = GridGeometry(
            old.origin_x_m - cells * old.cell_m,
            old.origin_y_m - cells * old.cell_m,
            old.cell_m,
            old.rows + 2 * cells,
            old.cols + 2 * cells,
        )

    def take_changed(self):
        changed, self._changed = self._changed, CellRect(0, 0, 0, 0)
        return changed

    def keyframe_pose(self, keyframe):
        return self.keyframes[keyframe]

    def estimate(self, x_m, y_m, heading_rad=0.0, stamp_s=0.0, revision=0, tracking=Tracking.TRACKING, keyframe=0):
        pose = Pose2D(x_m, y_m, heading_rad)
        return PoseEstimate(stamp_s, pose, tracking, keyframe, self.keyframes[keyframe].inverse() @ pose, revision)
