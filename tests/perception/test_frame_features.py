import numpy as np
import pytest

from perception.frame_features import FRAME_FEATURES, frame_features


def plain(blue, green, red, height=48, width=64):
    return np.full((height, width, 3), (blue, green, red), dtype=np.uint8)


def test_black_and_white_are_the_ends_of_brightness():
    assert frame_features(plain(0, 0, 0))["brightness"] == pytest.approx(0)
    assert frame_features(plain(255, 255, 255))["brightness"] == pytest.approx(1, abs=1e-4)
    assert frame_features(plain(255, 255, 255))["saturation"] == 0


def test_a_red_room_is_warm_and_a_blue_one_cold():
    assert frame_features(plain(20, 100, 200))["warmth"] == pytest.approx(180 / 255, abs=1e-4)
    assert frame_features(plain(200, 100, 20))["warmth"] == pytest.approx(-180 / 255, abs=1e-4)


def test_blur_lowers_sharpness_and_fading_lowers_contrast():
    rng = np.random.default_rng(1)
    sharp = rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)
    blurred = (sharp.astype(float) + np.roll(sharp, 2, 0) + np.roll(sharp, 2, 1) + np.roll(sharp, (2, 2), (0, 1))) / 4
    faded = sharp // 2 + 64

    assert frame_features(blurred.astype(np.uint8))["sharpness"] < 0.7 * frame_features(sharp)["sharpness"]
    assert frame_features(faded)["contrast"] == pytest.approx(frame_features(sharp)["contrast"] / 2, rel=0.05)


@pytest.mark.parametrize("shape", [(240, 320), (24, 32), (2, 2), (480, 640)])
def test_every_named_feature_comes_for_every_size(shape):
    features = frame_features(np.random.default_rng(1).integers(0, 255, (*shape, 3), dtype=np.uint8))

    assert tuple(features) == FRAME_FEATURES
    assert all(np.isfinite(value) for value in features.values())
