"""Photos of one floor fall together, two floors apart, and no fold cuts through a group."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from perception import look_groups


def floor(colour: tuple[int, int, int], coarse_px: int, rng: np.random.Generator) -> np.ndarray:
    """One photo: squares of `coarse_px` whose brightness varies about a colour."""
    levels = rng.normal(0, 12, (64 // coarse_px, 64 // coarse_px, 1)).repeat(coarse_px, 0).repeat(coarse_px, 1)
    return np.clip(np.array(colour) + levels, 0, 255).astype(np.uint8)


def test_two_photos_of_one_floor_are_one_group_and_another_floor_is_not():
    rng = np.random.default_rng(0)
    images = np.stack([floor((60, 90, 160), 4, rng), floor((60, 90, 160), 4, rng), floor((170, 120, 90), 4, rng)])

    found = look_groups.groups(images, np.zeros(3, np.int64))

    assert found[0] == found[1] != found[2]


def test_equal_colours_of_another_coarseness_lie_farther():
    rng = np.random.default_rng(1)
    images = np.stack([floor((120, 120, 120), side, rng) for side in (2, 2, 16)])

    apart = look_groups.distances(images)

    assert apart[0, 2] > 2 * apart[0, 1]
    np.testing.assert_array_equal(apart, apart.T)
    assert not apart.diagonal().any()


def test_classes_never_share_a_group():
    image = floor((100, 110, 120), 4, np.random.default_rng(2))

    found = look_groups.groups(np.stack([image, image, image]), np.array([0, 1, 2]))

    assert len(set(found.tolist())) == 3


def test_copies_of_a_picture_are_one_group():
    rng = np.random.default_rng(3)
    one, other = floor((100, 110, 120), 4, rng), floor((100, 110, 120), 4, rng)

    assert look_groups.same_pictures(np.stack([one, other, one])).tolist() == [0, 1, 0]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=10, max_size=80), st.integers(2, 5), st.integers(0, 5))
def test_folds_take_whole_groups(groups: list[int], count: int, seed: int):
    of_groups = np.array(groups)
    targets = of_groups % 2

    fold_of = look_groups.folds(of_groups, targets, count, seed=seed)

    for group in set(groups):
        assert len(set(fold_of[of_groups == group].tolist())) == 1
    assert 0 <= fold_of.min() <= fold_of.max() < count


def test_folds_of_single_photos_are_even_in_each_class():
    targets = np.repeat([0, 1], [50, 23])

    fold_of = look_groups.folds(np.arange(73), targets, 5, seed=1)

    assert np.ptp(np.bincount(fold_of[targets == 0])) == 0
    assert np.ptp(np.bincount(fold_of[targets == 1])) == 1
