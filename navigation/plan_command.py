"""`oxturn plan`: a map file in, a path over all reachable floor out, written as soon as there is one."""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foundation.atomic_files import write_text
from foundation.geometry import FloatArray
from navigation.coverage_planner import Budget, CoveragePlan, CoverageSettings, plans, warm_up
from navigation.ros_map import RosMap, read_map
from navigation.static_map import FREE

SECONDS_A_M2 = 0.0135  # of free floor
SECONDS_LEAST, SECONDS_MOST = 1.0, 45.0


@dataclass(frozen=True, slots=True)
class PlanReport:
    """What `--json` prints."""

    plan_s: float
    first_path_s: float
    length_m: float
    coverage_ratio: float
    turns: int
    rotation_rad: float
    unreachable: list[dict[str, float | str]]


def run_plan(
    map_yaml: Path,
    out: Path,
    settings: CoverageSettings,
    *,
    start_map: tuple[float, float] | None,
    seconds: float | None,
    on_plan: Callable[[CoveragePlan, float], None] = lambda plan, at_s: None,
) -> PlanReport:
    """Raises RosMapError or CoverageError. Each better path replaces the file whole."""
    warm_up()  # machine code is loaded, or made once on a new machine, before the clock starts
    begin_s = time.perf_counter()
    ros_map = read_map(map_yaml)
    free = ros_map.cells == FREE
    if seconds is None:
        seconds = seconds_for(float(free.sum()) * ros_map.geometry.cell_m**2)
    if start_map is not None:
        x_m, y_m = ros_map.to_grid(np.array([start_map]))[0]
        start_map = float(x_m), float(y_m)
    budget = Budget(iterations=2**62, seconds=seconds, clock=time.perf_counter)
    first_s, best = 0.0, None
    for best in plans(free, ros_map.geometry, start_map, settings, budget=budget):
        write_text(out, path_csv(_in_map(best, ros_map)))
        first_s = first_s or time.perf_counter() - begin_s
        on_plan(best, time.perf_counter() - begin_s)
    assert best is not None
    return PlanReport(
        round(time.perf_counter() - begin_s, 3),
        round(first_s, 3),
        round(best.length_m, 2),
        round(best.coverage_ratio, 5),
        best.turns,
        round(best.rotation_rad, 2),
        [{"area_m2": round(area.area_m2, 3), "reason": area.reason} for area in best.unreachable],
    )


def seconds_for(free_m2: float) -> float:
    """Time spent on better paths."""
    return min(max(free_m2 * SECONDS_A_M2, SECONDS_LEAST), SECONDS_MOST)


def path_csv(path: FloatArray) -> str:
    """Rows of x_m, y_m, heading_rad for a path (N, 3)."""
    text = io.StringIO()
    np.savetxt(text, path, fmt="%.5f", delimiter=",", header="x_m,y_m,heading_rad", comments="")
    return text.getvalue()


def _in_map(plan: CoveragePlan, ros_map: RosMap) -> FloatArray:
    """(N, 3) in `map`, also where the map's grid is turned."""
    heading = (plan.path[:, 2] + ros_map.yaw_rad + np.pi) % (2 * np.pi) - np.pi
    return np.column_stack([ros_map.to_map(plan.path[:, :2]), heading])
