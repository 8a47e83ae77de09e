"""A path over every reachable patch of floor: reach, strokes, order, ways between them.

In: any occupancy grid, a start, the clearance the centre needs and the tool's width; what is covered already. Out: a
drivable line in `map`, straight between its points, no point of which comes nearer to anything than allowed. What can
fail: the start is blocked, or no cell has room for the robot (`CoverageError`). Pure: equal inputs give equal plans.

    plan = reach (where the centre may be) -> strokes (lines that sweep what is wanted)
           -> order (a tour over their ends) -> path (shortest clear ways between them)
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from foundation.geometry import FloatArray
from navigation.coverage.errors import CoverageError, NoFloor, StartBlocked
from navigation.coverage.grid_kernels import add_counts, sole_cells, sweep
from navigation.coverage.ordering import Ends, greedy_order, improved
from navigation.coverage.reach import EIGHT, BoolGrid, Reach, reachable
from navigation.coverage.strokes import Brush, Line, strokes
from navigation.coverage.ways import Ways
from navigation.grid_geometry import GridGeometry

__all__ = ["Budget", "CoverageError", "CoveragePlan", "CoverageSettings", "NoFloor", "StartBlocked", "plan", "plans"]

TURN_RAD = math.radians(30)


@dataclass(frozen=True, slots=True)
class CoverageSettings:
    """`robot_radius_m` is the clearance the centre keeps; the tool is a bar across the robot."""

    robot_radius_m: float
    tool_width_m: float
    tool_offset_left_m: float = 0.0
    edge_passes: int = 0
    turn_cost_m: float = 0.25
    seed: int = 0
    escape: bool = True  # a start inside the margin begins at the nearest clear cell


@dataclass(frozen=True, slots=True)
class Budget:
    """Iterations of the local search, and seconds when a clock is given."""

    iterations: int = 20_000
    seconds: float = math.inf
    clock: Callable[[], float] | None = None


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Floor that stays uncovered, and why."""

    area_m2: float
    reason: str


@dataclass(frozen=True, slots=True)
class CoveragePlan:
    """`path` (N, 3): x_m, y_m, heading_rad in map; `covering` (N - 1,): False on ways between strokes."""

    path: FloatArray
    covering: BoolGrid
    length_m: float
    turns: int
    coverage_ratio: float
    unreachable: tuple[Unreachable, ...]


def plan(
    free: BoolGrid,
    geometry: GridGeometry,
    start_map: tuple[float, float] | None,
    settings: CoverageSettings,
    *,
    covered: BoolGrid | None = None,
    budget: Budget | None = None,
) -> CoveragePlan:
    """The best plan within the budget."""
    best = None
    for found in plans(free, geometry, start_map, settings, covered=covered, budget=budget):
        best = found
    if best is None:
        raise NoFloor("no plan")
    return best


