"""An update on one page: fetch, verify, install in the idle slot, health-check, switch, confirm or roll back.

Runs on the robot as the SSH account's `install` verb. Whatever happens in between (a power cut, a full disk, a killed
process), `settle` at the next start or the next verb brings the robot to a slot that verifies.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from deploy import update_rules
from deploy.bundle_archive import unpack
from deploy.health import HealthCheck, HealthReport
from deploy.offered_archive import read_archive
from deploy.robot_home import RobotHome, exclusive, on_this_machine
from deploy.software_trial import refuse_while_on_trial
from deploy.trust import Offer, SignedTarget, Trust, verify_offer
from deploy.update_errors import ArchiveError, NoTrustedBundle, RollbackFailed, UpdateRefused, WheelsError
from deploy.update_rules import Instant, Slot, Trial, Verdict

logger = logging.getLogger(__name__)


class Clock(Protocol):
    """Wall time may be wrong by years on a Pi; the instant may not."""

    def now_s(self) -> float: ...
    def instant(self) -> Instant: ...


class LiveTrial(Protocol):
    """Watches the model that was just switched to; returns within the robot's deadline."""

    def watch(self, bundle_dir: Path, trial: Trial) -> HealthReport: ...


@dataclass(frozen=True, slots=True)
class UpdateReport:
    """How an update ended; refused and failed ones are errors of the verb but values here."""

    result: Literal["confirmed", "already_installed", "refused", "failed", "rolled_back", "rollback_failed", "on_trial"]
    version: int | None
    code: str
    message: str


def update(home: RobotHome, check: HealthCheck, live: LiveTrial, clock: Clock) -> UpdateReport:
    """Take what lies in `incoming` through the whole way. Raises OSError (a full disk) with nothing switched."""
    try:
        running = settle(home)
        refuse_while_on_trial(home)
        offer, archive = take_offer(home, running, lambda trust: _installed(home, running, trust), clock.now_s())
        target, files = offer.target, unpack(archive)
    except (UpdateRefused, ArchiveError) as refusal:
        return refused(refusal)

    slot = update_rules.idle_slot(home.slots.active())
    home.slots.fill(slot, files, offer)
    golden = check.examine(home.slots.bundle_dir(slot))
    if not golden.healthy:
        home.save_state(update_rules.failed(home.load_state(), target.version, golden.reason))
        home.forget_incoming()
        return UpdateReport("failed", target.version, "health", f"not switched to: {golden.reason}")

    trial = Trial(slot, running, target.version, clock.instant())
    home.save_state(update_rules.begun(home.load_state(), trial))
    home.slots.switch(slot)
    seen = live.watch(home.slots.bundle_dir(slot), trial)
    return conclude(home, trial, seen)


def take_offer(
    home: RobotHome, running: Slot | None, installed: Callable[[Trust], SignedTarget | None], now_s: float
) -> tuple[Offer, bytes]:
    """Of either kind: verify what was pushed, decide, count the attempt. The offer and its archive, as signed.

    Raises UpdateRefused, ArchiveError.
    """
    trust = home.load_trust()
    verification = verify_offer(trust, home.fetch, now_s, home.kind)
    if verification.trust != trust:
        home.save_trust(verification.trust)
    if verification.offer is None:
        raise verification.refusal or UpdateRefused("missing", "nothing was pushed")
    offer, state, have = verification.offer, home.load_state(), installed(verification.trust)
    verdict = update_rules.decide(have, offer.target, state)
    if verdict is not Verdict.INSTALL:
        raise UpdateRefused(verdict.value, update_rules.explain(verdict, have, offer.target, state))
    home.save_state(update_rules.attempted(state, offer.target.version))
    return offer, read_archive(home, running, offer.target)


