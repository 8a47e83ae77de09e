import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.score_curves import calibration, recall_at_alarms

scores = st.lists(st.floats(0, 1), max_size=60).map(np.array)


def test_recall_counts_what_scores_above_the_first_alarm_too_many():
    found = np.array([0.9, 0.7, 0.5, 0.0])  # the last was missed
    alarms = np.array([0.8, 0.6, 0.4])

    curve = recall_at_alarms(found, alarms, frames=20)

    assert curve == {"1": 0.25, "5": 0.5, "10": 0.75, "20": None, "40": None}


def test_a_detector_without_alarms_has_one_point():
    assert recall_at_alarms(np.array([0.9, 0.0]), np.array([]), frames=50)["1"] == 0.5
    assert recall_at_alarms(np.array([0.9, 0.0]), np.array([]), frames=100)["1"] is None
    assert recall_at_alarms(np.array([]), np.array([0.4]), frames=10)["1"] is None


@given(scores, scores)
def test_more_alarms_allowed_never_find_less(found, alarms):
    curve = [recall for recall in recall_at_alarms(found, alarms, 100).values() if recall is not None]
    assert curve == sorted(curve)


def test_scores_that_keep_their_word_have_no_calibration_error():
    told = np.array([0.75] * 4 + [0.25] * 4)
    right = [True, True, True, False, True, False, False, False]

    assert calibration(told, right)["expected_calibration_error"] == pytest.approx(0)
    assert calibration(told, [True] * 8)["expected_calibration_error"] == pytest.approx(0.5)


def test_no_detections_have_no_calibration():
    assert calibration(np.array([]), []) == {"expected_calibration_error": None, "bins": []}
