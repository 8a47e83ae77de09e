"""Routes of the online behaviour by the coverage planner: which radius, tool and budget it is asked with."""

import math
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from foundation.errors import ConfigError
from foundation.geometry import FloatArray
from foundation.robot_config import RobotConfig
from navigation.coverage_planner import Budget, CoverageError, CoverageSettings, plan, replans, rounded
from navigation.grid_geometry import GridGeometry
from navigation.route import LeftOut, Route, no_route

_OVERLAP_M: Final = 0.03  # of neighbouring swaths: what localisation and control may be wrong by
_TURN_COST_M: Final = 0.6  # stop, turn and go on take about as long as this drive
_TARGET_RATIO: Final = 0.997
_PATCH_M2: Final = 0.04
_CRUMB_M2: Final = 0.004  # a turn there and back for each took a third of the drive, for .3 % of the floor
_ITERATIONS_PER_M2: Final = 40_000  # of floor that is left; a quarter of it makes routes half as long again
_ARC_OVERLAP_LESS_M: Final = 0.015  # an arc's outer side is not driven along twice: half the overlap will do
_ARC_RADII_M: Final = (0.25, 0.2, 0.15, 0.12, 0.1, 0.08, 0.06)  # slower than spinning on the spot below that
_ITERATIONS: Final = (20_000, 300_000)


def whole_cells_m(clearance_m: float, cell_m: float) -> float:
    """The clearance that whole cells can keep, at most the wanted one: rounding up leaves a strip at every wall."""
    return (math.floor(clearance_m / cell_m + 0.5) - 0.5) * cell_m


def iterations_for(left_m2: float) -> int:
    """Of the search, for so much floor that is not swept."""
    low, high = _ITERATIONS
    return int(min(max(_ITERATIONS_PER_M2 * left_m2, low), high))


class PlannedRoutes:
    """navigation.route.RoutePlanner over navigation.coverage_planner; ConfigError for a robot it cannot plan for."""

    def __init__(self, config: RobotConfig) -> None:
        width_m, cell_m = config.tool.width_m, config.planner.cell_m
        if width_m <= _OVERLAP_M:
            raise ConfigError(f"tool.width_m = {width_m}: swaths overlap by {_OVERLAP_M} m, the tool has to be wider")
        radius_m = whole_cells_m(config.clearance_m, cell_m)
        if radius_m <= 0:
            raise ConfigError(
                f"planner.cell_m = {cell_m}: at most {2 * config.clearance_m:.3f},"
                " twice body.radius_m and planner.margin_m"
            )
        self._settings = CoverageSettings(
            robot_radius_m=radius_m,
            tool_width_m=width_m - _OVERLAP_M,
            tool_offset_left_m=config.tool.offset_left_m,
            edge_passes=1,
            turn_cost_m=_TURN_COST_M,
            seed=0,
            target_ratio=_TARGET_RATIO,
            patch_m2=_PATCH_M2,
            crumb_m2=_CRUMB_M2,
        )

    def __call__(
        self,
        free: NDArray[np.bool_],
        geometry: GridGeometry,
        start_map: tuple[float, float],
        covered: NDArray[np.bool_],
        *,
        quick: bool,
        crosswise: bool = False,
        rest: FloatArray | None = None,
    ) -> Route:
        left_m2 = float(np.count_nonzero(free & ~covered)) * geometry.cell_m**2
        settings = replace(self._settings, crosswise=crosswise)
        budget = Budget(iterations=0 if quick else iterations_for(left_m2))
        try:
            if rest is None or len(rest) < 2:
                found = plan(free, geometry, start_map, settings, covered=covered, budget=budget)
            else:
                *_, found = replans(free, geometry, rest, settings, covered=covered, budget=budget)
        except CoverageError as error:
            return no_route(str(error))
        wider = replace(settings, tool_width_m=settings.tool_width_m + _ARC_OVERLAP_LESS_M)
        found = rounded(found, free, geometry, wider, _ARC_RADII_M, covered=covered)
        left_out = tuple(LeftOut(area.area_m2, area.reason) for area in found.unreachable)
        return Route(np.ascontiguousarray(found.path[:, :2]), found.covering, left_out)
