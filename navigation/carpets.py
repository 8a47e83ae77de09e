"""The job's rule for carpets and rugs: swept like any floor, driven over with the tool up, or not driven on at all.

In: what the camera says of the floor, frame by frame. Out: floor not to be swept, floor not to be entered, and whether
the tool may be down here. Weighed anew once a second while there is a rule and something new to weigh.

Carpets that may be driven over are driven round as long as anything is left to sweep without them: passes along their
edge clean up to it, while a tool that comes from across the carpet must stay up beside it. Then they are opened, for
the floor that lies behind them; what is nearer to them than half the tool is swept no more. A way home opens them too;
with the next pass, and after a stay at the charger, they are shut again.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from foundation.geometry import FloatArray, Pose2D
from foundation.robot_config import Tool
from navigation.floor_kinds import FloorKinds
from navigation.grid_geometry import CellRect, GridGeometry

BoolGrid = NDArray[np.bool_]
_EVERY_S: Final = 1.0
_TOOL_PLACES: Final = 7  # across the tool
_NOTHING: Final = CellRect(0, 0, 0, 0)


class Carpets:
    """Follows the map's grid; `known` (R, C) are the carpets that the rule is for, none when they are just swept."""

    def __init__(self, geometry: GridGeometry, tool: Tool) -> None:
        self.kinds = FloorKinds(geometry)
        self.known: BoolGrid = np.zeros(geometry.shape, dtype=np.bool_)
        self.entered = True  # now
        self._swept = self._may_enter = True
        self._geometry = geometry
        self._tool = tool
        self._due_s = 0.0

    def set_rule(self, *, swept: bool, entered: bool) -> None:
        self._swept, self._may_enter, self.entered = swept, entered, swept
        self.known = np.zeros_like(self.known) if swept else self.kinds.soft(self._geometry)

    def open(self) -> bool:
        """Let the body onto carpets when the rule allows it; False when it does not, or when this opens nothing."""
        opens = self._may_enter and not self.entered
        self.entered |= opens
        return opens and bool(self.known.any())

    def shut(self, under_body: Callable[[], BoolGrid]) -> bool:
        """Drive round carpets again as at the beginning; None is shut to a robot that stands on it."""
        if self._swept or not self.entered:
            return False
        self.entered = False
        shuts = bool(self.known.any())
        if shuts:
            self.known &= ~under_body()
        return shuts

    def unwanted(self) -> BoolGrid:
        """(R, C): floor that is not to be swept."""
        if not self.entered or not self.known.any():
            return self.known
        half_tool = (0.5 * self._tool.width_m + abs(self._tool.offset_left_m)) / self._geometry.cell_m
        return np.asarray(ndimage.distance_transform_edt(~self.known) <= half_tool)

    def resize(self, geometry: GridGeometry) -> None:
        """Follow a map that has grown."""
        self.known = self._geometry.moved_to(geometry, self.known)
        self.kinds.resize(geometry)
        self._geometry = geometry

    def look(
        self,
        stamp_s: float,
        points_base_m: FloatArray,  # (M, 2)
        points_map: FloatArray,  # (M, 2)
        kinds: NDArray[np.uint8],  # (M,)
        under_body: Callable[[], BoolGrid],
    ) -> CellRect:
        """One frame; the block of cells in which `known` has changed. None is shut to a robot that stands on it."""
        self.kinds.look(points_base_m, points_map, kinds)
        if self._swept or stamp_s < self._due_s or not self.kinds.take_changed():
            return _NOTHING
        self._due_s = stamp_s + _EVERY_S
        known = self.kinds.soft(self._geometry)
        if not self.entered:
            known &= ~under_body()
        rows, cols = np.nonzero(known != self.known)
        self.known = known
        if not len(rows):
            return _NOTHING
        return CellRect(int(rows.min()), int(cols.min()), int(rows.max()) + 1, int(cols.max()) + 1)

    def tool_may_sweep(self, pose: Pose2D) -> bool:
        """Whether nothing under the tool is a carpet that is not to be swept."""
        across_m = np.linspace(-0.5, 0.5, _TOOL_PLACES) * self._tool.width_m + self._tool.offset_left_m
        cells = self._geometry.cells(pose.transform(np.stack([np.zeros(_TOOL_PLACES), across_m], axis=1)))
        cells = cells[self._geometry.contains(cells)]
        return not self.known[cells[:, 0], cells[:, 1]].any()
