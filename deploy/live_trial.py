"""Watching a model right after the switch: by the daemon's live frames when it runs, else by a fresh examination.

The daemon holds `daemon.lock` while it lives, with its deadline in it, and writes what it saw into `evidence.json`,
stamped with the trial it is about, so that nothing older can pass for it.
"""

import fcntl
import json
import logging
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from deploy.health import HealthCheck, HealthReport
from deploy.ota_updater import Clock, LiveTrial
from deploy.update_rules import Evidence, Trial, TrialVerdict, judge_trial
from foundation import atomic_files

logger = logging.getLogger(__name__)

POLL_S: Final = 0.05
CONFIRM_WITHIN_S: Final = 4.5  # a model that never answers is gone again five seconds after its push


@dataclass(frozen=True, slots=True)
class ExaminedAgain:
    """No daemon runs: real inference on the golden frames, from the slot that was switched to."""

    check: HealthCheck

    def watch(self, bundle_dir: Path, trial: Trial) -> HealthReport:
        return self.check.examine(bundle_dir)


@dataclass(frozen=True, slots=True)
class WatchedByDaemon:
    """Waits for the daemon's evidence, no longer than the deadline."""

    home: Path
    clock: Clock
    confirm_within_s: float
    pause: Callable[[float], None] = time.sleep

    def watch(self, bundle_dir: Path, trial: Trial) -> HealthReport:
        while True:
            evidence = read_evidence(self.home, trial)
            verdict = judge_trial(trial, self.clock.instant(), self.confirm_within_s, evidence)
            if verdict is TrialVerdict.CONFIRM:
                return HealthReport(True)
            if verdict is TrialVerdict.ROLL_BACK:
                late = f"{evidence.good_ticks} good live frames within {self.confirm_within_s:g} s"
                return HealthReport(False, evidence.complaint or late)
            self.pause(POLL_S)


def watcher(home: Path, check: HealthCheck, clock: Clock, confirm_within_s: float | None) -> LiveTrial:
    """The daemon's live frames when it runs on this home; without a deadline the daemon's own counts."""
    if not daemon_runs(home):
        return ExaminedAgain(check)
    return WatchedByDaemon(home, clock, _told_deadline_s(home) if confirm_within_s is None else confirm_within_s)


@contextmanager
def daemon_on(home: Path, confirm_within_s: float) -> Iterator[None]:
    """Held while the daemon lives: an updater then waits for live frames, so long, instead of examining by itself."""
    with open(home / "daemon.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            os.ftruncate(lock.fileno(), 0)
            os.write(lock.fileno(), f"{confirm_within_s:g}\n".encode())
        except OSError as error:  # a full disk
            logger.warning("updaters wait %g s: the deadline cannot be told: %s", CONFIRM_WITHIN_S, error)
        yield


def _told_deadline_s(home: Path) -> float:
    try:
        told_s = float((home / "daemon.lock").read_text())
    except (OSError, ValueError):
        return CONFIRM_WITHIN_S
    return told_s if math.isfinite(told_s) and told_s > 0 else CONFIRM_WITHIN_S


def daemon_runs(home: Path) -> bool:
    """Whether some process holds the daemon's lock; a killed one's is gone."""
    with open(home / "daemon.lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def write_evidence(home: Path, trial: Trial, evidence: Evidence) -> None:
    value = {"trial": asdict(trial), "good_ticks": evidence.good_ticks, "complaint": evidence.complaint}
    atomic_files.write_json(home / "evidence.json", value)


def read_evidence(home: Path, trial: Trial) -> Evidence:
    """What was seen of this very trial; nothing when the file is about another one or cannot be read."""
    try:
        value = json.loads((home / "evidence.json").read_bytes())
        if value["trial"] != asdict(trial):
            return Evidence()
        return Evidence(int(value["good_ticks"]), value["complaint"])
    except (OSError, ValueError, KeyError, TypeError):
        return Evidence()
