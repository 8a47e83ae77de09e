import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.change_detectors import Adwin, Cusum

DETECTORS = [lambda: Cusum(0.25, 12), lambda: Adwin(0.002)]


def alarms(detector, values):
    return [i for i, value in enumerate(values) if detector.update(float(value))]


@pytest.mark.parametrize(("make", "limit"), [(DETECTORS[0], 25), (DETECTORS[1], 60)])
@pytest.mark.parametrize("direction", [1, -1])
def test_a_shift_of_one_sigma_is_noticed_soon(make, limit, direction):
    rng = np.random.default_rng(3)
    detector = make()

    before = alarms(detector, rng.normal(size=500))
    after = alarms(detector, rng.normal(loc=direction, size=500))

    assert before == []
    assert after[0] <= limit


@pytest.mark.parametrize(("make", "allowed"), [(DETECTORS[0], 8), (DETECTORS[1], 0)])
def test_a_quiet_stream_stays_quiet(make, allowed):
    assert len(alarms(make(), np.random.default_rng(5).normal(size=20_000))) <= allowed


def test_cusum_sums_only_what_is_beyond_the_slack():
    detector = Cusum(slack=1.0, limit=3.0)

    assert alarms(detector, [1.0] * 100) == []
    assert alarms(detector, [2.0] * 3) == [2]
    assert detector.score == 0  # begins anew
    assert alarms(detector, [-2.0] * 3) == [2]


def test_one_wild_value_is_no_drift():
    detector = Cusum(slack=1.0, limit=12.0)

    assert alarms(detector, [0, 1e9, 0, -1e9, float("inf"), 0]) == []


@pytest.mark.parametrize("make", DETECTORS)
def test_nan_counts_as_nothing(make):
    assert alarms(make(), [float("nan")] * 200) == []


def test_adwin_forgets_what_was_before_the_change():
    detector = Adwin(0.002)
    alarms(detector, np.random.default_rng(1).normal(0.0, 0.1, size=2000))

    alarms(detector, np.random.default_rng(2).normal(1.0, 0.1, size=400))

    assert len(detector) <= 500
    assert detector.mean == pytest.approx(1.0, abs=0.05)


def test_adwin_costs_a_logarithm_of_its_window():
    detector = Adwin(1e-9)
    alarms(detector, np.random.default_rng(1).normal(size=50_000))

    assert len(detector) == 50_000
    assert sum(len(row) for row in detector._rows) < 100


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=20, max_size=400))
def test_adwin_keeps_the_exact_mean_and_spread_of_its_window(values):
    detector = Adwin(0.01)
    for value in values:
        detector.update(value)

    window = np.array(values[len(values) - len(detector) :])

    assert detector.mean == pytest.approx(window.mean(), abs=1e-6)
    assert detector._spread == pytest.approx(((window - window.mean()) ** 2).sum(), rel=1e-6, abs=1e-2)
