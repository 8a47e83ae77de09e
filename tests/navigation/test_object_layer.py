"""Edge points as things."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.geometry import Pose2D
from foundation.robot_config import RobotConfig
from navigation.edge_points import EdgePoint
from navigation.object_layer import ObjectLayer

APART_M = 0.10
VIEW = Pose2D(0.0, 0.0, 0.0)


def layer_of(places, entered):
    layer = ObjectLayer(RobotConfig().camera.pinhole(), 1.5)
    layer.restore(
        [
            EdgePoint(k, x_m, y_m, 0.01, 0.005, 0, (0.0, 0.0), 1.0, VIEW, 1.0, 1.0, 0.4, {k % 3: 1.0}, 4, inside)
            for k, ((x_m, y_m), inside) in enumerate(zip(places, entered, strict=True))
        ]
    )
    return layer


def together(places):
    """How many things there are: places joined, pair by pair, where they are near."""
    thing_of = list(range(len(places)))
    for a, b in itertools.combinations(range(len(places)), 2):
        if math.dist(places[a], places[b]) < APART_M:
            thing_of = [thing_of[a] if one == thing_of[b] else one for one in thing_of]
    return len(set(thing_of))


@given(st.lists(st.tuples(st.tuples(st.integers(0, 40), st.integers(0, 40)), st.booleans()), max_size=40))
def test_points_nearer_than_a_thing_is_wide_are_one_thing(drawn):
    places = [(0.021 * x, 0.021 * y) for (x, y), _ in drawn]
    layer = layer_of(places, [inside for _, inside in drawn])
    believed = [place for place, (_, inside) in zip(places, drawn, strict=True) if inside]

    things = layer.objects()

    assert len(things) == together(believed)
    for x_m, y_m in believed:
        assert any(math.hypot(x_m - one.x_m, y_m - one.y_m) + 0.01 <= one.radius_m + 1e-9 for one in things)


def test_a_chain_is_one_thing_with_the_class_most_looks_say():
    (thing,) = layer_of([(0.09 * k, 0.0) for k in range(7)], [True] * 7).objects()

    assert math.isclose(thing.x_m, 0.27) and math.isclose(thing.radius_m, 0.28)
    assert thing.class_id == 0


@pytest.mark.parametrize(("spread_m", "keep_out_m"), [(0.0024, 0.045), (0.018, 0.048), (0.5, 0.050)])
def test_no_number_of_looks_places_an_edge_better_than_the_robot_knows_its_own_place(spread_m, keep_out_m):
    point = EdgePoint(0, 1.0, 0.0, 0.03, spread_m, 0, (1.0, 0.0), 3.0, Pose2D(0.0, 0.0, 0.0), 3.0, 3.0, 0.3)

    assert point.keep_out_m == pytest.approx(keep_out_m)


def test_things_keep_less_floor_shut_when_passing_them_narrowly_is_all_that_is_left():
    layer = layer_of([(0.4, 0.0), (0.9, 0.0)], [True, False])
    ((_, _, before_m),) = layer.discs()
    layer.take_changed()

    assert layer.narrow()
    assert layer.take_changed() == [(0.4, 0.0, before_m)]  # all that was shut is looked at anew
    assert layer.discs() == [(0.4, 0.0, pytest.approx(before_m - 0.005))]
    assert not layer.narrow()


def test_where_nothing_is_in_the_way_narrowing_frees_nothing():
    assert not layer_of([(0.4, 0.0)], [False]).narrow()
