"""The daemon's part in an update: sees a trial in `state.json`, runs the new model as a shadow, reports, takes over.

It tells of every update that ended while it looked, whoever concluded it, and of the model that answers from then on.
All disk work happens in a Background; `tick` itself never waits. The decision stays with the updater, or with this
daemon once the updater is gone (its SSH line was cut) and its deadline has passed.
"""

import fcntl
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from deploy import live_trial, ota_updater, update_rules
from deploy.health import HealthReport
from deploy.model_runner import Model, ModelRunner
from deploy.ota_updater import Clock
from deploy.robot_home import RobotHome, on_this_machine
from deploy.update_errors import DeployError, UpdateRefused
from deploy.update_rules import Evidence, Instant, Outcome, Slot, Trial, TrialVerdict, UpdateState
from foundation.errors import OxturnError
from navigation.background import Background
from perception import model_bundle

logger = logging.getLogger(__name__)

REPORT_EVERY_TICKS: Final = 5

Loader = Callable[[Path], Model]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ModelInUse:
    """What answers frames, as it was signed; its drift is held against `reference` (empty: it has none)."""

    version: str
    sha256: str
    reference: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class EndedUpdate:
    """An update that is over; `took_s` since the switch, None where there was no trial or it was of another boot."""

    outcome: Outcome
    took_s: float | None


