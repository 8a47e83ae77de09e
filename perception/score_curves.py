"""What a detector's scores are worth: recall against false alarms, and how often a score is right. Pure numpy.

In: for every object the best score of the detections that found it (0 where it was missed), for every detection its
score and whether it lay at a thing. Curves reach only as far down as the scores that the detector told: ask it with a
low `min_score` for a whole one.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from foundation.geometry import FloatArray

ALARMS_PER_100: Final = (1, 5, 10, 20, 40)
BINS: Final = 10


def recall_at_alarms(found: FloatArray, alarms: FloatArray, frames: int) -> dict[str, float | None]:
    """Recall at so many false alarms in 100 frames (FROC; Bunch et al., SPIE 1977); None where no score told so many.

    `found` (N,) is the best score of each object, `alarms` (M,) the score of each false alarm.
    """
    falling = np.sort(alarms)[::-1]
    told: dict[str, float | None] = {}
    for wanted in ALARMS_PER_100:
        allowed = int(wanted * frames / 100)
        if not len(found) or len(falling) < allowed or not frames:
            told[str(wanted)] = None
            continue
        above = falling[allowed] if allowed < len(falling) else 0.0  # the first alarm too many
        told[str(wanted)] = float((found > above).mean())
    return told


def calibration(scores: FloatArray, right: Sequence[bool] | FloatArray) -> dict[str, Any]:
    """Expected calibration error over bins of equal width (Naeini et al., AAAI 2015), and the bins themselves."""
    truth = np.asarray(right, dtype=np.float64)
    if not len(scores):
        return {"expected_calibration_error": None, "bins": []}
    at = np.minimum((scores * BINS).astype(int), BINS - 1)
    bins = [
        {
            "score": float(scores[at == number].mean()),
            "right": float(truth[at == number].mean()),
            "detections": int((at == number).sum()),
        }
        for number in np.unique(at)
    ]
    error = sum(row["detections"] * abs(row["score"] - row["right"]) for row in bins) / len(scores)
    return {"expected_calibration_error": float(error), "bins": bins}
