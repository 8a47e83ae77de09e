"""The daemon's part in an update: sees a trial in `state.json`, runs the new model as a shadow, reports, takes over.

All disk work happens in a Background; `tick` itself never waits. The decision stays with the updater, or with this
daemon once the updater is gone (its SSH line was cut) and its deadline has passed.
"""

import fcntl
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy import live_trial, ota_updater, update_rules
from deploy.health import HealthReport
from deploy.model_runner import Model, ModelRunner
from deploy.ota_updater import Clock, UpdateReport
from deploy.robot_home import RobotHome, on_this_machine
from deploy.update_errors import DeployError, UpdateRefused
from deploy.update_rules import Evidence, Outcome, Trial, TrialVerdict, UpdateState
from foundation.errors import OxturnError
from navigation.background import Background

logger = logging.getLogger(__name__)

REPORT_EVERY_TICKS: Final = 5

Loader = Callable[[Path], Model]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one look at the home found; `model` was loaded for a trial that was not known before."""

    trial: Trial | None
    active: Path | None
    last_update: Outcome | None
    model: Model | None = None
    complaint: str | None = None
    concluded: UpdateReport | None = None


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
    ) -> None:
        self._home = home
        self._runner = runner
        self._load = load
        self._background = background
        self._clock = clock
        self._confirm_within_s = confirm_within_s
        self._trial: Trial | None = None
        self._active = _active(home)
        self._mark = _mark(home)
        self._told: Evidence | None = None
        self._ticks = 0
        self.on_report: Callable[[UpdateReport], None] = lambda report: None

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
        if seen.complaint is not None and seen.trial is not None:
            self._trial, self._told = seen.trial, Evidence(0, seen.complaint)
        elif seen.model is not None and seen.trial is not None:
            self._trial, self._told = seen.trial, None
            self._runner.shadow(seen.model)
        elif seen.trial is None and self._trial is not None:
            self._end(self._trial, seen)
        elif seen.trial is None and seen.model is not None:
            self._runner.replace(seen.model)
        if seen.trial is None:
            self._active = seen.active
        if seen.concluded is not None:
            self.on_report(seen.concluded)

    def _end(self, trial: Trial, seen: _Seen) -> None:
        """The link alone says nothing: it stays on a refused model where there is none to go back to."""
        self._trial = None
        if seen.last_update == Outcome(trial.version, "confirmed", "") and seen.active == _bundle(self._home, trial):
            logger.info("version %d takes over", trial.version)
            self._runner.promote()
        else:
            self._runner.drop_shadow()

    def _tell(self, trial: Trial) -> None:
        evidence = self._told if self._told is not None and self._told.complaint else self._runner.evidence
        self._told = evidence

        def work() -> _Seen | None:
            live_trial.write_evidence(self._home, trial, evidence)
            return self._conclude_if_orphaned(trial, evidence)

        self._background.submit(work)

    def _look(self, *, load: bool) -> None:
        known, active_before = self._trial, self._active

        def work() -> _Seen:
            home = on_this_machine(self._home)
            state, active = home.load_state(), _active(self._home)
            trial, told = state.trial, state.last_update
            if trial == known and (trial is not None or active == active_before):
                return _Seen(trial, active, told)
            bundle = active if trial is None else _bundle(self._home, trial)
            if bundle is None or (trial is None and (known is not None or not _may_answer(home, state))):
                return _Seen(trial, active, told)
            try:
                return _Seen(trial, active, told, self._load(bundle))
            except OxturnError as error:
                evidence = Evidence(0, f"cannot be loaded: {error}"[:200])
                if trial is not None:
                    live_trial.write_evidence(self._home, trial, evidence)
                return _Seen(trial, active, told, complaint=evidence.complaint)

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
            try:
                report = ota_updater.conclude(home, trial, seen)
            except DeployError as error:
                logger.error("trial of version %d: %s", trial.version, error)
                return None
        return _Seen(None, _active(self._home), home.load_state().last_update, concluded=report)


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


def _bundle(home: Path, trial: Trial) -> Path:
    return home / "slots" / trial.slot / "bundle"


def _active(home: Path) -> Path | None:
    slot = on_this_machine(home).slots.active()
    return None if slot is None else home / "slots" / slot / "bundle"
