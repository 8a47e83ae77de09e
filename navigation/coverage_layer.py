"""Which floor the tool has swept, told from measured poses and anchored to keyframes.

Every tick adds one pose beside its keyframe; when the pose graph moves the keyframes, the whole layer is drawn again
from those poses, so that covered floor moves with the map. Cost of a tick follows the floor swept in it.
"""

from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray

from foundation.geometry import FloatArray, Pose2D
from navigation.grid_geometry import CellRect, GridGeometry

BoolGrid = NDArray[np.bool_]


class CoverageLayer:
    """Swept floor on the grid of the map handler."""

    def __init__(self, geometry: GridGeometry, tool_width_m: float, tool_offset_left_m: float) -> None:
        self._geometry = geometry
        self._left_m = tool_offset_left_m + tool_width_m / 2
        self._right_m = tool_offset_left_m - tool_width_m / 2
        self.covered: BoolGrid = np.zeros(geometry.shape, dtype=np.bool_)  # (R, C)
        self._keyframes: list[int] = []
        self._poses: list[tuple[float, float, float]] = []  # keyframe_from_base
        self._joined: list[bool] = []  # with the pose before: the tool was down all the way
        self.pass_begins_at = 0  # number of the first sweep that counts
        self._last: Pose2D | None = None  # map_from_base of the pose before, None when the tool was up

    def resize(self, geometry: GridGeometry) -> None:
        """Follow a map that has grown."""
        self.covered = self._geometry.moved_to(geometry, self.covered)
        self._geometry = geometry

    def sweep(self, map_from_base: Pose2D, keyframe: int, keyframe_from_base: Pose2D) -> CellRect:
        """The tool was down from the last pose to this one; returns the block that may have changed."""
        last = self._last
        if last is not None and last.distance_m(map_from_base) < 1e-3:
            turned = abs(last.heading_rad - map_from_base.heading_rad)
            if turned < 0.01:
                return CellRect(0, 0, 0, 0)
        self._keyframes.append(keyframe)
        self._poses.append((keyframe_from_base.x_m, keyframe_from_base.y_m, keyframe_from_base.heading_rad))
        self._joined.append(last is not None)
        self._last = map_from_base
        self._paint(last or map_from_base, map_from_base)
        return self._rect(last or map_from_base, map_from_base)

    def lift(self) -> None:
        """The tool is up, or the pose is not to be trusted: the next sweep starts anew."""
        self._last = None

    def begin_pass(self) -> None:
        """Nothing counts as swept; what was swept so far stays known."""
        self.pass_begins_at = len(self._keyframes)
        self.covered[:] = False
        self.lift()

    def redraw(self, map_from_keyframe: Callable[[int], Pose2D]) -> None:
        """The keyframes have moved: draw every sweep where it is now."""
        self.covered[:] = False
        before: Pose2D | None = None
        first = self.pass_begins_at
        for keyframe, (x_m, y_m, heading_rad), joined in zip(
            self._keyframes[first:], self._poses[first:], self._joined[first:]
        ):
            now = map_from_keyframe(keyframe) @ Pose2D(x_m, y_m, heading_rad)
            # a corrected graph may tear two poses apart: what lies between was not swept
            near = joined and before is not None and before.distance_m(now) < 0.2
            self._paint(before if near and before is not None else now, now)
            before = now
        if self._last is not None:
            self._last = before

    def sweeps(self, since: int) -> FloatArray:
        """(N, 5): keyframe, x, y, heading in its frame, and 1 where joined with the one before; from a number on."""
        parts = [self._keyframes[since:], *zip(*self._poses[since:]), self._joined[since:]]
        return np.array(parts, dtype=np.float64).T if parts[0] else np.zeros((0, 5))

    def restore(self, sweeps: FloatArray, map_from_keyframe: Callable[[int], Pose2D], pass_begins_at: int = 0) -> None:
        """Sweeps (N, 5) of an earlier part of the same job come before those of this one."""
        self.pass_begins_at = pass_begins_at
        self._keyframes = [int(row[0]) for row in sweeps.tolist()] + self._keyframes
        self._poses = [(row[1], row[2], row[3]) for row in sweeps.tolist()] + self._poses
        self._joined = [bool(row[4]) for row in sweeps.tolist()] + self._joined
        self.redraw(map_from_keyframe)

    def _paint(self, start: Pose2D, end: Pose2D) -> None:
        turned = (end.heading_rad - start.heading_rad + np.pi) % (2 * np.pi) - np.pi
        _sweep_bar(
            self.covered,
            self._geometry.origin_x_m,
            self._geometry.origin_y_m,
            self._geometry.cell_m,
            (start.x_m, start.y_m, start.heading_rad),
            (end.x_m, end.y_m, start.heading_rad + turned),
            self._left_m,
            self._right_m,
        )

    def _rect(self, start: Pose2D, end: Pose2D) -> CellRect:
        reach_m = max(abs(self._left_m), abs(self._right_m)) + self._geometry.cell_m
        cells = self._geometry.cells(
            np.array(
                [
                    [min(start.x_m, end.x_m) - reach_m, min(start.y_m, end.y_m) - reach_m],
                    [max(start.x_m, end.x_m) + reach_m, max(start.y_m, end.y_m) + reach_m],
                ]
            )
        )
        return CellRect(int(cells[0, 0]), int(cells[0, 1]), int(cells[1, 0]) + 1, int(cells[1, 1]) + 1).grown(
            0, *self._geometry.shape
        )


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _sweep_bar(
    covered: NDArray[np.bool_],
    origin_x_m: float,
    origin_y_m: float,
    cell_m: float,
    start: tuple[float, float, float],
    end: tuple[float, float, float],
    left_m: float,
    right_m: float,
) -> None:
    """Marks the cells whose inside the bar passes; the bar's ends are cut by half a cell so that none is won."""
    rows, cols = covered.shape
    reach_m = max(abs(left_m), abs(right_m))
    moved_m = np.hypot(end[0] - start[0], end[1] - start[1]) + reach_m * abs(end[2] - start[2])
    steps = int(moved_m / (0.4 * cell_m)) + 1
    bars = int((left_m - right_m) / (0.4 * cell_m)) + 1
    for step in range(steps + 1):
        share = step / steps
        x_m = start[0] + share * (end[0] - start[0])
        y_m = start[1] + share * (end[1] - start[1])
        heading = start[2] + share * (end[2] - start[2])
        sin, cos = np.sin(heading), np.cos(heading)
        for bar in range(bars + 1):
            side = right_m + 0.5 * cell_m + (left_m - right_m - cell_m) * bar / bars
            col = int(np.floor((x_m - sin * side - origin_x_m) / cell_m))
            row = int(np.floor((y_m + cos * side - origin_y_m) / cell_m))
            if 0 <= row < rows and 0 <= col < cols:
                covered[row, col] = True
