import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from perception import preprocessing
from perception.tasks.task import ImageInput, RowInput

PLAIN = ImageInput(height_px=16, width_px=24)
STANDARDISED = ImageInput(height_px=16, width_px=24, standardised=True)


def frames(seed, low=60, high=180):
    return np.random.default_rng(seed).integers(low, high, (3, 16, 24, 3)).astype(np.uint8)


def test_bytes_become_shares_channels_first():
    image = np.zeros((1, 2, 2, 3), np.uint8)
    image[0, 0, 1] = (255, 51, 0)

    told = preprocessing.preprocessed(torch.from_numpy(image), ImageInput(2, 2))

    assert told.shape == (1, 3, 2, 2)
    assert told[0, :, 0, 1].tolist() == pytest.approx([1.0, 0.2, 0.0])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 99), st.floats(0.4, 1.4), st.integers(-30, 40))
def test_exposure_and_fog_of_a_frame_go_away(seed, gain, offset):
    plain = frames(seed)
    changed = np.clip(np.rint(plain * gain + offset), 0, 255).astype(np.uint8)
    inside = (plain * gain + offset >= 0).all() and (plain * gain + offset <= 255).all()

    one, other = (preprocessing.preprocessed(torch.from_numpy(x), STANDARDISED) for x in (plain, changed))

    if inside:
        assert (one - other).abs().max() < 0.02


def test_windows_are_standardised_by_their_frame_as_the_robot_does():
    images = frames(3)
    whole = preprocessing.preprocessed(torch.from_numpy(images), STANDARDISED)
    looks = torch.from_numpy(preprocessing.looks(images))

    window = preprocessing.standardised(
        preprocessing.floats(torch.from_numpy(images[:, 4:12, 8:16])), looks[:, 0], looks[:, 1]
    )

    assert torch.allclose(window.clamp(0, 1), whole[:, :, 4:12, 8:16], atol=1e-5)


def test_a_frame_of_one_colour_stays_one_colour():
    told = preprocessing.preprocessed(torch.full((1, 16, 24, 3), 7, dtype=torch.uint8), STANDARDISED)

    assert torch.allclose(told, torch.full_like(told, 0.5), atol=1e-5)


def test_rows_are_left_alone():
    rows = torch.tensor([[1.0, -2.0]])

    assert preprocessing.preprocessed(rows, RowInput(("a", "b"))) is rows
