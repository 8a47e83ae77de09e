"""Coverage planning on the reference buildings: coverage, drive, turns, time; and the curve of drive against coverage.

    python benchmarks/coverage.py [--only WORD] [--curve] [--scale F] [--replan] [--moved] [--out DIR]

Needs OXTURN_REFERENCE_DATA (floor_plans). Paths are scored as a stranger would: the map's own cells, the path as
written. Search time is processor time of one core, so that a busy machine shows the same table.
"""

import argparse
import itertools
import math
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from navigation.coverage.sweeping import count_path, ledger_of
from navigation.coverage_planner import (
    Budget,
    CoveragePlan,
    CoverageSettings,
    plan,
    plans,
    repaired,
    replans,
    warm_up,
)
from navigation.grid_geometry import GridGeometry
from navigation.plan_command import seconds_for

CELL_M = 0.05
SETTINGS = CoverageSettings(robot_radius_m=0.30, tool_width_m=0.60, escape=False)
ON_THE_WAY = replace(SETTINGS, escape=True)
COLUMNS = "map                                 m2   first_s final_s  cover%   rho   turns  rad  clear_m"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="maps whose name holds this")
    parser.add_argument("--skip", default="-", help="maps whose name holds this are left out")
    parser.add_argument("--curve", action="store_true", help="targets from 98 to 99.8 %% on the furnished maps")
    parser.add_argument("--scale", type=float, default=1.0, help="of the maps' sides: buildings larger than there are")
    parser.add_argument("--out", type=Path, help="folder for pictures")
    parser.add_argument("--replan", action="store_true", help="time to a safe route after a change, up to 500 m2")
    parser.add_argument("--moved", action="store_true", help="five things moved during the drive, up to 500 m2")
    parser.add_argument("--drives", type=int, default=3, help="of --moved, a map")
    args = parser.parse_args()
    folder = Path(os.environ.get("OXTURN_REFERENCE_DATA", "../shared/data")) / "floor_plans"
    maps = [path for path in sorted(folder.glob("*.png")) if "gt_" not in path.name]
    maps = [path for path in maps if args.only in path.name and args.skip not in path.name]
    if not maps:
        raise SystemExit(f"no floor plans in {folder}: set OXTURN_REFERENCE_DATA")
    warm_up()
    if args.replan:
        _replans(maps)
        return
    if args.moved:
        moved(maps, args.drives)
        return
    for group in ("furnitures", ""):
        chosen = [path for path in maps if ("furnitures" in path.name) == bool(group)]
        if args.curve and group and chosen:
            for target in (0.98, 0.985, 0.99, 0.995, 0.998):
                _table(
                    chosen,
                    replace(SETTINGS, target_ratio=target),
                    None,
                    f"target {target:.1%}",
                    brief=True,
                    scale=args.scale,
                )
        elif chosen and not args.curve:
            _table(chosen, SETTINGS, args.out, "furnished" if group else "empty", brief=False, scale=args.scale)


