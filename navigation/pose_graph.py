"""Where the keyframes lie when all measured relations have their say: Gauss-Newton on a sparse graph, robust for loops.

Relations found by recognising places can be false; each carries a switch that opens as its error grows (dynamic
covariance scaling, Agarwal 2013). A true loop after a long way shows a large error too, before it is taken in: when
switches stay open, the graph is solved again with a limit that starts wide and tightens from step to step (graduated
non-convexity, Yang 2020), and the solution that explains more is kept. The first pose stays where it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix
from scipy.sparse.linalg import splu

from foundation.geometry import FloatArray, wrap_angles
from navigation.keyframes import Relation

REFUSED: Final = 4.0  # times the limit: such a loop has no say left


@dataclass(frozen=True, slots=True)
class GraphSettings:
    """How long to iterate and how much a loop may disagree."""

    iterations: int = 30
    stop_m: float = 2e-4
    switch: float = 9.0  # squared Mahalanobis error at which a loop begins to lose its say, in the end
    tighten: float = 0.3  # share of the limit that is left after each step


@dataclass(frozen=True, slots=True)
class _Edges:
    """Relations as arrays, E of them."""

    first: NDArray[np.int64]  # (E,)
    second: NDArray[np.int64]  # (E,)
    measured: FloatArray  # (E, 3)
    information: FloatArray  # (E, 3, 3)
    loop: NDArray[np.bool_]  # (E,)


def solve(
    poses: FloatArray,
    relations: Sequence[Relation],
    settings: GraphSettings,
    fresh: NDArray[np.bool_] | None = None,
) -> FloatArray:
    """Poses (K, 3) that fit the relations best, from `poses` (K, 3) as the start.

    `fresh` (E,): relations that no solve before has weighed, else all. One that was refused then is not weighed again
    for its own sake, only when a new one asks for it: else a single false loop would double the cost for ever.
    """
    if len(poses) < 2 or not relations:
        return poses.copy()
    edges = _arrays(relations)
    near = _descend(poses, edges, settings, settings.switch)
    loop_error, weighed = _squared(near, edges)[edges.loop], slice(None) if fresh is None else fresh[edges.loop]
    if loop_error[weighed].max(initial=0.0) <= REFUSED * settings.switch:
        return near
    before = _squared(poses, edges)[edges.loop]
    wide = _descend(poses, edges, settings, 2.0 * max(float(loop_error.max()), float(before.max())))
    return min((near, wide), key=lambda found: _cost(found, edges, settings.switch))


def _descend(poses: FloatArray, edges: _Edges, settings: GraphSettings, limit: float) -> FloatArray:
    """Gauss-Newton while the switches' limit tightens from `limit` to the settings' own."""
    found = poses.copy()
    for _ in range(settings.iterations):
        step = _step(found, edges, limit)
        found[1:] += step
        found[:, 2] = wrap_angles(found[:, 2])
        if limit <= settings.switch and np.abs(step).max() < settings.stop_m:
            break
        limit = max(settings.switch, settings.tighten * limit)
    return found


def _cost(poses: FloatArray, edges: _Edges, switch: float) -> float:
    """What robust least squares makes as small as it can: a refused loop costs a constant."""
    squared = _squared(poses, edges)
    return float(np.where(edges.loop, switch * squared / (switch + squared), squared).sum())


def loop_errors(poses: FloatArray, relations: Sequence[Relation]) -> FloatArray:
    """Squared Mahalanobis error (E,) of every relation under the poses (K, 3)."""
    return _squared(poses, _arrays(relations))


def _squared(poses: FloatArray, edges: _Edges) -> FloatArray:
    """Squared Mahalanobis error (E,)."""
    error = _errors(poses, edges)
    squared: FloatArray = np.einsum("ei,eij,ej->e", error, edges.information, error)
    return squared


def _arrays(relations: Sequence[Relation]) -> _Edges:
    return _Edges(
        np.array([r.first for r in relations]),
        np.array([r.second for r in relations]),
        np.array(
            [(r.first_from_second.x_m, r.first_from_second.y_m, r.first_from_second.heading_rad) for r in relations]
        ),
        np.array([r.information for r in relations]),
        np.array([r.loop for r in relations]),
    )


def _errors(poses: FloatArray, edges: _Edges) -> FloatArray:
    """(E, 3): pose of second in first, less the measured one."""
    first, second = poses[edges.first], poses[edges.second]
    cos, sin = np.cos(first[:, 2]), np.sin(first[:, 2])
    dx, dy = second[:, 0] - first[:, 0], second[:, 1] - first[:, 1]
    told = np.stack([cos * dx + sin * dy, cos * dy - sin * dx, second[:, 2] - first[:, 2]], axis=1)
    error: FloatArray = told - edges.measured
    error[:, 2] = wrap_angles(error[:, 2])
    return error


def _step(poses: FloatArray, edges: _Edges, switch: float) -> FloatArray:
    """One Gauss-Newton step (K - 1, 3) for all but the first pose."""
    error = _errors(poses, edges)
    squared = np.einsum("ei,eij,ej->e", error, edges.information, error)
    scale = np.where(edges.loop, np.minimum(1.0, 2.0 * switch / (switch + squared)), 1.0) ** 2
    weight = edges.information * scale[:, None, None]
    first, second = poses[edges.first], poses[edges.second]
    cos, sin = np.cos(first[:, 2]), np.sin(first[:, 2])
    dx, dy = second[:, 0] - first[:, 0], second[:, 1] - first[:, 1]
    by_first = np.zeros((len(error), 3, 3))  # derivative of the error by the first pose
    by_first[:, 0] = np.stack([-cos, -sin, -sin * dx + cos * dy], axis=1)
    by_first[:, 1] = np.stack([sin, -cos, -cos * dx - sin * dy], axis=1)
    by_first[:, 2, 2] = -1.0
    by_second = np.zeros((len(error), 3, 3))
    by_second[:, 0, 0], by_second[:, 0, 1] = cos, sin
    by_second[:, 1, 0], by_second[:, 1, 1] = -sin, cos
    by_second[:, 2, 2] = 1.0
    return _solved(len(poses), edges, error, weight, by_first, by_second)


def _solved(
    count: int, edges: _Edges, error: FloatArray, weight: FloatArray, by_first: FloatArray, by_second: FloatArray
) -> FloatArray:
    """The normal equations' solution (K - 1, 3); E errors (E, 3), all else (E, 3, 3)."""
    rows, cols, values = [], [], []
    gradient = np.zeros((count, 3))
    offsets = np.arange(3)
    for left, left_by in ((edges.first, by_first), (edges.second, by_second)):
        weighted = np.einsum("eki,ekl->eil", left_by, weight)
        np.add.at(gradient, left, -np.einsum("eil,el->ei", weighted, error))
        for right, right_by in ((edges.first, by_first), (edges.second, by_second)):
            block = np.einsum("eil,elj->eij", weighted, right_by)
            rows.append(np.broadcast_to(3 * left[:, None, None] + offsets[None, :, None], block.shape).ravel())
            cols.append(np.broadcast_to(3 * right[:, None, None] + offsets[None, None, :], block.shape).ravel())
            values.append(block.ravel())
    row, col, value = np.concatenate(rows) - 3, np.concatenate(cols) - 3, np.concatenate(values)
    free = (row >= 0) & (col >= 0)
    size = 3 * (count - 1)
    matrix = csc_matrix((value[free], (row[free], col[free])), shape=(size, size))
    matrix.setdiag(matrix.diagonal() + 1e-6)
    factors = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    solution: FloatArray = factors.solve(gradient[1:].ravel()).reshape(-1, 3)
    return solution