@dataclass(frozen=True, slots=True)
class _Loaded:
    model: Model
    told: ModelInUse


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one look at the home found; `loaded` is of a trial that was not known before, or of a link that moved."""

    state: UpdateState
    active: Path | None
    loaded: _Loaded | None = None
    complaint: str | None = None


class TrialWatch:
    """`tick` once a tick of the loop, from the loop's thread."""

    def __init__(
        self,
        home: Path,
        runner: ModelRunner,
        load: Loader,
        background: Background,
        clock: Clock,
        confirm_within_s: float,
        before: UpdateState | None = None,
    ) -> None:
        """`before`: the state that this start found, where it may have settled a trial since."""
        self._home = home
        self._runner = runner
        self._load = load
        self._background = background
        self._clock = clock
        self._confirm_within_s = confirm_within_s
        self._trial: Trial | None = None
        self._shadow: ModelInUse | None = None
        self._active = _active(home)
        self._mark = _mark(home) if before is None else None
        self._state = on_this_machine(home).load_state() if before is None else before  # as told of
        self._told: Evidence | None = None
        self._ticks = 0
        self.on_update: Callable[[EndedUpdate], None] = lambda ended: None
        self.on_model: Callable[[ModelInUse], None] = lambda model: None

    def tick(self) -> None:
        seen = self._background.poll()
        if isinstance(seen, _Seen):
            self._take(seen)
        self._ticks += 1
        if self._background.busy:
            return
        mark = _mark(self._home)
        if mark != self._mark:
            self._mark = mark
            self._look(load=True)
        elif self._trial is not None and self._ticks % REPORT_EVERY_TICKS == 0:
            self._tell(self._trial)

    def _take(self, seen: _Seen) -> None:
        trial = seen.state.trial
        if trial is None:
            self._tell_ended(seen.state)
        if seen.complaint is not None and trial is not None:
            self._trial, self._told = trial, Evidence(0, seen.complaint)
        elif seen.loaded is not None and trial is not None:
            self._trial, self._told, self._shadow = trial, None, seen.loaded.told
            self._runner.shadow(seen.loaded.model)
        elif trial is None and self._trial is not None:
            self._end(self._trial, seen)
        elif trial is None and seen.loaded is not None:
            self._runner.replace(seen.loaded.model)
            self.on_model(seen.loaded.told)
        if trial is None:
            self._active = seen.active

    def _tell_ended(self, state: UpdateState) -> None:
        outcome, trial = update_rules.ended(self._state, state), self._trial or self._state.trial
        self._state = state
        if outcome is not None:
            tried = trial is not None and trial.version == outcome.version
            self.on_update(EndedUpdate(outcome, _since(trial, self._clock.instant()) if trial and tried else None))

    def _end(self, trial: Trial, seen: _Seen) -> None:
        """The link alone says nothing: it stays on a refused model where there is none to go back to."""
        shadow, self._trial, self._shadow = self._shadow, None, None
        confirmed = seen.state.last_update == Outcome(trial.version, "confirmed", "")
        if confirmed and shadow is not None and seen.active == _bundle(self._home, trial.slot):
            logger.info("version %d takes over", trial.version)
            self._runner.promote()
            self.on_model(shadow)
        else:
            self._runner.drop_shadow()

    def _tell(self, trial: Trial) -> None:
        evidence = self._told if self._told is not None and self._told.complaint else self._runner.evidence
        self._told = evidence

        def work() -> _Seen | None:
            _tried(lambda: live_trial.write_evidence(self._home, trial, evidence))
            return _tried(lambda: self._conclude_if_orphaned(trial, evidence))

        self._background.submit(work)

    def _look(self, *, load: bool) -> None:
        known, active_before = self._trial, self._active

        def work() -> _Seen:
            home = on_this_machine(self._home)
            state, slot = home.load_state(), home.slots.active()
            trial, active = state.trial, None if slot is None else _bundle(self._home, slot)
            if trial == known and (trial is not None or active == active_before):
                return _Seen(state, active)
            slot = slot if trial is None else trial.slot
            if slot is None or (trial is None and (known is not None or not _may_answer(home, state))):
                return _Seen(state, active)
            try:
                return _Seen(state, active, _Loaded(self._load(_bundle(self._home, slot)), in_use(home, slot)))
            except (OxturnError, OSError) as error:
                evidence = Evidence(0, f"cannot be loaded: {error}"[:200])
                logger.warning("the model of slot %s %s", slot, evidence.complaint)
                if trial is not None:
                    _tried(lambda: live_trial.write_evidence(self._home, trial, evidence))
                return _Seen(state, active, complaint=evidence.complaint)

        self._background.submit(work)

    def _conclude_if_orphaned(self, trial: Trial, evidence: Evidence) -> _Seen | None:
        """The updater holds the lock while it waits; when nobody does, the daemon decides."""
        verdict = update_rules.judge_trial(trial, self._clock.instant(), self._confirm_within_s, evidence)
        if verdict is TrialVerdict.WAIT:
            return None
        with open(self._home / "update.lock", "a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return None
            home = on_this_machine(self._home)
            if home.load_state().trial != trial:
                return None
            late = f"{evidence.good_ticks} good live frames within {self._confirm_within_s:g} s"
            healthy = verdict is TrialVerdict.CONFIRM
            seen = HealthReport(healthy, "" if healthy else evidence.complaint or late)
            ota_updater.conclude(home, trial, seen)
        return _Seen(home.load_state(), _active(self._home))


def _tried(work: Callable[[], T]) -> T | None:
    """A full disk is no reason for a robot to stop driving; as long as the trial lasts it is tried again."""
    try:
        return work()
    except (OSError, DeployError) as error:
        logger.error("the trial of a model cannot be told of or concluded yet: %s", error)
        return None


def in_use(home: RobotHome, slot: Slot) -> ModelInUse:
    """What a slot's model is, by its signature, and what it was trained on, as far as either can be read."""
    try:
        target = home.slots.claimed(slot, home.load_trust())
    except UpdateRefused:
        target = None
    version, digest = ("unknown", "") if target is None else (str(target.version), target.sha256)
    try:
        reference = model_bundle.load(home.slots.bundle_dir(slot)).reference()
    except (OxturnError, ValueError, TypeError) as error:  # no bundle, or statistics that are no table
        logger.warning("slot %s is not watched for drift: %s", slot, error)
        reference = {}
    return ModelInUse(version, digest, reference)


def _since(trial: Trial, now: Instant) -> float | None:
    elapsed_s = now.uptime_s - trial.began.uptime_s
    return elapsed_s if now.boot_id == trial.began.boot_id and elapsed_s >= 0 else None


def _mark(home: Path) -> tuple[int, int, str]:
    """Changes with every write of the state and every switch of the link."""
    try:
        found = os.stat(home / "state.json")
        return found.st_mtime_ns, found.st_ino, os.readlink(home / "active")
    except OSError:
        return 0, 0, ""


def _may_answer(home: RobotHome, state: UpdateState) -> bool:
    """Whether what the link names is a model that did not fail."""
    slot = home.slots.active()
    try:
        target = None if slot is None else home.slots.claimed(slot, home.load_trust())
    except UpdateRefused as error:
        logger.warning("%s", error)
        return False
    return slot is not None and target is not None and update_rules.may_run(slot, slot, state, {slot: target})


def _bundle(home: Path, slot: Slot) -> Path:
    return home / "slots" / slot / "bundle"


def _active(home: Path) -> Path | None:
    slot = on_this_machine(home).slots.active()
    return None if slot is None else _bundle(home, slot)