def _replans(maps: list[Path]) -> None:
    """Something appears on the route, again and again: time to a safe route, and to a plan of the rest from scratch."""
    for path in maps:
        free = np.ascontiguousarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)[::-1] > 250)
        geometry = GridGeometry(0.0, 0.0, CELL_M, *free.shape)
        if free.sum() * CELL_M**2 > 500:
            continue
        *_, found = plans(free, geometry, None, SETTINGS, budget=Budget(iterations=100_000))
        rng = np.random.default_rng(0)
        repairs, wholes = [], []
        for trial in range(60):
            at = int(rng.integers(1, len(found.path) // 2))
            row, col = geometry.cells(found.path[None, at + 10 if at + 10 < len(found.path) else at, :2])[0]
            changed = free.copy()
            changed[row - 2 : row + 3, col - 2 : col + 3] = False
            begin_s = time.process_time()
            repaired(changed, geometry, found.path[at:, :2], SETTINGS.robot_radius_m)
            repairs.append(time.process_time() - begin_s)
            if trial % 6 == 0:
                start = (float(found.path[at, 0]), float(found.path[at, 1]))
                begin_s = time.process_time()
                next(plans(changed, geometry, start, replace(SETTINGS, escape=True), budget=Budget(iterations=1)))
                wholes.append(time.process_time() - begin_s)
        p50, p99 = np.percentile(repairs, [50, 99]) * 1000
        print(
            f"{path.stem:34s} repaired p50 {p50:.0f} p99 {p99:.0f} ms; planned anew {max(wholes) * 1000:.0f} ms at most"
        )


THINGS = 5
THING_CELLS = 10  # .5 m square
TAKEN_CELLS = 600  # of the places of the centre, by a thing and its margin: 24 x 24 at most
APART_CELLS = 40  # no two things together shut a way that each leaves open
SEEN_M = 1.5  # from the robot: then it is known that a thing stands there, or no more
STEP_M = 0.1  # of the drive, between two looks
AGAIN = 80_000  # moves of the search after a change: within a second
AGAIN_AFTER_M = 1.0  # of drive the search goes on with twice as many: the robot has driven for 4 s by then
MOVES_A_S = 80_000  # about: counted, so that equal drives are equal
MOMENTS = (0.1, 0.25, 0.4, 0.55, 0.7)  # shares of the planned drive at which a thing moves


@dataclass(frozen=True)
class Change:
    """At `at_m` of the drive a thing moves from one square (corner: row, col) to another."""

    at_m: float
    old: tuple[int, int]
    new: tuple[int, int]


def moved(maps: list[Path], drives: int) -> None:
    """Five things move while a plan is driven, each known from nearby only; beside a plan that knew from the start."""
    print(f"{'map':34s} drive   knew % drive %   lost   knew rho  drive   longer  first_ms again_ms")
    rows = []
    for path in maps:
        free = np.ascontiguousarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)[::-1] > 250)
        geometry = GridGeometry(0.0, 0.0, CELL_M, *free.shape)
        if free.sum() * CELL_M**2 > 500:
            continue
        for drive in range(drives):
            row = _moved_once(free, geometry, np.random.default_rng((drive, len(path.stem))))
            rows.append(row)
            print(f"{path.stem:34s} {drive:5d} {_moved_figures(row)}", flush=True)
    table = np.array(rows)
    print(
        f"mean {_moved_figures(table.mean(axis=0))}\nworst loss {table[:, 2].max():.2f} points (bar .2), "
        f"longer by {100 * table[:, 5].max():.1f} % (bar 5), mean {100 * table[:, 5].mean():.1f} %, "
        f"first safe route {table[:, 6].max():.0f} ms, better one {table[:, 7].max():.0f} ms"
    )


def _moved_figures(row: np.ndarray) -> str:
    return (
        f"{row[0]:8.2f} {row[1]:10.2f} {row[2]:6.2f} {row[3]:11.3f} {row[4]:6.3f} {100 * row[5]:6.1f}% "
        f"{row[6]:9.0f} {row[7]:8.0f}"
    )


def _moved_once(bare: np.ndarray, geometry: GridGeometry, rng: np.random.Generator) -> np.ndarray:
    """[coverage % of the plan that knew, of the drive, points lost, rho of both, how much longer, ms to a safe route,
    to the last better one; the drive's worst]."""
    start = tuple(plan(bare, geometry, None, SETTINGS, budget=Budget(iterations=0)).path[0, :2])
    before, after, changes, route = _scene(bare, geometry, start, rng)
    driven, times = _driven(bare, before, geometry, route, changes)
    knew = _searched(after, geometry, start)
    _, known_cover, known_rho = score(after, knew.path[:, :2])[:3]
    _, cover, rho = score(after, driven)[:3]
    return np.array([known_cover, cover, known_cover - cover, known_rho, rho, rho / known_rho - 1, *times])


