"""The search over whole paths: heat that falls with the budget, and a price of missed floor that finds its target."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from navigation.coverage.floor import BoolGrid, Floor
from navigation.coverage.patches import with_patches
from navigation.coverage.polish import polish
from navigation.coverage.sweeping import Ledger, Sweeps, count_path, ledger_of, sweeps_of
from navigation.coverage.ways import Line

TARGETS = 200  # places of missed floor that a chunk of moves knows
CHUNK = 2000  # moves between two looks at the clock
HEAT_TOOL_WIDTHS = 0.7
PAY_GAIN = 40.0
OVERTIME = 0.1  # share of the budget that picking up missed patches may take on top
COLD_SHARE = 0.15  # of the budget, at the end, without heat
PAY_LOW, PAY_HIGH = 1.5, 120.0  # tool widths of drive that a tool width of new floor is worth


@dataclass(frozen=True, slots=True)
class Budget:
    """Iterations of the local search or, with a clock, seconds: whichever ends first."""

    iterations: int = 40_000
    seconds: float = math.inf
    clock: Callable[[], float] | None = None


class Spending:
    """How much of a budget is gone, as a share."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._begin_s = budget.clock() if budget.clock else 0.0
        self._done = 0

    def spend(self, iterations: int) -> None:
        self._done += iterations

    @property
    def share(self) -> float:
        by_count = self._done / self._budget.iterations if self._budget.iterations > 0 else 1.0
        if self._budget.clock is None or not math.isfinite(self._budget.seconds):
            return by_count
        by_time = (self._budget.clock() - self._begin_s) / max(self._budget.seconds, 1e-6)
        return max(by_count, by_time)


@dataclass(frozen=True, slots=True)
class Job:
    """What the search needs to know; lengths in cells."""

    floor: Floor
    wanted: BoolGrid
    tool: tuple[float, bool, float]
    turn_cells: float
    target_ratio: float
    patch_cells: int  # a missed patch of so many cells is picked up whatever it costs
    seed: int
    free_start: bool
    nearest: NDArray[np.int32]  # (2, R, C): the clear cell nearest to each cell

    @property
    def allowed(self) -> int:
        """Wanted cells that may be missed."""
        return int((1.0 - self.target_ratio) * int(self.wanted.sum()))


def annealed(
    job: Job, path: Line, spending: Spending, begin: float, end: float, heat_ratio: float
) -> tuple[Line, Line]:
    """A better path, searched for while the share of the budget goes from `begin` to `end`.

    Returns the path to search on from, and the same with its missed patches picked up.
    """
    ledger = ledger_of(job.wanted)
    count_path(ledger, path, job.tool)
    sweeps = sweeps_of(ledger)
    width = 2 * max(job.tool[0], 0.5)
    heat_cells = HEAT_TOOL_WIDTHS * width * heat_ratio
    pay = 8.0
    room, corners = _with_room(path)
    turn = 0
    targets = np.zeros((0, 2))
    rng = np.random.default_rng((job.seed, round(1000 * begin)))
    while spending.share < end:
        done = (spending.share - begin) / max(end - begin, 1e-9)
        heat = heat_cells * max(0.0, 1.0 - done / (1.0 - COLD_SHARE))
        price = (pay / width, pay / width, job.turn_cells, heat)
        room, corners = _searched(job, room, corners, sweeps, price, targets, rng)
        spending.spend(CHUNK)
        turn += 1
        missed = np.argwhere(ledger == 0)
        missing = len(missed)
        targets = _targets(job, missed, rng)
        drift = (missing - 0.8 * job.allowed) / max(int(job.wanted.sum()), 1)
        pay = min(max(pay * math.exp(max(min(PAY_GAIN * drift, 0.1), -0.1)), PAY_LOW), PAY_HIGH)
    found = room[:corners].copy()
    if job.free_start and turn % 2:
        found = found[::-1].copy()
    return found, completed(job, found, ledger, lambda: spending.share < end + OVERTIME)


def _targets(job: Job, missed: NDArray[np.int64], rng: np.random.Generator) -> Line:
    """(M, 2): the clear cells nearest to some of the missed cells (N, 2)."""
    if not len(missed):
        return np.zeros((0, 2))
    some = missed[rng.integers(0, len(missed), TARGETS)]
    near: Line = job.nearest[:, some[:, 0], some[:, 1]].T.astype(np.float64)
    return near


def _searched(
    job: Job,
    room: Line,
    corners: int,
    sweeps: Sweeps,
    price: tuple[float, float, float, float],
    targets: Line,
    rng: np.random.Generator,
) -> tuple[Line, int]:
    if len(room) < corners + 64:
        room, corners = _with_room(room[:corners])
    corners = polish(job.floor.ground, sweeps, room, corners, job.tool, price, False, targets, CHUNK, rng)
    if job.free_start and job.tool[2] == 0.0:  # the search keeps the first corner: let both ends take turns
        room[:corners] = room[:corners][::-1].copy()
    return room, corners


def completed(job: Job, path: Line, ledger: Ledger, in_time: Callable[[], bool] = lambda: True) -> Line:
    """Patches picked up until the target is met; then the corners around them smoothed, at no loss of floor."""
    path = with_patches(
        job.floor, ledger, path, job.tool, missing_allowed=job.allowed, always_cells=job.patch_cells, in_time=in_time
    )
    room, corners = _with_room(path)
    price = (PAY_HIGH, 0.0, job.turn_cells, 0.0)
    corners = polish(
        job.floor.ground,
        sweeps_of(ledger),
        room,
        corners,
        job.tool,
        price,
        False,
        np.zeros((0, 2)),
        CHUNK,
        np.random.default_rng(job.seed),
    )
    return room[:corners].copy()


def _with_room(path: Line) -> tuple[Line, int]:
    """The corners in an array with room for more, and their number."""
    room = np.zeros((2 * len(path) + 256, 2))
    room[: len(path)] = path
    return room, len(path)
