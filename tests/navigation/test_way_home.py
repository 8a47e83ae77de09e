import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.geometry import Pose2D
from navigation.grid_geometry import GridGeometry
from navigation.route import Route, no_route
from navigation.way_home import HomeStep, WayHome, way_to

CLEARANCE_M = 0.1875
HOME = Pose2D(0.5, 0.5, math.pi / 2)
FAR = Pose2D(3.0, 0.5, 0.0)


def floor(*walls):
    """4 m x 2 m with walls of (x0, y0, x1, y1)."""
    geometry = GridGeometry(0.0, 0.0, 0.025, 80, 160)
    free = np.ones(geometry.shape, dtype=np.bool_)
    for x0, y0, x1, y1 in walls:
        free[round(y0 / 0.025) : round(y1 / 0.025), round(x0 / 0.025) : round(x1 / 0.025)] = False
    return free, geometry


def way(*points):
    return Route(np.array(points, dtype=float), np.zeros(len(points) - 1, dtype=np.bool_))


def gap_m(free, geometry, points):
    """From the line to the nearest cell that is not free, as a square; the world outside counts."""
    rows, cols = np.nonzero(~np.pad(free, 1))
    blocked = geometry.centres(np.stack([rows - 1, cols - 1], axis=1))
    dense = np.concatenate([np.linspace(a, b, 100) for a, b in itertools.pairwise(points)])
    away = np.maximum(np.abs(dense[:, None] - blocked[None]) - 0.0125, 0)
    return np.hypot(away[..., 0], away[..., 1]).min()


def test_the_way_is_short_clear_and_ends_at_the_start():
    free, geometry = floor((1.5, 0.0, 1.6, 1.2))

    found = way_to(free, geometry, (3.0, 0.5), HOME, CLEARANCE_M)

    assert found.length_m == pytest.approx(
        math.dist((3, 0.5), (1.55, 1.4)) + math.dist((1.55, 1.4), (0.5, 0.5)), abs=0.3
    )
    assert math.dist(found.points_map[-1], (0.5, 0.5)) < 0.03 and tuple(found.points_map[0]) == (3.0, 0.5)
    assert gap_m(free, geometry, found.points_map) >= CLEARANCE_M - 0.0126
    assert not found.covering.any()


def test_a_start_in_a_narrow_place_is_met_as_far_in_as_it_is_clear():
    free, geometry = floor((0.0, 0.0, 0.65, 0.3), (0.0, 0.7, 0.65, 2.0))  # 0.4 m: just wide enough

    found = way_to(free, geometry, (3.0, 0.5), HOME, CLEARANCE_M)

    assert math.dist(found.points_map[-1], (0.5, 0.5)) < 0.03


def test_a_shut_way_is_no_route():
    free, geometry = floor((1.5, 0.0, 1.6, 2.0))

    assert len(way_to(free, geometry, (3.0, 0.5), HOME, CLEARANCE_M).points_map) == 0
    assert len(way_to(~free, geometry, (3.0, 0.5), HOME, CLEARANCE_M).points_map) == 0


def test_a_shut_way_is_doubted_twice_and_then_given_up():
    home, steps = WayHome(HOME), []
    while (step := home.step(FAR)) is not HomeStep.GIVEN_UP:
        steps.append(step.value)
        if step is HomeStep.PLAN:
            home.heard(no_route())

    assert steps == ["plan", "look round", "plan", "lift doubts", "plan"]
    assert home.ended(FAR).reason == "no way leads back to the start, 2.50 m away; planned 3 times"
    assert not home.ended(FAR).arrived


def test_it_turns_as_it_stood_before_it_has_arrived():
    home = WayHome(HOME)

    assert home.step(Pose2D(0.51, 0.5, 0.0)) is HomeStep.TURN
    assert home.turn_rad(Pose2D(0.51, 0.5, 0.0)) == pytest.approx(math.pi / 2)
    assert home.step(Pose2D(0.51, 0.5, 1.55)) is HomeStep.ARRIVED
    assert home.ended(Pose2D(0.51, 0.5, 1.55)).arrived


@pytest.mark.parametrize(("short_m", "arrived"), [(0.2, True), (0.4, False)])
def test_the_end_of_the_way_is_the_start_when_it_is_near(short_m, arrived):
    home = WayHome(HOME)
    home.heard(way((3.0, 0.5), (0.5 + short_m, 0.5)))

    assert (home.step(Pose2D(0.5 + short_m, 0.5, math.pi / 2)) is HomeStep.ARRIVED) == arrived


@given(st.lists(st.booleans(), max_size=200))
def test_it_comes_to_an_end_whatever_is_planned(found):
    home, steps, answers = WayHome(HOME), 0, iter(found)
    while home.step(FAR) is not HomeStep.GIVEN_UP:
        steps += 1
        assert steps < 500
        if next(answers, True):
            home.heard(way((3.0, 0.5), (0.5, 0.5)))
        else:
            home.heard(no_route())

    assert home.ended(FAR).reason and not home.ended(FAR).arrived
