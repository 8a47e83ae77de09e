"""Arcs in place of corners: no floor lost, nothing touched, and a search gets its corners back."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from path_measures import along, clearance_m

from navigation.coverage.polish import BEND_FREE
from navigation.coverage.report import CoveragePlan
from navigation.coverage.rounding import CHORD_RAD, with_corners
from navigation.coverage_planner import Budget, CoverageError, CoverageSettings, plan, rounded
from navigation.grid_geometry import GridGeometry

RADII_M = (0.25, 0.15, 0.1, 0.06)
PLANNED = CoverageSettings(robot_radius_m=0.18, tool_width_m=0.23, edge_passes=1, target_ratio=0.99)


def a_room(seed: int) -> tuple[np.ndarray, GridGeometry]:
    rng = np.random.default_rng(seed)
    free = np.ones((90, 110), dtype=np.bool_)
    for _ in range(4):
        row, col = rng.integers(10, 80), rng.integers(30, 100)
        free[row : row + rng.integers(2, 16), col : col + rng.integers(2, 16)] = False
    free[:20, :20] = True
    return free, GridGeometry(0.0, 0.0, 0.025, 90, 110)


def bends_rad(path: np.ndarray) -> np.ndarray:
    heading = np.arctan2(*np.diff(path[:, :2], axis=0).T[::-1])
    return np.abs((np.diff(heading) + np.pi) % (2 * np.pi) - np.pi)


def plan_of(path: np.ndarray) -> CoveragePlan:
    """A plan of nothing but this line (N, 2)."""
    told = np.column_stack([path, np.zeros(len(path))])
    return CoveragePlan(told, np.ones(len(path) - 1, np.bool_), 0.0, 0, 0.0, 0.0, ())


def radius_m(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
    """Of the circle through three points."""
    area = abs((b - a)[0] * (c - a)[1] - (b - a)[1] * (c - a)[0]) / 2
    return math.dist(a, b) * math.dist(b, c) * math.dist(a, c) / (4 * area)


@pytest.mark.parametrize("tool_offset_left_m", [0.0, 0.04])
@pytest.mark.parametrize("seed", range(4))
def test_arcs_cost_no_floor_no_clearance_and_save_stops(seed, tool_offset_left_m):
    free, geometry = a_room(seed)
    asked = replace(PLANNED, tool_offset_left_m=tool_offset_left_m)
    sharp = plan(free, geometry, (0.25, 0.25), asked, budget=Budget(iterations=8000))

    found = rounded(sharp, free, geometry, asked, RADII_M)

    assert found.coverage_ratio >= sharp.coverage_ratio
    assert found.length_m < sharp.length_m
    assert found.turns < 0.85 * sharp.turns
    assert found.rotation_rad == pytest.approx(sharp.rotation_rad, abs=1e-6)
    assert clearance_m(along(found.path[:, :2], 0.0125), free, geometry) >= (
        asked.robot_radius_m - geometry.cell_m / 2 - 1e-9
    )


@settings(max_examples=60, deadline=None)
@given(
    bend_deg=st.integers(30, 149),
    left=st.booleans(),
    heading_deg=st.integers(0, 359),
    begin_m=st.floats(0.3, 2),
    end_m=st.floats(0.3, 2),
)
def test_a_lone_corner_becomes_an_arc_and_a_corner_again(bend_deg, left, heading_deg, begin_m, end_m):
    free, geometry = np.ones((400, 400), dtype=np.bool_), GridGeometry(-5.0, -5.0, 0.025, 400, 400)
    first, then = math.radians(heading_deg), math.radians(heading_deg + (bend_deg if left else -bend_deg))
    corner = np.array([0.0125, 0.0125])
    path = np.array(
        [
            corner - begin_m * np.array([math.cos(first), math.sin(first)]),
            corner,
            corner + end_m * np.array([math.cos(then), math.sin(then)]),
        ]
    )
    sharp = plan_of(path)

    found = rounded(sharp, free, geometry, PLANNED, (0.06,), covered=free)

    assert bends_rad(found.path).max() < BEND_FREE
    assert bends_rad(found.path).sum() == pytest.approx(math.radians(bend_deg), abs=1e-6)
    assert np.allclose(with_corners(found.path[:, :2]), path, atol=1e-6)
    on_arc = found.path[2:-2, :2]
    if len(on_arc) > 2:
        assert radius_m(*on_arc[:3]) == pytest.approx(0.06, rel=0.02)


def test_a_corner_whose_outer_side_nothing_else_sweeps_stays():
    free, geometry = np.ones((120, 120), dtype=np.bool_), GridGeometry(0.0, 0.0, 0.025, 120, 120)
    path = np.array([[0.5125, 0.5125], [1.5125, 0.5125], [1.5125, 1.5125]])

    alone = rounded(plan_of(path), free, geometry, PLANNED, (0.25,))
    swept = np.zeros_like(free)
    swept[:30, 50:] = True  # around the corner
    beside_swept = rounded(plan_of(path), free, geometry, PLANNED, (0.25,), covered=swept)

    assert np.allclose(alone.path[:, :2], path)
    assert len(beside_swept.path) > 6


def test_the_rest_of_an_arc_that_the_robot_is_on_is_a_corner():
    angles = np.linspace(0, math.pi / 2, 8)
    arc = np.stack([1 + 0.1 * np.sin(angles), 0.1 - 0.1 * np.cos(angles)], axis=1)
    route = np.vstack([[[0.0, 0.0]], arc, [[1.1, 1.0]]])

    whole = with_corners(route)
    rest = with_corners(np.vstack([(route[3] + route[4]) / 2, route[4:]]))

    assert np.allclose(whole, [[0, 0], [1.1, 0], [1.1, 1.0]], atol=0.002)
    assert len(rest) == 3
    assert CHORD_RAD < bends_rad(rest)[0] < math.pi / 2


@pytest.mark.parametrize("points", [np.zeros((0, 2)), np.zeros((1, 2)), np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])])
def test_routes_without_arcs_stay(points):
    assert np.array_equal(with_corners(points), points)


def test_bends_along_a_curved_wall_are_no_arc():
    route = np.array([[0.0, 0.0], [0.3, 0.0], [0.34, 0.01], [0.42, 0.04], [0.46, 0.065], [0.55, 0.2], [0.55, 0.8]])

    assert np.array_equal(with_corners(route), route)


def test_a_plan_of_nothing_is_told_as_it_is():
    free, geometry = np.ones((40, 40), dtype=np.bool_), GridGeometry(0.0, 0.0, 0.025, 40, 40)
    found = plan(free, geometry, (0.5, 0.5), PLANNED, covered=free, budget=Budget(iterations=0))

    assert rounded(found, free, geometry, PLANNED, RADII_M, covered=free) is found
    with pytest.raises(CoverageError):
        rounded(plan_of(np.zeros((3, 2))), np.zeros_like(free), geometry, PLANNED, RADII_M)
