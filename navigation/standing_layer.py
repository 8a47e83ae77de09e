"""What the LIDAR sees standing on floor that the static map calls free: people, pets, a bag put down, a door now shut.

SLAM draws its map from keyframes only, and a cell that many have found free needs as many to become a wall; where a
saved map is known, none are made at all. So what has come since counts here: after a few scans that agree it is not
free, as long as it is seen; scans that pass through it, or time without a look at it, give the floor back. Nothing here
is tied to keyframes: after a correction of the graph it is seen anew. Cost follows the beams, not the map.

In: a scan, the poses of its tick and of the one before, the static map. Out: `blocked`, and which block changed.
"""

import math
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from foundation.geometry import FloatArray, Pose2D
from foundation.robot_config import Lidar
from navigation.coverage.clearance import squared_distance
from navigation.grid_geometry import CellRect, GridGeometry
from navigation.grid_rays import ray_start
from navigation.pose_estimate import PoseEstimate
from navigation.scan_points import ScanPoints, points_of
from navigation.static_map import FREE
from perception.observation import Scan

RANGE_M: Final = 3.0  # farther away a cell is seldom hit twice
MARGIN_M: Final = 0.10  # a hit so near to a wall or to the unknown is theirs: what a pose may be wrong by
HIT: Final = 2  # evidence that a scan's hit brings; one that passes takes 1 away
BLOCKED: Final = 6  # from here on nothing drives there, until none is left
MOST: Final = 12
FORGET_S: Final = 60.0  # without a look
JERK_RADPS: Final = 0.3  # by which the turn may change from one scan to the next, or the scan is smeared
_NOTHING: Final = CellRect(0, 0, 0, 0)


class StandingLayer:
    """`blocked` (R, C): something stands there now, a live view."""

    def __init__(self, geometry: GridGeometry, lidar: Lidar) -> None:
        self._geometry = geometry
        self._lidar = lidar
        self._base_from_laser = Pose2D(lidar.x_m, lidar.y_m, lidar.yaw_rad)
        self._turn_radps = 0.0
        self.blocked: NDArray[np.bool_] = np.zeros(geometry.shape, dtype=np.bool_)
        self._evidence = np.zeros(geometry.shape, dtype=np.uint8)
        self._scan_of = np.zeros(geometry.shape, dtype=np.int32)  # the last scan that hit the cell
        self._scans = 0
        self._cells: NDArray[np.int64] = np.zeros(0, np.int64)  # with evidence, flat; few
        self._looked_s: FloatArray = np.zeros(0)  # (len(_cells),): when a beam last came by

    def resize(self, geometry: GridGeometry) -> None:
        """Follow a map that has grown."""
        old, at = self._geometry, np.divmod(self._cells, self._geometry.cols)
        for name in ("blocked", "_evidence", "_scan_of"):
            setattr(self, name, old.moved_to(geometry, getattr(self, name)))
        rows, cols = old.shift_to(geometry)
        self._cells = (at[0] + rows) * geometry.cols + at[1] + cols
        self._geometry = geometry

    def integrate(self, before: PoseEstimate, now: PoseEstimate, scan: Scan, static: NDArray[np.int8]) -> CellRect:
        """One tick's scan on the static map (R, C), from poses to be trusted; returns the block that changed."""
        taken_s = max(now.stamp_s - before.stamp_s, 1e-3)
        moved = before.map_from_base.inverse() @ now.map_from_base
        turn_before, self._turn_radps = self._turn_radps, moved.heading_rad / taken_s
        if abs(self._turn_radps - turn_before) > JERK_RADPS or before.map_revision != now.map_revision:
            return _NOTHING
        points = points_of(
            scan, self._base_from_laser, now.stamp_s, moved.x_m / taken_s, self._turn_radps,
            self._lidar.range_min_m, self._lidar.range_max_m,
        )  # fmt: skip
        return self.look(now.map_from_base, points, static, now.stamp_s)

    def look(self, pose: Pose2D, points: ScanPoints, static: NDArray[np.int8], now_s: float) -> CellRect:
        """Points of one scan, as they lay at `now_s`."""
        geometry = self._geometry
        origin = geometry.origin_x_m, geometry.origin_y_m
        ends = (pose.transform(points.points_base) - origin) / geometry.cell_m
        starts = (pose.transform(points.origins_base) - origin) / geometry.cell_m
        self._scans += 1
        hit = np.empty(len(ends), np.int64)
        count = _look(
            ends, starts, static, self._evidence, self._scan_of, self._scans, hit,
            RANGE_M / geometry.cell_m, math.ceil(MARGIN_M / geometry.cell_m),
        )  # fmt: skip
        again = self._scan_of.ravel()[self._cells] == self._scans
        self._looked_s[again] = now_s
        self._cells = np.concatenate([self._cells, hit[:count]])
        self._looked_s = np.concatenate([self._looked_s, np.full(count, now_s)])
        return self._judge(now_s)

    def keeps_off(self, floor: NDArray[np.bool_], within_m: float) -> NDArray[np.bool_]:
        """(R, C): the floor (R, C) where the middle of a body of that radius cannot be, for what stands near."""
        if not len(self._cells):
            return np.zeros_like(floor)
        near: NDArray[np.bool_] = squared_distance(self.blocked, False) <= (within_m / self._geometry.cell_m) ** 2
        return near & floor

    def forget(self) -> CellRect:
        """Nothing stands anywhere, until it is seen again."""
        self._looked_s[:] = -math.inf
        return self._judge(0.0)

    def _judge(self, now_s: float) -> CellRect:
        """Blocks what has gathered evidence, clears what has lost it."""
        evidence, blocked = self._evidence.ravel(), self.blocked.ravel()
        evidence[self._cells[self._looked_s < now_s - FORGET_S]] = 0
        # blocked from so much evidence on, and then until none is left
        stands = (evidence[self._cells] >= BLOCKED) | (blocked[self._cells] & (evidence[self._cells] > 0))
        changed = self._cells[stands != blocked[self._cells]]
        blocked[self._cells] = stands
        kept = evidence[self._cells] > 0
        self._cells, self._looked_s = self._cells[kept], self._looked_s[kept]
        if not len(changed):
            return _NOTHING
        rows, cols = np.divmod(changed, self._geometry.cols)
        return CellRect(int(rows.min()), int(cols.min()), int(rows.max()) + 1, int(cols.max()) + 1)


