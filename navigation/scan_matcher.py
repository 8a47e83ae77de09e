"""Where a scan lies on a local map: a correlative search around a prediction, then Gauss-Newton on the surfels.

Pure and deterministic. Poses are anchor_from_base. Gauss-Newton weighs every point by how well it fits (Welsch), so
that people and moved chairs lose their say, and keeps the prediction where the surfels say nothing: along a bare
corridor. The kernels keep the interpreter's lock: the loop must not have to wait for it again while a background
thread runs.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from foundation.geometry import FloatArray, Pose2D
from navigation.local_map import LocalMap


@dataclass(frozen=True, slots=True)
class MatchSettings:
    """One set for every sensor and log."""

    search_m: float = 0.15  # half width of the correlative search
    search_rad: float = 0.10
    search_step_rad: float = 0.025
    search_max_m: float = 0.8  # when odometry is doubted
    search_max_rad: float = 0.3
    search_points: int = 90
    wide_m: float = 0.25  # Welsch scale of the first iterations
    narrow_m: float = 0.08  # and of the last
    iterations: int = 20
    data_weight: float = 1.0  # .05 let the prediction pull: 4 times the rotation error on Intel and fr079


@dataclass(frozen=True, slots=True)
class Match:
    """A refined pose; `score` 0..1 is the mean likelihood of the scan's points there."""

    anchor_from_base: Pose2D
    information: NDArray[np.float64]  # (3, 3) of x, y, heading: 1/m², 1/m/rad, 1/rad²
    score: float
    seen_ratio: float  # of the points that have a surface near


