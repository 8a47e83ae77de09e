"""The building blocks of textures hold what their names promise."""

import numpy as np
import pytest

from simulation.texture_patterns import cells, cover, dim, eight_bits, frac, noise, toned

SIZE = 96


@pytest.mark.parametrize(("across", "down"), [(3, 3), (2, 48), (5, 7), (SIZE, SIZE)])
def test_noise_repeats_and_has_mean_zero_and_deviation_one(across, down):
    means = []
    for seed in range(20):
        picture = noise(np.random.default_rng(seed), SIZE, across, down)
        means.append(picture.mean())

        assert picture.shape == (SIZE, SIZE)
        assert picture.std() == pytest.approx(1, abs=1e-3)
        inner = max(np.abs(np.diff(picture, axis=0)).max(), np.abs(np.diff(picture, axis=1)).max())
        seam = max(np.abs(picture[0] - picture[-1]).max(), np.abs(picture[:, 0] - picture[:, -1]).max())
        assert seam <= inner * 1.5
    assert abs(np.mean(means)) < 0.4


@pytest.mark.parametrize("count", [2, 12, 300])
def test_cells_are_those_of_the_nearest_seed_on_a_square_that_repeats(count):
    owner, gap = cells(np.random.default_rng(4), SIZE, count)

    seeds = np.random.default_rng(4).uniform(size=(count, 2))
    axis = (np.arange(SIZE // 2) + 0.5) / (SIZE // 2)
    x, y = np.meshgrid(axis, axis)
    places = np.stack([x, y], axis=-1)[:, :, None]
    turns = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    away = np.concatenate([np.linalg.norm(places - seeds - turn, axis=-1) for turn in turns], axis=-1)
    nearest = np.sort(away, axis=-1)
    assert np.array_equal(owner[::2, ::2], away.argmin(axis=-1) % count)
    assert gap.min() >= 0
    assert abs(float(gap.mean()) - float((nearest[..., 1] - nearest[..., 0]).mean())) < 0.02


def test_colours_are_laid_on_where_they_are_wanted():
    picture = toned((0.2, 0.4, 0.8), np.full((1, 4), 0.5))
    dim(picture, np.array([[True, False, False, False]]), 0.5)
    cover(picture, np.array([[False], [True], [False], [False]]), (1.0, 1.0, 1.0), 0.5)

    assert picture[0, :2, 1].tolist() == pytest.approx([0.1, 0.2])
    assert picture[1, 3].tolist() == pytest.approx([0.55, 0.6, 0.7])


def test_eight_bits_round_down_and_cut_off():
    levels = np.array([[[-3.0, 0.0, 0.999 / 255], [1.001 / 255, 1.0, 7.0]]])

    assert eight_bits(levels).tolist() == [[[0, 0, 0], [1, 255, 255]]]
    assert frac(np.array([2.25, -0.25])).tolist() == [0.25, 0.75]