def plans(
    free: BoolGrid,
    geometry: GridGeometry,
    start_map: tuple[float, float] | None,
    settings: CoverageSettings,
    *,
    covered: BoolGrid | None = None,
    budget: Budget | None = None,
) -> Iterator[CoveragePlan]:
    """A safe plan at once, then better ones until the budget ends."""
    budget = budget or Budget()
    tool_radius_m = settings.tool_width_m / 2 - abs(settings.tool_offset_left_m)
    reach = reachable(free, geometry, start_map, settings.robot_radius_m, tool_radius_m, escape=settings.escape)
    wanted = reach.coverable if covered is None else reach.coverable & ~covered
    task = _Task(geometry, reach, wanted, Brush.of(tool_radius_m / geometry.cell_m), start_map, settings)
    lines = strokes(reach, wanted, task.brush, settings.edge_passes)
    ends = Ends(reach.centres, lines, reach.start, settings.turn_cost_m / geometry.cell_m)
    order = greedy_order(ends)
    first = task.path(lines, order)
    yield first
    if budget.iterations <= 0:
        return
    order, left = improved(order, ends, budget.iterations)
    lines, order = task.without_idle(lines, order)
    ends = Ends(reach.centres, lines, reach.start, settings.turn_cost_m / geometry.cell_m)
    order, left = improved(order, ends, max(left, budget.iterations // 4))
    better = task.path(lines, order)
    if better.coverage_ratio >= first.coverage_ratio - 1e-3 and better.length_m < first.length_m:
        yield better


@dataclass(frozen=True, slots=True)
class _Task:
    """What every step of one plan shares."""

    geometry: GridGeometry
    reach: Reach
    wanted: BoolGrid
    brush: Brush
    start_map: tuple[float, float] | None
    settings: CoverageSettings

    def path(self, lines: list[Line], order: NDArray[np.int32]) -> CoveragePlan:
        """The strokes in their order, joined by shortest clear ways."""
        ways = Ways(self.reach.centres)
        here = np.array(self.reach.start, np.int32)
        pieces: list[Line] = [here[None]]
        covering: list[bool] = []
        for entry in order:
            line = lines[entry // 2] if entry % 2 == 0 else lines[entry // 2][::-1]
            way = ways.between(here, line[0])
            pieces.append(way[1:])
            covering += [False] * (len(way) - 1)
            pieces.append(line[1:])
            covering += [True] * (len(line) - 1)
            here = line[-1]
        cells = np.concatenate(pieces)
        xy = self.geometry.centres(cells)
        if self.start_map is not None and np.hypot(*(xy[0] - self.start_map)) > self.geometry.cell_m:
            xy, covering = np.vstack([[self.start_map], xy]), [False, *covering]
        return self._told(xy, np.array(covering, np.bool_), cells)

    def without_idle(self, lines: list[Line], order: NDArray[np.int32]) -> tuple[list[Line], NDArray[np.int32]]:
        """Strokes left out whose floor the others and the ways between them sweep anyway; shortest first."""
        count = np.zeros(self.wanted.shape, np.int32)
        seen = np.zeros(self.wanted.shape, np.int32)
        stamp = 0
        for line in lines:
            stamp += 1
            add_counts(count, seen, stamp, line, self.brush.disc, 1)
        idle = set()
        for index in sorted(range(len(lines)), key=lambda i: _length(lines[i])):
            stamp += 1
            if sole_cells(count, self.wanted, seen, stamp, lines[index], self.brush.disc) == 0:
                stamp += 1
                add_counts(count, seen, stamp, lines[index], self.brush.disc, -1)
                idle.add(index)
        kept = [index for index in range(len(lines)) if index not in idle]
        renumbered = {old: new for new, old in enumerate(kept)}
        entries = [2 * renumbered[e // 2] + e % 2 for e in order if e // 2 in renumbered]
        return [lines[index] for index in kept], np.array(entries, np.int32)

    def _told(self, xy: FloatArray, covering: BoolGrid, cells: Line) -> CoveragePlan:
        mark = np.zeros(self.wanted.shape, np.int32)
        sweep(mark, 1, cells, self.brush.disc)
        total = int(self.wanted.sum())
        ratio = float((self.wanted & (mark == 1)).sum() / total) if total else 1.0
        legs = np.diff(xy, axis=0)
        moving = np.hypot(*legs.T) > 1e-9
        heading = np.arctan2(legs[:, 1], legs[:, 0]) if len(legs) else np.zeros(0)
        bends = np.abs((np.diff(heading[moving]) + np.pi) % (2 * np.pi) - np.pi)
        told = np.append(heading, heading[-1] if len(heading) else 0.0)
        return CoveragePlan(
            np.column_stack([xy, told]),
            covering,
            float(np.hypot(*legs.T).sum()),
            int((bends > TURN_RAD).sum()),
            ratio,
            self._unreachable(),
        )

    def _unreachable(self) -> tuple[Unreachable, ...]:
        parts, count = ndimage.label(self.reach.outside, EIGHT)
        cell_m2 = self.geometry.cell_m**2
        sizes = ndimage.sum_labels(self.reach.outside, parts, np.arange(1, count + 1)) if count else []
        reason = "no way wide enough for the robot leads there"
        return tuple(Unreachable(float(size) * cell_m2, reason) for size in sizes)


def _length(line: Line) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum()) if len(line) > 1 else 0.0
