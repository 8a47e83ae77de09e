"""What the robot tells of its updates: what runs, what it trusts, how the last update and last rollback ended."""

from dataclasses import dataclass

from deploy import software_trial, update_rules
from deploy.bundle_archive import sha256
from deploy.robot_home import RobotHome
from deploy.trust import metadata_versions
from deploy.update_errors import UpdateRefused
from deploy.update_rules import Outcome


@dataclass(frozen=True, slots=True)
class SoftwareStatus:
    """The same of the robot's program; `installed_version` is None where setup, not an update, put it there."""

    active: str | None
    whole: bool
    installed_version: int | None
    installed_sha256: str | None
    on_trial: bool
    starts_on_trial: int
    last_update: Outcome | None
    last_rollback: Outcome | None


@dataclass(frozen=True, slots=True)
class RobotStatus:
    """`installed_sha256` is the archive's, for patches; `verified` is False when the active slot is damaged.

    `trouble`: why nothing can be verified, and what to do; None where all is well.
    """

    active: str | None
    verified: bool
    installed_version: int | None
    installed_sha256: str | None
    root_version: int | None
    metadata_version: int | None
    on_trial: int | None
    partial: dict[str, int]  # names in `incoming` -> bytes
    last_update: Outcome | None
    last_rollback: Outcome | None
    software: SoftwareStatus
    trouble: str | None = None


def robot_status(home: RobotHome) -> RobotStatus:
    """Reads only; it changes nothing and waits for nothing."""
    state, active = home.load_state(), home.slots.active()
    root_version = metadata_version = trouble = None
    installed = {}
    try:
        trust = home.load_trust()
        installed = home.installed(trust)
        root_version, metadata_version = metadata_versions(trust)
    except UpdateRefused as error:
        trouble = str(error)
    running = update_rules.slot_to_run(active, state, installed)
    target = None if running is None else installed[running]
    archive = None if running is None else home.slots.archive(running)
    return RobotStatus(
        active=running,
        verified=active is None or running == active,
        installed_version=None if target is None else target.version,
        installed_sha256=None if archive is None else sha256(archive),
        root_version=root_version,
        metadata_version=metadata_version,
        on_trial=None if state.trial is None else state.trial.version,
        partial={name: len(home.fetch(name)) for name in home.incoming()},
        last_update=state.last_update,
        last_rollback=state.last_rollback,
        software=_software_status(software_trial.home_of(home)),
        trouble=trouble,
    )


def _software_status(home: RobotHome) -> SoftwareStatus:
    """By signature and mark alone: comparing hundreds of megabytes is for the update, not for a look."""
    state, slot = home.load_state(), home.slots.active()
    try:
        target = software_trial.installed(home, slot, home.load_trust())
    except UpdateRefused:
        target = None
    on_trial = software_trial.slot_on_trial(home) is not None
    return SoftwareStatus(
        active=slot,
        whole=software_trial.is_whole(home, slot),
        installed_version=None if target is None else target.version,
        installed_sha256=None if target is None else target.sha256,
        on_trial=on_trial,
        starts_on_trial=software_trial.starts(home) if on_trial else 0,
        last_update=state.last_update,
        last_rollback=state.last_rollback,
    )
