"""How near a planned path comes to anything, worked out densely and by brute force."""

import itertools

import numpy as np

from navigation.grid_geometry import GridGeometry


def along(path: np.ndarray, step_m: float) -> np.ndarray:
    """(M, 2): points of the path (N, 2), no farther apart than the step."""
    points = [path[:1]]
    for a, b in itertools.pairwise(path):
        count = max(int(np.ceil(np.hypot(*(b - a)) / step_m)), 1)
        points.append(a + (b - a) * np.linspace(1 / count, 1, count)[:, None])
    return np.concatenate(points)


def clearance_m(points: np.ndarray, free: np.ndarray, geometry: GridGeometry) -> float:
    """To the nearest cell that is not free, as a square; outside the grid counts."""
    solid = np.argwhere(~np.pad(free, 1)) - 1
    low = np.stack([solid[:, 1], solid[:, 0]], axis=1) * geometry.cell_m
    gap = np.maximum(np.maximum(low - points[:, None], points[:, None] - low - geometry.cell_m), 0)
    return float(np.hypot(gap[..., 0], gap[..., 1]).min())
