"""Shortest ways on cells, against scipy's Dijkstra."""

import itertools
import math

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from navigation.coverage.grid_kernels import clean, nearest_marked, queue_for


def true_distances(free, start):
    """(R * C,) by scipy, inf where there is no way."""
    numbers = np.arange(free.size).reshape(free.shape)
    rows, columns, lengths = [], [], []
    for dr, dc in ((0, 1), (1, 0), (1, 1), (1, -1)):
        a = numbers[: free.shape[0] - dr, max(-dc, 0) : free.shape[1] - max(dc, 0)]
        b = numbers[dr:, max(dc, 0) : free.shape[1] - max(-dc, 0)]
        both = free.ravel()[a] & free.ravel()[b]
        rows += [a[both]]
        columns += [b[both]]
        lengths += [np.full(int(both.sum()), math.hypot(dr, dc))]
    graph = coo_matrix((np.concatenate(lengths), (np.concatenate(rows), np.concatenate(columns))), (free.size,) * 2)
    return dijkstra(graph, directed=False, indices=start)


@pytest.mark.parametrize("seed", range(12))
def test_the_nearest_marked_cells_come_first_with_their_distances(seed):
    rng = np.random.default_rng(seed)
    free = rng.random((37, 41)) > 0.3
    marked = np.where(rng.random(free.shape) < 0.05, 1, -1).astype(np.int32)
    start = int(rng.choice(np.flatnonzero(free)))
    dist, before = np.full(free.size, np.inf), np.empty(free.size, np.int32)
    touched, found, queue = np.empty(free.size, np.int32), np.empty(free.size, np.int32), queue_for(free.size)
    true = true_distances(free, start)
    reachable = np.sort(true[(marked.ravel() >= 0) & np.isfinite(true)])

    for want in (1, 7, free.size):
        count, changed = nearest_marked(free, marked, start, want, dist, before, touched, queue, found)

        assert count == min(want, len(reachable))
        assert np.allclose(dist[found[:count]], reachable[:count])
        for cell in found[:count]:
            way = [int(cell)]
            while before[way[-1]] >= 0:
                way.append(int(before[way[-1]]))
            steps = [math.dist(divmod(a, 41), divmod(b, 41)) for a, b in itertools.pairwise(way)]
            assert way[-1] == start
            assert sum(steps) == pytest.approx(true[cell])
            assert not steps or max(steps) < 1.5
        clean(dist, touched, changed)
        assert np.isinf(dist).all()
