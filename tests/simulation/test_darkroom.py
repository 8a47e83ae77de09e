"""Noise of photographs: any size has some, and sizes that always had it keep theirs."""

import dataclasses

import numpy as np
import pytest

from foundation.robot_config import RobotConfig
from simulation.randomisation import Darkroom, FrameDraws, draw_frame

LEVELS = 6.0
NOISY: FrameDraws = dataclasses.replace(
    draw_frame(np.random.default_rng(1), RobotConfig().camera),
    exposure=1.0, gamma=1.0, blue_gain=1.0, red_gain=1.0, fog=0.0, vignette=0.0, blur_px=0.0, smear_px=0,
    noise_levels=LEVELS,
)  # fmt: skip


def photographed(darkroom: Darkroom, width_px: int, height_px: int) -> np.ndarray:
    grey = np.full((height_px, width_px, 3), 128, np.uint8)
    return darkroom.photographed(grey, NOISY, np.random.default_rng(3))


@pytest.mark.parametrize(("width_px", "height_px"), [(1280, 819), (1280, 820), (1280, 960)])
def test_a_picture_larger_than_the_bank_has_noise_all_over(width_px: int, height_px: int):
    picture = photographed(Darkroom(7), width_px, height_px).astype(float)

    for corner in (picture[:100, :100], picture[-100:, -100:]):
        assert corner.mean() == pytest.approx(128, abs=0.5)
        assert corner.std() == pytest.approx(LEVELS, abs=0.3)


def test_pictures_of_usual_sizes_keep_their_noise_even_after_a_large_one():
    darkroom, count = Darkroom(7), 320 * 240
    bank = np.random.default_rng([7, 0xDA]).standard_normal(1 << 20)
    common, *channels = np.random.default_rng(3).integers(0, (1 << 20) - count, 4)
    noise = np.stack([bank[common:][:count] + bank[one:][:count] for one in channels], axis=1) * LEVELS / np.sqrt(2)

    before = photographed(darkroom, 320, 240)
    photographed(darkroom, 1280, 960)
    after = photographed(darkroom, 320, 240)

    assert np.array_equal(before, after)
    assert (before.reshape(-1, 3) == np.floor(128.5 + noise)).mean() > 0.9999
