"""What a detector tells of one frame."""

import numpy as np

from perception.observation import Detections


def detections(*things, stamp_s=0.0, score=0.9):
    """Things of (contact x, contact y, radius) in base_link."""
    count = len(things)
    array = np.array(things, dtype=float).reshape(count, 3)
    return Detections(
        stamp_s, array[:, :2], array[:, 2], np.full(count, score), np.zeros(count, np.int64), np.zeros((count, 4))
    )
