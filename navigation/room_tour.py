"""The order in which to visit rooms: a short tour over the floor, from where the robot starts, not back.

In: floor (R, C), one place in each room, the start. Out: the order of the places; distances are along the floor, and a
place that cannot be reached comes last. Up to a dozen places the order is the shortest (dynamic programming over
subsets; Held and Karp 1962); beyond, the nearest is next, and stretches are turned round while that makes the tour
shorter (2-opt; Croes 1958).
"""

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

_EXACT_PLACES: Final = 12


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _steps_from(floor: Any, row: int, col: int) -> Any:
    """(R, C) int32: steps to each cell of floor over its four sides; -1 where none lead."""
    rows, cols = floor.shape
    steps = np.full((rows, cols), -1, np.int32)
    queue = np.empty(rows * cols, np.int64)
    queue[0] = row * cols + col
    steps[row, col] = 0
    head, tail = 0, 1
    while head < tail:
        r, c = queue[head] // cols, queue[head] % cols
        head += 1
        for dr, dc in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            a, b = r + dr, c + dc
            if 0 <= a < rows and 0 <= b < cols and floor[a, b] and steps[a, b] < 0:
                steps[a, b] = steps[r, c] + 1
                queue[tail] = a * cols + b
                tail += 1
    return steps


def short_tour(floor: NDArray[np.bool_], places: NDArray[np.int64], start: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N,) indices of places (N, 2) of (row, col), in order; a start off the floor is moved to its nearest cell."""
    on_floor = np.argwhere(floor)
    begin = on_floor[int(np.argmin(((on_floor - start) ** 2).sum(axis=1)))]
    stops = np.vstack([begin[None], places])
    far = float(floor.size)
    apart = np.zeros((len(stops), len(stops)))
    for index, (row, col) in enumerate(stops):
        steps = _steps_from(floor, int(row), int(col))[stops[:, 0], stops[:, 1]].astype(np.float64)
        apart[index] = np.where(steps < 0, far, steps)
    order = _shortest(apart) if len(places) <= _EXACT_PLACES else _shortened(_nearest_next(apart), apart)
    return np.array(order[1:], dtype=np.int64) - 1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _shortest(apart: Any) -> Any:
    """(N + 1,) the shortest order of all, from stop 0; cost[s, k] is that of visiting the stops in s, k the last."""
    count = apart.shape[0] - 1
    cost = np.full((1 << count, count), np.inf)
    before = np.full((1 << count, count), -1, np.int64)
    for k in range(count):
        cost[1 << k, k] = apart[0, k + 1]
    for visited in range(1, 1 << count):
        for last in range(count):
            if not visited >> last & 1:
                continue
            for k in range(count):
                longer = cost[visited, last] + apart[last + 1, k + 1]
                if not visited >> k & 1 and longer < cost[visited | 1 << k, k]:
                    cost[visited | 1 << k, k] = longer
                    before[visited | 1 << k, k] = last
    order = np.zeros(count + 1, np.int64)
    visited = (1 << count) - 1
    last = int(np.argmin(cost[visited])) if count else 0
    for place in range(count, 0, -1):
        order[place] = last + 1
        visited, last = visited ^ 1 << last, before[visited, last]
    return order


def _nearest_next(apart: NDArray[np.float64]) -> list[int]:
    left, order = list(range(1, len(apart))), [0]
    while left:
        here = order[-1]
        order.append(min(left, key=lambda one: (apart[here, one], one)))
        left.remove(order[-1])
    return order


def _shortened(order: list[int], apart: NDArray[np.float64]) -> list[int]:
    """order with stretches turned round; its first stays where it is."""
    better = True
    while better:
        better = False
        for i in range(1, len(order) - 1):
            for k in range(i + 1, len(order)):
                after = apart[order[k], order[k + 1]] if k + 1 < len(order) else 0.0
                turned = apart[order[i], order[k + 1]] if k + 1 < len(order) else 0.0
                if apart[order[i - 1], order[k]] + turned < apart[order[i - 1], order[i]] + after - 1e-9:
                    order[i : k + 1] = order[i : k + 1][::-1]
                    better = True
    return order
