"""Painted floors: only floors change, in perspective, the same for the same draw."""

import numpy as np
import pytest

from foundation.robot_config import RobotConfig
from perception import floor_patterns
from perception.labels import floor_number, small_object_number

CAMERA = RobotConfig().camera.pinhole()


def scene():
    image = np.full((240, 320, 3), 120, np.uint8)
    segmentation = np.full((240, 320), floor_number("tile"), np.uint8)
    segmentation[:40] = 1
    segmentation[100:140, 100:160] = small_object_number("shoe")
    return image, segmentation


def test_things_and_walls_keep_their_pixels():
    image, segmentation = scene()

    for seed in range(12):
        told = floor_patterns.painted(image, segmentation, CAMERA, np.random.default_rng(seed))

        assert (told[:38] == 120).all()
        assert (told[103:137, 103:157] == 120).all()
        assert (told[42:95] != 120).any() or (told[145:] != 120).any()


def test_equal_draws_paint_equal_pictures_and_the_input_stays():
    image, segmentation = scene()

    one = floor_patterns.painted(image, segmentation, CAMERA, np.random.default_rng(3))

    assert (one == floor_patterns.painted(image, segmentation, CAMERA, np.random.default_rng(3))).all()
    assert (one != floor_patterns.painted(image, segmentation, CAMERA, np.random.default_rng(4))).any()
    assert (image == 120).all()


def test_a_picture_without_floor_stays_as_it_is():
    image, segmentation = scene()

    assert floor_patterns.painted(image, segmentation * 0 + 1, CAMERA, np.random.default_rng(0)) is image


@pytest.mark.parametrize("seed", range(20))
def test_a_pattern_has_colours_and_patches_of_about_its_size(seed):
    along = np.stack([np.linspace(0, 4, 4001), np.full(4001, 0.3)], axis=1)

    levels, size_m = floor_patterns.pattern(along, np.random.default_rng(seed))

    changes = int((np.diff(levels) != 0).sum())
    assert levels.min() >= 0
    assert levels.max() < 5
    assert changes <= 4 * 4 / size_m * 2
