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


@pytest.mark.parametrize(("spread_m", "keep_out_m"), [(0.0024, 0.053), (0.025, 0.055), (0.5, 0.058)])
def test_no_number_of_looks_places_an_edge_better_than_the_robot_knows_its_own_place(spread_m, keep_out_m):
    point = EdgePoint(0, 1.0, 0.0, 0.03, spread_m, 0, (1.0, 0.0), 3.0, Pose2D(0.0, 0.0, 0.0), 3.0, 3.0, 0.3)

    assert point.keep_out_m == pytest.approx(keep_out_m)
