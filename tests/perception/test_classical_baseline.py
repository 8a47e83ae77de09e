import numpy as np
import pytest

from perception import classical_baseline
from perception.labelled_arrays import LabelledArrays


def arrays(inputs: np.ndarray, targets: list[int]) -> LabelledArrays:
    return LabelledArrays(inputs, np.array(targets, np.int64), tuple(map(str, range(len(inputs)))), "")


def stripes(rng: np.random.Generator, *, wide: bool) -> np.ndarray:
    """The same colours and shares of light and dark in both classes: only the texture differs."""
    step = 8 if wide else 2
    light = (np.arange(64) // step) % 2 == 0
    image = np.where(light[None, :, None], 150, 90) + rng.integers(0, 8, (64, 64, 3))
    return image.astype(np.uint8)


def coloured(rng: np.random.Generator, *, red: bool) -> np.ndarray:
    """Equal brightness in both classes: only the hue differs."""
    image = rng.integers(0, 10, (64, 64, 3))
    image[..., 2 if red else 0] += 120
    return image.astype(np.uint8)


@pytest.mark.parametrize("draw", [lambda rng, it: stripes(rng, wide=it), lambda rng, it: coloured(rng, red=it)])
def test_texture_alone_and_colour_alone_are_learnt_from_the_training_part(draw):
    rng = np.random.default_rng(0)
    truth = [index % 2 for index in range(40)]
    images = np.stack([draw(rng, bool(one)) for one in truth])

    told = classical_baseline.probabilities(arrays(images[:24], truth[:24]), arrays(images[24:], truth[24:]), 2)

    assert told.argmax(axis=1).tolist() == truth[24:]
    np.testing.assert_allclose(told.sum(axis=1), 1)


def test_labels_of_the_held_out_part_change_nothing():
    rng = np.random.default_rng(1)
    train, held_out = rng.normal(size=(30, 3)), rng.normal(size=(10, 3))
    truth = (train[:, 0] > 0).astype(int).tolist()

    one = classical_baseline.probabilities(arrays(train, truth), arrays(held_out, [0] * 10), 2)
    other = classical_baseline.probabilities(arrays(train, truth), arrays(held_out, [1] * 10), 2)

    np.testing.assert_array_equal(one, other)


def test_a_class_without_a_lesson_is_never_told():
    rng = np.random.default_rng(2)
    train, held_out = rng.normal(size=(20, 2)), rng.normal(size=(5, 2))

    told = classical_baseline.probabilities(arrays(train, [0, 2] * 10), arrays(held_out, [1] * 5), 4)

    assert told.shape == (5, 4)
    assert (told[:, [1, 3]] == 0).all()


@pytest.mark.parametrize("bands", [1, 3, 5])
def test_features_are_finite_for_any_number_of_bands_and_an_image_of_one_colour(bands: int):
    images = np.stack([np.zeros((20, 30, bands), np.uint8), np.full((20, 30, bands), 255, np.uint8)])

    told = classical_baseline.features(images)

    assert told.shape[0] == 2
    assert np.isfinite(told).all()
