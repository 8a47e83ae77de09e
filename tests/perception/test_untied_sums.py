"""No sum of two quantised levels lies halfway between two others: processors round such ties differently."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from perception.untied_sums import NEAREST, STEP, TRIED, untied_scale

SCALES, ZEROS = st.floats(1e-3, 0.3), st.integers(0, 255)


def gap(scale_a, zero_a, scale_b, zero_b, scale, zero):
    """Of the two levels that come nearest to the halfway of two others."""
    a, b = np.meshgrid(np.arange(256) - zero_a, np.arange(256) - zero_b)
    told = (scale_a * a + scale_b * b) / scale + zero
    told = told[(told > -1) & (told < 256)]
    return np.abs(told % 1 - 0.5).min(initial=0.5)


@settings(max_examples=25, deadline=None)
@given(SCALES, ZEROS, SCALES, ZEROS, st.floats(0.7, 1.5), ZEROS)
def test_a_little_wider_scale_has_no_ties(scale_a, zero_a, scale_b, zero_b, wide, zero):
    scale = float(np.float32(wide * max(scale_a, scale_b)))

    found = untied_scale(scale_a, zero_a, scale_b, zero_b, scale, zero)

    assert scale <= found <= scale * (1 + STEP * TRIED)
    assert gap(scale_a, zero_a, scale_b, zero_b, found, zero) >= NEAREST * 0.99


def test_branches_at_half_the_scale_of_their_sum_tie_at_every_second_pair():
    assert gap(1.0, 128, 1.0, 128, 2.0, 128) == 0

    assert 2.0 < untied_scale(1.0, 128, 1.0, 128, 2.0, 128) < 2.1
