"""Floor that a path has missed, picked up on its way: each patch by the detour that is shortest for what it brings."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import ndimage

from navigation.coverage.clearance import line_clear
from navigation.coverage.floor import EIGHT, BoolGrid, Floor
from navigation.coverage.sweeping import Ledger, count_line, count_path
from navigation.coverage.ways import Line, Ways

Tool = tuple[float, bool, float]
LEGS_TRIED = 6
ROUNDS = 4


def with_patches(
    floor: Floor,
    ledger: Ledger,
    path: Line,
    tool: Tool,
    *,
    missing_allowed: int,
    always_cells: int,
    in_time: Callable[[], bool],
) -> Line:
    """The path (N, 2) with detours until no more than `missing_allowed` wanted cells are missed.

    Patches of `always_cells` and more are picked up in any case, while `in_time`.
    The ledger counts the path and then the detours.
    """
    ways: Ways | None = None
    for _ in range(ROUNDS):
        missing = ledger == 0
        left = int(missing.sum())
        parts, number = ndimage.label(missing, EIGHT)
        if number == 0:
            break
        sizes = np.bincount(parts.ravel(), minlength=number + 1)
        order = np.argsort(-sizes[1:], kind="stable") + 1
        boxes = ndimage.find_objects(parts)
        before = left
        for index in order:
            size = int(sizes[index])
            if (left <= missing_allowed and size < always_cells) or not in_time():
                break
            place = _best_place(floor.centres, missing, parts, int(index), boxes[int(index) - 1], tool[0])
            if place is None:
                continue
            ways = ways or Ways(floor.ground, floor.centres)
            path, gained = _with_detour(floor, ledger, path, place, tool, ways)
            left -= gained
        if left == before or left <= missing_allowed:
            break
    return path


def _best_place(
    centres: BoolGrid, missing: BoolGrid, parts: NDArray[np.int32], index: int, box: Any, radius: float
) -> Line | None:
    """The clear cell from which the tool touches most of the patch; None when there is none."""
    grow = int(radius) + 1
    rows = slice(max(box[0].start - grow, 0), box[0].stop + grow)
    cols = slice(max(box[1].start - grow, 0), box[1].stop + grow)
    touched = _touching(centres[rows, cols], missing[rows, cols] & (parts[rows, cols] == index), radius)
    best = int(np.argmax(touched))
    if touched.ravel()[best] == 0:
        return None
    row, col = divmod(best, touched.shape[1])
    return np.array([row + rows.start, col + cols.start], np.float64)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _touching(centres: Any, patch: Any, radius: float) -> Any:
    """(R, C): cells of the patch within the radius of each clear cell; 0 where not clear."""
    rows, cols = centres.shape
    out = np.zeros((rows, cols), np.int32)
    reach = int(radius + 1e-6)
    limit = (radius + 1e-6) ** 2
    for r in range(rows):
        for c in range(cols):
            if not patch[r, c]:
                continue
            for y in range(max(r - reach, 0), min(r + reach, rows - 1) + 1):
                for x in range(max(c - reach, 0), min(c + reach, cols - 1) + 1):
                    if centres[y, x] and (y - r) * (y - r) + (x - c) * (x - c) <= limit:
                        out[y, x] += 1
    return out


def _with_detour(floor: Floor, ledger: Ledger, path: Line, place: Line, tool: Tool, ways: Ways) -> tuple[Line, int]:
    """The path led over `place`, and how many wanted cells that brings."""
    along = path[1:] - path[:-1]
    length = np.maximum(np.hypot(*along.T), 1e-9)
    detour = np.hypot(*(place - path[:-1]).T) + np.hypot(*(place - path[1:]).T) - length
    for leg in np.argsort(detour, kind="stable")[:LEGS_TRIED]:
        a, b = path[leg], path[leg + 1]
        share = min(max(float((place - a) @ (b - a)) / float(length[leg]) ** 2, 0.0), 1.0)
        foot = np.rint(a + share * (b - a))
        for fresh in ([place], [foot, place, foot]):
            gained = _swap_leg(floor, ledger, np.array([a, *fresh, b]), tool)
            if gained > 0:
                return np.concatenate([path[: leg + 1], fresh, path[leg + 1 :]]), gained
    return _there_and_back(ledger, path, place, tool, ways)


def _swap_leg(floor: Floor, ledger: Ledger, chain: Line, tool: Tool) -> int:
    """The chain (K, 2) driven instead of the straight line between its ends, if that is clear and brings floor."""
    if not all(line_clear(floor.ground, p[0], p[1], q[0], q[1]) for p, q in itertools.pairwise(chain)):
        return 0
    straight = chain[[0, -1]]
    gained = _count(ledger, chain, tool, 1) - _count(ledger, straight, tool, -1)
    if gained <= 0:
        _count(ledger, straight, tool, 1)
        _count(ledger, chain, tool, -1)
    return gained


def _count(ledger: Ledger, chain: Line, tool: Tool, delta: int) -> int:
    return sum(int(count_line(ledger, p[0], p[1], q[0], q[1], tool, delta)) for p, q in itertools.pairwise(chain))


def _there_and_back(ledger: Ledger, path: Line, place: Line, tool: Tool, ways: Ways) -> tuple[Line, int]:
    near = int(np.argmin(np.hypot(*(path - place).T)))
    try:
        way = ways.between(path[near], place)
    except ValueError:  # a corner pressed against the margin: the next round tries from elsewhere
        return path, 0
    if len(way) < 2:
        return path, 0
    there_and_back = np.concatenate([way, way[-2::-1]])
    gained = int(count_path(ledger, there_and_back, tool).sum())
    return np.concatenate([path[:near], there_and_back, path[near + 1 :]]), gained
