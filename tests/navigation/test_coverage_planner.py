import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from path_measures import along, clearance_m

from navigation.coverage.floor import clear_cells
from navigation.coverage.grid_kernels import border
from navigation.coverage_planner import (
    Budget,
    CoverageError,
    CoverageSettings,
    NoFloor,
    StartBlocked,
    plan,
    plans,
    repaired,
    replans,
    safe_path,
)
from navigation.grid_geometry import GridGeometry

ROBOT = CoverageSettings(robot_radius_m=0.19, tool_width_m=0.26, escape=False)


def grid(rows: int, cols: int) -> tuple[np.ndarray, GridGeometry]:
    return np.ones((rows, cols), bool), GridGeometry(0.0, 0.0, 0.025, rows, cols)


def furnished(seed: int) -> tuple[np.ndarray, GridGeometry]:
    rng = np.random.default_rng(seed)
    free, geometry = grid(100, 120)
    for _ in range(int(rng.integers(0, 5))):
        row, col = rng.integers(0, 90), rng.integers(0, 110)
        free[row : row + rng.integers(1, 15), col : col + rng.integers(1, 15)] = False
    return free, geometry


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
    covered[60:80, 80:100] = False

    found = plan(free, geometry, (0.5, 0.5), ROBOT, covered=covered)

    assert found.length_m < 4.5
    assert found.coverage_ratio > 0.7 and (1 - found.coverage_ratio) * 400 < (1 - ROBOT.target_ratio) * covered.sum()


def test_what_the_target_lets_go_is_not_driven_for():
    free, geometry = grid(120, 160)
    covered = free.copy()
    covered[60:66, 80:86] = False

    found = plan(free, geometry, (0.5, 0.5), ROBOT, covered=covered)

    assert found.length_m == 0
    assert plan(free, geometry, (0.5, 0.5), replace(ROBOT, patch_m2=0.02), covered=covered).length_m > 1


def test_crumbs_of_a_swept_floor_are_left_and_pieces_are_not():
    free, geometry = grid(60, 60)
    covered = np.ones_like(free)
    cells = round(0.3 / geometry.cell_m)
    for row in range(10, covered.shape[0] - 10, 6):
        covered[row, 10:12] = False  # slivers of two cells, a tenth of the floor from each other
    covered[20 : 20 + cells, 30 : 30 + cells] = False
    settings = replace(ROBOT, target_ratio=1.0)

    everything = plan(free, geometry, (0.5, 0.5), settings, covered=covered)
    worthwhile = plan(free, geometry, (0.5, 0.5), replace(settings, crumb_m2=3 * geometry.cell_m**2), covered=covered)

    assert worthwhile.length_m < 0.8 * everything.length_m
    near_piece = np.hypot(*(worthwhile.path[:, :2] - geometry.centres(np.array([[24, 34]]))[0]).T).min()
    assert near_piece < 0.3


def test_a_second_plan_is_cheaper_or_covers_more():
    free, geometry = grid(120, 160)
    free[40:60, 50:90] = False

    found = list(plans(free, geometry, None, ROBOT))

    assert len(found) > 1
    costs = [plan.length_m + ROBOT.turn_cost_m * plan.turns for plan in found]
    assert costs[1] < costs[0] or found[1].coverage_ratio > found[0].coverage_ratio


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


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000))
def test_coverage_never_falls_as_the_budget_grows(seed: int):
    free, geometry = furnished(seed)

    ratios = [found.coverage_ratio for found in plans(free, geometry, None, ROBOT, budget=Budget(iterations=12_000))]

    assert all(b >= min(a, ROBOT.target_ratio) - 1e-9 for a, b in itertools.pairwise(ratios))
    assert ratios[-1] > 0.97


def test_no_go_floor_given_as_not_free_is_never_entered():
    free, geometry = grid(120, 160)
    free[40:80, 60:100] = False

    found = plan(free, geometry, (0.5, 0.5), ROBOT)

    points = along(found.path[:, :2], 0.01)
    inside = (points > (60 * 0.025, 40 * 0.025)).all(axis=1) & (points < (100 * 0.025, 80 * 0.025)).all(axis=1)
    assert not inside.any()


def test_a_tool_to_the_side_covers_what_it_can_touch():
    free, geometry = grid(80, 100)
    aside = CoverageSettings(robot_radius_m=0.19, tool_width_m=0.26, tool_offset_left_m=0.08)

    found = plan(free, geometry, (0.5, 0.5), aside, budget=Budget(iterations=40_000))

    assert found.coverage_ratio > 0.95


def test_a_tool_wider_than_the_robot_is_planned_too():
    free, geometry = grid(100, 120)

    found = plan(free, geometry, None, CoverageSettings(robot_radius_m=0.15, tool_width_m=0.60))

    assert found.coverage_ratio > 0.98
    assert found.length_m < 0.9 * 100 * 120 * 0.025**2 / 0.3


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
@example(222)  # a corner of the old route a rounding error beside a clear cell
@example(90)
def test_a_repaired_route_is_clear_and_keeps_its_other_stretches(seed: int):
    free, geometry = furnished(seed)
    route = plan(free, geometry, None, ROBOT, budget=Budget(iterations=0)).path[:, :2]
    row, col = np.random.default_rng(seed).integers(10, 80, 2)
    free[row : row + 6, col : col + 6] = False
    try:
        mended = repaired(free, geometry, route, ROBOT.robot_radius_m)
    except (StartBlocked, NoFloor):
        return

    points = along(mended.points_map, geometry.cell_m / 2)
    begin = np.hypot(*(points - route[0]).T) > 0.4  # an escape from the margin may come nearer
    assert clearance_m(points[begin], free, geometry) >= ROBOT.robot_radius_m - geometry.cell_m / 2 - 1e-6
    kept = np.hypot(*np.diff(mended.points_map, axis=0).T).sum()
    assert kept > 0.5 * np.hypot(*np.diff(route, axis=0).T).sum() - 3 * mended.skipped_m


