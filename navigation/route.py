"""What the online behaviour asks of a planner, and what it gets: a line to drive now over the floor known now."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from foundation.geometry import FloatArray
from navigation.grid_geometry import GridGeometry

BoolGrid = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Floor that the plan cannot reach."""

    area_m2: float
    reason: str


@dataclass(frozen=True, slots=True)
class Route:
    """A drivable line; straight between its points."""

    points_map: FloatArray  # (N, 2); empty when nothing is left to cover, or no plan can be made
    covering: BoolGrid  # (max(N - 1, 0),): False on transits
    left_out: tuple[LeftOut, ...] = ()
    refused: str = ""  # why no plan can be made from there; empty: there is one, or nothing is left

    @property
    def length_m(self) -> float:
        return float(np.hypot(*np.diff(self.points_map, axis=0).T).sum()) if len(self.points_map) > 1 else 0.0


class RoutePlanner(Protocol):
    """Pure: the same floor, start and effort give the same route."""

    def __call__(
        self,
        free: BoolGrid,  # (R, C) not inflated
        geometry: GridGeometry,
        start_map: tuple[float, float],
        covered: BoolGrid,  # (R, C)
        *,
        quick: bool,
        crosswise: bool = False,
        rest: FloatArray | None = None,
    ) -> Route:
        """`quick`: the first safe route (tens of milliseconds); else a good one. `crosswise`: swaths the other way.

        `rest` (N, 2), from `start_map` on, is what was left to drive before the floor changed: its order is kept where
        it still serves.
        """
        ...


def no_route(refused: str = "") -> Route:
    """Nothing to drive."""
    return Route(np.zeros((0, 2)), np.zeros(0, dtype=np.bool_), refused=refused)
