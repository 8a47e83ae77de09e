"""What is not worth its way is left out of a route.

In: a path, and how much drive a cell of floor is worth. Out: the path without the stretches that cost more, or the same
path. A stretch is one or more legs that sweep floor; between stretches the path only leads on. Which of them to keep,
in their order, is the prize-collecting path with a given order, found by dynamic programming over the stretches:
what a route costs is its drive and the price of the floor that it leaves out. It may end after any stretch, or drive
nowhere at all. Floor that two stretches sweep counts for the first alone, so that rather too much is kept.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from navigation.coverage.floor import Floor
from navigation.coverage.sweeping import Ledger, count_path
from navigation.coverage.ways import Line, Ways

MOST_STRETCHES: Final = 80  # a route of more is a whole floor, not its remains
LEADS_ON: Final = 0.25  # a leg that sweeps less than this share of its price is no stretch


@dataclass(frozen=True, slots=True)
class _Stretch:
    points: Line  # (K, 2)
    to_it: Line  # (L, 2) the path's own way from the stretch before, both ends included
    gain_cells: int

    @property
    def length(self) -> float:
        return _length(self.points)


def worth_its_way(
    floor: Floor, ledger: Ledger, path: Line, tool: tuple[float, bool, float], drive_per_cell: float
) -> Line:
    """The path (N, 2), or less of it; one point when nothing is worth a drive. `ledger`: nothing swept yet."""
    stretches = _stretches(path, count_path(ledger, path, tool), drive_per_cell)
    if len(stretches) > MOST_STRETCHES:
        return path
    ways = Ways(floor.ground, floor.centres)
    kept = _kept(path[0], stretches, drive_per_cell, ways)
    pieces, before = [path[:1]], -1
    for index in kept:
        way = _way(path[0], stretches, before, index, ways)
        assert way is not None  # or it would not have been chosen
        pieces += [way[1:], stretches[index].points[1:]]
        before = index
    return np.concatenate(pieces)


def _stretches(path: Line, fresh: NDArray[np.int64], drive_per_cell: float) -> list[_Stretch]:
    pays = fresh * drive_per_cell > LEADS_ON * np.hypot(*np.diff(path, axis=0).T)
    sweeps = np.concatenate([[False], pays, [False]])
    begins, ends = np.flatnonzero(sweeps[1:] & ~sweeps[:-1]), np.flatnonzero(sweeps[:-1] & ~sweeps[1:])
    before = np.concatenate([[0], ends[:-1]])
    return [
        _Stretch(path[begin : end + 1], path[last : begin + 1], int(fresh[begin:end].sum()))
        for last, begin, end in zip(before, begins, ends)
    ]


def _kept(start: Line, stretches: list[_Stretch], drive_per_cell: float, ways: Ways) -> list[int]:
    """Numbers of the stretches of the cheapest route."""
    prices = np.array([0.0] + [stretch.gain_cells * drive_per_cell for stretch in stretches])
    left_out = np.cumsum(prices)  # [k]: the price of all stretches before the k-th
    total = float(left_out[-1])
    costs, came_from = [0.0], [-1]  # of routes that end with the stretch before; first: of standing still
    for index, stretch in enumerate(stretches):
        best, best_from = math.inf, -1
        for before in range(index, -1, -1):  # 0 is the start, k the (k - 1)-th stretch
            skipped = float(left_out[index] - left_out[before])
            end = start if before == 0 else stretches[before - 1].points[-1]
            straight = float(np.hypot(*(stretch.points[0] - end)))
            if costs[before] + skipped + straight >= best:
                continue
            way = _way(start, stretches, before - 1, index, ways)
            cost = costs[before] + skipped + (math.inf if way is None else _length(way))
            if cost < best:
                best, best_from = cost, before
        costs.append(best + stretch.length)
        came_from.append(best_from)
    whole = np.array(costs) + (total - left_out)
    at = int(np.argmin(whole))
    kept = []
    while at > 0:
        kept.append(at - 1)
        at = came_from[at]
    return kept[::-1]


def _way(start: Line, stretches: list[_Stretch], before: int, index: int, ways: Ways) -> Line | None:
    """(N, 2) from the end of one stretch, or the start (-1), to the beginning of another; None from inside a margin."""
    if index == before + 1:
        return stretches[index].to_it
    try:
        return ways.between(start if before < 0 else stretches[before].points[-1], stretches[index].points[0])
    except ValueError:
        return None


def _length(line: Line) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())
