"""What travels in the bundle of the training frames' look."""

import numpy as np

from perception.frame_features import FRAME_FEATURES
from perception.training_data import LEAST_DEVIATION, statistics


def test_frames_without_colour_leave_a_reference_that_drift_can_be_held_against():
    rng = np.random.default_rng(3)
    grey = [np.repeat(rng.integers(0, 255, (24, 32, 1), dtype=np.uint8), 3, axis=2) for _ in range(5)]

    reference = statistics(grey)

    assert set(reference) == set(FRAME_FEATURES)
    assert reference["saturation"] == {"mean": 0.0, "std": LEAST_DEVIATION}
    assert all(held["std"] >= LEAST_DEVIATION for held in reference.values())
