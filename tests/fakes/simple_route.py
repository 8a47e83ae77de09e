"""A plain boustrophedon behind navigation.route.RoutePlanner, for tests of the online behaviour alone."""

import heapq
import math

import numpy as np
from scipy import ndimage

from navigation.route import Route


class SimpleRoutes:
    def __init__(self, clearance_m, tool_width_m, cell_m, min_gain_cells=25):
        self.clearance_m, self.tool_m, self.cell_m, self.min_gain = clearance_m, tool_width_m, cell_m, min_gain_cells

    def __call__(self, free, geometry, start_map, covered, *, quick, crosswise=False, rest=None):
        cell = geometry.cell_m
        clear = ndimage.distance_transform_edt(np.pad(free, 1))[1:-1, 1:-1] * cell - cell / 2
        reach = clear >= self.clearance_m
        start = tuple(geometry.cells(np.array([start_map]))[0])
        labels, _ = ndimage.label(reach, np.ones((3, 3)))
        if not reach[start]:
            near = np.argwhere(reach)
            if not len(near):
                return Route(np.zeros((0, 2)), np.zeros(0, bool))
            start = tuple(near[np.argmin(((near - start) ** 2).sum(axis=1))])
        reach = labels == labels[start]
        wanted = (ndimage.distance_transform_edt(~reach) * cell <= self.tool_m / 2 - cell / 2) & free & ~covered
        pieces, count = ndimage.label(wanted)
        sizes = ndimage.sum_labels(wanted, pieces, np.arange(count + 1))
        wanted &= sizes[pieces] >= self.min_gain
        if not wanted.any():
            return Route(np.zeros((0, 2)), np.zeros(0, bool))
        half = max(int(self.tool_m / 2 / cell), 1)
        rows = np.flatnonzero(reach.any(axis=1))
        lines = []
        row = rows[0]
        while True:
            for run in runs(reach[row]):
                gain = wanted[max(row - half, 0) : row + half + 1, run[0] : run[1] + 1].any(axis=0)
                if gain.any():
                    cols = np.flatnonzero(gain)
                    lines.append([(row, run[0] + cols[0]), (row, run[0] + cols[-1])])
            if row >= rows[-1]:
                break
            row = min(row + 2 * half - 1, rows[-1])
        inner = ndimage.binary_erosion(reach, np.ones((3, 3)))
        edge = np.argwhere(reach & ~inner)
        near = [
            tuple(cell_)
            for cell_ in edge
            if wanted[
                max(cell_[0] - half, 0) : cell_[0] + half + 1, max(cell_[1] - half, 0) : cell_[1] + half + 1
            ].any()
        ]
        points, here, left = [start], start, lines
        while left:
            best = min(range(len(left)), key=lambda i: min(dist(here, left[i][0]), dist(here, left[i][1])))
            a, b = left.pop(best)
            if dist(here, b) < dist(here, a):
                a, b = b, a
            points += [*walk(reach, here, a), b]
            here = b
        remaining = set(near)
        while remaining:
            a = min(remaining, key=lambda c: dist(here, c))
            points += walk(reach, here, a)
            here = a
            remaining = {c for c in remaining if dist(here, c) > 2.0}
        xy = geometry.centres(np.array(points))
        xy[0] = start_map
        return Route(xy, np.ones(len(xy) - 1, bool))


def runs(line):
    edges = np.flatnonzero(np.diff(np.concatenate([[0], line.astype(int), [0]])))
    return [(edges[i], edges[i + 1] - 1) for i in range(0, len(edges), 2)]


def dist(a, b):
    return math.hypot(a[0] - b[0], a[1] - b[1])


def walk(reach, start, goal):
    """Cells of a shortest way, thinned where the straight line stays inside."""
    cost, queue, before = {start: 0.0}, [(dist(start, goal), start)], {}
    while queue:
        _, here = heapq.heappop(queue)
        if here == goal:
            break
        for dr in (-1, 0, 1):
            for dc in (-1, 0, 1):
                other = here[0] + dr, here[1] + dc
                if not (0 <= other[0] < reach.shape[0] and 0 <= other[1] < reach.shape[1]) or not reach[other]:
                    continue
                new = cost[here] + math.hypot(dr, dc)
                if new < cost.get(other, np.inf):
                    cost[other], before[other] = new, here
                    heapq.heappush(queue, (new + dist(other, goal), other))
    way = [goal]
    while way[-1] in before:
        way.append(before[way[-1]])
    way.reverse()
    thin, index = [], 0
    while index < len(way) - 1:
        far = len(way) - 1
        while far > index + 1 and not straight(reach, way[index], way[far]):
            far = index + (far - index) // 2
        thin.append(way[far])
        index = far
    return thin


def straight(reach, a, b):
    n = int(dist(a, b) * 2) + 1
    r = np.round(np.linspace(a[0], b[0], n + 1)).astype(int)
    c = np.round(np.linspace(a[1], b[1], n + 1)).astype(int)
    return bool(reach[r, c].all())
