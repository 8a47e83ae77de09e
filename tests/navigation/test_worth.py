"""Of a route's stretches those are kept with which drive and left-out floor cost least; checked against all choices."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from foundation.robot_config import RobotConfig
from navigation.coverage.floor import floor_of
from navigation.coverage.report import NOT_WORTH
from navigation.coverage.sweeping import count_path, ledger_of
from navigation.coverage.worth import worth_its_way
from navigation.coverage_planner import CoverageSettings, plan, worthwhile
from navigation.grid_geometry import GridGeometry
from navigation.planned_routes import PlannedRoutes

TOOL = (2.0, True, 0.0)
SIZE = 120
CELL_M = 0.025


def open_floor():
    grid = GridGeometry(0.0, 0.0, 1.0, SIZE, SIZE)
    return floor_of(np.ones((SIZE, SIZE), np.bool_), grid, (5.0, 5.0), 2.0, 4.0, escape=True)


def length(line):
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def route_of(places):
    """Start, then per place (row, column) a stretch of 8 cells along the row, driven to on a straight line."""
    return np.array([(4.0, 4.0), *itertools.chain(*(((r, c), (r, c + 8.0)) for r, c in places))])


PLACES = st.lists(
    st.tuples(st.integers(1, 14), st.integers(1, 12)).map(lambda place: (8.0 * place[0] - 4, 8.0 * place[1])),
    min_size=1, max_size=5, unique=True,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(PLACES, st.floats(0.1, 12.0))
def test_no_other_choice_is_cheaper(places, price):
    path = route_of(places)
    wanted = np.zeros((SIZE, SIZE), np.bool_)
    for row, col in places:
        wanted[int(row) - 1 : int(row) + 2, int(col) + 3 : int(col) + 6] = True
    leading, gains = (count_path(ledger_of(wanted), path, TOOL)[first::2] for first in (0, 1))
    assume(not leading.any())

    def cost(kept):
        left_out = sum(int(gain) for number, gain in enumerate(gains) if number not in kept)
        return length(route_of([places[number] for number in kept])) + price * left_out

    choices = (kept for k in range(len(places) + 1) for kept in itertools.combinations(range(len(places)), k))
    cheapest = min(cost(kept) for kept in choices)
    found = worth_its_way(open_floor(), ledger_of(wanted), path, TOOL, price)
    swept = int(count_path(ledger_of(wanted), found, TOOL).sum())
    assert length(found) + price * (int(gains.sum()) - swept) <= cheapest + 1e-6


def two_rooms():
    """4 m by 4 m each, a door between them: nine metres of way from the start to the patch."""
    free = np.ones((160, 320), np.bool_)
    free[:140, 158:162] = False
    return free, GridGeometry(0.0, 0.0, CELL_M, *free.shape)


@pytest.mark.parametrize(("far_cells", "fetched"), [(10, False), (28, True)])
def test_a_crumb_in_the_other_room_stays_there_and_a_patch_is_fetched(far_cells, fetched):
    free, geometry = two_rooms()
    covered = np.ones_like(free)
    covered[20:30, 20:30] = False  # beside the start
    covered[20 : 20 + far_cells, 280 : 280 + far_cells] = False

    route = PlannedRoutes(RobotConfig())(free, geometry, (0.4, 0.5), covered, quick=False)

    assert (route.points_map[:, 0] > 6.0).any() == fetched
    assert (np.hypot(*(route.points_map - (0.6, 0.6)).T) < 0.35).any()
    not_worth_m2 = sum(left.area_m2 for left in route.left_out if left.reason == NOT_WORTH)
    patch_m2 = (far_cells * CELL_M) ** 2
    assert not_worth_m2 == 0 if fetched else 0.9 * patch_m2 < not_worth_m2 < 1.6 * patch_m2


def test_nothing_worth_a_drive_is_no_route_and_a_floor_to_sweep_is_left_as_planned():
    free, geometry = two_rooms()
    robot = CoverageSettings(robot_radius_m=0.19, tool_width_m=0.24, target_ratio=1.0, patch_m2=0.0)
    whole = plan(free, geometry, (0.4, 0.5), robot)
    covered = np.ones_like(free)
    covered[20:28, 280:288] = False
    crumb = plan(free, geometry, (0.4, 0.5), robot, covered=covered)

    assert len(crumb.path) > 2
    assert len(worthwhile(crumb, free, geometry, robot, 100.0, covered=covered).path) < 2
    assert np.array_equal(worthwhile(crumb, free, geometry, robot, 1000.0, covered=covered).path, crumb.path)
    assert worthwhile(whole, free, geometry, robot, 100.0).coverage_ratio > whole.coverage_ratio - 0.003
