"""Coverage planning on the reference buildings: coverage, drive, turns, time; and the curve of drive against coverage.

    python benchmarks/coverage.py [--only WORD] [--curve] [--replan] [--out DIR]

Needs OXTURN_REFERENCE_DATA (floor_plans). Paths are scored as a stranger would: the map's own cells, the path as
written. Search time is processor time of one core, so that a busy machine shows the same table.
"""

import argparse
import itertools
import os
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from navigation.coverage_planner import Budget, CoverageSettings, plans, repaired, warm_up
from navigation.grid_geometry import GridGeometry
from navigation.plan_command import seconds_for

CELL_M = 0.05
SETTINGS = CoverageSettings(robot_radius_m=0.30, tool_width_m=0.60, escape=False)
COLUMNS = "map                                 m2   first_s final_s  cover%   rho   turns  rad  clear_m"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="maps whose name holds this")
    parser.add_argument("--skip", default="-", help="maps whose name holds this are left out")
    parser.add_argument("--curve", action="store_true", help="targets from 98 to 99.8 %% on the furnished maps")
    parser.add_argument("--out", type=Path, help="folder for pictures")
    parser.add_argument("--replan", action="store_true", help="time to a safe route after a change, up to 500 m2")
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
    for group in ("furnitures", ""):
        chosen = [path for path in maps if ("furnitures" in path.name) == bool(group)]
        if args.curve and group and chosen:
            for target in (0.98, 0.985, 0.99, 0.995, 0.998):
                _table(chosen, replace(SETTINGS, target_ratio=target), None, f"target {target:.1%}", brief=True)
        elif chosen and not args.curve:
            _table(chosen, SETTINGS, args.out, "furnished" if group else "empty", brief=False)


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


def _table(maps: list[Path], settings: CoverageSettings, out: Path | None, title: str, *, brief: bool) -> None:
    if not brief:
        print(f"{title}\n{COLUMNS}")
    rows = []
    for path in maps:
        image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
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
    radius, half = SETTINGS.robot_radius_m / CELL_M, SETTINGS.tool_width_m / 2 / CELL_M
    away = ndimage.distance_transform_edt(np.pad(free, 1))[1:-1, 1:-1]
    parts, count = ndimage.label(away >= radius + 0.5 - 1e-6, np.ones((3, 3)))
    reach = parts == 1 + np.argmax(ndimage.sum_labels(parts > 0, parts, range(1, count + 1)))
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