def _searched(free: np.ndarray, geometry: GridGeometry, start: tuple[float, float]) -> CoveragePlan:
    moves = int(seconds_for(float(free.sum()) * CELL_M**2) * MOVES_A_S)
    return plan(free, geometry, start, SETTINGS, budget=Budget(moves))


def _scene(
    bare: np.ndarray, geometry: GridGeometry, start: tuple[float, float], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, list[Change], np.ndarray]:
    """The floor before and after, the moves, and the route (N, 2) planned before.

    A thing leaves a place that the robot has yet to come by (what goes away behind its back, no drive can know), and
    comes to stand on what is left of the route, out of sight. No thing cuts floor off.
    """
    while True:
        before, olds = bare.copy(), []
        while len(olds) < THINGS:
            olds.append(_place(before, start, rng))
            before[_square(olds[-1])] = False
        route = _searched(before, geometry, start).path[:, :2]
        arc_m = _arc_m(route)
        olds.sort(key=lambda old: _last_seen_m(bare, route, arc_m, old))
        moments = [moment * arc_m[-1] for moment in MOMENTS]
        if all(
            _last_seen_m(bare, route, arc_m, old) > at_m + 5 * SEEN_M for old, at_m in zip(olds, moments, strict=True)
        ):
            break
    after, changes = before.copy(), []
    for old, at_m in zip(olds, moments, strict=True):
        after[_square(old)] = bare[_square(old)]
        here = _at(route, arc_m, at_m)
        new = None
        while new is None:
            there = _at(route, arc_m, rng.uniform(at_m + 5.0, arc_m[-1]))
            row, col = (int(value) for value in geometry.cells(there[None])[0] - THING_CELLS // 2)
            others = [*olds, *(change.new for change in changes)]
            apart = all(abs(row - r) >= APART_CELLS or abs(col - c) >= APART_CELLS for r, c in others)
            out_of_sight = math.dist(there, here) > 2 * SEEN_M
            if apart and out_of_sight and _cuts_nothing_off(after, (row, col)):
                new = row, col
        after[_square(new)] = False
        changes.append(Change(at_m, old, new))
    return before, after, changes, route


def _place(free: np.ndarray, start: tuple[float, float], rng: np.random.Generator) -> tuple[int, int]:
    cells = np.argwhere(free)
    while True:
        row, col = (int(value) for value in cells[int(rng.integers(len(cells)))])
        if math.dist((col * CELL_M, row * CELL_M), start) > 2 * SEEN_M and _cuts_nothing_off(free, (row, col)):
            return row, col


def _cuts_nothing_off(free: np.ndarray, corner: tuple[int, int]) -> bool:
    """Whether a thing may stand there, on reachable floor, and all else stays reachable."""
    if not free[_square(corner)].all():
        return False
    with_thing = free.copy()
    with_thing[_square(corner)] = False
    lost = int(_reach(free).sum()) - int(_reach(with_thing).sum())
    return 0 < lost <= TAKEN_CELLS


def _reach(free: np.ndarray) -> np.ndarray:
    """(R, C): the largest connected set of cells where the centre may be."""
    away = ndimage.distance_transform_edt(np.pad(free, 1))[1:-1, 1:-1]
    parts, count = ndimage.label(away >= SETTINGS.robot_radius_m / CELL_M + 0.5 - 1e-6, np.ones((3, 3)))
    return parts == 1 + np.argmax(ndimage.sum_labels(parts > 0, parts, range(1, count + 1)))


def _driven(
    bare: np.ndarray, before: np.ndarray, geometry: GridGeometry, route: np.ndarray, changes: list[Change]
) -> tuple[np.ndarray, tuple[float, float]]:
    """The line (N, 2) driven, and ms to a safe route and to a better one, at most."""
    known, driven, waiting = before.copy(), [route[:1]], list(changes)
    unseen: list[tuple[tuple[int, int], bool]] = []  # corners of squares that changed, and whether they became free
    driven_m, along_m, arc_m = 0.0, 0.0, _arc_m(route)
    first_ms, again_ms, again_at_m = 0.0, 0.0, math.inf
    while along_m < arc_m[-1]:
        step_m = min(STEP_M, arc_m[-1] - along_m)
        inside = (arc_m > along_m + 1e-9) & (arc_m < along_m + step_m - 1e-9)
        along_m, driven_m = along_m + step_m, driven_m + step_m
        here = _at(route, arc_m, along_m)
        driven.append(np.concatenate([route[inside], here[None]]))
        for change in [one for one in waiting if one.at_m <= driven_m]:
            if math.dist(here, _middle(change.new)) > 2 * SEEN_M:  # nobody puts a thing on the robot
                waiting.remove(change)
                unseen += [(change.old, True), (change.new, False)]
        news = [one for one in unseen if _sees(bare, here, one[0])]
        if not news and driven_m < again_at_m:
            continue
        for corner, free in news:
            known[_square(corner)] = free
            unseen.remove((corner, free))
        rest = np.concatenate([here[None], route[arc_m > along_m + 1e-9]])
        covered = _swept(known, np.concatenate(driven))
        begin_s = time.process_time()
        along_m, first = 0.0, True
        budget = Budget(AGAIN if news else 2 * AGAIN)
        for found in replans(known, geometry, rest, ON_THE_WAY, covered=covered, budget=budget):
            if news:
                again_ms = max(again_ms, 1000 * (time.process_time() - begin_s))
                first_ms = max(first_ms, 1000 * (time.process_time() - begin_s)) if first else first_ms
            route, first = found.path[:, :2], False
        arc_m, again_at_m = _arc_m(route), driven_m + AGAIN_AFTER_M if news else math.inf
    return np.concatenate(driven), (first_ms, again_ms)


def _swept(free: np.ndarray, xy_m: np.ndarray) -> np.ndarray:
    """(R, C): floor that the tool touches along a line (N, 2)."""
    ledger = ledger_of(free)
    cells = (xy_m / CELL_M - 0.5)[:, ::-1]
    count_path(ledger, np.ascontiguousarray(cells), (SETTINGS.tool_width_m / 2 / CELL_M, True, 0.0))
    return free & (ledger > 0)


def _square(corner: tuple[int, int]) -> tuple[slice, slice]:
    return slice(corner[0], corner[0] + THING_CELLS), slice(corner[1], corner[1] + THING_CELLS)


def _middle(corner: tuple[int, int]) -> tuple[float, float]:
    return (corner[1] + THING_CELLS / 2) * CELL_M, (corner[0] + THING_CELLS / 2) * CELL_M


def _arc_m(route: np.ndarray) -> np.ndarray:
    return np.append(0.0, np.cumsum(np.hypot(*np.diff(route, axis=0).T)))


def _at(route: np.ndarray, arc_m: np.ndarray, along_m: float) -> np.ndarray:
    return np.array([np.interp(along_m, arc_m, route[:, axis]) for axis in (0, 1)])


def _last_seen_m(bare: np.ndarray, route: np.ndarray, arc_m: np.ndarray, corner: tuple[int, int]) -> float:
    """Arc length from which the route sees a place for the last time; -1 when it never does."""
    along_m = np.arange(0.0, arc_m[-1], STEP_M)
    places = np.stack([np.interp(along_m, arc_m, route[:, axis]) for axis in (0, 1)], axis=1)
    near = np.flatnonzero(np.hypot(*(places - _middle(corner)).T) < SEEN_M)
    return next((float(along_m[i]) for i in near[::-1] if _sees(bare, places[i], corner)), -1.0)


def _sees(bare: np.ndarray, here: np.ndarray, corner: tuple[int, int]) -> bool:
    """Whether a thing there is near, and no wall or furniture between."""
    if math.dist(here, _middle(corner)) >= SEEN_M:
        return False
    between = (np.linspace(here, _middle(corner), 60) / CELL_M).astype(int)
    return bool(bare[between[:, 1], between[:, 0]].all())


def _table(
    maps: list[Path], settings: CoverageSettings, out: Path | None, title: str, *, brief: bool, scale: float
) -> None:
    if not brief:
        print(f"{title}\n{COLUMNS}")
    rows = []
    for path in maps:
        image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
        free = np.ascontiguousarray(image[::-1] > 250)
        times, best = [], None
        begin_s = time.process_time()
        budget = Budget(2**62, seconds_for(float(free.sum()) * CELL_M**2), time.process_time)
        for found in plans(free, GridGeometry(0.0, 0.0, CELL_M, *free.shape), None, settings, budget=budget):
            times.append(time.process_time() - begin_s)
            best = found
        row = score(free, best.path[:, :2])
        rows.append(row)
        if not brief:
            print(f"{path.stem:34s} {row[0]:6.0f} {times[0]:7.2f} {times[-1]:7.1f} {_figures(row[1:])}", flush=True)
        if out:
            _picture(image, best.path, out / path.name)
    table = np.array(rows)
    print(f"{title}: worst coverage {table[:, 1].min():.2f} %, mean {_figures(table[:, 1:].mean(axis=0))}", flush=True)


def _figures(row: np.ndarray) -> str:
    return f"{row[0]:7.2f} {row[1]:6.3f} {row[2]:6.1f} {row[3]:6.1f} {row[4]:7.4f}"


def score(free: np.ndarray, xy_m: np.ndarray) -> np.ndarray:
    """[coverable m2, coverage %, rho, turns and rotation (rad) a 100 m2, least clearance (m)]; rows grow with y."""
    half = SETTINGS.tool_width_m / 2 / CELL_M
    reach = _reach(free)
    coverable = (ndimage.distance_transform_edt(~reach) <= half + 1e-6) & free
    cells = xy_m / CELL_M - 0.5  # (N, 2) of column, row
    points = [cells[:1]]
    for a, b in itertools.pairwise(cells):
        steps = max(int(np.ceil(np.hypot(*(b - a)) * 4)), 1)
        points.append(a + (b - a) * np.linspace(1 / steps, 1, steps)[:, None])
    along = np.concatenate(points)
    line = np.zeros(free.shape, bool)
    at = np.rint(along).astype(int)
    line[at[:, 1], at[:, 0]] = True
    covered = (ndimage.distance_transform_edt(~line) <= half + 1e-6) & coverable
    area_m2 = coverable.sum() * CELL_M**2
    length_m = np.hypot(*np.diff(cells, axis=0).T).sum() * CELL_M
    simple = cv2.approxPolyDP(cells.astype(np.float32).reshape(-1, 1, 2), 0.75, False).reshape(-1, 2)
    heading = np.arctan2(*np.diff(simple, axis=0).T[::-1])
    bends = np.abs((np.diff(heading) + np.pi) % (2 * np.pi) - np.pi)
    share = 100 * covered.sum() / coverable.sum()
    turns = 100 * (bends > np.radians(30)).sum() / area_m2
    rho = length_m * SETTINGS.tool_width_m / area_m2
    return np.array([area_m2, share, rho, turns, 100 * bends.sum() / area_m2, _clearance_m(along, free)])


def _clearance_m(points: np.ndarray, free: np.ndarray) -> float:
    solid = np.argwhere(~np.pad(free, 1))[:, ::-1] - 1.0
    near = cKDTree(solid).query(points, k=8)[1]
    gap = np.maximum(np.abs(solid[near] - points[:, None]) - 0.5, 0)
    return float(np.linalg.norm(gap, axis=2).min() * CELL_M)


def _picture(image: np.ndarray, path: np.ndarray, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    large = cv2.resize(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    points = np.column_stack([path[:, 0] / CELL_M, len(image) - path[:, 1] / CELL_M]) * 2
    cv2.polylines(large, [np.rint(points).astype(np.int32)], False, (200, 60, 0), 1, cv2.LINE_AA)
    cv2.imwrite(str(file), large)


if __name__ == "__main__":
    main()
