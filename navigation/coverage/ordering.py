"""In which order, and each in which direction, the strokes are driven: a tour over stroke ends.

Ways between ends are geodesic on coarse cells, found only near each end (others are guessed by straight distance).
Greedy nearest end first, then 2-opt (which also turns strokes round) and Or-opt with neighbour lists.
"""

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from navigation.coverage.floor import BoolGrid
from navigation.coverage.grid_kernels import clean, nearest_marked, queue_for

NEAR_ENDS = 14
COARSE = 2  # cells a block: for an order of strokes, ways need to be known to a cell or two
GUESS = 1.6  # a way that was not found is longer than the straight line by about this


class Ends:
    """Ends 2i and 2i + 1 of stroke i; end 2n is the start. `near` lists for each end the nearest others."""

    def __init__(
        self, centres: BoolGrid, lines: list[NDArray[np.int32]], start: tuple[int, int], turn_cost_cells: float
    ) -> None:
        places = [cell for line in lines for cell in (line[0], line[-1])] + [np.array(start)]
        self.places: NDArray[np.int32] = np.array(places, np.int32)  # (2n + 1, 2)
        self.turn_cost_cells = turn_cost_cells
        count = len(self.places)
        self.near = np.full((count, NEAR_ENDS), -1, np.int32)
        self.way = np.full((count, NEAR_ENDS), np.inf, np.float32)
        coarse = _pooled(centres)
        _find_near(coarse, self.places // COARSE, self.near, self.way, queue_for(coarse.size))
        apart = self.places[:, None] - self.places[self.near]
        self.way = np.maximum(COARSE * self.way, np.hypot(apart[..., 0], apart[..., 1]).astype(np.float32))


def _pooled(centres: BoolGrid) -> BoolGrid:
    """Blocks of COARSE x COARSE cells, clear where any is: what is not clear is wider than a robot."""
    rows, cols = (-(-size // COARSE) for size in centres.shape)
    padded = np.zeros((rows * COARSE, cols * COARSE), dtype=bool)
    padded[: centres.shape[0], : centres.shape[1]] = centres
    return np.asarray(padded.reshape(rows, COARSE, cols, COARSE).any(axis=(1, 3)))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _find_near(centres: Any, places: Any, near: Any, way: Any, queue: Any) -> None:
    rows, cols = centres.shape
    total = rows * cols
    ends = len(places)
    head = np.full(total, -1, np.int32)  # linked list of the ends on a cell
    following = np.full(ends, -1, np.int32)
    for e in range(ends):
        cell = places[e, 0] * cols + places[e, 1]
        following[e] = head[cell]
        head[cell] = e
    marked = head.reshape(rows, cols)
    dist = np.full(total, np.inf, np.float64)
    before = np.empty(total, np.int32)
    touched = np.empty(total, np.int32)
    found = np.empty(ends, np.int32)
    for e in range(ends):
        cell = places[e, 0] * cols + places[e, 1]
        n_found, n_touched = nearest_marked(
            centres, marked, cell, near.shape[1] + 2, dist, before, touched, queue, found
        )
        k = 0
        for f in range(n_found):
            other = head[found[f]]
            while other >= 0 and k < near.shape[1]:
                if other != e and other // 2 != e // 2:
                    near[e, k] = other
                    way[e, k] = dist[found[f]]
                    k += 1
                other = following[other]
        clean(dist, touched, n_touched)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _between(a: int, b: int, places: Any, near: Any, way: Any, turn: float) -> float:
    for k in range(near.shape[1]):
        if near[a, k] == b:
            return float(way[a, k] + turn)
        if near[a, k] < 0:
            break
    rows = float(places[a, 0] - places[b, 0])
    cols = float(places[a, 1] - places[b, 1])
    straight = math.hypot(rows, cols)
    return GUESS * straight + turn


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _greedy(places: Any, near: Any, way: Any, turn: float) -> Any:
    """(n,): entry ends in order; the exit of a stroke is its other end."""
    count = (len(places) - 1) // 2
    order = np.empty(count, np.int32)
    done = np.zeros(count, np.bool_)
    here = 2 * count
    for i in range(count):
        best, best_cost = -1, np.inf
        for k in range(near.shape[1]):
            other = near[here, k]
            if other >= 0 and other < 2 * count and not done[other // 2] and way[here, k] < best_cost:
                best, best_cost = other, way[here, k]
        if best < 0:
            for other in range(2 * count):
                if not done[other // 2]:
                    cost = _between(here, other, places, near, way, turn)
                    if cost < best_cost:
                        best, best_cost = other, cost
        order[i] = best
        done[best // 2] = True
        here = best ^ 1
    return order


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _improve(order: Any, places: Any, near: Any, way: Any, turn: float, iterations: int) -> int:
    """Local search in place until nothing gets better or the iterations end; returns what is left of them."""
    n = len(order)
    begin = 2 * n
    position = np.empty(n, np.int32)
    for i in range(n):
        position[order[i] // 2] = i
    better = True
    while better and iterations > 0:
        better = False
        for i in range(n):
            if iterations <= 0:
                break
            iterations -= 1
            leave = begin if i == 0 else order[i - 1] ^ 1
            old_in = _between(leave, order[i], places, near, way, turn)
            # 2-opt: reverse i..j so that j's exit comes first
            for k in range(near.shape[1]):
                other = near[leave, k]
                if other < 0 or other >= begin:
                    continue
                if way[leave, k] + turn >= old_in:
                    break
                j = position[other // 2]
                if j < i or (order[j] ^ 1) != other:
                    continue
                gain = old_in - (way[leave, k] + turn)
                if j + 1 < n:
                    gain += _between(order[j] ^ 1, order[j + 1], places, near, way, turn)
                    gain -= _between(order[i], order[j + 1], places, near, way, turn)
                if gain > 1e-6:
                    low, high = i, j
                    while low < high:
                        a, b = order[low], order[high]
                        order[low], order[high] = b ^ 1, a ^ 1
                        low += 1
                        high -= 1
                    if low == high:
                        order[low] ^= 1
                    for p in range(i, j + 1):
                        position[order[p] // 2] = p
                    better = True
                    break
            # Or-opt: move 1..3 strokes from i to just before or after a near one
            moved = False
            for length in range(1, 4):
                if moved or i + length > n:
                    break
                head, tail = order[i], order[i + length - 1] ^ 1
                leave = begin if i == 0 else order[i - 1] ^ 1
                gain_out = _between(leave, head, places, near, way, turn)
                if i + length < n:
                    gain_out += _between(tail, order[i + length], places, near, way, turn)
                    gain_out -= _between(leave, order[i + length], places, near, way, turn)
                for flip in range(2):
                    enter, out = (head, tail) if flip == 0 else (tail, head)
                    for k in range(near.shape[1]):
                        other = near[enter, k]
                        if other < 0:
                            break
                        if way[enter, k] + turn >= gain_out:
                            break
                        if other == begin:
                            j = -1
                        else:
                            j = position[other // 2]
                            if (order[j] ^ 1) != other:
                                continue
                        if i - 1 <= j < i + length:
                            continue
                        cost = way[enter, k] + turn
                        if j + 1 < n:
                            cost += _between(out, order[j + 1], places, near, way, turn)
                            cost -= _between(other, order[j + 1], places, near, way, turn)
                        if gain_out - cost > 1e-6:
                            _move(order, i, length, j, flip == 1)
                            for p in range(n):
                                position[order[p] // 2] = p
                            better, moved = True, True
                            break
                    if moved:
                        break
    return iterations


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _move(order: Any, i: int, length: int, after: int, flip: bool) -> None:
    """Takes order[i : i + length] and puts it behind position `after` (as counted before the move)."""
    part = order[i : i + length].copy()
    if flip:
        part = part[::-1].copy()
        for p in range(length):
            part[p] ^= 1
    if after < i:
        for p in range(i - 1, after, -1):
            order[p + length] = order[p]
        for p in range(length):
            order[after + 1 + p] = part[p]
    else:
        for p in range(i + length, after + 1):
            order[p - length] = order[p]
        for p in range(length):
            order[after - length + 1 + p] = part[p]


def greedy_order(ends: Ends) -> NDArray[np.int32]:
    """Entry ends in the order of nearest first."""
    order: NDArray[np.int32] = _greedy(ends.places, ends.near, ends.way, ends.turn_cost_cells)
    return order


def improved(order: NDArray[np.int32], ends: Ends, iterations: int) -> tuple[NDArray[np.int32], int]:
    """A better order and the iterations that are left."""
    better = order.copy()
    left = _improve(better, ends.places, ends.near, ends.way, ends.turn_cost_cells, iterations)
    return better, int(left)
