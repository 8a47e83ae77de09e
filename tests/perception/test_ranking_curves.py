import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from perception.ranking_curves import detection_precision_recall, precision_recall, roc

tied = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=60).filter(
    lambda rows: len({truth for _, truth in rows}) == 2
)


def test_two_of_four_by_hand():
    scores, truth = np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, False])

    assert roc(scores, truth).area == pytest.approx(0.75)
    curve = precision_recall(scores, truth)
    np.testing.assert_allclose(curve.x, [0, 0.5, 0.5, 1, 1])
    np.testing.assert_allclose(curve.y, [1, 1, 1 / 2, 2 / 3, 1 / 2])
    assert curve.area == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


@given(tied)
def test_areas_are_scikit_learns_ties_included(rows):
    scores, truth = np.array([score / 6 for score, _ in rows]), np.array([truth for _, truth in rows])

    assert roc(scores, truth).area == pytest.approx(metrics.roc_auc_score(truth, scores))
    assert precision_recall(scores, truth).area == pytest.approx(metrics.average_precision_score(truth, scores))


def test_one_kind_only_has_no_roc_and_no_positive_no_recall():
    scores = np.array([0.2, 0.4])

    assert roc(scores, np.array([True, True])) is None
    assert roc(scores, np.array([False, False])) is None
    assert precision_recall(scores, np.array([False, False])) is None
    assert precision_recall(scores, np.array([True, True])).area == 1.0


def test_objects_that_no_detection_told_are_recall_never_reached():
    found = np.array([0.9, 0.5, 0.0, 0.0])  # two missed
    scores, right = np.array([0.9, 0.7, 0.5, 0.5]), np.array([True, False, True, True])  # the second in two pieces

    curve = detection_precision_recall(found, scores, right)

    np.testing.assert_allclose(curve.x, [0, 0.25, 0.25, 0.5])
    np.testing.assert_allclose(curve.y, [1, 1, 1 / 2, 3 / 4])
    assert curve.area == pytest.approx(0.25 * 1 + 0.25 * 0.75)


def test_without_objects_no_curve_without_detections_no_area():
    none = np.zeros(0)

    assert detection_precision_recall(none, np.array([0.5]), np.array([False])) is None
    assert detection_precision_recall(np.zeros(3), none, none.astype(bool)).area == 0.0
