"""What a plan says of itself: the path in `map`, what of it covers, its length, turns and coverage, what is cut off."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from foundation.geometry import FloatArray
from navigation.coverage.annealing import Job
from navigation.coverage.floor import EIGHT, BoolGrid
from navigation.coverage.sweeping import count_path, ledger_of
from navigation.coverage.ways import Line
from navigation.grid_geometry import GridGeometry

TURN_RAD = math.radians(30)
COVERING_SHARE = 0.1  # of a leg's sweep must be new floor, else it is a transit


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Floor that stays uncovered, and why."""

    area_m2: float
    reason: str


@dataclass(frozen=True, slots=True)
class CoveragePlan:
    """`path` (N, 3): x_m, y_m, heading_rad in map, heading on leaving; `covering` (N - 1,): False on transits.

    `coverage_ratio`: share of the wanted floor that the path sweeps.
    """

    path: FloatArray
    covering: BoolGrid
    length_m: float
    turns: int
    rotation_rad: float
    coverage_ratio: float
    unreachable: tuple[Unreachable, ...]


def told(path: Line, job: Job, geometry: GridGeometry, start_map: tuple[float, float] | None) -> CoveragePlan:
    """The plan of a path (N, 2) in cells. A start away from the path's begin (an escape) is driven from first."""
    if len(path) > 1:
        path = path[np.append(True, np.any(np.diff(path, axis=0) != 0, axis=1))]
    ledger = ledger_of(job.wanted)
    fresh = count_path(ledger, path, job.tool)
    covering = fresh > COVERING_SHARE * np.hypot(*np.diff(path, axis=0).T) * 2 * job.tool[0]
    total = int(job.wanted.sum())
    ratio = float(fresh.sum()) / total if total else 1.0
    xy = np.stack(
        [
            geometry.origin_x_m + (path[:, 1] + 0.5) * geometry.cell_m,
            geometry.origin_y_m + (path[:, 0] + 0.5) * geometry.cell_m,
        ],
        axis=1,
    )
    if start_map is not None and np.hypot(*(xy[0] - start_map)) > 1.5 * geometry.cell_m:
        xy, covering = np.vstack([[start_map], xy]), np.append(False, covering)
    legs = np.diff(xy, axis=0)
    heading = np.arctan2(legs[:, 1], legs[:, 0]) if len(legs) else np.zeros(0)
    bends = np.abs((np.diff(heading) + np.pi) % (2 * np.pi) - np.pi)
    leaving = np.append(heading, heading[-1] if len(heading) else 0.0)
    return CoveragePlan(
        np.column_stack([xy, leaving]),
        covering,
        float(np.hypot(*legs.T).sum()),
        int((bends > TURN_RAD).sum()),
        float(bends.sum()),
        ratio,
        _unreachable(job.floor.outside, geometry.cell_m),
    )


def _unreachable(outside: BoolGrid, cell_m: float) -> tuple[Unreachable, ...]:
    parts, count = ndimage.label(outside, EIGHT)
    sizes: NDArray[np.int64] = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    reason = "no way wide enough for the robot leads there"
    return tuple(Unreachable(float(size) * cell_m**2, reason) for size in sorted(sizes, reverse=True))
