"""Augmentation changes looks within bounds, the same way for the same seed, and leaves its input alone."""

import pytest
import torch

from perception import augment


def images(count=64, side=16):
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1)) * 0.5 + 0.25


def drawn(seed):
    return torch.Generator().manual_seed(seed)


def test_equal_seeds_give_equal_images_and_other_seeds_do_not():
    first = augment.photometric(images(), drawn(3))

    assert torch.equal(first, augment.photometric(images(), drawn(3)))
    assert not torch.equal(first, augment.photometric(images(), drawn(4)))


def test_images_stay_images_and_the_input_stays_as_it_was():
    before = images()
    given = before.clone().contiguous(memory_format=torch.channels_last)

    told = augment.photometric(given, drawn(5))

    assert told.shape == before.shape
    assert float(told.min()) >= 0 and float(told.max()) <= 1
    assert torch.equal(given, before)
    assert (told.mean(dim=(1, 2, 3)) - before.mean(dim=(1, 2, 3))).std() > 0.05


def test_one_matrix_is_gain_contrast_and_saturation_in_turn():
    means = torch.full((200, 3), 0.5)
    matrix, offset = augment.colours(means, drawn(7))

    middle = torch.einsum("bij,bj->bi", matrix, means) + offset

    assert (middle.mean(dim=1) - 0.5).abs().max() < 0.35  # exposure and shift, no runaway
    unswapped = (matrix.argmax(dim=2) == torch.arange(3)).all(dim=1).float().mean()
    assert 0.6 < unswapped < 0.95


def test_cut_out_covers_one_square_on_some_images():
    given = images(count=200)

    told = augment.cut_out(given, drawn(2), share=0.5, side_px=4)

    changed = (told != given).any(dim=1).sum(dim=(1, 2))
    assert set(changed.tolist()) <= {0, 16}
    assert float((changed > 0).float().mean()) == pytest.approx(0.5, abs=0.12)