def match(
    points_base: FloatArray,  # (N, 2)
    ground: LocalMap,
    predicted: Pose2D,
    prior_information: FloatArray,  # (3, 3)
    settings: MatchSettings,
    search_m: float | None = None,
    search_rad: float | None = None,
) -> Match:
    """The pose near `predicted` that explains the scan; the prediction itself when scan or ground are empty."""
    if ground.empty or len(points_base) == 0:
        return Match(predicted, prior_information, 0.0, 0.0)
    start = np.array([predicted.x_m, predicted.y_m, predicted.heading_rad])
    stride = max(1, len(points_base) // settings.search_points)
    half_m = settings.search_m if search_m is None else search_m
    half_rad = settings.search_rad if search_rad is None else search_rad
    found = _correlate(
        np.ascontiguousarray(points_base[::stride]),
        start,
        ground.likelihood,
        ground.origin_x_m,
        ground.origin_y_m,
        ground.cell_m,
        max(1, round(half_m / ground.cell_m)),
        max(1, math.ceil(half_rad / settings.search_step_rad)),
        settings.search_step_rad,
    )
    return refine(points_base, ground, found, predicted, prior_information, settings)


def refine(
    points_base: FloatArray,  # (N, 2)
    ground: LocalMap,
    start: NDArray[np.float64],  # (3,)
    predicted: Pose2D,
    prior_information: FloatArray,  # (3, 3)
    settings: MatchSettings,
) -> Match:
    """Gauss-Newton from `start`, held by the prior around `predicted`."""
    prior = np.array([predicted.x_m, predicted.y_m, predicted.heading_rad])
    pose, information, score, seen = _refine(
        points_base,
        start,
        prior,
        prior_information,
        ground.means,
        ground.informations,
        ground.facing,
        ground.nearest,
        ground.likelihood,
        ground.origin_x_m,
        ground.origin_y_m,
        ground.cell_m,
        settings.wide_m,
        settings.narrow_m,
        settings.iterations,
        settings.data_weight,
        ground.along,
    )
    return Match(Pose2D(float(pose[0]), float(pose[1]), float(pose[2])), information, float(score), float(seen))


def crossed(points_base: FloatArray, ground: LocalMap, anchor_from_base: Pose2D) -> float:
    """Share of the beams to points (N, 2) that pass through a surface of the ground well before they end.

    A place that looks alike as far as it goes, but whose walls the scan sees through, is another place.
    """
    if ground.empty or len(points_base) == 0:
        return 0.0
    pose = np.array([anchor_from_base.x_m, anchor_from_base.y_m, anchor_from_base.heading_rad])
    return float(
        _crossed(
            points_base,
            pose,
            ground.means,
            ground.facing,
            ground.nearest,
            ground.origin_x_m,
            ground.origin_y_m,
            ground.cell_m,
        )
    )


@njit(cache=True)
def _crossed(points, pose, means, facing, nearest, x0, y0, cell):  # type: ignore[no-untyped-def]
    rows, cols = nearest.shape
    c, s = math.cos(pose[2]), math.sin(pose[2])
    through = 0
    for i in range(len(points)):
        rx, ry = c * points[i, 0] - s * points[i, 1], s * points[i, 0] + c * points[i, 1]
        length = math.hypot(rx, ry)
        dx, dy = rx / length, ry / length
        for step in range(4, int((length - 0.3) / cell)):
            x, y = pose[0] + step * cell * dx, pose[1] + step * cell * dy
            row, col = math.floor((y - y0) / cell), math.floor((x - x0) / cell)
            if row < 0 or row >= rows or col < 0 or col >= cols or nearest[row, col] < 0:
                continue
            k = nearest[row, col]
            near = abs(means[k, 0] - x) < cell and abs(means[k, 1] - y) < cell
            if near and dx * facing[k, 0] + dy * facing[k, 1] < -0.5:
                through += 1
                break
    return through / len(points)


@njit(cache=True)
def _correlate(points, start, likelihood, x0, y0, cell, half, half_turns, step):  # type: ignore[no-untyped-def]
    """Exhaustive search on a cell and angle lattice around `start`; ties and near ties stay at the centre."""
    rows, cols = likelihood.shape
    count = len(points)
    best = -1.0
    result = start.copy()
    rotated = np.empty((count, 2))
    for k in range(-half_turns, half_turns + 1):
        angle = start[2] + k * step
        c, s = math.cos(angle), math.sin(angle)
        for i in range(count):
            rotated[i, 0] = (c * points[i, 0] - s * points[i, 1] + start[0] - x0) / cell
            rotated[i, 1] = (s * points[i, 0] + c * points[i, 1] + start[1] - y0) / cell
        for dy in range(-half, half + 1):
            for dx in range(-half, half + 1):
                total = 0
                for i in range(count):
                    col, row = math.floor(rotated[i, 0]) + dx, math.floor(rotated[i, 1]) + dy
                    if row >= 0 and row < rows and col >= 0 and col < cols:
                        total += likelihood[row, col]
                away = (dx * dx + dy * dy) / (half * half) + (k * k) / (half_turns * half_turns)
                value = total * (1.0 - 0.03 * away)
                if value > best:
                    best = value
                    result[0] = start[0] + dx * cell
                    result[1] = start[1] + dy * cell
                    result[2] = angle
    return result


@njit(cache=True)
def _refine(  # type: ignore[no-untyped-def]
    points,
    start,
    prior,
    prior_information,
    means,
    informations,
    facing,
    nearest,
    likelihood,
    x0,
    y0,
    cell,
    wide,
    narrow,
    iterations,
    data_weight,
    along,
):
    rows, cols = nearest.shape
    pose = start.copy()
    hessian = np.zeros((3, 3))
    slack = np.zeros((3, 3))  # what the walls' slack along themselves adds: it holds the search, but tells nothing
    gradient = np.zeros(3)
    scale = wide
    for iteration in range(iterations):
        hessian[:] = prior_information
        slack[:] = 0.0
        turn = pose[2] - prior[2]
        turn -= 2.0 * math.pi * math.floor((turn + math.pi) / (2.0 * math.pi))
        gradient[0], gradient[1], gradient[2] = prior[0] - pose[0], prior[1] - pose[1], -turn
        gradient[:] = prior_information @ gradient
        c, s = math.cos(pose[2]), math.sin(pose[2])
        soft = -0.5 / (scale * scale)
        for i in range(len(points)):
            rx = c * points[i, 0] - s * points[i, 1]
            ry = s * points[i, 0] + c * points[i, 1]
            x, y = rx + pose[0], ry + pose[1]
            col, row = math.floor((x - x0) / cell), math.floor((y - y0) / cell)
            if row < 0 or row >= rows or col < 0 or col >= cols:
                continue
            k = nearest[row, col]
            if k < 0:
                continue
            if rx * facing[k, 0] + ry * facing[k, 1] > 0.1 * math.hypot(rx, ry):
                continue  # seen from the other side: another face of the wall
            ex, ey = means[k, 0] - x, means[k, 1] - y
            a, b, d = informations[k, 0], informations[k, 1], informations[k, 2]
            weight = data_weight * math.exp(soft * (ex * ex + ey * ey))
            # the rigid motion moves the point by (1, 0), (0, 1) and (-ry, rx)
            lx, ly = weight * (a * ex + b * ey), weight * (b * ex + d * ey)
            gradient[0] += lx
            gradient[1] += ly
            gradient[2] += -ry * lx + rx * ly
            ux, uy = weight * (-a * ry + b * rx), weight * (-b * ry + d * rx)
            hessian[0, 0] += weight * a
            hessian[0, 1] += weight * b
            hessian[1, 1] += weight * d
            hessian[0, 2] += ux
            hessian[1, 2] += uy
            hessian[2, 2] += -ry * ux + rx * uy
            if b != 0.0 or a != d:  # a wall: information is across n n' + along t t'
                held = weight * along
                slack[0, 0] += held
                slack[0, 2] -= held * ry
                slack[1, 2] += held * rx
                slack[2, 2] += held * (rx * rx + ry * ry)
        hessian[1, 0], hessian[2, 0], hessian[2, 1] = hessian[0, 1], hessian[0, 2], hessian[1, 2]
        step = np.linalg.solve(hessian, gradient)
        pose += step
        size = max(abs(step[0]), abs(step[1]), 2.0 * abs(step[2]))
        if scale <= narrow and size < 2e-4:
            break
        if size < 0.02 or iteration > iterations // 2:
            scale = max(narrow, 0.6 * scale)
    total = 0.0
    seen = 0
    c, s = math.cos(pose[2]), math.sin(pose[2])
    for i in range(len(points)):
        x = c * points[i, 0] - s * points[i, 1] + pose[0]
        y = s * points[i, 0] + c * points[i, 1] + pose[1]
        col, row = math.floor((x - x0) / cell), math.floor((y - y0) / cell)
        if row >= 0 and row < rows and col >= 0 and col < cols and nearest[row, col] >= 0:
            total += likelihood[row, col]
            seen += 1
    slack[1, 1] = slack[0, 0]
    slack[2, 0], slack[2, 1] = slack[0, 2], slack[1, 2]
    return pose, hessian - slack, total / (255.0 * len(points)), seen / len(points)