def conclude(home: RobotHome, trial: Trial, seen: HealthReport) -> UpdateReport:
    """Confirm the model on trial, or go back."""
    if home.load_state().trial != trial:  # the daemon, or a start after a power cut, was faster
        return _concluded_elsewhere(home, trial)
    if seen.healthy:
        home.save_state(update_rules.confirmed(home.load_state(), trial.version))
        home.forget_incoming()
        return UpdateReport("confirmed", trial.version, "", f"version {trial.version} runs")
    home.save_state(update_rules.failed(home.load_state(), trial.version, seen.reason))
    went_back = _go_back(home, trial)
    home.save_state(update_rules.rolled_back(home.load_state(), trial.version, seen.reason, went_back=went_back))
    home.forget_incoming()
    result: Literal["rolled_back", "rollback_failed"] = "rolled_back" if went_back else "rollback_failed"
    return UpdateReport(result, trial.version, "health", f"version {trial.version}: {seen.reason}")


def rollback(home: RobotHome) -> UpdateReport:
    """A person's wish: back to the other slot. Raises RollbackFailed where there is nothing that verifies."""
    running = settle(home)
    installed = home.installed(home.load_trust())
    other = update_rules.idle_slot(running)
    if running is None or not update_rules.may_run(other, running, home.load_state(), installed):
        raise RollbackFailed("no older model to go back to: the other slot is empty or does not verify")
    left = installed[running].version
    home.slots.switch(other)
    home.save_state(update_rules.rolled_back(home.load_state(), left, update_rules.ASKED_FOR, went_back=True))
    return UpdateReport("rolled_back", installed[other].version, "asked", f"version {installed[other].version} runs")


def settle(home: RobotHome) -> Slot | None:
    """Finish what a power cut left: leave an unconfirmed model, leave a damaged slot. Returns the slot that runs."""
    state, active = home.load_state(), home.slots.active()
    try:
        verified = home.installed(home.load_trust())
    except UpdateRefused as error:
        logger.warning("%s", error)
        return None  # and no word on a trial: what is trusted may be readable again at the next start
    slot = update_rules.slot_to_run(active, state, verified)
    if slot is not None and slot != active:
        home.slots.switch(slot)
    if state.trial is not None:
        home.save_state(update_rules.interrupted(state, state.trial, slot))
    return slot


def active_bundle(home_path: Path) -> Path:
    """The bundle to run, compared with its signed target just now. Raises NoTrustedBundle."""
    return on_this_machine(home_path).slots.bundle_dir(slot_to_run(home_path))


def slot_to_run(home_path: Path) -> Slot:
    """Whose bundle equals its signed target, after settling what a power cut left. Raises NoTrustedBundle."""
    home = on_this_machine(home_path)
    with exclusive(home_path):
        slot = settle(home)
    if slot is None:
        raise NoTrustedBundle(f"{home_path}: no slot holds a bundle that equals its signed target; push one")
    return slot


def refused(refusal: UpdateRefused | ArchiveError | WheelsError) -> UpdateReport:
    """The report of an offer that was not taken."""
    code = "bad_wheels" if isinstance(refusal, WheelsError) else "bad_archive"
    code = refusal.code if isinstance(refusal, UpdateRefused) else code
    result: Literal["already_installed", "refused"] = (
        "already_installed" if code == Verdict.ALREADY_INSTALLED.value else "refused"
    )
    return UpdateReport(result, None, code, str(refusal))


def _installed(home: RobotHome, running: Slot | None, trust: Trust) -> SignedTarget | None:
    return None if running is None else home.slots.verified(running, trust)


def _go_back(home: RobotHome, trial: Trial) -> bool:
    """To the previous slot if it verifies; a first model that fails leaves the robot on its LIDAR."""
    if trial.previous is None or trial.previous not in home.installed(home.load_trust()):
        return False
    home.slots.switch(trial.previous)
    return True


def _concluded_elsewhere(home: RobotHome, trial: Trial) -> UpdateReport:
    state = home.load_state()
    outcome, left = state.last_update, state.last_rollback
    if outcome is not None and outcome.version == trial.version and outcome.result == "confirmed":
        return UpdateReport("confirmed", trial.version, "", f"version {trial.version} runs")
    failed = left is not None and (left.version, left.result) == (trial.version, "rollback_failed")
    reason = left.reason if left is not None else "the robot restarted"
    result: Literal["rolled_back", "rollback_failed"] = "rollback_failed" if failed else "rolled_back"
    return UpdateReport(result, trial.version, "health", f"version {trial.version}: {reason}")
