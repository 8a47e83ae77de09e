"""An update of the robot's own program on one page: fetch, verify, build, check, switch, wait for the daemon, conclude.

Runs as the SSH account's `install-software`, from the software before. The daemon ends when the link moves and systemd
starts the new one, which confirms itself (`software_watch`); the guard before each start goes back when it does not.
"""

import platform
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Final, Literal, Protocol

from deploy import ota_updater, software_trial, update_rules, wheel_set
from deploy.bundle_archive import MAX_SOFTWARE_BYTES, unpack
from deploy.environments import Environments, SoftwareCheck
from deploy.ota_updater import Clock, UpdateReport
from deploy.robot_home import RobotHome
from deploy.trust import SignedTarget
from deploy.update_errors import ArchiveError, UpdateFailed, UpdateRefused, WheelsError
from deploy.update_rules import Slot, Trial
from deploy.wheel_set import Machine, WheelSet

GROWTH: Final = 1.3  # of an environment over its wheels' content: compiled modules, pip itself
SPARE_BYTES: Final = 100 * 2**20


Lock = Callable[[], AbstractContextManager[None]]


class Wait(Protocol):
    """Until the trial is over or its deadline has passed; at once where no daemon runs. Why to go back, or None."""

    def wait(self, home: RobotHome, trial: Trial) -> str | None: ...


def update(
    home: RobotHome,
    machine: Machine,
    environments: Environments,
    check: SoftwareCheck,
    waiting: Wait,
    clock: Clock,
    alone: Lock = nullcontext,
) -> UpdateReport:
    """Take pushed software through the whole way; `alone` keeps models out while trust or a link changes.

    Raises OSError (a full disk) with nothing switched.
    """
    try:
        home.prepare()
        with alone():
            running = software_trial.settle(home)
            software_trial.refuse_while_on_trial(home)
            _refuse_while_a_model_is_on_trial(home)
        slot = update_rules.idle_slot(running)
        target, wheels = _unpacked_into(home, slot, running, machine, clock, alone)
    except (UpdateRefused, ArchiveError, WheelsError) as refusal:
        return ota_updater.refused(refusal)

    venv = software_trial.venv_dir(home, slot)
    try:
        environments.build(venv, home.slots.bundle_dir(slot), sorted(wheels.wheels))
    except UpdateFailed as error:
        return UpdateReport("failed", target.version, "build", f"not switched to: {error}")
    seen = check.examine(venv)
    if not seen.healthy:
        home.save_state(update_rules.failed(home.load_state(), target.version, seen.reason))
        home.forget_incoming()
        return UpdateReport("failed", target.version, "health", f"not switched to: {seen.reason}")
    software_trial.mark_whole(home, slot, target.sha256)

    trial = Trial(slot, running, target.version, clock.instant())
    try:
        with alone():
            _refuse_while_a_model_is_on_trial(home)
            software_trial.begin(home, trial)
            software_trial.settle(home)  # the first software ever is confirmed by its check
    except UpdateRefused as refusal:
        return ota_updater.refused(refusal)
    home.forget_incoming()
    late = waiting.wait(home, trial)
    with alone():
        return conclude(home, trial, late)


def conclude(home: RobotHome, trial: Trial, late: str | None) -> UpdateReport:
    """How the trial ended; with a reason to go back, it ends here."""
    software_trial.settle(home)
    named = f"software version {trial.version}"
    if software_trial.slot_on_trial(home) == trial.slot and home.load_state().trial == trial:
        if late is None:
            return UpdateReport("on_trial", trial.version, "", f"{named} is on trial from the next start on")
        software_trial.go_back(home, late)
    state = home.load_state()
    done, left = state.last_update, state.last_rollback
    if done is not None and (done.version, done.result) == (trial.version, "confirmed"):
        return UpdateReport("confirmed", trial.version, "", f"{named} runs")
    if left is None or left.version != trial.version:
        return UpdateReport("rolled_back", trial.version, "health", f"{named}: the robot restarted")
    result: Literal["rolled_back", "rollback_failed"] = (
        "rollback_failed" if left.result == "rollback_failed" else "rolled_back"
    )
    return UpdateReport(result, trial.version, "health", f"{named}: {left.reason}")


def rollback(home: RobotHome) -> UpdateReport:
    """A person's wish. Raises RollbackFailed where nothing whole lies in the other slot."""
    slot = software_trial.rollback(home)
    target = software_trial.installed(home, slot, home.load_trust())
    version = None if target is None else target.version
    return UpdateReport("rolled_back", version, "asked", f"software of slot {slot} runs from the next start")


def this_machine() -> Machine:
    """What wheels must be for."""
    major, minor = (int(part) for part in (platform.libc_ver()[1] or "0.0").split(".")[:2])
    return Machine(f"cp{sys.version_info[0]}{sys.version_info[1]}", platform.machine(), (major, minor))


def _refuse_while_a_model_is_on_trial(home: RobotHome) -> None:
    """The software waits for the model: it is a matter of seconds."""
    if RobotHome(home.path, home.disk).load_state().trial is not None:
        raise UpdateRefused("busy", "a model is on trial; push again in a few seconds")


def _unpacked_into(
    home: RobotHome, slot: Slot, running: Slot | None, machine: Machine, clock: Clock, alone: Lock
) -> tuple[SignedTarget, WheelSet]:
    """Verified wheels on the disk; nothing of them stays in memory while the environment is built."""
    with alone():  # what is trusted is one file for models and software
        offer, archive = ota_updater.take_offer(
            home, running, lambda trust: software_trial.installed(home, running, trust), clock.now_s()
        )
    files = unpack(archive, limit_bytes=MAX_SOFTWARE_BYTES)
    wheels = wheel_set.checked(files, machine)
    _check_room(home, len(archive), wheels)
    home.slots.fill(slot, files, offer)
    return offer.target, wheels


def _check_room(home: RobotHome, archive_bytes: int, wheels: WheelSet) -> None:
    needed = round(archive_bytes + GROWTH * wheels.installed_bytes) + SPARE_BYTES
    free = home.disk.free_bytes(home.root)
    if free < needed:
        raise UpdateRefused(
            "no_room", f"{free / 1e6:.0f} MB are free on the robot, the software needs {needed / 1e6:.0f}"
        )


def slot_of(home: RobotHome, prefix: str) -> Slot | None:
    """The slot that a process with this `sys.prefix` runs from; None where it is none (a clone, a container)."""
    return next((slot for slot in update_rules.SLOTS if str(software_trial.venv_dir(home, slot)) == prefix), None)