@njit(cache=True, nogil=True)
def _alone(static, row, col, margin):  # type: ignore[no-untyped-def]
    """Whether all the static map around a cell is free."""
    rows, cols = static.shape
    if row < margin or col < margin or row >= rows - margin or col >= cols - margin:
        return False
    for r in range(row - margin, row + margin + 1):
        for c in range(col - margin, col + margin + 1):
            if static[r, c] != FREE:
                return False
    return True


@njit(cache=True, nogil=True)
def _look(ends, starts, static, evidence, scan_of, scan, hit, reach, margin):  # type: ignore[no-untyped-def]
    """Counts one scan's beams (N, 2) of (x, y) in cells; writes flat cells with first evidence, returns how many.

    Hits first: within one scan a hit outweighs the beams that graze it. A beam stops counting a cell and a half before
    its end, which noise moves to and fro.
    """
    rows, cols = static.shape
    count = 0
    for i in range(len(ends)):
        if math.hypot(ends[i, 0] - starts[i, 0], ends[i, 1] - starts[i, 1]) > reach:
            continue
        row, col = math.floor(ends[i, 1]), math.floor(ends[i, 0])
        if row < 0 or col < 0 or row >= rows or col >= cols or scan_of[row, col] == scan:
            continue
        if not _alone(static, row, col, margin):
            continue
        scan_of[row, col] = scan
        if evidence[row, col] == 0:
            hit[count] = row * cols + col
            count += 1
        evidence[row, col] = min(evidence[row, col] + HIT, MOST)
    for i in range(len(ends)):
        dx, dy = ends[i, 0] - starts[i, 0], ends[i, 1] - starts[i, 1]
        length = math.hypot(dx, dy)
        if length < 1e-6:
            continue
        dx, dy = dx / length, dy / length
        col, row, step_col, step_row, per_col, per_row, next_col, next_row = ray_start(
            starts[i, 0], starts[i, 1], dx, dy
        )
        travelled, stop = 0.0, min(length - 1.5, reach)
        while travelled < stop:
            if 0 <= row < rows and 0 <= col < cols and evidence[row, col] > 0 and scan_of[row, col] != scan:
                evidence[row, col] -= 1
                scan_of[row, col] = scan  # once a scan
            if next_col < next_row:
                travelled, next_col, col = next_col, next_col + per_col, col + step_col
            else:
                travelled, next_row, row = next_row, next_row + per_row, row + step_row
    return count
