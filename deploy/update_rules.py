"""Every decision of an update, pure: what is installed, what is offered, what happened before -> what to do.

No clock, disk or network: a power cut or an attack is a row in a table of tests.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final, Literal

from deploy.trust import SignedTarget

Slot = Literal["A", "B"]
SLOTS: Final[tuple[Slot, Slot]] = ("A", "B")
MAX_ATTEMPTS: Final = 3  # of one version: no endless loop of installing and falling back
LIVE_TICKS_TO_CONFIRM: Final = 20
ASKED_FOR: Final = "asked for"  # the reason of a rollback that a person wished


class Verdict(Enum):
    """What to do with an offer."""

    INSTALL = "install"
    ALREADY_INSTALLED = "already_installed"
    OLDER = "rollback"
    FAILED_BEFORE = "failed_before"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    BUSY = "busy"


class TrialVerdict(Enum):
    """What to do with a model on trial."""

    WAIT = "wait"
    CONFIRM = "confirm"
    ROLL_BACK = "roll_back"


@dataclass(frozen=True, slots=True)
class Instant:
    """Time that survives a wrong wall clock: seconds since this boot, and which boot."""

    boot_id: str
    uptime_s: float


@dataclass(frozen=True, slots=True)
class Trial:
    """A model that runs but is not yet confirmed."""

    slot: Slot
    previous: Slot | None
    version: int
    began: Instant


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the last update or the last rollback ended; the two are kept and counted apart."""

    version: int
    result: Literal["confirmed", "failed", "rolled_back", "rollback_failed"]
    reason: str


@dataclass(frozen=True, slots=True)
class UpdateState:
    """`state.json`: what the robot remembers of updates."""

    trial: Trial | None = None
    attempts: dict[int, int] = field(default_factory=dict)  # by version, of those never confirmed
    failed: dict[int, str] = field(default_factory=dict)  # version -> why it did not pass
    last_update: Outcome | None = None
    last_rollback: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What live ticks said of the model on trial since the trial began."""

    good_ticks: int = 0
    complaint: str | None = None


def decide(installed: SignedTarget | None, offered: SignedTarget, state: UpdateState) -> Verdict:
    """Whether a verified offer is installed. Expiry, keys and versions of metadata were judged before, by `trust`."""
    if state.trial is not None:
        return Verdict.BUSY
    if installed is not None and offered.sha256 == installed.sha256 and offered.version >= installed.version:
        return Verdict.ALREADY_INSTALLED
    if installed is not None and offered.version <= installed.version:
        return Verdict.OLDER
    if offered.version in state.failed:
        return Verdict.FAILED_BEFORE
    if state.attempts.get(offered.version, 0) >= MAX_ATTEMPTS:
        return Verdict.TOO_MANY_ATTEMPTS
    return Verdict.INSTALL


def explain(verdict: Verdict, installed: SignedTarget | None, offered: SignedTarget, state: UpdateState) -> str:
    """One line for the person who pushed."""
    have = "nothing" if installed is None else f"version {installed.version}"
    return {
        Verdict.INSTALL: f"version {offered.version} is newer than {have}",
        Verdict.ALREADY_INSTALLED: f"{have} is what version {offered.version} offers: nothing to do",
        Verdict.OLDER: f"version {offered.version} is offered, {have} is installed: never backwards by a push",
        Verdict.FAILED_BEFORE: f"version {offered.version} failed here: {state.failed.get(offered.version)}",
        Verdict.TOO_MANY_ATTEMPTS: f"version {offered.version} was begun {MAX_ATTEMPTS} times; publish a new one",
        Verdict.BUSY: "another version is on trial; push again in a few seconds",
    }[verdict]


def judge_trial(trial: Trial, now: Instant, confirm_within_s: float, evidence: Evidence) -> TrialVerdict:
    """Confirm on fresh evidence, go back on a complaint, a missed deadline, another boot or a clock that ran back."""
    elapsed_s = now.uptime_s - trial.began.uptime_s
    if evidence.complaint is not None or now.boot_id != trial.began.boot_id or elapsed_s < 0:
        return TrialVerdict.ROLL_BACK
    if evidence.good_ticks >= LIVE_TICKS_TO_CONFIRM:
        return TrialVerdict.CONFIRM
    return TrialVerdict.ROLL_BACK if elapsed_s > confirm_within_s else TrialVerdict.WAIT


def slot_to_run(active: Slot | None, state: UpdateState, verified: Mapping[Slot, SignedTarget]) -> Slot | None:
    """After a start: the confirmed slot if it verifies, else another that was good, else none (LIDAR alone).

    A model on trial is the last resort; one that failed, or never came as far as a trial, is none at all.
    """
    trial = state.trial
    first = active if trial is None else trial.previous
    for slot in (first, *SLOTS):
        if slot is not None and (trial is None or slot != trial.slot) and may_run(slot, active, state, verified):
            return slot
    return trial.slot if trial is not None and may_run(trial.slot, active, state, verified) else None


def may_run(slot: Slot, active: Slot | None, state: UpdateState, verified: Mapping[Slot, SignedTarget]) -> bool:
    """It verifies, did not fail, and was switched to or confirmed once."""
    target = verified.get(slot)
    if target is None or target.version in state.failed:
        return False
    return (
        slot == active
        or (state.trial is not None and slot == state.trial.slot)
        or (target.version not in state.attempts)
    )


def idle_slot(active: Slot | None) -> Slot:
    """Where the next model goes: never where the link points.

    Also when nothing runs: what the link names may run after a start, and a model that was only filled in must not.
    """
    return "B" if active == "A" else "A"


def ended(before: UpdateState, after: UpdateState) -> Outcome | None:
    """The update that ended between two looks, told once; None where none did or it goes on.

    A failed update and its rollback are one; a rollback that a person asked for is none.
    """
    left = after.last_rollback
    if after.trial is not None:
        return None
    if left is not None and left != before.last_rollback and left.reason != ASKED_FOR:
        return left
    return after.last_update if after.last_update != before.last_update else None


def attempted(state: UpdateState, version: int) -> UpdateState:
    """Counted before anything is written, so that a crash counts too."""
    return replace(state, attempts={**state.attempts, version: state.attempts.get(version, 0) + 1})


def begun(state: UpdateState, trial: Trial) -> UpdateState:
    return replace(state, trial=trial)


def failed(state: UpdateState, version: int, reason: str) -> UpdateState:
    """Noted before going back, so that a power cut in between does not forget it."""
    return replace(state, failed={**state.failed, version: reason}, last_update=Outcome(version, "failed", reason))


def interrupted(state: UpdateState, trial: Trial, slot: Slot | None) -> UpdateState:
    """A start found a trial: its verdict never came."""
    return rolled_back(state, trial.version, "the robot stopped before it was confirmed", went_back=slot != trial.slot)


def confirmed(state: UpdateState, version: int) -> UpdateState:
    """Attempts and failures up to this version no longer matter."""
    return replace(
        state,
        trial=None,
        attempts={older: count for older, count in state.attempts.items() if older > version},
        failed={older: why for older, why in state.failed.items() if older > version},
        last_update=Outcome(version, "confirmed", ""),
    )


def rolled_back(state: UpdateState, version: int, reason: str, *, went_back: bool) -> UpdateState:
    """After leaving `version`; `went_back` is False when there was nothing that verified to go back to."""
    outcome = Outcome(version, "rolled_back" if went_back else "rollback_failed", reason)
    return replace(state, trial=None, last_rollback=outcome)
