import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navigation.detour import blocked_stretches, mended
from navigation.free_floor import nearest_blocked
from navigation.grid_geometry import GridGeometry

CELL_M = 0.025
GEOMETRY = GridGeometry(0.0, 0.0, CELL_M, 120, 160)
CLEARANCE_M, KEEP_M = 0.1875, 0.1625
LINE = np.array([[0.5, 1.5], [3.5, 1.5]])


def floor(*blocks):
    free = np.zeros(GEOMETRY.shape, dtype=bool)
    free[1:-1, 1:-1] = True
    for row0, col0, row1, col1 in blocks:
        free[row0:row1, col0:col1] = False
    return free


def mend(free, points=LINE, progress_m=0.0):
    arc_m = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    return mended(free, GEOMETRY, points, arc_m, progress_m, CLEARANCE_M, KEEP_M, 0.06, math.inf)


def gap_m(free, points):
    """Smallest distance of the line (N, 2) to a cell that is not free, densely."""
    dense = np.concatenate([np.linspace(a, b, 60) for a, b in itertools.pairwise(points)]) / CELL_M
    return min(nearest_blocked(free, x, y, 12.0) for x, y in dense) * CELL_M


def test_a_clear_route_stays_as_it_is():
    assert np.array_equal(mend(floor()), LINE)


def test_what_stands_on_the_route_is_gone_around_and_the_rest_stays():
    free = floor((56, 70, 66, 76))

    route = mend(free)

    assert gap_m(free, route) > KEEP_M
    assert tuple(route[0]) == (0.5, 1.5) and tuple(route[-1]) == (3.5, 1.5)
    assert (np.abs(route[:, 1] - 1.5) > 0.1).any()
    assert np.interp(1.2, route[:, 0], route[:, 1]) == pytest.approx(1.5)


def test_two_things_make_two_detours():
    free = floor((58, 50, 62, 54), (58, 100, 62, 104))

    route = mend(free)

    assert gap_m(free, route) > KEEP_M
    middle = route[(route[:, 0] > 1.8) & (route[:, 0] < 2.1)]
    assert len(middle) == 0 or np.allclose(middle[:, 1], 1.5, atol=0.03)


def test_a_wall_across_is_no_detour():
    assert mend(floor((0, 70, 120, 74))) is None


def test_a_route_that_ends_inside_stops_before():
    free = floor((50, 132, 70, 150))

    route = mend(free)

    assert gap_m(free, route) > KEEP_M
    assert route[-1, 0] < 132 * CELL_M - KEEP_M


def test_only_what_lies_ahead_counts():
    route = mend(floor((56, 30, 66, 36)), progress_m=1.5)

    assert np.allclose(route, [[2.0, 1.5], [3.5, 1.5]])


def test_stretches_are_told_by_arc_length():
    free = floor((58, 80, 62, 84))

    ((begin_m, end_m),) = blocked_stretches(free, GEOMETRY, LINE, np.array([0.0, 3.0]), 0.0, KEEP_M)

    assert begin_m == pytest.approx(2.0 - KEEP_M - 0.5, abs=0.04)
    assert end_m == pytest.approx(2.1 + KEEP_M - 0.5, abs=0.04)
    assert blocked_stretches(free, GEOMETRY, LINE, np.array([0.0, 3.0]), 3.0, KEEP_M) == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(20, 90), st.integers(40, 120)), max_size=5))
def test_a_mended_route_is_clear_wherever_things_lie(places):
    free = floor(*[(row, col, row + 4, col + 4) for row, col in places])

    route = mend(free)

    if route is not None and len(route) > 1:
        assert gap_m(free, route) > KEEP_M - 0.03  # between samples of the check
