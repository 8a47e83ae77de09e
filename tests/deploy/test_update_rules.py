"""Every decision as a row of a table."""

import pytest

from deploy import update_rules as rules
from deploy.trust import SignedTarget
from deploy.update_rules import Evidence, Instant, Outcome, Trial, TrialVerdict, UpdateState, Verdict


def target(version: int, sha256: str | None = None) -> SignedTarget:
    return SignedTarget("model", version, "bundle", 10, sha256 or f"{version:064d}")


TRIAL = Trial("B", "A", 2, Instant("boot", 100.0))
FRESH = UpdateState()


@pytest.mark.parametrize(
    ("installed", "offered", "state", "verdict"),
    [
        (None, target(1), FRESH, Verdict.INSTALL),
        (target(1), target(2), FRESH, Verdict.INSTALL),
        (target(1), target(1), FRESH, Verdict.ALREADY_INSTALLED),
        (target(1, "same"), target(2, "same"), FRESH, Verdict.ALREADY_INSTALLED),
        (target(2, "same"), target(1, "same"), FRESH, Verdict.OLDER),
        (target(2), target(1), FRESH, Verdict.OLDER),
        (target(2), target(2, "other"), FRESH, Verdict.OLDER),
        (target(1), target(2), UpdateState(failed={2: "NaN"}), Verdict.FAILED_BEFORE),
        (target(1), target(3), UpdateState(failed={2: "NaN"}), Verdict.INSTALL),
        (target(1), target(2), UpdateState(attempts={2: 2}), Verdict.INSTALL),
        (target(1), target(2), UpdateState(attempts={2: 3}), Verdict.TOO_MANY_ATTEMPTS),
        (target(1), target(3), UpdateState(trial=TRIAL), Verdict.BUSY),
    ],
)
def test_offers(installed, offered, state, verdict):
    assert rules.decide(installed, offered, state) is verdict


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("installed", [None, target(1)])
def test_every_verdict_has_a_line_that_names_a_version_or_what_to_do(verdict, installed):
    line = rules.explain(verdict, installed, target(2), UpdateState(failed={2: "NaN"}))

    assert "version" in line


@pytest.mark.parametrize(
    ("now", "evidence", "verdict"),
    [
        (Instant("boot", 101.0), Evidence(0), TrialVerdict.WAIT),
        (Instant("boot", 101.0), Evidence(19), TrialVerdict.WAIT),
        (Instant("boot", 101.0), Evidence(20), TrialVerdict.CONFIRM),
        (Instant("boot", 105.0), Evidence(3), TrialVerdict.WAIT),
        (Instant("boot", 105.1), Evidence(3), TrialVerdict.ROLL_BACK),
        (Instant("boot", 105.1), Evidence(20), TrialVerdict.CONFIRM),
        (Instant("boot", 101.0), Evidence(20, "NaN"), TrialVerdict.ROLL_BACK),
        (Instant("another boot", 101.0), Evidence(20), TrialVerdict.ROLL_BACK),
        (Instant("boot", 99.0), Evidence(20), TrialVerdict.ROLL_BACK),
    ],
)
def test_trials(now, evidence, verdict):
    assert rules.judge_trial(TRIAL, now, 5.0, evidence) is verdict


A1, B2 = {"A": target(1)}, {"B": target(2)}
BOTH = A1 | B2


@pytest.mark.parametrize(
    ("active", "state", "verified", "slot"),
    [
        (None, FRESH, {}, None),
        ("A", FRESH, BOTH, "A"),
        ("B", FRESH, BOTH, "B"),
        ("B", FRESH, A1, "A"),  # the active one is damaged
        ("B", UpdateState(trial=TRIAL), BOTH, "A"),  # power cut in a trial
        ("A", UpdateState(trial=TRIAL), BOTH, "A"),  # power cut before the switch
        ("B", UpdateState(trial=TRIAL), B2, "B"),  # nothing else is left
        ("B", UpdateState(trial=TRIAL, failed={2: "NaN"}), B2, None),  # it failed: LIDAR alone
        ("B", UpdateState(trial=Trial("B", None, 2, TRIAL.began)), B2, "B"),  # the first model ever
        ("A", UpdateState(failed={2: "NaN"}), B2, None),  # never back to one that failed
        ("A", UpdateState(attempts={2: 1}), B2, None),  # nor to one that was never on trial
        (None, UpdateState(attempts={2: 1}), B2, None),  # filled, then a power cut
        (None, FRESH, A1, "A"),  # the link was lost
    ],
)
def test_what_runs_after_a_start(active, state, verified, slot):
    assert rules.slot_to_run(active, state, verified) == slot


def test_the_idle_slot_is_never_the_active_one():
    assert [rules.idle_slot(active) for active in (None, "A", "B")] == ["A", "B", "A"]


DONE = rules.confirmed(UpdateState(trial=TRIAL), 2)
FAILED = rules.failed(UpdateState(trial=TRIAL), 2, "NaN")
LEFT = rules.rolled_back(FAILED, 2, "NaN", went_back=True)
STUCK = rules.rolled_back(FAILED, 2, "NaN", went_back=False)


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [
        (FRESH, FRESH, None),
        (FRESH, DONE, Outcome(2, "confirmed", "")),
        (DONE, DONE, None),
        (UpdateState(trial=TRIAL), FAILED, None),  # not gone back yet
        (FRESH, rules.failed(FRESH, 2, "NaN"), Outcome(2, "failed", "NaN")),
        (FRESH, LEFT, Outcome(2, "rolled_back", "NaN")),
        (FAILED, LEFT, Outcome(2, "rolled_back", "NaN")),
        (FRESH, STUCK, Outcome(2, "rollback_failed", "NaN")),
        (LEFT, LEFT, None),
        (LEFT, rules.confirmed(LEFT, 3), Outcome(3, "confirmed", "")),
        (DONE, rules.rolled_back(DONE, 2, rules.ASKED_FOR, went_back=True), None),
    ],
)
def test_an_update_that_ended_is_told_once(before, after, outcome):
    assert rules.ended(before, after) == outcome


def test_an_attempt_is_counted_before_anything_else():
    state = rules.attempted(rules.attempted(FRESH, 2), 2)

    assert state.attempts == {2: 2}


def test_confirming_forgets_what_led_there_but_not_what_is_newer():
    state = UpdateState(trial=TRIAL, attempts={1: 1, 2: 2, 3: 1}, failed={1: "x", 3: "y"})

    after = rules.confirmed(state, 2)

    assert after == UpdateState(None, {3: 1}, {3: "y"}, Outcome(2, "confirmed", ""), None)


def test_a_failed_update_and_its_rollback_are_told_apart():
    state = rules.rolled_back(rules.failed(UpdateState(trial=TRIAL), 2, "NaN"), 2, "NaN", went_back=True)

    assert state.last_update == Outcome(2, "failed", "NaN")
    assert state.last_rollback == Outcome(2, "rolled_back", "NaN")
    assert state.trial is None


def test_a_rollback_with_nothing_to_go_back_to_is_a_failed_rollback():
    assert rules.rolled_back(FRESH, 2, "NaN", went_back=False).last_rollback.result == "rollback_failed"


@pytest.mark.parametrize(("slot", "result"), [("A", "rolled_back"), ("B", "rollback_failed"), (None, "rolled_back")])
def test_an_interrupted_trial_ends(slot, result):
    state = rules.interrupted(rules.begun(FRESH, TRIAL), TRIAL, slot)

    assert state.trial is None
    assert state.last_rollback.result == result
