"""The ground a scan is matched against: points of nearby keyframes as small surfaces on a grid, in the anchor's frame.

Each occupied cell becomes one surfel: a mean point with an information matrix that is stiff across a wall and slack
along it (Segal 2009, "Generalized-ICP"; Biber 2003, NDT). A surfel knows from which side it was seen: the two faces of
a thin wall are different surfaces, and without that the second room pulls the first out of place. Beside the surfels
lie two grids for look-up: the nearest surfel of every cell near a surface (for Gauss-Newton) and a likelihood 0..255
(for the correlative search).
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from foundation.geometry import FloatArray

REACH_CELLS = 5  # how far from a surface a cell still knows its nearest surfel


@dataclass(frozen=True, slots=True)
class MapShape:
    """How points become surfels; one set for every sensor and log."""

    cell_m: float = 0.05
    sigma_m: float = 0.05  # of the likelihood around a surfel
    normal_sigma_m: float = 0.02  # slack across a wall
    tangent_sigma_m: float = 0.40  # slack along a wall
    corner_sigma_m: float = 0.04  # slack of what is no wall, any direction
    reach_m: float = 30.0  # points farther from the anchor are left out


@dataclass(frozen=True, slots=True)
class LocalMap:
    """Surfels and their look-up grids; cell (0, 0)'s lower-left corner lies at the origin, rows grow with y."""

    origin_x_m: float
    origin_y_m: float
    cell_m: float
    means: FloatArray  # (S, 2)
    informations: FloatArray  # (S, 3): xx, xy, yy of the inverse covariance, 1/m²
    facing: FloatArray  # (S, 2): unit vector to the side it was seen from
    nearest: NDArray[np.int32]  # (R, C): surfel, -1 where none is near
    likelihood: NDArray[np.uint8]  # (R, C)
    along: float  # information along a wall, 1/m²: slack that holds a match, not something seen

    @property
    def empty(self) -> bool:
        return len(self.means) == 0


def build_local_map(points_anchor: FloatArray, origins_anchor: FloatArray, shape: MapShape) -> LocalMap:
    """From points (N, 2) seen from origins (N, 2), in the anchor's frame; those beyond `shape.reach_m` are left out."""
    kept = np.einsum("ij,ij->i", points_anchor, points_anchor) < shape.reach_m**2
    near, origins = points_anchor[kept], origins_anchor[kept]
    margin = (REACH_CELLS + 3) * shape.cell_m
    if len(near) == 0:
        near = np.zeros((0, 2))
        low = high = np.zeros(2)
    else:
        low, high = near.min(axis=0), near.max(axis=0)
    origin = np.floor((low - margin) / shape.cell_m) * shape.cell_m
    cols, rows = (np.ceil((high + margin - origin) / shape.cell_m)).astype(np.int64)
    means, informations, facing, nearest, likelihood = _build(
        np.ascontiguousarray(near),
        np.ascontiguousarray(origins),
        float(origin[0]),
        float(origin[1]),
        int(rows),
        int(cols),
        shape.cell_m,
        shape.sigma_m,
        1.0 / shape.normal_sigma_m**2,
        1.0 / shape.tangent_sigma_m**2,
        1.0 / shape.corner_sigma_m**2,
    )
    low_m = (float(origin[0]), float(origin[1]))
    return LocalMap(
        *low_m, shape.cell_m, means, informations, facing, nearest, likelihood, 1.0 / shape.tangent_sigma_m**2
    )


@njit(cache=True)
def _build(  # type: ignore[no-untyped-def]
    points, origins, x0, y0, rows, cols, cell, sigma, across, along, corner
):
    sums, row_of, col_of, index = _sum_by_cell(points, origins, x0, y0, rows, cols, cell)
    count = len(sums)
    means = np.empty((count, 2))
    informations = np.empty((count, 3))
    facing = np.empty((count, 2))
    for s in range(count):
        _surfel(s, sums, row_of, col_of, index, across, along, corner, means, informations, facing)
    nearest, likelihood = _spread(means, row_of, col_of, x0, y0, rows, cols, cell, sigma)
    return means, informations, facing, nearest, likelihood