def test_a_safe_path_goes_round_a_wall_and_says_when_there_is_none():
    free, geometry = grid(80, 80)
    free[40, :60] = False

    path = safe_path(free, geometry, (0.5, 0.5), (0.5, 1.5), 0.19)

    assert clearance_m(along(path, 0.01), free, geometry) >= 0.19 - 0.0125 - 1e-6
    assert np.hypot(*np.diff(path, axis=0).T).sum() < 4.0
    free[40] = False
    with pytest.raises(StartBlocked, match="no way"):
        safe_path(free, geometry, (0.5, 0.5), (0.5, 1.5), 0.19)


@pytest.mark.parametrize("radius_m", [0.0, -1.0, float("nan")])
def test_a_robot_without_a_size_is_refused(radius_m: float):
    free, geometry = grid(20, 20)

    with pytest.raises(CoverageError, match="robot_radius_m"):
        plan(free, geometry, None, CoverageSettings(radius_m, 0.3))


def test_nothing_left_to_cover_is_a_plan_that_stays():
    free, geometry = grid(60, 60)

    found = plan(free, geometry, (0.7, 0.7), ROBOT, covered=free)

    assert found.length_m == 0
    assert found.coverage_ratio == 1.0


def test_floor_that_is_cut_off_and_needs_no_sweep_is_not_left_out():
    free, geometry = grid(60, 120)
    free[:, 58:62] = False
    covered = np.zeros_like(free)
    shut_off = plan(free, geometry, (0.5, 0.5), ROBOT, covered=covered, budget=Budget(iterations=0)).unreachable
    covered[:, 62:] = True

    assert len(shut_off) == 1 and shut_off[0].area_m2 > 0.5
    assert plan(free, geometry, (0.5, 0.5), ROBOT, covered=covered, budget=Budget(iterations=0)).unreachable == ()


@pytest.mark.parametrize("seed", range(4))
def test_a_route_is_replanned_at_once_safely_and_then_better(seed: int):
    free, geometry = furnished(seed)
    route = plan(free, geometry, None, ROBOT, budget=Budget(10_000)).path[:, :2]
    here = len(route) // 3
    ahead = here + int(np.argmax(np.hypot(*(route[here:] - route[here]).T) > 1.0))  # not where the robot stands
    row, col = geometry.cells(route[None, ahead])[0]
    free[max(row - 4, 0) : row + 5, max(col - 4, 0) : col + 5] = False

    found = list(replans(free, geometry, route[here:], replace(ROBOT, escape=True), budget=Budget(4_000)))

    safe_m = ROBOT.robot_radius_m - 0.5 * geometry.cell_m - 1e-3
    for one in found:
        assert np.hypot(*(one.path[0, :2] - route[here])) < 2 * geometry.cell_m
        assert clearance_m(along(one.path[:, :2], 0.02), free, geometry) >= safe_m
    assert found[-1].coverage_ratio >= min(ROBOT.target_ratio, max(one.coverage_ratio for one in found)) - 1e-9


def test_floor_that_has_become_free_is_picked_up_by_a_replan():
    free, geometry = grid(100, 160)
    free[40:60, 100:120] = False
    route = plan(free, geometry, (0.5, 0.5), ROBOT, budget=Budget(10_000)).path[:, :2]
    free[40:60, 100:120] = True

    *_, found = replans(free, geometry, route, replace(ROBOT, escape=True), budget=Budget(10_000))

    assert found.coverage_ratio >= ROBOT.target_ratio


def test_what_a_route_sweeps_beyond_the_target_is_given_up_by_half_at_most_in_a_replan():
    free, geometry = grid(100, 160)
    route = plan(free, geometry, (0.5, 0.5), replace(ROBOT, target_ratio=0.999), budget=Budget(20_000))

    lax = replace(ROBOT, target_ratio=0.994, patch_m2=9.0)
    *_, found = replans(free, geometry, route.path[:, :2], lax, budget=Budget(60_000))

    assert route.coverage_ratio > 0.998 and found.coverage_ratio >= 0.997 - 5e-4


def test_a_replan_from_inside_the_margin_leaves_it_first():
    free, geometry = grid(100, 160)
    route = np.array([[1.0, 1.2], [3.0, 1.2]])
    free[45:50, 46:50] = False  # within .19 m of the robot

    first, _, *better = replans(free, geometry, route, replace(ROBOT, escape=True), budget=Budget(20_000))

    assert better and better[-1].coverage_ratio >= ROBOT.target_ratio
    for found in (first, better[-1]):
        assert found.path[0, :2] == pytest.approx(route[0], abs=1e-6)
        rest = along(found.path[1:, :2], 0.02)
        assert clearance_m(rest, free, geometry) >= ROBOT.robot_radius_m - 0.5 * geometry.cell_m - 1e-3


def test_a_replan_with_nothing_left_stays():
    free, geometry = grid(60, 60)
    route = np.array([[0.7, 0.7]])

    *_, found = replans(free, geometry, route, replace(ROBOT, escape=True), covered=free.copy(), budget=Budget(2_000))

    assert found.length_m < 0.05 and found.coverage_ratio == 1.0
