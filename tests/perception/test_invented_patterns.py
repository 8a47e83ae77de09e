"""Painted training images: floors in perspective, standing things with other prints, the same for the same draw."""

import numpy as np
import pytest

from foundation.robot_config import RobotConfig
from perception import invented_patterns
from perception.labels import FURNITURE, WALL, floor_number, small_object_number

CAMERA = RobotConfig().camera.pinhole()
WHOLE = (slice(103, 137), slice(103, 157))  # of the shoe, away from its rim


def scene():
    image = np.full((240, 320, 3), 120, np.uint8)
    segmentation = np.full((240, 320), floor_number("tile"), np.uint8)
    segmentation[:40] = WALL
    segmentation[30:90, 200:300] = FURNITURE
    segmentation[100:140, 100:160] = small_object_number("shoe")
    instances = np.zeros((240, 320), np.uint16)
    instances[100:140, 100:160] = 7
    return image, segmentation, instances


def test_a_painted_floor_leaves_things_and_walls_and_says_where_its_kind_is_no_longer_known():
    image, segmentation, _ = scene()

    for seed in range(12):
        told, changed = invented_patterns.painted_floor(image, segmentation, CAMERA, np.random.default_rng(seed))

        assert (told[:28] == 120).all()
        assert (told[WHOLE] == 120).all()
        assert (told[145:] != 120).any()
        assert changed[145:].any()
        assert not changed[segmentation != floor_number("tile")].any()


def test_other_prints_come_to_walls_furniture_and_things_and_never_to_the_floor():
    image, segmentation, instances = scene()
    different = np.zeros((240, 320), dtype=bool)

    for seed in range(40):
        told = invented_patterns.painted_surfaces(image, segmentation, instances, np.random.default_rng(seed))
        different |= (told != 120).any(axis=2)

    assert different[10, 10]
    assert different[60, 250]
    assert different[WHOLE].all()
    assert not different[145:].any()
    assert not different[92:97, 310].any()


def test_equal_draws_paint_equal_pictures_and_the_input_stays():
    image, segmentation, instances = scene()

    def painted(seed):
        rng = np.random.default_rng(seed)
        return invented_patterns.painted_surfaces(
            invented_patterns.painted_floor(image, segmentation, CAMERA, rng)[0], segmentation, instances, rng
        )

    assert (painted(3) == painted(3)).all()
    assert (painted(3) != painted(4)).any()
    assert (image == 120).all()


def test_a_picture_without_floor_stays_as_it_is():
    image, segmentation, _ = scene()

    told, changed = invented_patterns.painted_floor(image, segmentation * 0 + 1, CAMERA, np.random.default_rng(0))

    assert told is image
    assert not changed.any()


@pytest.mark.parametrize("seed", range(20))
def test_a_pattern_has_colours_and_patches_of_about_its_size(seed):
    along = np.stack([np.linspace(0, 4, 4001), np.full(4001, 0.3)], axis=1)

    levels, size_m = invented_patterns.pattern(along, np.random.default_rng(seed))

    changes = int((np.diff(levels) != 0).sum())
    assert levels.min() >= 0
    assert levels.max() < 5
    assert changes <= 4 * 4 / size_m * 2
