"""ROC and precision-recall curves of scores, one class against the rest. Pure numpy.

In: scores and which of them belong to positives. Out: the points of a curve and the area under it. Equal scores are one
point: no order among them is invented. A class of which there is no positive (or, for ROC, no negative) has no curve,
and None says so.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foundation.geometry import FloatArray


@dataclass(frozen=True, slots=True)
class Curve:
    """Points from the highest threshold down, and their area: ROC's, or average precision."""

    x: FloatArray  # false positive rate, or recall
    y: FloatArray  # true positive rate, or precision
    area: float


def roc(scores: FloatArray, positive: NDArray[np.bool_]) -> Curve | None:
    """From (0, 0) to (1, 1); area by trapezoids, a tie counts one half (Fawcett, Pattern Recognition Letters 2006)."""
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return None
    right, told = _running(scores, positive)
    x = np.concatenate([[0.0], (told - right) / negatives])
    y = np.concatenate([[0.0], right / positives])
    return Curve(x, y, float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2)))


def precision_recall(scores: FloatArray, positive: NDArray[np.bool_]) -> Curve | None:
    """One score a positive or negative; area is average precision: precision by steps of recall, not interpolated."""
    right, told = _running(scores, positive)
    return _stepped(right / max(int(positive.sum()), 1), right / np.maximum(told, 1)) if positive.any() else None


def detection_precision_recall(found: FloatArray, scores: FloatArray, right: NDArray[np.bool_]) -> Curve | None:
    """Recall over objects, precision over detections, at every score that was told.

    Args:
        found: (N,) the best score of each object, 0 where no detection told it: that part of recall is never reached.
        scores: (K,) of each detection.
        right: (K,) whether it lay at an object of its class. Several may lie at one object, as pieces of a cable do.
    """
    if not len(found):
        return None
    if not len(scores):
        return Curve(np.zeros(1), np.ones(1), 0.0)
    correct, told = _running(scores, right)
    thresholds = np.unique(scores)[::-1]
    recall = 1 - np.searchsorted(np.sort(found), thresholds, side="left") / len(found)
    return _stepped(recall, correct / told)


def _stepped(recall: FloatArray, precision: FloatArray) -> Curve:
    gained = np.diff(recall, prepend=0.0)
    return Curve(np.concatenate([[0.0], recall]), np.concatenate([[1.0], precision]), float(np.sum(gained * precision)))


def _running(scores: FloatArray, positive: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """(U,) each: positives and all at or above each distinct score, falling."""
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.diff(scores[order], append=-np.inf))  # the last of each run of equal scores
    return np.cumsum(positive[order])[last].astype(np.float64), (last + 1).astype(np.float64)
