"""Hooks go, everything else stays, and no leg is made that is not clear."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navigation.hooks import _turned_rad, without_hooks


def clear(start, end):
    return True


def turned(points, heading_rad=None):
    return _turned_rad([tuple(place) for place in np.asarray(points).tolist()], heading_rad)


def test_a_start_beside_the_robot_is_not_driven_to():
    route = np.array([[0.0, 0.0], [-0.01, 0.01], [0.24, 0.09], [1.76, 0.11]])

    straight = without_hooks(route, 0.0, clear)

    assert straight.tolist() == [[0.0, 0.0], [0.24, 0.09], [1.76, 0.11]]
    assert turned(route, 0.0) > 4.5 > 1.0 > turned(straight, 0.0)


def test_a_hook_where_two_routes_are_joined_goes_whole():
    route = np.array([[0.0, 0.0], [1.0, 0.0], [0.98, 0.0], [0.98, 0.02], [1.5, 0.05], [2.5, 0.05]])

    straight = without_hooks(route, None, clear)

    assert len(straight) <= 4 and turned(straight) < 0.3 and straight[-1].tolist() == [2.5, 0.05]


def test_what_is_not_clear_is_not_cut():
    route = np.array([[0.0, 0.0], [-0.01, 0.01], [0.24, 0.09], [1.76, 0.11]])

    assert np.array_equal(without_hooks(route, 0.0, lambda start, end: False), route)


def test_long_legs_and_round_corners_stay():
    corner = np.array([[0, 0], [1, 0], [1, 0.3], [0, 0.3], [0, 0.6]], dtype=float)
    angles = np.linspace(0, math.pi / 2, 12)
    bend = 0.3 * np.stack([np.sin(angles), 1 - np.cos(angles)], axis=1)

    assert np.array_equal(without_hooks(corner, 0.0, clear), corner)
    assert np.array_equal(without_hooks(bend, 0.0, clear), bend)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=2, max_size=30),
    st.one_of(st.none(), st.floats(-math.pi, math.pi)),
)
def test_any_route_turns_no_more_keeps_its_ends_and_its_order(places, heading_rad):
    route = np.array(places)

    straight = without_hooks(route, heading_rad, clear)

    assert turned(straight, heading_rad) <= turned(route, heading_rad) + 1e-6
    assert straight[0].tolist() == route[0].tolist() and straight[-1].tolist() == route[-1].tolist()
    left = route.tolist()
    for place in straight.tolist():  # a subsequence: no point is new or moved
        left = left[left.index(place) + 1 :]
    assert np.array_equal(without_hooks(straight, heading_rad, clear), straight) or len(straight) < len(route)


def test_a_point_told_twice_does_no_harm():
    route = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    assert turned(without_hooks(route, 1.0, clear), 1.0) == pytest.approx(1.0)
