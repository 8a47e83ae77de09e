import math

import pytest

from oxturn.verdict import JobFigures, Row, Verdict, judge_loop

GOOD_RUN = JobFigures(0.981, 0, 10, 1, 400.0, 90.0, 0.02)
BLIND_RUN = JobFigures(0.983, 0, 10, 9, 390.0, 88.0, 0.02)
MODEL = {"size_bytes": 300_000, "latency_p99_s": 0.003}


@pytest.mark.parametrize(
    ("value", "comparison", "threshold", "passed"),
    [
        (0.97, ">=", 0.97, True),
        (0.9699, ">=", 0.97, False),
        (5, "<=", 5, True),
        (6, "<=", 5, False),
        (0, "==", 0, True),
        (1, "==", 0, False),
        (None, "<=", 5, False),
        (math.nan, "<=", 5, False),
    ],
)
def test_a_row_passes_by_its_comparison_and_an_unmeasured_one_never(value, comparison, threshold, passed):
    assert Row("figure", value, comparison, threshold).passed is passed


def test_a_verdict_without_rows_has_not_passed():
    assert not Verdict(()).passed


def test_a_good_run_passes():
    assert judge_loop(BLIND_RUN, GOOD_RUN, MODEL, {"scrapes": 3}).passed


@pytest.mark.parametrize(
    ("change", "row"),
    [
        ({"coverage_ratio": 0.96}, "covered with the model"),
        ({"collisions": 1}, "collisions with the model"),
        ({"small_objects_hit": 2}, "small objects hit with the model"),
        ({"localisation_error_m": 0.06}, "localisation error p95"),
    ],
)
def test_each_shortfall_fails_its_own_row(change, row):
    run = JobFigures(**{**{name: getattr(GOOD_RUN, name) for name in JobFigures.__slots__}, **change})

    verdict = judge_loop(BLIND_RUN, run, MODEL, {"scrapes": 3})

    assert [failed.name for failed in verdict.rows if not failed.passed] == [row]
    assert not verdict.to_json()["passed"]


def test_rooms_in_which_a_blind_robot_hits_little_prove_nothing():
    blind = JobFigures(0.98, 0, 10, 4, 390.0, 88.0, 0.02)
    seeing = JobFigures(0.98, 0, 10, 0, 390.0, 88.0, 0.02)

    assert not judge_loop(blind, seeing, MODEL, {"scrapes": 3}).passed
