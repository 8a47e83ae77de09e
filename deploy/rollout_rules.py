"""Staged roll-out, the decisions: who is next, when to go on, when to halt. Pure.

A wave starts only when the one before ended well. A model's failure and a robot that cannot be reached are told apart:
only the first speaks against the model. A rollback that failed halts everything: a person must look.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Outcome(Enum):
    """How one robot took the version."""

    INSTALLED = "installed"
    FAILED = "failed"  # refused by its health check, or rolled back: the model's fault
    REFUSED = "refused"  # by signature, age or version: the publisher's fault
    ROLLBACK_FAILED = "rollback_failed"
    UNREACHABLE = "unreachable"
    ON_TRIAL = "on_trial"  # software on a robot that stands still: its next run will tell


@dataclass(frozen=True, slots=True)
class RolloutPlan:
    """`waves` are growing shares of the fleet; the first is the canary."""

    robots: tuple[str, ...]
    waves: tuple[float, ...] = (0.02, 0.2, 1.0)
    max_failed_ratio: float = 0.05  # of the robots reached so far in the fleet
    min_installed_ratio: float = 0.8  # of a wave before the next begins


@dataclass(frozen=True, slots=True)
class Next:
    """Robots to push to now, one after the other, asking again after each."""

    wave: int
    robots: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Halted:
    reason: str


@dataclass(frozen=True, slots=True)
class Finished:
    installed: int
    unreachable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A wave whose robots have yet to try it in a run: nobody else gets it before."""

    robots: tuple[str, ...]


Step = Next | Halted | Waiting | Finished
_BAD: Final = (Outcome.FAILED, Outcome.REFUSED)


def next_step(plan: RolloutPlan, outcomes: Mapping[str, Outcome]) -> Step:
    """What to do, given how it went so far. Robots without an outcome have not been tried."""
    halted = _reason_to_halt(plan, outcomes)
    if halted is not None:
        return Halted(halted)
    for wave in range(len(plan.waves)):
        robots = wave_robots(plan, wave)
        waiting = tuple(robot for robot in robots if robot not in outcomes)
        if waiting:
            return Next(wave, waiting)
        on_trial = tuple(robot for robot in robots if outcomes[robot] is Outcome.ON_TRIAL)
        if on_trial:
            return Waiting(on_trial)
        installed = sum(outcomes[robot] is Outcome.INSTALLED for robot in robots)
        if installed < plan.min_installed_ratio * len(robots):
            return Halted(f"wave {wave}: {installed} of {len(robots)} installed, wanted {plan.min_installed_ratio:.0%}")
    unreachable = tuple(robot for robot in plan.robots if outcomes[robot] is Outcome.UNREACHABLE)
    return Finished(sum(outcome is Outcome.INSTALLED for outcome in outcomes.values()), unreachable)


def wave_robots(plan: RolloutPlan, wave: int) -> tuple[str, ...]:
    """The robots that wave adds; every wave has at least one while there are any left."""
    ends = [
        min(max(math.ceil(share * len(plan.robots) - 1e-9), number + 1), len(plan.robots))
        for number, share in enumerate(plan.waves)
    ]
    return plan.robots[0 if wave == 0 else ends[wave - 1] : ends[wave]]


def _reason_to_halt(plan: RolloutPlan, outcomes: Mapping[str, Outcome]) -> str | None:
    for robot, outcome in outcomes.items():
        if outcome is Outcome.ROLLBACK_FAILED:
            return f"{robot} could not go back to the model before: look at it"
    bad = [robot for robot, outcome in outcomes.items() if outcome in _BAD]
    canary = set(wave_robots(plan, 0))
    in_canary = [robot for robot in bad if robot in canary]
    if in_canary:
        return f"canary {in_canary[0]} did not take it"
    reached = sum(outcome is not Outcome.UNREACHABLE for outcome in outcomes.values())
    if len(bad) > plan.max_failed_ratio * reached:
        return f"{len(bad)} of {reached} robots did not take it, limit {plan.max_failed_ratio:.0%}"
    return None
