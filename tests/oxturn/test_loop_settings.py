"""How much the loop makes of the minutes it is given."""

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxturn import verbs
from oxturn.loop_settings import MINUTES_MAX, MINUTES_MIN, LoopSettings


def test_eight_minutes_are_the_plain_settings():
    assert LoopSettings.within(8, seed=7) == LoopSettings()


@given(st.floats(MINUTES_MIN, MINUTES_MAX), st.floats(MINUTES_MIN, MINUTES_MAX))
def test_more_minutes_are_never_fewer_rooms_and_always_more_training(one: float, other: float):
    fewer, more = (LoopSettings.within(minutes, seed=7) for minutes in sorted((one, other)))

    assert fewer.rooms <= more.rooms
    assert more.train_minutes / fewer.train_minutes == pytest.approx(max(one, other) / min(one, other))


def test_the_verb_takes_the_minutes_that_make_a_difference():
    (option,) = inspect.signature(verbs.demo).parameters["minutes"].annotation.__metadata__

    assert (option.min, option.max) == (MINUTES_MIN, MINUTES_MAX)
