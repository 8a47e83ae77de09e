"""Bad models are found out by real inference, in a process of its own, in time."""

import sys
import time

import numpy as np
import pytest
from fake_bundles import FRAMES, external_weights, huge_answer, slow, times, write

from deploy import golden_frames
from deploy.health import ProcessHealthCheck
from perception.model_bundle import GoldenAnswer, sketch


def test_an_honest_model_is_healthy(tmp_path):
    report = ProcessHealthCheck(10.0).examine(write(tmp_path / "bundle", times(1.0)))

    assert report.healthy, report.reason
    assert 0 < report.latency_ms_p50 < 80


def test_worse_answers_are_told(tmp_path):
    report = golden_frames.examine(write(tmp_path / "bundle", times(0.9)))

    assert not report.healthy
    assert "golden frame 0: " in report.reason and "answer is off by" in report.reason


def test_another_processors_rounding_is_no_fault_and_a_shifted_mean_is():
    answer = np.random.default_rng(0).normal(0, 3, (5, 30, 40)).astype(np.float32)
    golden = {"kind": GoldenAnswer(answer.shape, sketch(answer)[None])}
    rounded, shifted, other = answer.copy(), answer + 0.15, answer[::-1]
    rounded.flat[:: answer.size // 3] += 0.05 * np.abs(answer).max()

    assert golden_frames.complaint(0, {"kind": rounded}, golden) is None
    assert "mean of kind is off" in golden_frames.complaint(0, {"kind": shifted}, golden)
    assert "kind is off" in golden_frames.complaint(0, {"kind": other}, golden)


def test_values_that_are_not_finite_are_told(tmp_path):
    report = golden_frames.examine(write(tmp_path / "bundle", times(float("nan"))))

    assert "not finite" in report.reason


def test_a_wrong_shape_is_told(tmp_path):
    bundle = write(tmp_path / "bundle", times(1.0), np.zeros((2, 3, 3), np.float32))

    assert "(8, 8, 3), wanted (3, 3)" in golden_frames.examine(bundle).reason


def test_a_missing_output_is_told(tmp_path):
    bundle = write(tmp_path / "bundle", times(1.0))
    answers = {"other": GoldenAnswer((8, 8, 3), np.zeros((2, 4), np.float16))}

    assert "nothing, wanted" in golden_frames.complaint(0, {}, answers)
    assert golden_frames.examine(bundle).healthy


def test_a_slow_model_is_told(tmp_path):
    report = ProcessHealthCheck(10.0).examine(write(tmp_path / "bundle", slow(10), np.zeros(FRAMES.shape, np.float32)))

    assert not report.healthy
    assert "limit 80" in report.reason


@pytest.mark.parametrize("hostile", [huge_answer, external_weights, lambda: b"not onnx", lambda: b""])
def test_a_hostile_model_ends_its_own_process_only(tmp_path, hostile):
    began_s = time.monotonic()

    report = ProcessHealthCheck(5.0).examine(write(tmp_path / "bundle", hostile()))

    assert not report.healthy
    assert report.reason
    assert time.monotonic() - began_s < 5


def test_a_check_that_hangs_is_ended(tmp_path):
    report = ProcessHealthCheck(0.2, (sys.executable, "-c", "import time; time.sleep(60)")).examine(tmp_path)

    assert report.reason == "no answer within 0.2 s"


@pytest.mark.parametrize("said", ["", "healthy", "[]", "{}"])
def test_a_check_that_says_nothing_is_no_good_news(tmp_path, said):
    report = ProcessHealthCheck(5.0, (sys.executable, "-S", "-c", f"print({said!r})")).examine(tmp_path)

    assert not report.healthy
    assert "nothing that can be read" in report.reason


def test_a_check_that_crashes_is_told_with_its_last_line(tmp_path):
    command = (sys.executable, "-S", "-c", "import sys; sys.exit('out of luck')")

    assert ProcessHealthCheck(5.0, command).examine(tmp_path).reason == "the check ended with 1: out of luck"
