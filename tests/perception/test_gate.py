"""The gate lets in what is surely no worse, and says which figure kept the others out."""

import math

import numpy as np
import pytest

from perception.errors import EvaluationError
from perception.evaluate import FrameVerdict, Judged
from perception.gate import Candidate, JobWorth, Limits, decide

LIMITS = Limits()


def verdicts(recall: float, frames: int = 400, *, alarms: float = 0.0, seed: int = 0) -> list[FrameVerdict]:
    rng = np.random.default_rng(seed)
    told = []
    for index in range(frames):
        found = 3 if rng.random() < recall else None
        objects = (Judged(index % 12, 0.5, found, math.nan),)
        told.append(FrameVerdict(f"r/{index}", objects, (0,) if rng.random() < alarms else ()))
    return told


def candidate(name: str, judged: list[FrameVerdict], **how) -> Candidate:
    return Candidate(name, judged, **{"size_bytes": 300_000, "latency_ms_p99": 2.0, **how})


CHAMPION = candidate("champion", verdicts(0.9))


def test_the_same_model_passes():
    assert decide(CHAMPION, candidate("same", verdicts(0.9)), limits=LIMITS).accepted


def test_a_worse_model_stays_out():
    verdict = decide(CHAMPION, candidate("worse", verdicts(0.8)), limits=LIMITS)

    assert not verdict.accepted
    assert "may be worse" in verdict.reason


def test_false_alarms_count_as_much_as_misses():
    assert not decide(CHAMPION, candidate("excited", verdicts(0.9, alarms=0.2)), limits=LIMITS).accepted


def test_a_model_trained_for_a_slice_must_be_better_there():
    improved = [
        FrameVerdict(v.sample_id, tuple(Judged(o.class_index, o.distance_m, 3, math.nan) for o in v.objects), ())
        if v.objects[0].class_index == 0
        else v
        for v in verdicts(0.9, frames=1200)
    ]
    champion, challenger = candidate("a", verdicts(0.9, frames=1200)), candidate("b", improved)

    def slice_of(index):
        return lambda item: item.class_index == index

    assert decide(champion, challenger, limits=LIMITS, trained_for=slice_of(0)).accepted
    verdict = decide(champion, challenger, limits=LIMITS, trained_for=slice_of(1))
    assert not verdict.accepted
    assert "slice" in verdict.reason


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"size_bytes": 500_001}, "500001 bytes"),
        ({"latency_ms_p99": 3.4}, "3.40 ms"),
        ({"job": JobWorth(0.98, 2, 0, 600.0)}, "in the job it hits 2 small objects, the champion 1"),
        ({"job": JobWorth(0.98, 1, 1, 600.0)}, "in the job it touches walls or furniture 1 times, the champion 0"),
        ({"job": JobWorth(0.97, 1, 0, 600.0)}, "in the job it covers 97.0%, the champion 98.0%"),
        ({"job": JobWorth(0.98, 1, 0, 700.0)}, "in the job it takes 700 s, the champion 600 s"),
    ],
)
def test_costs_keep_a_good_model_out(how: dict, words: str):
    champion = candidate("champion", verdicts(0.9), job=JobWorth(0.98, 1, 0, 600.0))

    verdict = decide(champion, candidate("dear", verdicts(0.9), **how), limits=LIMITS)

    assert not verdict.accepted
    assert words in verdict.reason


def test_the_first_model_needs_no_champion():
    assert decide(None, candidate("first", verdicts(0.5)), limits=LIMITS).accepted


def test_other_frames_are_no_comparison():
    with pytest.raises(EvaluationError, match="different frames"):
        decide(CHAMPION, candidate("other", verdicts(0.9)[1:]), limits=LIMITS)
