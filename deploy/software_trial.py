"""The robot's own program on trial: what runs, what is fallen back to, how a trial ends. The links decide.

    software/current -> slots/B      what the daemon starts from
    software/fallback -> slots/A     there as long as `current` is on trial: removing it is what confirms
    software/starts                  of the daemon in this trial, counted by systemd/software_guard.sh before each
    software/rollback_failed         the guard's note that there was nothing whole to go back to
    software/slots/A/complete        sha256 of the archive: its environment is built, checked and on the disk

The guard goes back without any Python; `settle` finds out afterwards and writes down what happened.
"""

from pathlib import Path
from typing import Final

from deploy import update_rules
from deploy.disk import replace_file, replace_link
from deploy.robot_home import RobotHome
from deploy.trust import SignedTarget, Trust
from deploy.update_errors import RollbackFailed, UpdateRefused
from deploy.update_rules import SLOTS, Slot, Trial

MAX_STARTS: Final = 3  # as in software_guard.sh
PACKAGED: Final = "packaged"  # in `complete` where setup, not an update, filled the slot


def home_of(model_home: RobotHome) -> RobotHome:
    """The same robot's software."""
    return RobotHome(model_home.path, model_home.disk, "software")


def venv_dir(home: RobotHome, slot: Slot) -> Path:
    """Where the slot's environment is built and runs: scripts in it name this place, so it is never moved."""
    return home.root / "slots" / slot / "venv"


def fallback(home: RobotHome) -> Slot | None:
    points_to = home.disk.read_link(home.root / "fallback")
    return next((slot for slot in SLOTS if points_to == f"slots/{slot}"), None)


def slot_on_trial(home: RobotHome) -> Slot | None:
    """What runs unconfirmed, or None."""
    current, before = home.slots.active(), fallback(home)
    return current if before is not None and before != current else None


def is_whole(home: RobotHome, slot: Slot | None) -> bool:
    return slot is not None and home.disk.exists(home.root / "slots" / slot / "complete")


def installed(home: RobotHome, slot: Slot | None, trust: Trust) -> SignedTarget | None:
    """What the slot's environment was built from; None where setup built it, or it is not whole."""
    target = None if slot is None or not is_whole(home, slot) else home.slots.claimed(slot, trust)
    if slot is None or target is None:
        return None
    built_from = home.disk.read(home.root / "slots" / slot / "complete").decode(errors="replace").strip()
    return target if built_from == target.sha256 else None


def refuse_while_on_trial(model_home: RobotHome) -> None:
    """A model waits for the software. Raises UpdateRefused."""
    if slot_on_trial(home_of(model_home)) is not None:
        raise UpdateRefused("busy", "new software is on trial until a run has been well; push again after it")


def mark_whole(home: RobotHome, slot: Slot, sha256: str) -> None:
    """Everything of the slot goes to the disk before the mark does."""
    home.disk.sync()
    replace_file(home.disk, home.root / "slots" / slot / "complete", sha256.encode() + b"\n")


def begin(home: RobotHome, trial: Trial) -> None:
    """From the next start on the daemon runs the new software. The first ever has nothing before it: no trial."""
    home.save_state(update_rules.begun(home.load_state(), trial))
    home.disk.remove(home.root / "starts")
    home.disk.remove(home.root / "rollback_failed")
    if trial.previous is not None:
        replace_link(home.disk, home.root / "fallback", f"slots/{trial.previous}")
    home.slots.switch(trial.slot)


def confirm(home: RobotHome) -> None:
    """What runs stays. Without its link the guard counts no more: that is the moment."""
    _forget_trial(home)
    trial = home.load_state().trial
    if trial is not None:
        home.save_state(update_rules.confirmed(home.load_state(), trial.version))


def go_back(home: RobotHome, reason: str) -> bool:
    """Leave the software on trial; False where there is nothing whole to go back to, and it goes on."""
    trial, before = home.load_state().trial, fallback(home)
    went_back = is_whole(home, before)
    if trial is not None:
        home.save_state(update_rules.failed(home.load_state(), trial.version, reason))
    if before is not None and went_back:
        current = home.slots.active()
        home.slots.switch(before)
        if current is not None and current != before:
            _unmark(home, current)
        _forget_trial(home)
    if trial is not None:
        home.save_state(update_rules.rolled_back(home.load_state(), trial.version, reason, went_back=went_back))
    if not went_back:
        _forget_trial(home)
    return went_back


def rollback(home: RobotHome) -> Slot:
    """A person's wish: away from a trial, else to the other slot. Raises RollbackFailed."""
    current = settle(home)
    if slot_on_trial(home) is not None:
        if not go_back(home, update_rules.ASKED_FOR):
            raise RollbackFailed("the software before this one is not whole: nothing to go back to")
        before = home.slots.active()
        assert before is not None  # just switched to
        return before
    other = update_rules.idle_slot(current)
    if current is None or not is_whole(home, other):
        raise RollbackFailed("no older software to go back to: the other slot is empty or not whole")
    left = home.slots.claimed(current, home.load_trust())
    home.slots.switch(other)
    version = 0 if left is None else left.version
    home.save_state(update_rules.rolled_back(home.load_state(), version, update_rules.ASKED_FOR, went_back=True))
    return other


def settle(home: RobotHome) -> Slot | None:
    """Write down what the guard or a power cut did meanwhile; a trial under way goes on. Returns the slot that runs."""
    current, before, state = home.slots.active(), fallback(home), home.load_state()
    trial = state.trial
    if trial is None:
        if before is not None and (before == current or not is_whole(home, before)):
            _forget_trial(home)
        return current
    if current != trial.slot:
        return _left(home, trial)
    if before is None:
        confirm(home)  # the moment had passed
    elif trial.version in state.failed:
        go_back(home, state.failed[trial.version])  # it was begun, and cut
    elif home.disk.exists(home.root / "rollback_failed"):
        go_back(home, f"{starts(home)} starts without being confirmed")
    return home.slots.active()


def starts(home: RobotHome) -> int:
    """Of the daemon in this trial."""
    try:
        return int(home.disk.read(home.root / "starts"))
    except (OSError, ValueError):
        return 0


def _left(home: RobotHome, trial: Trial) -> Slot | None:
    """The guard went back, or a power cut came before the switch; only the first speaks against the version."""
    count = starts(home)
    if count >= MAX_STARTS:
        reason = f"{count} starts without being confirmed"
        home.save_state(update_rules.failed(home.load_state(), trial.version, reason))
        _unmark(home, trial.slot)
    else:
        reason = home.load_state().failed.get(trial.version, "left before it was confirmed")
    _forget_trial(home)
    home.save_state(update_rules.rolled_back(home.load_state(), trial.version, reason, went_back=True))
    return home.slots.active()


def _unmark(home: RobotHome, slot: Slot) -> None:
    """Nobody goes back to what failed."""
    if is_whole(home, slot):
        home.disk.remove(home.root / "slots" / slot / "complete")
        home.disk.fsync_folder(home.root / "slots" / slot)


def _forget_trial(home: RobotHome) -> None:
    home.disk.remove(home.root / "fallback")
    home.disk.fsync_folder(home.root)
