import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from navigation.room_tour import short_tour


def length(order, stops, start):
    places = [start, *(stops[k] for k in order)]
    return sum(abs(a[0] - b[0]) + abs(a[1] - b[1]) for a, b in itertools.pairwise(places))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), min_size=1, max_size=6, unique=True))
def test_a_tour_of_few_places_is_the_shortest(stops):
    floor, start = np.ones((20, 20), dtype=np.bool_), np.array([3, 4])

    order = short_tour(floor, np.array(stops), start).tolist()

    assert sorted(order) == list(range(len(stops)))
    best = min(length(one, stops, (3, 4)) for one in itertools.permutations(range(len(stops))))
    assert length(order, stops, (3, 4)) == best


def test_a_tour_of_many_places_visits_each_once_and_crosses_the_floor_once():
    stops = np.array([(row, col) for row in (2, 17) for col in range(0, 20, 2)])

    order = short_tour(np.ones((20, 20), dtype=np.bool_), stops[::-1], np.array([2, 0]))

    assert sorted(order.tolist()) == list(range(20))
    assert length(order, stops[::-1].tolist(), (2, 0)) == 18 + 15 + 18


def test_ways_go_round_walls_and_what_is_cut_off_comes_last():
    floor = np.ones((20, 20), dtype=np.bool_)
    floor[:18, 10] = False  # far round to the place just behind
    floor[15:, 15] = floor[14, 15:] = False
    stops = np.array([[2, 12], [2, 2], [17, 17]])
    floor[18:, 10] = True

    assert short_tour(floor, stops, np.array([2, 9])).tolist() == [1, 0, 2]


def test_the_nearest_place_is_not_always_the_first():
    stops = np.array([[0, 8], [0, 3], [0, 15]])

    assert short_tour(np.ones((1, 20), dtype=np.bool_), stops, np.array([0, 6])).tolist() == [1, 0, 2]


def test_a_start_off_the_floor_begins_beside_it():
    floor = np.zeros((10, 10), dtype=np.bool_)
    floor[4:6, 2:9] = True

    assert short_tour(floor, np.array([[4, 8], [5, 2]]), np.array([0, 9])).tolist() == [0, 1]
