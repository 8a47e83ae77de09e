"""A version to a whole fleet: canary, waves, thresholds, pause and abort; the journal survives a crash of the pusher.

The inventory is a TOML file of robots; the journal a JSON file that is replaced after every robot. Starting the same
roll-out again goes on where the journal ends; robots that could not be reached or refused the offer are tried again.
"""

import json
import logging
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deploy.push import Connect, ask, installed_sha256, offered_sha256, push
from deploy.rollout_rules import Finished, Halted, Next, Outcome, RolloutPlan, Step, Waiting, next_step, wave_robots
from deploy.transport import RobotAddress, connected
from deploy.trust import Kind
from deploy.update_errors import DeployError, HostKeyError, TransportError
from foundation import atomic_files

logger = logging.getLogger(__name__)

Wish = Literal["run", "pause", "abort"]
TRIED_AGAIN: Final = (Outcome.UNREACHABLE, Outcome.ON_TRIAL, Outcome.REFUSED)  # none of them is the version's fault
_OUTCOMES: Final = {
    "confirmed": Outcome.INSTALLED,
    "already_installed": Outcome.INSTALLED,
    "on_trial": Outcome.ON_TRIAL,
    "refused": Outcome.REFUSED,
    "rollback_failed": Outcome.ROLLBACK_FAILED,
}


class InventoryError(DeployError):
    """An inventory or journal that cannot be used."""


class _Robot(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1)
    host: str = Field(min_length=1)
    port: int = Field(22, ge=1, le=65535)
    user: str = "oxturn"
    host_key: str
    key_file: Path | None = None


class _Inventory(BaseModel):
    model_config = ConfigDict(extra="forbid")
    robot: list[_Robot] = Field(min_length=1)


@dataclass
class Journal:
    """What happened so far with one version."""

    sha256: str
    wish: Wish = "run"
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RolloutReport:
    """How it ended; `reached` counts the robots that the version was pushed to."""

    result: Literal["finished", "halted", "waiting", "paused", "aborted"]
    reason: str
    installed: int
    reached: int
    outcomes: dict[str, str]


def read_inventory(path: Path) -> dict[str, RobotAddress]:
    """Robots by name, in the file's order; the first ones are the canaries."""
    try:
        inventory = _Inventory.model_validate(tomllib.loads(path.read_text()))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise InventoryError(f"{path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise InventoryError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    robots = {
        one.name: RobotAddress(one.host, one.port, one.user, one.host_key, one.key_file, one.name)
        for one in inventory.robot
    }
    if len(robots) != len(inventory.robot):
        raise InventoryError(f"{path}: two robots have the same name")
    return robots


def roll_out(
    repo_dir: Path,
    robots: dict[str, RobotAddress],
    journal_path: Path,
    *,
    kind: Kind = "model",
    connect: Connect = connected,
    on_robot: Callable[[str, Outcome], None] = lambda robot, outcome: None,
) -> RolloutReport:
    """Push the newest version wave by wave until it is everywhere or something speaks against it."""
    journal = _journal_for(journal_path, offered_sha256(repo_dir, kind))
    for robot in [name for name, outcome in journal.outcomes.items() if outcome in TRIED_AGAIN]:
        del journal.outcomes[robot]
    plan = RolloutPlan(tuple(robots))
    checked = -1
    while True:
        wish = read_wish(journal_path)
        step = next_step(plan, journal.outcomes)
        if wish != "run" or not isinstance(step, Next):
            return _report(step, journal, wish)
        if step.wave > 0 and checked < step.wave - 1:  # is the wave before still well?
            checked = step.wave - 1
            _look_again(plan, checked, robots, journal, kind, connect)
        else:
            robot = step.robots[0]
            journal.outcomes[robot], journal.messages[robot] = _push(repo_dir, robots[robot], kind, connect)
            on_robot(robot, journal.outcomes[robot])
        _save(journal_path, journal)


def read_wish(journal_path: Path) -> Wish:
    """What a person asked for while it runs: a file beside the journal, so that two writers never meet."""
    try:
        text = journal_path.with_suffix(".wish").read_text().strip()
    except FileNotFoundError:
        return "run"
    return "pause" if text == "pause" else "abort" if text == "abort" else "run"


def write_wish(journal_path: Path, wish: Wish) -> Wish:
    """Takes effect before the next robot."""
    atomic_files.write_text(journal_path.with_suffix(".wish"), wish + "\n")
    return wish


def parse_wish(text: str) -> Wish:
    """Raises InventoryError for anything but run, pause, abort."""
    for wish in ("run", "pause", "abort"):
        if text == wish:
            return wish
    raise InventoryError(f"wish {text!r} is none of run, pause, abort")


def _push(repo_dir: Path, address: RobotAddress, kind: Kind, connect: Connect) -> tuple[Outcome, str]:
    try:
        report = push(repo_dir, address, kind=kind, connect=connect)
    except HostKeyError as error:
        return Outcome.UNREACHABLE, str(error)
    except TransportError as error:
        return Outcome.UNREACHABLE, str(error)
    return _OUTCOMES.get(report.result, Outcome.FAILED), report.message


def _look_again(
    plan: RolloutPlan, wave: int, robots: dict[str, RobotAddress], journal: Journal, kind: Kind, connect: Connect
) -> None:
    """A robot that went back since then counts as failed, also when nobody was looking."""
    for robot in wave_robots(plan, wave):
        if journal.outcomes.get(robot) is not Outcome.INSTALLED:
            continue
        try:
            status = ask(robots[robot], "status", connect)
        except TransportError as error:
            logger.warning("%s", error)
            continue
        if installed_sha256(status, kind) != journal.sha256:
            journal.outcomes[robot], journal.messages[robot] = Outcome.FAILED, "went back after it was confirmed"


def _report(step: Step, journal: Journal, wish: Wish) -> RolloutReport:
    installed = sum(outcome is Outcome.INSTALLED for outcome in journal.outcomes.values())
    reached = sum(outcome is not Outcome.UNREACHABLE for outcome in journal.outcomes.values())
    outcomes = {robot: outcome.value for robot, outcome in journal.outcomes.items()}
    result: Literal["finished", "halted", "waiting", "paused", "aborted"]
    if isinstance(step, Halted):
        result, reason = "halted", step.reason
    elif isinstance(step, Waiting):
        result, reason = (
            "waiting",
            f"on trial until a run has been well: {', '.join(step.robots)}; start this again then",
        )
    elif isinstance(step, Finished):
        result, reason = "finished", f"unreachable: {', '.join(step.unreachable)}" if step.unreachable else ""
    else:
        result, reason = (
            ("paused" if wish == "pause" else "aborted"),
            f"{len(step.robots)} robots of wave {step.wave} left",
        )
    return RolloutReport(result, reason, installed, reached, outcomes)


def _journal_for(path: Path, sha256: str) -> Journal:
    """The journal of this very version, or a new one."""
    try:
        value: Any = json.loads(path.read_bytes())
        outcomes = {str(robot): Outcome(outcome) for robot, outcome in value["outcomes"].items()}
        old = Journal(str(value["sha256"]), "run", outcomes, dict(value["messages"]))
    except FileNotFoundError:
        return Journal(sha256)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InventoryError(f"{path} is no roll-out journal ({error}); name another one") from error
    return old if old.sha256 == sha256 else Journal(sha256)


def _save(path: Path, journal: Journal) -> None:
    outcomes = {robot: outcome.value for robot, outcome in journal.outcomes.items()}
    value = {"sha256": journal.sha256, "outcomes": outcomes, "messages": journal.messages}
    atomic_files.write_json(path, value)
