"""A whole path made better corner by corner: moved, left out, added, turned round, as long as it pays.

What a path is worth is counted exactly: `pay` for each wanted cell it sweeps at all, less its length and its turns. A
move changes two to four legs; their sweep is taken back and the new one counted, so a move costs microseconds. Every
leg is checked for clearance before it is taken. Corners lie on cell centres. Units are cells.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from navigation.coverage.clearance import chain_clear, line_clear
from navigation.coverage.grid_kernels import norm
from navigation.coverage.sweeping import MOST_LINES, lay_chain, lay_leg, swap_lines

_NEVER = 1 << 40  # cells
CHOICE = 1.0  # how much longer than the shortest a choice may be, as a share of how far it looks
BEND_FREE = 0.45  # rad: a bend up to here is driven without stopping


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def bend_cost(ar: float, ac: float, br: float, bc: float, cr: float, cc: float, turn: float) -> float:
    """Cost of the corner a, b, c: `turn` for a right angle, half of it for stopping and half for rotating."""
    ur, uc = br - ar, bc - ac
    vr, vc = cr - br, cc - bc
    if (ur == 0 and uc == 0) or (vr == 0 and vc == 0):
        return 0.0
    angle = abs(math.atan2(ur * vc - uc * vr, ur * vr + uc * vc))
    return turn * (angle / math.pi + (0.5 if angle > BEND_FREE else 0.0))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _worth(price: Any, gained: int) -> float:
    """Of so many cells swept more, or less."""
    worth: float = gained * (price[1] if gained > 0 else price[0])
    return worth


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _gained(sweeps: Any, lines: Any, count: int, tool: Any, price: Any, wanted: float) -> int:
    """Cells swept more, or less: the number when it is worth as much as is wanted, else any that is not."""
    each = price[1] if wanted > 0 else price[0]
    least = math.floor(wanted / each) - 1 if each > 0 else (_NEVER if wanted > 0 else -_NEVER)
    gained: int = swap_lines(sweeps, lines, count, tool, False, int(max(min(least, _NEVER), -_NEVER)))
    return gained


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _draw(rng: Any, low: int, high: int) -> int:
    """A whole number, low <= number < high."""
    return low + int(rng.random() * (high - low))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _tolerated(heat: float, rng: Any) -> float:
    """The loss that this move may bring."""
    if heat <= 0:
        return -1e-9
    return -heat * math.log(rng.random() + 1e-12)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _chain_cost(chain: Any, turn: float) -> float:
    """Length and inner bends of a chain (K, 2)."""
    total = 0.0
    for i in range(len(chain) - 1):
        total += norm(chain[i + 1, 0] - chain[i, 0], chain[i + 1, 1] - chain[i, 1])
    for i in range(1, len(chain) - 1):
        total += bend_cost(
            chain[i - 1, 0], chain[i - 1, 1], chain[i, 0], chain[i, 1], chain[i + 1, 0], chain[i + 1, 1], turn
        )
    return total


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def polish(
    ground: Any, sweeps: Any, path: Any, n: int, tool: Any, price: Any, fixed_end: bool, targets: Any,
    moves: int, rng: Any
) -> int:  # fmt: skip
    """Tries `moves` changes on path[:n] (capacity len(path)) in place, the sweeps with it; returns the new n.

    The first corner stays. `targets` (M, 2): places from which missed floor can be swept.
    `ground` as in clearance, `sweeps` and `tool` as in sweeping; `price`: (what
    a cell swept no more costs, what a newly swept cell is worth, cost of a right angle, heat: a loss of this many
    cells is taken with a chance of 1/e).
    """
    lines = np.empty((MOST_LINES, 5))  # of one move: those it drives anew and those it leaves
    chain = np.empty((MOST_LINES, 2))
    put = np.empty((2, 2))
    for _ in range(moves):
        if n < 3:
            break
        kind = _draw(rng, 0, 13)
        i = _draw(rng, 1, n)
        # the chain lo..hi is replaced by `fresh`; two corners beyond each end belong to the bends
        if kind == 0:  # leave a corner out
            if i == n - 1 and fixed_end:
                continue
            lo, hi = i, i
            fresh = put[:0]
        elif kind <= 3:  # move a corner, anywhere or along one of its legs
            if i == n - 1 and fixed_end:
                continue
            lo, hi = i, i
            put[0] = path[i]
            fresh = put[:1]
            if kind == 1 or i == n - 1:
                size = 1 << _draw(rng, 0, 4)
                fresh[0, 0] += _draw(rng, -size, size + 1)
                fresh[0, 1] += _draw(rng, -size, size + 1)
            else:
                other = i - 1 if kind == 2 else i + 1
                dr, dc = path[other, 0] - path[i, 0], path[other, 1] - path[i, 1]
                length = norm(dr, dc)
                if length < 1:
                    continue
                step = _draw(rng, 1, 9) * (1 if rng.random() < 0.7 else -1)
                fresh[0, 0] = round(fresh[0, 0] + dr / length * step)
                fresh[0, 1] = round(fresh[0, 1] + dc / length * step)
        elif kind <= 5:  # move a leg sideways or any way
            if i + 1 >= n or (i + 1 == n - 1 and fixed_end):
                continue
            lo, hi = i, i + 1
            put[0], put[1] = path[i], path[i + 1]
            fresh = put
            size = 1 << _draw(rng, 0, 4)
            dr, dc = fresh[1, 0] - fresh[0, 0], fresh[1, 1] - fresh[0, 1]
            if kind == 4 and (dr == 0 or dc == 0):
                step = _draw(rng, -size, size + 1)
                fresh[:, 0 if dr == 0 else 1] += step
            else:
                a, b = _draw(rng, -size, size + 1), _draw(rng, -size, size + 1)
                fresh[:, 0] += a
                fresh[:, 1] += b
        elif kind == 6:  # a new corner on a leg
            lo, hi = i, i - 1
            fresh = put[:1]
            share = rng.random()
            size = 1 << _draw(rng, 1, 5)
            fresh[0, 0] = round(path[i - 1, 0] + share * (path[i, 0] - path[i - 1, 0])) + _draw(rng, -size, size + 1)
            fresh[0, 1] = round(path[i - 1, 1] + share * (path[i, 1] - path[i - 1, 1])) + _draw(rng, -size, size + 1)
        elif kind == 7:  # leave out two to four corners
            k = _draw(rng, 2, 5)
            if i + k > n - (1 if fixed_end else 0):
                continue
            lo, hi = i, i + k - 1
            fresh = put[:0]
        elif kind == 8 or kind == 11:  # drive a stretch the other way round, its far end a near corner
            if tool[2] == 0.0:  # a tool to the side sweeps other floor on the way back
                n = _reverse(ground, sweeps, path, n, i, tool, price, fixed_end, rng, lines)
            continue
        elif kind == 10:  # a new corner where floor is missed, on the leg that is least out of the way
            if len(targets) == 0:
                continue
            at = _draw(rng, 0, len(targets))
            put[0] = targets[at]
            fresh = put[:1]
            size = 1 << _draw(rng, 0, 3)
            fresh[0, 0] += _draw(rng, -size, size + 1)
            fresh[0, 1] += _draw(rng, -size, size + 1)
            lo = _least_detour(path, n, fresh[0, 0], fresh[0, 1], rng)
            hi = lo - 1
        else:  # 9 and 12: drive a short stretch at another time
            n = _move_stretch(ground, sweeps, path, n, i, tool, price, fixed_end, rng, lines)
            continue
        if n + 2 >= len(path):
            continue
        n = _replace(ground, sweeps, path, n, lo, hi, fresh, tool, price, rng, lines, chain)
    return n


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _replace(
    ground: Any, sweeps: Any, path: Any, n: int, lo: int, hi: int, fresh: Any, tool: Any, price: Any, rng: Any,
    lines: Any, chain: Any,
) -> int:  # fmt: skip
    """path[lo : hi + 1] becomes `fresh` when that pays; returns the number of corners."""
    turn, heat = price[2], price[3]
    radius = tool[0]
    far_lo, far_hi = max(lo - 2, 0), min(hi + 2, n - 1)
    old = path[far_lo : far_hi + 1]
    head, size = lo - far_lo, len(fresh)
    for k in range(head):
        chain[k] = path[far_lo + k]
    for k in range(size):
        chain[head + k] = fresh[k]
    for k in range(far_hi - hi):
        chain[head + size + k] = path[hi + 1 + k]
    new = chain[: head + size + far_hi - hi]
    if len(new) < 2:
        return n
    loss = _chain_cost(new, turn) - _chain_cost(old, turn)
    near_lo, near_hi = lo - 1, min(hi + 1, n - 1)
    before = path[near_lo : near_hi + 1]
    after = new[near_lo - far_lo : head + size + near_hi - hi]
    limit = _tolerated(heat, rng)
    if loss > limit:  # only floor could pay for it: no more than the new legs can sweep
        most = 0.0
        for k in range(len(after) - 1):
            most += (norm(after[k + 1, 0] - after[k, 0], after[k + 1, 1] - after[k, 1]) + 2 * radius) * 2 * radius
        if loss - price[1] * most > limit:
            return n
    laid = lay_chain(lines, lay_chain(lines, 0, after, 1.0), before, -1.0)
    if loss - _worth(price, _gained(sweeps, lines, laid, tool, price, loss - limit)) > limit:
        return n
    if not chain_clear(ground, after):  # asked last: of ten moves that are clear, nine do not pay
        return n
    swap_lines(sweeps, lines, laid, tool, True, 0)
    shift = size - (hi - lo + 1)
    if shift > 0:
        for k in range(n - 1, hi, -1):
            path[k + shift, 0], path[k + shift, 1] = path[k, 0], path[k, 1]
    elif shift < 0:
        for k in range(hi + 1, n):
            path[k + shift, 0], path[k + shift, 1] = path[k, 0], path[k, 1]
    for k in range(size):
        path[lo + k, 0], path[lo + k, 1] = fresh[k, 0], fresh[k, 1]
    return n + shift


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _apart(path: Any, i: int, k: int) -> float:
    apart: float = norm(path[k, 0] - path[i, 0], path[k, 1] - path[i, 1])
    return apart


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _is_near(path: Any, i: int, k: int, within: float) -> bool:
    near: bool = max(abs(path[k, 0] - path[i, 0]), abs(path[k, 1] - path[i, 1])) < within
    return near


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _turning_point(path: Any, n: int, i: int, within: float, rng: Any) -> int:
    """The j near corner i - 1 that makes the path shortest, give or take, when i..j are turned round; or -1."""
    best, least = -1, np.inf
    left = _apart(path, i - 1, i)
    for j in range(i + 1, n):
        if not _is_near(path, i - 1, j, within):
            continue
        longer = _apart(path, i - 1, j) - left
        if j + 1 < n:
            longer += _apart(path, i, j + 1) - _apart(path, j, j + 1)
        longer += within * CHOICE * rng.random()
        if longer < least:
            best, least = j, longer
    return best


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _other_time(path: Any, n: int, first: int, last: int, either_way: bool, within: float, rng: Any) -> Any:
    """(at, turned): after which corner the stretch first..last costs least way, give or take; at is -1 for nowhere."""
    best, turned, least = -1, False, np.inf
    for at in range(1, n):
        if first - 4 < at < last + 4:
            continue
        if not (_is_near(path, at, first, within) | _is_near(path, at, last, within)):
            continue
        onward, back = _apart(path, at, first), _apart(path, at, last)
        if at + 1 < n:
            gap = _apart(path, at, at + 1)
            onward += _apart(path, last, at + 1) - gap
            back += _apart(path, first, at + 1) - gap
        noise = within * CHOICE * rng.random()
        if onward + noise < least:
            best, turned, least = at, False, onward + noise
        if either_way and back + noise < least:
            best, turned, least = at, True, back + noise
    return best, turned


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _least_detour(path: Any, n: int, row: float, col: float, rng: Any) -> int:
    """The corner before which a new one at (row, col) costs least way, give or take a little."""
    best, least = 1, np.inf
    for k in range(1, n):
        r0, c0, r1, c1 = path[k - 1, 0], path[k - 1, 1], path[k, 0], path[k, 1]
        aside = max(min(r0, r1) - row, row - max(r0, r1), min(c0, c1) - col, col - max(c0, c1))
        if 2 * aside >= 1.5 * least:  # to the leg and back is more
            continue
        detour = norm(r0 - row, c0 - col) + norm(r1 - row, c1 - col) - norm(r1 - r0, c1 - c0)
        if detour < 1.5 * least and detour * (0.7 + 0.6 * rng.random()) < least:
            best, least = k, detour
    return best


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _bend_at(path: Any, n: int, k: int, turn: float) -> float:
    if k <= 0 or k >= n - 1:
        return 0.0
    cost: float = bend_cost(
        path[k - 1, 0], path[k - 1, 1], path[k, 0], path[k, 1], path[k + 1, 0], path[k + 1, 1], turn
    )
    return cost


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _flip(path: Any, i: int, j: int) -> None:
    while i < j:
        path[i, 0], path[j, 0] = path[j, 0], path[i, 0]
        path[i, 1], path[j, 1] = path[j, 1], path[i, 1]
        i += 1
        j -= 1


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _reverse(
    ground: Any, sweeps: Any, path: Any, n: int, i: int, tool: Any, price: Any, fixed_end: bool, rng: Any,
    lines: Any,
) -> int:  # fmt: skip
    """2-opt: corners i..j in the other order, j near i - 1; j may be the end of the path."""
    turn, heat = price[2], price[3]
    radius = tool[0]
    j = _turning_point(path, n, i, 8 * radius, rng)
    if j < 0 or (fixed_end and j == n - 1):
        return n
    old, new = _apart(path, i - 1, i), _apart(path, i - 1, j)
    if j + 1 < n:
        old += _apart(path, j, j + 1)
        new += _apart(path, i, j + 1)
    if new - old > 4 * turn + 10 * radius:
        return n
    behind = j + 1 < n
    laid = lay_leg(lines, 0, path[i - 1], path[j], 1.0)
    laid = lay_leg(lines, laid, path[i - 1], path[i], -1.0)
    if behind:
        laid = lay_leg(lines, laid, path[i], path[j + 1], 1.0)
        laid = lay_leg(lines, laid, path[j], path[j + 1], -1.0)
    bends = _bend_at(path, n, i - 1, turn) + _bend_at(path, n, i, turn)
    bends += _bend_at(path, n, j, turn) + _bend_at(path, n, j + 1, turn)
    _flip(path, i, j)
    after = _bend_at(path, n, i - 1, turn) + _bend_at(path, n, i, turn)
    after += _bend_at(path, n, j, turn) + _bend_at(path, n, j + 1, turn)
    loss = new - old + after - bends
    limit = _tolerated(heat, rng)
    if loss - _worth(price, _gained(sweeps, lines, laid, tool, price, loss - limit)) <= limit:
        clear = line_clear(ground, path[i - 1, 0], path[i - 1, 1], path[i, 0], path[i, 1])
        if clear and (not behind or line_clear(ground, path[j, 0], path[j, 1], path[j + 1, 0], path[j + 1, 1])):
            swap_lines(sweeps, lines, laid, tool, True, 0)
            return n
    _flip(path, i, j)
    return n


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _move_stretch(
    ground: Any, sweeps: Any, path: Any, n: int, i: int, tool: Any, price: Any, fixed_end: bool, rng: Any,
    lines: Any,
) -> int:  # fmt: skip
    """Or-opt: corners i .. i + k go between another corner near one of their ends and its follower."""
    turn, heat = price[2], price[3]
    radius = tool[0]
    k = _draw(rng, 0, 8)
    last = i + k
    if last >= n - (1 if fixed_end else 0):
        return n
    at, turned = _other_time(path, n, i, last, tool[2] == 0.0, 10 * radius, rng)
    if at < 0 or (fixed_end and at == n - 1):
        return n
    stretch = path[i : last + 1].copy()
    if turned:
        stretch = stretch[::-1].copy()
    out_old = path[max(i - 2, 0) : min(last + 3, n)]
    out_new = np.concatenate((path[max(i - 2, 0) : i], path[last + 1 : min(last + 3, n)]))
    behind = at + 1 < n
    in_old = path[max(at - 1, 0) : min(at + 3, n)]
    in_new = np.concatenate((path[max(at - 1, 0) : at + 1], stretch, path[at + 1 : min(at + 3, n)]))
    loss = (
        _chain_cost(out_new, turn) + _chain_cost(in_new, turn) - _chain_cost(out_old, turn) - _chain_cost(in_old, turn)
    )
    if loss > 6 * radius + 2 * turn:
        return n
    laid = lay_leg(lines, 0, path[at], stretch[0], 1.0)  # what is driven anew comes first
    if last + 1 < n:
        laid = lay_leg(lines, laid, path[i - 1], path[last + 1], 1.0)
    if behind:
        laid = lay_leg(lines, laid, stretch[-1], path[at + 1], 1.0)
    fresh = laid
    laid = lay_leg(lines, laid, path[i - 1], path[i], -1.0)
    if last + 1 < n:
        laid = lay_leg(lines, laid, path[last], path[last + 1], -1.0)
    if behind:
        laid = lay_leg(lines, laid, path[at], path[at + 1], -1.0)
    limit = _tolerated(heat, rng)
    if loss - _worth(price, _gained(sweeps, lines, laid, tool, price, loss - limit)) > limit:
        return n
    for q in range(fresh):
        if not line_clear(ground, lines[q, 0], lines[q, 1], lines[q, 2], lines[q, 3]):
            return n
    swap_lines(sweeps, lines, laid, tool, True, 0)
    size = k + 1
    if at < i:
        moved = path[at + 1 : i].copy()
        path[at + 1 : at + 1 + size] = stretch
        path[at + 1 + size : last + 1] = moved
    else:
        moved = path[last + 1 : at + 1].copy()
        path[i : i + len(moved)] = moved
        path[i + len(moved) : at + 1] = stretch
    return n
