import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navigation.coverage.grid_kernels import border
from navigation.coverage.floor import clear_cells
from navigation.coverage_planner import Budget, CoverageSettings, NoFloor, StartBlocked, plan, plans
from navigation.grid_geometry import GridGeometry

ROBOT = CoverageSettings(robot_radius_m=0.19, tool_width_m=0.26, escape=False)


def grid(rows: int, cols: int) -> tuple[np.ndarray, GridGeometry]:
    return np.ones((rows, cols), bool), GridGeometry(0.0, 0.0, 0.025, rows, cols)


def along(path: np.ndarray, step_m: float) -> np.ndarray:
    points = [path[:1]]
    for a, b in itertools.pairwise(path):
        count = max(int(np.ceil(np.hypot(*(b - a)) / step_m)), 1)
        points.append(a + (b - a) * np.linspace(1 / count, 1, count)[:, None])
    return np.concatenate(points)


def clearance_m(points: np.ndarray, free: np.ndarray, geometry: GridGeometry) -> float:
    """To the nearest cell that is not free, as a square; outside the grid counts."""
    solid = np.argwhere(~np.pad(free, 1)) - 1
    low = np.stack([solid[:, 1], solid[:, 0]], axis=1) * geometry.cell_m
    gap = np.maximum(np.maximum(low - points[:, None], points[:, None] - low - geometry.cell_m), 0)
    return float(np.hypot(gap[..., 0], gap[..., 1]).min())


def test_an_empty_room_is_covered_near_the_shortest_drive():
    free, geometry = grid(120, 160)

    found = plan(free, geometry, (0.5, 0.5), ROBOT)

    assert found.coverage_ratio > 0.97
    assert found.length_m * ROBOT.tool_width_m / (120 * 160 * 0.025**2) < 1.6
    assert np.hypot(*(found.path[0, :2] - (0.5, 0.5))) < 0.1


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_no_path_comes_nearer_to_anything_than_allowed(seed: int):
    rng = np.random.default_rng(seed)
    free, geometry = grid(90, 110)
    for _ in range(int(rng.integers(0, 7))):
        row, col = rng.integers(0, 80), rng.integers(0, 100)
        free[row : row + rng.integers(1, 20), col : col + rng.integers(1, 20)] = False
    if not clear_cells(free, geometry.cell_m, ROBOT.robot_radius_m).any():
        return

    found = plan(free, geometry, None, ROBOT, budget=Budget(iterations=2000))

    points = along(found.path[:, :2], geometry.cell_m / 2)
    assert clearance_m(points, free, geometry) >= ROBOT.robot_radius_m - geometry.cell_m / 2 - 1e-9
    assert found.coverage_ratio > 0.9


def test_only_what_is_not_covered_yet_is_planned():
    free, geometry = grid(120, 160)
    covered = free.copy()
    covered[60:70, 80:90] = False

    found = plan(free, geometry, (0.5, 0.5), ROBOT, covered=covered)

    assert found.length_m < 4.5
    assert found.coverage_ratio > 0.9


def test_a_second_plan_is_shorter_or_there_is_none():
    free, geometry = grid(120, 160)
    free[40:60, 50:90] = False

    lengths = [found.length_m for found in plans(free, geometry, None, ROBOT)]

    assert lengths == sorted(lengths, reverse=True)


def test_equal_inputs_give_equal_plans():
    free, geometry = grid(80, 80)
    free[20:30, 20:40] = False

    assert np.array_equal(plan(free, geometry, None, ROBOT).path, plan(free, geometry, None, ROBOT).path)


def test_floor_behind_a_narrow_door_is_told_as_unreachable():
    free, geometry = grid(80, 160)
    free[:, 80] = False
    free[40:44, 80] = True

    found = plan(free, geometry, (0.6, 0.6), ROBOT)

    assert sum(part.area_m2 for part in found.unreachable) > 1.0


def test_a_start_in_an_obstacle_is_refused_and_near_one_escaped():
    free, geometry = grid(80, 80)
    free[:20] = False

    with pytest.raises(StartBlocked, match=r"nothing within 0\.10 m"):
        plan(free, geometry, (1.0, 0.6), ROBOT)
    assert plan(free, geometry, (1.0, 0.6), CoverageSettings(0.19, 0.26)).coverage_ratio > 0.9


def test_a_map_without_room_for_the_robot_is_refused():
    free, geometry = grid(10, 10)

    with pytest.raises(NoFloor, match=r"0\.190 m clear"):
        plan(free, geometry, None, ROBOT)


def test_a_border_goes_once_around_a_block():
    centres = np.zeros((7, 9), bool)
    centres[2:5, 2:7] = True

    loop = border(centres, 2, 2, np.zeros_like(centres))

    assert {tuple(cell) for cell in loop} == {
        (r, c) for r in range(2, 5) for c in range(2, 7) if r in (2, 4) or c in (2, 6)
    }
