"""Passes along walls and furniture: the border of where the centre may be, and further borders inside it."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from navigation.coverage.clearance import squared_distance
from navigation.coverage.floor import BoolGrid, Ground
from navigation.coverage.grid_kernels import border
from navigation.coverage.sweeping import Ledger, count_path
from navigation.coverage.ways import straightened

Line = NDArray[np.float64]  # (N, 2) of (row, col)
Tool = tuple[float, bool, float]


def edge_passes(ground: Ground, centres: BoolGrid, ledger: Ledger, tool: Tool, passes: int) -> list[Line]:
    """Stretches of the borders along which something wanted is not swept yet; the ledger counts them."""
    lines: list[Line] = []
    for turn in range(passes):
        inset = turn * max(2 * tool[0], 1.0)
        inner = centres if turn == 0 else squared_distance(~centres, True) > inset * inset
        for loop in _borders(inner):
            needed = _needed(ledger, loop, tool[0])
            for part in _stretches(loop, needed, bridge=int(4 * tool[0])):
                line = straightened(ground, np.ascontiguousarray(part, dtype=np.float64))
                count_path(ledger, line, tool)
                lines.append(line)
    return lines


def _borders(centres: BoolGrid) -> list[NDArray[np.int32]]:
    """Every closed border of the clear cells, outer ones and those around holes."""
    visited = np.zeros(centres.shape, np.bool_)
    left = np.zeros_like(centres)
    left[:, 1:] = centres[:, :-1]
    loops = []
    for row, col in np.argwhere(centres & ~left):
        if not visited[row, col]:
            loops.append(border(centres, int(row), int(col), visited))
    return loops


def _needed(ledger: Ledger, loop: NDArray[np.int32], radius: float) -> BoolGrid:
    needed: BoolGrid = _near_missing(ledger, loop, radius)
    return needed


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _near_missing(ledger: Any, loop: Any, radius: float) -> Any:
    out = np.zeros(len(loop), np.bool_)
    reach = int(radius + 1e-6)
    limit = (radius + 1e-6) ** 2
    for i in range(len(loop)):
        for r in range(max(loop[i, 0] - reach, 0), min(loop[i, 0] + reach + 1, ledger.shape[0])):
            for c in range(max(loop[i, 1] - reach, 0), min(loop[i, 1] + reach + 1, ledger.shape[1])):
                if ledger[r, c] == 0 and (r - loop[i, 0]) ** 2 + (c - loop[i, 1]) ** 2 <= limit:
                    out[i] = True
    return out


def _stretches(loop: NDArray[np.int32], needed: BoolGrid, *, bridge: int) -> list[NDArray[np.int32]]:
    """Parts of a closed loop whose cells are needed, gaps up to `bridge` cells included."""
    if not needed.any():
        return []
    if needed.all():
        return [np.vstack([loop, loop[:1]]) if len(loop) > 2 else loop]
    first = int(np.flatnonzero(~needed)[0])
    loop, needed = np.roll(loop, -first, axis=0), np.roll(needed, -first)
    places = np.flatnonzero(needed)
    breaks = np.flatnonzero(np.diff(places) > bridge)
    starts, ends = places[np.r_[0, breaks + 1]], places[np.r_[breaks, len(places) - 1]]
    return [loop[a : b + 1] for a, b in zip(starts, ends, strict=True)]
