"""A whole path made better corner by corner: moved, left out, added, turned round, as long as it pays.

What a path is worth is counted exactly: `pay` for each wanted cell it sweeps at all, less its length and its turns. A
move changes two to four legs; their sweep is taken back and the new one counted, so a move costs microseconds. Every
leg is checked for clearance before it is taken. Corners lie on cell centres. Units are cells.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from navigation.coverage.clearance import line_clear
from navigation.coverage.sweeping import count_line

BEND_FREE = 0.45  # rad: a bend up to here is driven without stopping


@njit(cache=True)  # type: ignore[untyped-decorator]
def bend_cost(ar: float, ac: float, br: float, bc: float, cr: float, cc: float, turn: float) -> float:
    """Cost of the corner a, b, c: `turn` for a right angle, half of it for stopping and half for rotating."""
    ur, uc = br - ar, bc - ac
    vr, vc = cr - br, cc - bc
    if (ur == 0 and uc == 0) or (vr == 0 and vc == 0):
        return 0.0
    angle = abs(math.atan2(ur * vc - uc * vr, ur * vr + uc * vc))
    return turn * (angle / math.pi + (0.5 if angle > BEND_FREE else 0.0))


@njit(cache=True)  # type: ignore[untyped-decorator]
def _worth(price: Any, gained: int) -> float:
    """Of so many cells swept more, or less."""
    worth: float = gained * (price[1] if gained > 0 else price[0])
    return worth


@njit(cache=True)  # type: ignore[untyped-decorator]
def _draw(rng: Any, low: int, high: int) -> int:
    """A whole number, low <= number < high."""
    return low + int(rng.random() * (high - low))


@njit(cache=True)  # type: ignore[untyped-decorator]
def _tolerated(heat: float, rng: Any) -> float:
    """The loss that this move may bring."""
    if heat <= 0:
        return -1e-9
    return -heat * math.log(rng.random() + 1e-12)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _chain_cost(chain: Any, turn: float) -> float:
    """Length and inner bends of a chain (K, 2)."""
    total = 0.0
    for i in range(len(chain) - 1):
        total += math.hypot(chain[i + 1, 0] - chain[i, 0], chain[i + 1, 1] - chain[i, 1])
    for i in range(1, len(chain) - 1):
        total += bend_cost(
            chain[i - 1, 0], chain[i - 1, 1], chain[i, 0], chain[i, 1], chain[i + 1, 0], chain[i + 1, 1], turn
        )
    return total


@njit(cache=True)  # type: ignore[untyped-decorator]
def _count_chain(ledger: Any, chain: Any, tool: Any, delta: int) -> int:
    changed = 0
    for i in range(len(chain) - 1):
        changed += count_line(ledger, chain[i, 0], chain[i, 1], chain[i + 1, 0], chain[i + 1, 1], tool, delta)
    return changed


@njit(cache=True)  # type: ignore[untyped-decorator]
def _chain_clear(ground: Any, chain: Any) -> bool:
    for i in range(len(chain) - 1):
        if not line_clear(ground, chain[i, 0], chain[i, 1], chain[i + 1, 0], chain[i + 1, 1]):
            return False
    return True


@njit(cache=True)  # type: ignore[untyped-decorator]
def _reach_of(path: Any, n: int, first: int, last: int) -> Any:
    """Chain of corners first - 1 .. last + 1 as far as they exist."""
    a, b = max(first, 0), min(last, n - 1)
    return path[a : b + 1].copy()


@njit(cache=True)  # type: ignore[untyped-decorator]
def polish(
    ground: Any, ledger: Any, path: Any, n: int, tool: Any, price: Any, fixed_end: bool, targets: Any,
    moves: int, rng: Any
) -> int:  # fmt: skip
    """Tries `moves` changes on path[:n] (capacity len(path)) in place, the ledger with it; returns the new n.

    The first corner stays. `targets` (M, 2): places from which missed floor can be swept.
    `ground` as in clearance, `ledger` and `tool` as in sweeping; `price`: (what
    a cell swept no more costs, what a newly swept cell is worth, cost of a right angle, heat: a loss of this many
    cells is taken with a chance of 1/e).
    """
    for _ in range(moves):
        if n < 3:
            break
        kind = _draw(rng, 0, 11)
        i = _draw(rng, 1, n)
        # the chain lo..hi is replaced by `fresh`; two corners beyond each end belong to the bends
        if kind == 0:  # leave a corner out
            if i == n - 1 and fixed_end:
                continue
            lo, hi = i, i
            fresh = np.empty((0, 2))
        elif kind <= 3:  # move a corner, anywhere or along one of its legs
            if i == n - 1 and fixed_end:
                continue
            lo, hi = i, i
            fresh = path[i : i + 1].copy()
            if kind == 1 or i == n - 1:
                size = 1 << _draw(rng, 0, 4)
                fresh[0, 0] += _draw(rng, -size, size + 1)
                fresh[0, 1] += _draw(rng, -size, size + 1)
            else:
                other = i - 1 if kind == 2 else i + 1
                dr, dc = path[other, 0] - path[i, 0], path[other, 1] - path[i, 1]
                length = math.hypot(dr, dc)
                if length < 1:
                    continue
                step = _draw(rng, 1, 9) * (1 if rng.random() < 0.7 else -1)
                fresh[0, 0] = round(fresh[0, 0] + dr / length * step)
                fresh[0, 1] = round(fresh[0, 1] + dc / length * step)
        elif kind <= 5:  # move a leg sideways or any way
            if i + 1 >= n or (i + 1 == n - 1 and fixed_end):
                continue
            lo, hi = i, i + 1
            fresh = path[i : i + 2].copy()
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
            fresh = np.empty((1, 2))
            share = rng.random()
            size = 1 << _draw(rng, 1, 5)
            fresh[0, 0] = round(path[i - 1, 0] + share * (path[i, 0] - path[i - 1, 0])) + _draw(rng, -size, size + 1)
            fresh[0, 1] = round(path[i - 1, 1] + share * (path[i, 1] - path[i - 1, 1])) + _draw(rng, -size, size + 1)
        elif kind == 7:  # leave out two to four corners
            k = _draw(rng, 2, 5)
            if i + k > n - (1 if fixed_end else 0):
                continue
            lo, hi = i, i + k - 1
            fresh = np.empty((0, 2))
        elif kind == 8:  # drive a stretch the other way round, its far end a near corner
            if tool[2] == 0.0:  # a tool to the side sweeps other floor on the way back
                n = _reverse(ground, ledger, path, n, i, tool, price, fixed_end, rng)
            continue
        elif kind == 10:  # a new corner where floor is missed, on the leg that is least out of the way
            if len(targets) == 0:
                continue
            at = _draw(rng, 0, len(targets))
            fresh = targets[at : at + 1].copy()
            size = 1 << _draw(rng, 0, 3)
            fresh[0, 0] += _draw(rng, -size, size + 1)
            fresh[0, 1] += _draw(rng, -size, size + 1)
            lo = _least_detour(path, n, fresh[0, 0], fresh[0, 1], rng)
            hi = lo - 1
        else:  # drive a short stretch at another time
            n = _move_stretch(ground, ledger, path, n, i, tool, price, fixed_end, rng)
            continue
        if n + 2 >= len(path):
            continue
        n = _replace(ground, ledger, path, n, lo, hi, fresh, tool, price, rng)
    return n


@njit(cache=True)  # type: ignore[untyped-decorator]
def _replace(
    ground: Any, ledger: Any, path: Any, n: int, lo: int, hi: int, fresh: Any, tool: Any, price: Any, rng: Any
) -> int:  # fmt: skip
    """path[lo : hi + 1] becomes `fresh` when that pays; returns the number of corners."""
    turn, heat = price[2], price[3]
    radius = tool[0]
    far_lo, far_hi = max(lo - 2, 0), min(hi + 2, n - 1)
    old = path[far_lo : far_hi + 1]
    new = np.concatenate((path[far_lo:lo], fresh, path[hi + 1 : far_hi + 1]))
    if len(new) < 2:
        return n
    loss = _chain_cost(new, turn) - _chain_cost(old, turn)
    near_lo, near_hi = lo - 1, min(hi + 1, n - 1)
    before = path[near_lo : near_hi + 1]
    after = np.concatenate((path[near_lo:lo], fresh, path[hi + 1 : near_hi + 1]))
    limit = _tolerated(heat, rng)
    if loss > limit:  # only floor could pay for it: no more than the new legs can sweep
        most = 0.0
        for k in range(len(after) - 1):
            most += (math.hypot(after[k + 1, 0] - after[k, 0], after[k + 1, 1] - after[k, 1]) + 2 * radius) * 2 * radius
        if loss - price[1] * most > limit:
            return n
    if not _chain_clear(ground, after):
        return n
    gained = _count_chain(ledger, after, tool, 1)
    gained -= _count_chain(ledger, before, tool, -1)
    if loss - _worth(price, gained) > limit:
        _count_chain(ledger, before, tool, 1)
        _count_chain(ledger, after, tool, -1)
        return n
    shift = len(fresh) - (hi - lo + 1)
    if shift > 0:
        for k in range(n - 1, hi, -1):
            path[k + shift, 0], path[k + shift, 1] = path[k, 0], path[k, 1]
    elif shift < 0:
        for k in range(hi + 1, n):
            path[k + shift, 0], path[k + shift, 1] = path[k, 0], path[k, 1]
    for k in range(len(fresh)):
        path[lo + k, 0], path[lo + k, 1] = fresh[k, 0], fresh[k, 1]
    return n + shift


@njit(cache=True)  # type: ignore[untyped-decorator]
def _near_corner(path: Any, n: int, i: int, within: float, rng: Any) -> int:
    """A random corner near corner i, neither it nor its neighbours; -1 when there is none."""
    found = -1
    seen = 0
    for k in range(1, n):
        if abs(k - i) < 2:
            continue
        if abs(path[k, 0] - path[i, 0]) < within and abs(path[k, 1] - path[i, 1]) < within:
            seen += 1
            if _draw(rng, 0, seen) == 0:
                found = k
    return found


@njit(cache=True)  # type: ignore[untyped-decorator]
def _least_detour(path: Any, n: int, row: float, col: float, rng: Any) -> int:
    """The corner before which a new one at (row, col) costs least way, give or take a little."""
    best, least = 1, np.inf
    before = math.hypot(path[0, 0] - row, path[0, 1] - col)
    for k in range(1, n):
        after = math.hypot(path[k, 0] - row, path[k, 1] - col)
        detour = before + after - math.hypot(path[k, 0] - path[k - 1, 0], path[k, 1] - path[k - 1, 1])
        before = after
        if detour < 1.5 * least and detour * (0.7 + 0.6 * rng.random()) < least:
            best, least = k, detour
    return best


@njit(cache=True)  # type: ignore[untyped-decorator]
def _bend_at(path: Any, n: int, k: int, turn: float) -> float:
    if k <= 0 or k >= n - 1:
        return 0.0
    cost: float = bend_cost(
        path[k - 1, 0], path[k - 1, 1], path[k, 0], path[k, 1], path[k + 1, 0], path[k + 1, 1], turn
    )
    return cost


@njit(cache=True)  # type: ignore[untyped-decorator]
def _flip(path: Any, i: int, j: int) -> None:
    while i < j:
        path[i, 0], path[j, 0] = path[j, 0], path[i, 0]
        path[i, 1], path[j, 1] = path[j, 1], path[i, 1]
        i += 1
        j -= 1


@njit(cache=True)  # type: ignore[untyped-decorator]
def _reverse(
    ground: Any, ledger: Any, path: Any, n: int, i: int, tool: Any, price: Any, fixed_end: bool, rng: Any
) -> int:  # fmt: skip
    """2-opt: corners i..j in the other order, j near i - 1; j may be the end of the path."""
    turn, heat = price[2], price[3]
    radius = tool[0]
    j = _near_corner(path, n, i - 1, 8 * radius, rng)
    if fixed_end and j == n - 1:
        return n
    if j <= i:
        return n
    old = math.hypot(path[i, 0] - path[i - 1, 0], path[i, 1] - path[i - 1, 1])
    new = math.hypot(path[j, 0] - path[i - 1, 0], path[j, 1] - path[i - 1, 1])
    if j + 1 < n:
        old += math.hypot(path[j + 1, 0] - path[j, 0], path[j + 1, 1] - path[j, 1])
        new += math.hypot(path[j + 1, 0] - path[i, 0], path[j + 1, 1] - path[i, 1])
    if new - old > 4 * turn + 10 * radius:
        return n
    if not line_clear(ground, path[i - 1, 0], path[i - 1, 1], path[j, 0], path[j, 1]):
        return n
    if j + 1 < n and not line_clear(ground, path[i, 0], path[i, 1], path[j + 1, 0], path[j + 1, 1]):
        return n
    bends = _bend_at(path, n, i - 1, turn) + _bend_at(path, n, i, turn)
    bends += _bend_at(path, n, j, turn) + _bend_at(path, n, j + 1, turn)
    gained = 0
    _flip(path, i, j)
    gained += _count_chain(ledger, path[i - 1 : i + 1], tool, 1)
    if j + 1 < n:
        gained += _count_chain(ledger, path[j : j + 2], tool, 1)
    # the old legs, read from the flipped path
    a = path[i - 1 : i + 1].copy()
    a[1, 0], a[1, 1] = path[j, 0], path[j, 1]
    b = path[i : i + 1].copy()
    gained -= _count_chain(ledger, a, tool, -1)
    if j + 1 < n:
        b = np.concatenate((b, path[j + 1 : j + 2]))
        gained -= _count_chain(ledger, b, tool, -1)
    after = _bend_at(path, n, i - 1, turn) + _bend_at(path, n, i, turn)
    after += _bend_at(path, n, j, turn) + _bend_at(path, n, j + 1, turn)
    limit = _tolerated(heat, rng)
    if new - old + after - bends - _worth(price, gained) <= limit:
        return n
    _count_chain(ledger, a, tool, 1)
    if j + 1 < n:
        _count_chain(ledger, b, tool, 1)
        _count_chain(ledger, path[j : j + 2], tool, -1)
    _count_chain(ledger, path[i - 1 : i + 1], tool, -1)
    _flip(path, i, j)
    return n


@njit(cache=True)  # type: ignore[untyped-decorator]
def _move_stretch(
    ground: Any, ledger: Any, path: Any, n: int, i: int, tool: Any, price: Any, fixed_end: bool, rng: Any
) -> int:  # fmt: skip
    """Or-opt: corners i .. i + k go between another corner near one of their ends and its follower."""
    turn, heat = price[2], price[3]
    radius = tool[0]
    k = _draw(rng, 0, 8)
    last = i + k
    if last >= n - (1 if fixed_end else 0):
        return n
    at = _near_corner(path, n, i if rng.random() < 0.5 else last, 10 * radius, rng)
    if at < 0 or i - 1 <= at <= last:
        return n
    if fixed_end and at == n - 1:
        return n
    stretch = path[i : last + 1].copy()
    if tool[2] == 0.0 and rng.random() < 0.5:
        stretch = stretch[::-1].copy()
    out_old = path[max(i - 2, 0) : min(last + 3, n)]
    out_new = np.concatenate((path[max(i - 2, 0) : i], path[last + 1 : min(last + 3, n)]))
    behind = at + 1 < n
    # the two places must not share bends
    if at + 2 >= i - 1 and at <= last + 3:
        return n
    in_old = path[max(at - 1, 0) : min(at + 3, n)]
    in_new = np.concatenate((path[max(at - 1, 0) : at + 1], stretch, path[at + 1 : min(at + 3, n)]))
    loss = (
        _chain_cost(out_new, turn) + _chain_cost(in_new, turn) - _chain_cost(out_old, turn) - _chain_cost(in_old, turn)
    )
    if loss > 6 * radius + 2 * turn:
        return n
    joins = np.empty((3, 2, 2))
    number = 0
    if last + 1 < n:
        joins[number, 0], joins[number, 1] = path[i - 1], path[last + 1]
        number += 1
    joins[number, 0], joins[number, 1] = path[at], stretch[0]
    number += 1
    if behind:
        joins[number, 0], joins[number, 1] = stretch[-1], path[at + 1]
        number += 1
    for q in range(number):
        if not line_clear(ground, joins[q, 0, 0], joins[q, 0, 1], joins[q, 1, 0], joins[q, 1, 1]):
            return n
    gained = 0
    for q in range(number):
        gained += _count_chain(ledger, joins[q], tool, 1)
    gained -= _count_chain(ledger, path[i - 1 : i + 1], tool, -1)
    if last + 1 < n:
        gained -= _count_chain(ledger, path[last : last + 2], tool, -1)
    if behind:
        gained -= _count_chain(ledger, path[at : at + 2], tool, -1)
    limit = _tolerated(heat, rng)
    if loss - _worth(price, gained) > limit:
        _count_chain(ledger, path[i - 1 : i + 1], tool, 1)
        if last + 1 < n:
            _count_chain(ledger, path[last : last + 2], tool, 1)
        if behind:
            _count_chain(ledger, path[at : at + 2], tool, 1)
        for q in range(number):
            _count_chain(ledger, joins[q], tool, -1)
        return n
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
