"""A path over every reachable patch of floor: reach, lines, order, ways between them, then the whole made better.

In: any occupancy grid, a start, the clearance the centre needs and the tool's width; what is covered already. Out: a
drivable line in `map`, straight between its points, no point of which comes nearer to anything than allowed. What can
fail: the start is blocked, or no cell has room for the robot (`CoverageError`). Pure: equal inputs give equal plans, as
long as the budget counts iterations.

    plan = floor (where the centre may be, what the tool can touch)
           -> edge passes and swaths (lines that sweep what is wanted)
           -> order (a tour over their ends) -> path (shortest clear ways between them)
           -> annealed (corners moved, dropped, added, as long as it pays) -> missed patches picked up on the way
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from foundation.geometry import FloatArray
from navigation.coverage.annealing import Budget, Job, Spending, annealed, completed
from navigation.coverage.clearance import line_clear
from navigation.coverage.edge_passes import edge_passes
from navigation.coverage.errors import CoverageError, NoFloor, StartBlocked
from navigation.coverage.floor import EIGHT, BoolGrid, Floor, floor_of, nearest_clear
from navigation.coverage.ordering import Ends, greedy_order, improved
from navigation.coverage.repair import Repaired, repaired
from navigation.coverage.report import CoveragePlan, Unreachable, told
from navigation.coverage.rounding import round_corners, with_corners
from navigation.coverage.swaths import SwathCosts, swaths
from navigation.coverage.sweeping import count_path, ledger_of
from navigation.coverage.ways import Line, Ways
from navigation.grid_geometry import GridGeometry

__all__ = [
    "Budget",
    "CoverageError",
    "CoveragePlan",
    "CoverageSettings",
    "NoFloor",
    "Repaired",
    "StartBlocked",
    "Unreachable",
    "plan",
    "plans",
    "repaired",
    "replans",
    "rounded",
    "safe_path",
    "warm_up",
]  # fmt: skip

FIRST_PAY = 5.0  # tool widths of drive that a tool width of new floor is worth when lines are chosen
TOUR_STEPS = 20_000
SMALL_CELLS = 10_000  # wanted floor whose first path picks up its patches at once
FIRST_SEARCH = 0.35  # share of the budget after which a better plan is given out
SEARCH = ((0.0, FIRST_SEARCH, 1.0), (FIRST_SEARCH, 1.0, 0.7))  # (begin, end, heat)
MISS_AGAIN = 0.5  # of what may be missed
SEARCH_AGAIN = ((0.0, 1.0, 0.1),)  # cooler: it begins at a good route, and its time is short


@dataclass(frozen=True, slots=True)
class CoverageSettings:
    """`robot_radius_m` is the clearance the centre keeps.

    The tool is a disc or, unless `round_tool`, a bar across the robot that sweeps nothing ahead of its middle. Cells
    count as swept when their centre is: give a true tool's width less a cell, and less what localisation is wrong by.
    `target_ratio` of the coverable floor is swept, what was covered before included, and every patch of `patch_m2` or
    more; beyond it the drive is not worth it. Of floor told as covered no crumbs smaller than `crumb_m2` are picked up.
    `crosswise`: swaths across those that would be chosen.
    """

    robot_radius_m: float
    tool_width_m: float
    tool_offset_left_m: float = 0.0
    edge_passes: int = 0
    turn_cost_m: float = 0.45
    seed: int = 0
    escape: bool = True  # a start inside the margin begins at the nearest clear cell
    round_tool: bool = True
    target_ratio: float = 0.9945
    patch_m2: float = 0.12
    crumb_m2: float = 0.0
    crosswise: bool = False


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
    assert best is not None
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
    _check(free, geometry, settings)
    free, geometry, covered = _cropped(free, geometry, covered)
    budget = budget or Budget()
    spending = Spending(budget)
    job = _job(free, geometry, start_map, settings, covered)
    first = _first_path(job, settings) if _worth_a_drive(job) else _start(job, [])[None]
    if len(first) < 3 or budget.iterations <= 0 or job.wanted.sum() < SMALL_CELLS:
        first = _with_patches(job, first)  # small remainders are patches; large floors get theirs after the search
    best = told(first, job, geometry, start_map)
    yield best
    if len(first) < 3 or budget.iterations <= 0:
        return
    yield from _searched(job, first, best, spending, SEARCH, geometry, start_map, settings)


def replans(
    free: BoolGrid,
    geometry: GridGeometry,
    route_map: FloatArray,
    settings: CoverageSettings,
    *,
    covered: BoolGrid | None = None,
    budget: Budget | None = None,
) -> Iterator[CoveragePlan]:
    """The rest of a route (N, 2), N >= 1, from where the robot is, after the floor has changed.

    At once it is led round what is in the way, with its order kept; then floor that this leaves out, or that has become
    free, is picked up, and the whole made better until the budget ends. Arcs of a rounded route become corners first.
    """
    _check(free, geometry, settings)
    safe = repaired(free, geometry, with_corners(route_map), settings.robot_radius_m).points_map
    start_map = float(safe[0, 0]), float(safe[0, 1])
    free, geometry, covered = _cropped(free, geometry, covered)
    budget = budget or Budget()
    spending = Spending(budget)
    job = _job(free, geometry, start_map, settings, covered)
    path = _in_cells(safe, geometry)
    if len(path) > 1 and not line_clear(job.floor.ground, *path[0], *path[0]):
        path = path[1:]  # a start inside the margin is left first: told as what comes before the path
    best = told(path, job, geometry, start_map)
    yield best
    path = _with_patches(job, path)
    found = told(path, job, geometry, start_map)
    if _better(found, best, job.target_ratio, settings):
        best = found
        yield best
    if len(path) > 2 and budget.iterations > 0:
        # what the route sweeps beyond the target is kept in part: to let it go again saves little, to keep all costs
        kept = min(found.coverage_ratio, 1 - MISS_AGAIN * (1 - job.target_ratio))
        job = replace(job, target_ratio=max(job.target_ratio, kept))
        yield from _searched(job, path, best, spending, SEARCH_AGAIN, geometry, start_map, settings)


def rounded(
    found: CoveragePlan,
    free: BoolGrid,
    geometry: GridGeometry,
    settings: CoverageSettings,
    radii_m: Sequence[float],
    *,
    covered: BoolGrid | None = None,
) -> CoveragePlan:
    """The plan with arcs in place of corners wherever one of these radii, the first that does, costs no floor."""
    if len(found.path) < 3:
        return found
    free, geometry, covered = _cropped(free, geometry, covered)
    start_map = float(found.path[0, 0]), float(found.path[0, 1])
    job = _job(free, geometry, start_map, settings, covered)
    path = _in_cells(found.path[:, :2], geometry)
    ledger = ledger_of(job.wanted)
    count_path(ledger, path, job.tool)
    radii = np.array(radii_m, np.float64) / geometry.cell_m
    return told(round_corners(job.floor.ground, ledger, path, radii, job.tool), job, geometry, None)


def _searched(
    job: Job,
    path: Line,
    best: CoveragePlan,
    spending: Spending,
    stages: tuple[tuple[float, float, float], ...],
    geometry: GridGeometry,
    start_map: tuple[float, float] | None,
    settings: CoverageSettings,
) -> Iterator[CoveragePlan]:
    """Better plans than the best, searched for from a path (N, 2) on; stages of (begin, end, heat)."""
    job = replace(job, nearest=nearest_clear(job.floor))
    for begin, end, heat in stages:
        path, whole = annealed(job, path, spending, begin, end, heat)
        found = told(whole, job, geometry, start_map)
        if _all_clear(job.floor, whole) and _better(found, best, job.target_ratio, settings):
            best = found
            yield best


def _in_cells(points_map: FloatArray, geometry: GridGeometry) -> Line:
    """(N, 2) of (row, col) for points (N, 2) of (x, y); whole numbers at the middles of cells."""
    cells: Line = ((points_map - (geometry.origin_x_m, geometry.origin_y_m)) / geometry.cell_m - 0.5)[:, ::-1]
    whole = np.rint(cells)
    return np.where(np.abs(cells - whole) < 1e-6, whole, cells)


def safe_path(
    free: BoolGrid,
    geometry: GridGeometry,
    start_map: tuple[float, float],
    goal_map: tuple[float, float],
    clearance_m: float,
) -> FloatArray:
    """(N, 2) of (x, y) from start to goal: short, straight between its points and clear; StartBlocked when cut off.

    Both ends are moved to the nearest clear cell when they stand inside the margin.
    """
    floor = floor_of(free, geometry, start_map, clearance_m, 0.0, escape=True)
    goal = floor_of(free, geometry, goal_map, clearance_m, 0.0, escape=True).start
    assert floor.start is not None and goal is not None
    if not floor.centres[goal]:
        raise StartBlocked(f"no way {clearance_m:.3f} m clear on both sides leads from {start_map} to {goal_map}")
    way = Ways(floor.ground, floor.centres).between(np.array(floor.start, np.float64), np.array(goal, np.float64))
    return geometry.centres(way.astype(np.int64))


def warm_up() -> None:
    """Loads the compiled kernels, or compiles them once on a new machine, so that the first plan is not late."""
    free = np.ones((40, 40), dtype=np.bool_)
    free[18:22, 12:30] = False
    settings = CoverageSettings(robot_radius_m=2.0, tool_width_m=4.0)
    plan(free, GridGeometry(0.0, 0.0, 1.0, 40, 40), (4.0, 4.0), settings, budget=Budget(iterations=4000))


def _check(free: BoolGrid, geometry: GridGeometry, settings: CoverageSettings) -> None:
    if free.shape != geometry.shape:
        raise CoverageError(f"the map has {free.shape} cells, its geometry says {geometry.shape}")
    for name in ("robot_radius_m", "tool_width_m"):
        value = getattr(settings, name)
        if not (math.isfinite(value) and value > 0):
            raise CoverageError(f"{name} is {value}, must be above 0")


def _cropped(
    free: BoolGrid, geometry: GridGeometry, covered: BoolGrid | None
) -> tuple[BoolGrid, GridGeometry, BoolGrid | None]:
    """The block that holds everything free: time follows the floor, not the image."""
    rows, cols = np.flatnonzero(free.any(axis=1)), np.flatnonzero(free.any(axis=0))
    if not len(rows):
        raise NoFloor(f"no cell of the map's {geometry.rows} x {geometry.cols} is free")
    block = (slice(rows[0], rows[-1] + 1), slice(cols[0], cols[-1] + 1))
    inner = GridGeometry(
        geometry.origin_x_m + int(cols[0]) * geometry.cell_m,
        geometry.origin_y_m + int(rows[0]) * geometry.cell_m,
        geometry.cell_m,
        int(rows[-1] - rows[0]) + 1,
        int(cols[-1] - cols[0]) + 1,
    )
    return free[block], inner, None if covered is None else covered[block]


def _job(
    free: BoolGrid,
    geometry: GridGeometry,
    start_map: tuple[float, float] | None,
    settings: CoverageSettings,
    covered: BoolGrid | None,
) -> Job:
    cell_m = geometry.cell_m
    floor = floor_of(
        free, geometry, start_map, settings.robot_radius_m,
        settings.tool_width_m / 2 + abs(settings.tool_offset_left_m), escape=settings.escape,
    )  # fmt: skip
    wanted = floor.coverable
    if covered is not None:
        wanted = _without_crumbs(wanted & ~covered, settings, geometry)
        floor = replace(floor, outside=floor.outside & ~covered)  # what needs no sweep is not left out
    may_miss = (1 - settings.target_ratio) * int(floor.coverable.sum())
    return Job(
        floor,
        wanted,
        (settings.tool_width_m / 2 / cell_m, settings.round_tool, settings.tool_offset_left_m / cell_m),
        settings.turn_cost_m / cell_m,
        max(1 - may_miss / max(int(wanted.sum()), 1), 0.0),
        max(math.ceil(settings.patch_m2 / cell_m**2), 1),
        settings.seed,
        floor.start is None,
        np.zeros((2, 0, 0), np.int32),
    )


def _without_crumbs(wanted: BoolGrid, settings: CoverageSettings, geometry: GridGeometry) -> BoolGrid:
    """Without the pieces that are not worth a turn: slivers between sweeps, corners of cells at walls."""
    cells = settings.crumb_m2 / geometry.cell_m**2
    if cells <= 1:
        return wanted
    pieces, _ = ndimage.label(wanted, EIGHT)
    worth = np.bincount(pieces.ravel()) >= cells
    worth[0] = False
    kept: BoolGrid = worth[pieces]
    return kept


def _worth_a_drive(job: Job) -> bool:
    """More is missing than may be, or a whole patch."""
    if job.wanted.sum() > job.allowed:
        return True
    pieces, count = ndimage.label(job.wanted, EIGHT)
    return bool(count) and int(np.bincount(pieces.ravel())[1:].max()) >= job.patch_cells


def _first_path(job: Job, settings: CoverageSettings) -> Line:
    """Lines, joined in the order of a short tour."""
    lines = _lines(job, settings)
    start = _start(job, lines).astype(np.int32)
    whole = [line.astype(np.int32) for line in lines]
    ends = Ends(job.floor.centres, whole, (int(start[0]), int(start[1])), job.turn_cells)
    order, _ = improved(greedy_order(ends), ends, TOUR_STEPS)
    return _joined(job.floor, lines, order, start.astype(np.float64))


def _with_patches(job: Job, path: Line) -> Line:
    if not job.wanted.any():
        return path
    path = path if len(path) > 1 else np.repeat(path, 2, axis=0)
    ledger = ledger_of(job.wanted)
    count_path(ledger, path, job.tool)
    return completed(job, path, ledger)


def _lines(job: Job, settings: CoverageSettings) -> list[Line]:
    """Edge passes and swaths; a tool to the side is first planned as if it were centred and narrower."""
    radius, round_tool, left = job.tool
    slim = (max(radius - abs(left), 0.5), round_tool, 0.0)
    ledger = ledger_of(job.wanted)
    lines = edge_passes(job.floor.ground, job.floor.centres, ledger, slim, settings.edge_passes)
    missing = ledger == 0
    costs = SwathCosts(FIRST_PAY / (2 * slim[0]), 2 * job.turn_cells)
    return lines + swaths(job.floor.centres, missing, slim[0], costs, crosswise=settings.crosswise)


def _start(job: Job, lines: list[Line]) -> NDArray[np.float64]:
    """Where the robot stands; without a robot, where a line or the clear floor begins."""
    if job.floor.start is not None:
        return np.array(job.floor.start, np.float64)
    if lines:
        return np.asarray(lines[0][0])
    first: NDArray[np.float64] = np.argwhere(job.floor.centres)[0].astype(np.float64)
    return first


def _joined(floor: Floor, lines: list[Line], order: NDArray[np.int32], start: Line) -> Line:
    """(N, 2): the lines in their order, joined by shortest clear ways."""
    ways = Ways(floor.ground, floor.centres)
    pieces = [start[None]]
    here = start
    for entry in order:
        line = lines[entry // 2] if entry % 2 == 0 else lines[entry // 2][::-1]
        pieces.append(ways.between(here, line[0])[1:])
        pieces.append(
            line[1:] if (len(line) > 1 and not np.array_equal(line[0], line[-1])) or len(line) > 2 else line[:0]
        )
        here = line[-1]
    return np.concatenate(pieces)


def _all_clear(floor: Floor, path: Line) -> bool:
    return all(line_clear(floor.ground, a[0], a[1], b[0], b[1]) for a, b in itertools.pairwise(path))


def _better(found: CoveragePlan, best: CoveragePlan, target_ratio: float, settings: CoverageSettings) -> bool:
    """Never less floor, and a shorter drive unless it brings floor that the target (of what is wanted) asks for."""
    if found.coverage_ratio < min(best.coverage_ratio, target_ratio) - 1e-9:
        return False
    if best.coverage_ratio < target_ratio - 1e-9 and found.coverage_ratio > best.coverage_ratio:
        return True
    return _cost_m(found, settings) < _cost_m(best, settings)


def _cost_m(found: CoveragePlan, settings: CoverageSettings) -> float:
    return found.length_m + settings.turn_cost_m * found.turns
