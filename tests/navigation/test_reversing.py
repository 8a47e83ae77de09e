import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navigation.reversing import LEGS_AHEAD, Leg, is_quicker_backward

LEFT, BACK = math.pi / 2, math.pi
ANGLES = st.floats(-math.pi, math.pi)


def leg(heading_rad, backward_s=math.inf):
    return Leg(heading_rad, heading_rad, backward_s)


def test_out_of_a_nook_it_backs():
    assert is_quicker_backward([leg(BACK, 0.0), leg(LEFT)], 0.0, turn_radps=1.0)


def test_a_turn_that_is_only_put_off_is_made_at_once():
    assert not is_quicker_backward([leg(BACK, 0.0), leg(BACK)], 0.0, turn_radps=1.0)


@pytest.mark.parametrize(("backward_s", "backs"), [(2.5, True), (2.7, False), (math.inf, False)])
def test_driving_backwards_longer_than_turning_takes_is_not_worth_it(backward_s, backs):
    assert is_quicker_backward([leg(BACK, backward_s), leg(LEFT)], 0.0, turn_radps=1.0) == backs


def test_a_robot_that_turns_fast_backs_less():
    assert is_quicker_backward([leg(BACK, 1.0), leg(LEFT)], 0.0, turn_radps=1.0)
    assert not is_quicker_backward([leg(BACK, 1.0), leg(LEFT)], 0.0, turn_radps=3.0)


@given(st.lists(st.tuples(ANGLES, ANGLES, st.floats(0, 5)), min_size=1, max_size=LEGS_AHEAD), ANGLES)
def test_left_is_as_right(legs, heading_rad):
    mirrored = [Leg(-begins, -ends, slow_s) for begins, ends, slow_s in legs]

    assert is_quicker_backward([Leg(*one) for one in legs], heading_rad, 1.0) == is_quicker_backward(
        mirrored, -heading_rad, 1.0
    )


@given(st.lists(st.tuples(ANGLES, ANGLES), min_size=1, max_size=LEGS_AHEAD), ANGLES)
def test_where_it_may_not_it_never_backs(legs, heading_rad):
    assert not is_quicker_backward([Leg(begins, ends, math.inf) for begins, ends in legs], heading_rad, 1.0)