@njit(cache=True)
def _sum_by_cell(points, origins, x0, y0, rows, cols, cell):  # type: ignore[no-untyped-def]
    """Per occupied cell: count, sums of x, y, xx, xy, yy and of the unit vectors to the laser."""
    index = np.full((rows, cols), -1, dtype=np.int32)
    sums = np.zeros((len(points), 8))
    row_of = np.empty(len(points), dtype=np.int32)
    col_of = np.empty(len(points), dtype=np.int32)
    count = 0
    for i in range(len(points)):
        x, y = points[i, 0], points[i, 1]
        row, col = int((y - y0) / cell), int((x - x0) / cell)
        s = index[row, col]
        if s < 0:
            s = count
            index[row, col] = s
            row_of[s], col_of[s] = row, col
            count += 1
        sums[s, 0] += 1.0
        sums[s, 1] += x
        sums[s, 2] += y
        sums[s, 3] += x * x
        sums[s, 4] += x * y
        sums[s, 5] += y * y
        vx, vy = origins[i, 0] - x, origins[i, 1] - y
        away = math.hypot(vx, vy) + 1e-9
        sums[s, 6] += vx / away
        sums[s, 7] += vy / away
    return sums[:count].copy(), row_of[:count].copy(), col_of[:count].copy(), index


@njit(cache=True)
def _surfel(s, sums, row_of, col_of, index, across, along, corner, means, informations, facing):  # type: ignore[no-untyped-def]
    """One cell with the neighbours seen from its side: a wall if they lie on a line, else a corner."""
    rows, cols = index.shape
    n = x = y = xx = xy = yy = 0.0
    away = math.hypot(sums[s, 6], sums[s, 7]) + 1e-9
    facing[s, 0], facing[s, 1] = sums[s, 6] / away, sums[s, 7] / away
    for row in range(max(row_of[s] - 2, 0), min(row_of[s] + 3, rows)):
        for col in range(max(col_of[s] - 2, 0), min(col_of[s] + 3, cols)):
            k = index[row, col]
            if k >= 0 and sums[k, 6] * sums[s, 6] + sums[k, 7] * sums[s, 7] > 0.0:
                n += sums[k, 0]
                x += sums[k, 1]
                y += sums[k, 2]
                xx += sums[k, 3]
                xy += sums[k, 4]
                yy += sums[k, 5]
    mean_x, mean_y = sums[s, 1] / sums[s, 0], sums[s, 2] / sums[s, 0]
    x /= n
    y /= n
    cxx, cxy, cyy = xx / n - x * x, xy / n - x * y, yy / n - y * y
    middle = 0.5 * (cxx + cyy)
    spread = math.sqrt(0.25 * (cxx - cyy) ** 2 + cxy * cxy)
    wide, thin = middle + spread, max(middle - spread, 0.0)
    if n >= 4 and wide > 9e-4 and thin < 0.15 * wide:
        angle = 0.5 * math.atan2(2.0 * cxy, cxx - cyy)
        tx, ty = math.cos(angle), math.sin(angle)
        nx, ny = -ty, tx
        offset = nx * (mean_x - x) + ny * (mean_y - y)  # onto the line through the neighbourhood
        mean_x -= offset * nx
        mean_y -= offset * ny
        informations[s, 0] = across * nx * nx + along * tx * tx
        informations[s, 1] = across * nx * ny + along * tx * ty
        informations[s, 2] = across * ny * ny + along * ty * ty
        side = 1.0 if nx * facing[s, 0] + ny * facing[s, 1] > 0.0 else -1.0
        facing[s, 0], facing[s, 1] = side * nx, side * ny
    else:
        informations[s, 0] = corner
        informations[s, 1] = 0.0
        informations[s, 2] = corner
    means[s, 0], means[s, 1] = mean_x, mean_y


@njit(cache=True)
def _spread(means, row_of, col_of, x0, y0, rows, cols, cell, sigma):  # type: ignore[no-untyped-def]
    """Nearest surfel and likelihood of every cell within REACH_CELLS of a surface."""
    nearest = np.full((rows, cols), -1, dtype=np.int32)
    likelihood = np.zeros((rows, cols), dtype=np.uint8)
    best = np.full((rows, cols), 1e9, dtype=np.float32)
    scale = -0.5 / (sigma * sigma)
    limit = ((REACH_CELLS + 0.5) * cell) ** 2
    for s in range(len(means)):
        for row in range(max(row_of[s] - REACH_CELLS, 0), min(row_of[s] + REACH_CELLS + 1, rows)):
            dy = y0 + (row + 0.5) * cell - means[s, 1]
            for col in range(max(col_of[s] - REACH_CELLS, 0), min(col_of[s] + REACH_CELLS + 1, cols)):
                dx = x0 + (col + 0.5) * cell - means[s, 0]
                d2 = dx * dx + dy * dy
                if d2 < best[row, col] and d2 < limit:
                    best[row, col] = d2
                    nearest[row, col] = s
    for row in range(rows):
        for col in range(cols):
            if nearest[row, col] >= 0:
                likelihood[row, col] = np.uint8(255.0 * math.exp(scale * best[row, col]) + 0.5)
    return nearest, likelihood
