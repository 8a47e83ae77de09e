"""Painted floors with one bright thing: found at its place; floor, walls and darkness are nothing."""

import numpy as np
import pytest
from painted_rooms import CAMERA, painted

from perception import evaluate
from perception.floor_colour_baseline import FloorColourBaseline
from perception.labels import SMALL_OBJECTS

DETECT = FloorColourBaseline(1.2)


def floor(shade: int = 90) -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 12, (240, 320, 3))
    return (np.full((240, 320, 3), shade) + noise).astype(np.uint8)


def test_things_of_another_colour_are_found_where_they_meet_the_floor():
    samples = [painted(f"r/{index}", "r", np.random.default_rng(index)) for index in range(12)]

    figures = evaluate.summary([evaluate.judge_sample(DETECT, one, 1.2, 0.0) for one in samples]).figures

    assert figures["recall"] == 1.0
    assert figures["false_alarms_per_100"] == 0.0
    assert figures["by_distance"]["0.3-0.6 m"]["contact_error_m_p95"] < 0.05


@pytest.mark.parametrize("shade", [0, 90, 240])
def test_bare_floor_of_any_shade_is_nothing(shade: int):
    assert len(DETECT(floor(shade), CAMERA).scores) == 0


def test_what_reaches_the_horizon_is_a_wall():
    image = floor()
    image[:120, 100:200] = (200, 120, 60)
    image[150:170, 150:170] = (200, 120, 60)

    told = DETECT(image, CAMERA)

    assert len(told.scores) == 1
    np.testing.assert_allclose(told.boxes_px[0], (150, 150, 170, 170), atol=4)


def test_a_thing_in_the_patch_does_not_become_the_floors_colour():
    image = floor()
    image[205:235, 150:190] = (30, 200, 250)

    told = DETECT(image, CAMERA)

    assert len(told.scores) == 1
    assert told.boxes_px[0][1] == pytest.approx(205, abs=4)


def test_what_lies_too_far_is_not_told_and_a_camera_at_the_sky_sees_nothing():
    from dataclasses import replace

    image = floor()
    image[150:170, 150:170] = (200, 120, 60)

    assert len(FloorColourBaseline(0.3)(image, CAMERA).scores) == 0
    assert len(DETECT(image, replace(CAMERA, pitch_down_rad=-1.0)).scores) == 0


def test_scores_grow_with_the_difference_and_the_class_is_other():
    faint, bright = floor(), floor()
    faint[150:170, 150:170] = (125, 125, 125)
    bright[150:170, 150:170] = (255, 255, 255)

    one, two = DETECT(faint, CAMERA), DETECT(bright, CAMERA)

    assert 0 < one.scores[0] < two.scores[0] < 1
    assert two.class_ids.tolist() == [SMALL_OBJECTS.index("other")]
