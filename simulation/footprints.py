"""What a room's solids look like from above: convex polygons with a rounding radius, exact for all our parts.

A circle is one point with a radius, a lying capsule two points with a radius, a box its hull. Distances are exact;
grids are filled by windows around each footprint, so cost follows what is there and not the size of the flat.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from foundation.geometry import FloatArray, Pose2D
from navigation.grid_geometry import GridGeometry
from simulation.room_spec import Dock, Furniture, Part, Room

CORNERS_MAX = 16


@dataclass(frozen=True, slots=True)
class Footprints:
    """P rounded convex polygons in `map`, each belonging to a thing by number."""

    corners_m: FloatArray  # (P, CORNERS_MAX, 2), counter-clockwise
    counts: NDArray[np.int64]  # (P,)
    radii_m: FloatArray  # (P,)
    owners: NDArray[np.int64]  # (P,)

    def __len__(self) -> int:
        return len(self.counts)

    def of(self, owner: int) -> "Footprints":
        """Only those of one thing."""
        mine = self.owners == owner
        return Footprints(self.corners_m[mine], self.counts[mine], self.radii_m[mine], self.owners[mine])

    def moved(self, parent_from_child: Pose2D) -> "Footprints":
        corners = parent_from_child.transform(self.corners_m.reshape(-1, 2)).reshape(self.corners_m.shape)
        return Footprints(corners, self.counts, self.radii_m, self.owners)

    def distance_m(self, x_m: float, y_m: float) -> FloatArray:
        """(P,): from the point to each; 0 inside."""
        distances: FloatArray = _distances(x_m, y_m, self.corners_m, self.counts, self.radii_m)
        return distances

    def nearest_point(self, x_m: float, y_m: float) -> tuple[float, float, float]:
        """(x, y, distance) of the nearest point of any of them."""
        found: tuple[float, float, float] = _nearest(x_m, y_m, self.corners_m, self.counts, self.radii_m)
        return found


def rotation_matrix(rotation: tuple[float, float, float, float]) -> FloatArray:
    """(3, 3) of an axis and angle (Rodrigues)."""
    x, y, z, angle = rotation
    cos, sin = math.cos(angle), math.sin(angle)
    rest = 1 - cos
    matrix: FloatArray = np.array(
        [
            [cos + rest * (x * x), sin * -z + rest * (x * y), sin * y + rest * (x * z)],
            [sin * z + rest * (x * y), cos + rest * (y * y), sin * -x + rest * (y * z)],
            [sin * -y + rest * (x * z), sin * x + rest * (y * z), cos + rest * (z * z)],
        ]
    )
    return matrix


@lru_cache(maxsize=4096)  # each room's parts are asked about several times: where to stand, what is seen, what is free
def part_footprint(part: Part) -> tuple[FloatArray, float]:
    """Corners (N, 2) and rounding radius in the thing's frame."""
    matrix = rotation_matrix(part.rotation)
    x, y, _ = part.position_m
    half = np.array(part.size_m) / 2
    if part.shape == "sphere":
        return np.array([(x, y)]), float(half[0])
    if part.shape == "capsule":
        reach = matrix[:2, 2] * (half[2] - half[0])
        if np.hypot(*reach) < 1e-9:
            return np.array([(x, y)]), float(half[0])
        return np.array([(x - reach[0], y - reach[1]), (x + reach[0], y + reach[1])]), float(half[0])
    if part.shape == "cylinder" and abs(matrix[2, 2]) > 1 - 1e-9:
        return np.array([(x, y)]), float(half[0])
    if part.shape == "ellipsoid":
        spread = matrix[:2] * half
        cov = spread @ spread.T  # the shadow of an ellipsoid is the ellipse of this matrix
        angles = np.arange(CORNERS_MAX) * (2 * math.pi / CORNERS_MAX)
        values, vectors = np.linalg.eigh(cov)
        rim = vectors @ (np.sqrt(np.maximum(values, 0))[:, None] * np.stack([np.cos(angles), np.sin(angles)]))
        return _hull(rim.T + (x, y)), 0.0
    if part.shape == "cylinder":
        angles = np.arange(8) * (math.pi / 4)
        ring = np.stack([half[0] * np.cos(angles), half[1] * np.sin(angles)])
        ends = [matrix[:2, :2] @ ring + (matrix[:2, 2] * sign * half[2])[:, None] for sign in (-1, 1)]
        return _hull(np.concatenate(ends, axis=1).T + (x, y)), 0.0
    signs = np.array([(i, j, k) for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)], dtype=np.float64)
    corners = (signs * half) @ matrix.T
    return _hull(corners[:, :2] + (x, y)), 0.0


def footprints_of(things: Iterable[tuple[Pose2D, Iterable[Part]]]) -> Footprints:
    """In `map`; the owner is the thing's place in the order given."""
    return placed_footprints((owner, pose, part) for owner, (pose, parts) in enumerate(things) for part in parts)


def placed_footprints(placed: Iterable[tuple[int, Pose2D, Part]]) -> Footprints:
    """In `map`, of parts with their owner and the pose of the frame they are told in."""
    things = list(placed)
    corners = np.zeros((len(things), CORNERS_MAX, 2))
    counts, radii = np.empty(len(things), np.int64), np.empty(len(things))
    for index, (_, _, part) in enumerate(things):
        shape, radii[index] = part_footprint(part)
        counts[index] = len(shape)
        corners[index, : len(shape)] = shape
    poses = [(math.cos(pose.heading_rad), math.sin(pose.heading_rad), pose.x_m, pose.y_m) for _, pose, _ in things]
    cos, sin, x_m, y_m = np.array(poses, dtype=np.float64).reshape(-1, 4).T[:, :, None]
    x, y = corners[:, :, 0], corners[:, :, 1]
    moved = np.stack([cos * x - sin * y + x_m, sin * x + cos * y + y_m], axis=-1)
    return Footprints(moved, counts, radii, np.array([owner for owner, _, _ in things], dtype=np.int64))


def standing(room: Room, below_m: float) -> Footprints:
    """Walls, furniture and dock that reach below the height `below_m`: what the robot's body can touch."""
    here = Pose2D(0.0, 0.0, 0.0)
    standers: list[Furniture | Dock] = [*room.furniture, room.dock]
    things: list[tuple[Pose2D, list[Part]]] = [(here, [wall.part()]) for wall in room.walls]
    things += [(item.pose, _low(item.parts, below_m)) for item in standers]
    return footprints_of(things)


def lying(room: Room) -> Footprints:
    """The small objects; owners are their places in `room.small_objects`."""
    return footprints_of([(item.pose, item.parts) for item in room.small_objects])


def clearance_grid(prints: Footprints, geometry: GridGeometry, limit_m: float) -> NDArray[np.float32]:
    """(R, C): distance of each cell's centre to the nearest footprint, no more than `limit_m`; 0 inside."""
    grid = np.full(geometry.shape, limit_m, dtype=np.float32)
    _fill(
        grid, geometry.origin_x_m, geometry.origin_y_m, geometry.cell_m, limit_m,
        prints.corners_m, prints.counts, prints.radii_m,
    )  # fmt: skip
    return grid


def _low(parts: Iterable[Part], below_m: float) -> list[Part]:
    return [part for part in parts if part.position_m[2] - part.size_m[2] / 2 < below_m]


def _hull(points: FloatArray) -> FloatArray:
    """(M, 2): counter-clockwise convex hull of (N, 2)."""
    hull: FloatArray = _chained(np.round(points, 9))
    return hull


@njit(cache=True)  # type: ignore[untyped-decorator]
def _chained(points: FloatArray) -> FloatArray:
    """(M, 2): Andrew's monotone chain, below from left to right, then above; equal points count once."""
    ordered = points.copy()  # few: sorted by insertion
    count = 0
    for point in points:
        at = 0
        while at < count and (ordered[at, 0], ordered[at, 1]) < (point[0], point[1]):
            at += 1
        if at < count and ordered[at, 0] == point[0] and ordered[at, 1] == point[1]:
            continue
        for i in range(count, at, -1):
            ordered[i] = ordered[i - 1]
        ordered[at] = point
        count += 1
    if count < 3:
        return ordered[:count]
    hull = np.empty((count + 1, 2))
    size = 0
    for turn in range(2):
        begun = size
        for i in range(count):
            x, y = ordered[i if turn == 0 else count - 1 - i]
            while size - begun >= 2:
                ax, ay = hull[size - 2]
                bx, by = hull[size - 1]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 1e-12:
                    break
                size -= 1
            hull[size] = x, y
            size += 1
        size -= 1  # the last one begins the other chain
    return hull[:size]


@njit(cache=True)  # type: ignore[untyped-decorator]
def _nearest_on(x: float, y: float, corners: FloatArray, count: int, radius: float) -> tuple[float, float, float]:
    """(nearest x, nearest y, distance) of one rounded polygon; the point itself and 0 inside."""
    best = np.inf  # squared until the loop is over
    near_x, near_y = corners[0, 0], corners[0, 1]
    inside = count >= 3
    for i in range(count):
        ax, ay = corners[i, 0], corners[i, 1]
        j = i + 1 if i + 1 < count else 0
        ex, ey = corners[j, 0] - ax, corners[j, 1] - ay
        if inside and ex * (y - ay) - ey * (x - ax) < 0:
            inside = False
        squared = ex * ex + ey * ey
        t = 0.0
        if squared > 0:
            t = min(max(((x - ax) * ex + (y - ay) * ey) / squared, 0.0), 1.0)
        px, py = ax + t * ex, ay + t * ey
        d = (x - px) * (x - px) + (y - py) * (y - py)
        if d < best:
            best, near_x, near_y = d, px, py
    best = math.sqrt(best)
    if inside or best <= radius:
        return x, y, 0.0
    scale = radius / best
    return near_x + (x - near_x) * scale, near_y + (y - near_y) * scale, best - radius


@njit(cache=True)  # type: ignore[untyped-decorator]
def _distances(x: float, y: float, corners: FloatArray, counts: NDArray[np.int64], radii: FloatArray) -> FloatArray:
    out = np.empty(len(counts))
    for i in range(len(counts)):
        out[i] = _nearest_on(x, y, corners[i], counts[i], radii[i])[2]
    return out


@njit(cache=True)  # type: ignore[untyped-decorator]
def _nearest(
    x: float, y: float, corners: FloatArray, counts: NDArray[np.int64], radii: FloatArray
) -> tuple[float, float, float]:
    best = (x, y, np.inf)
    for i in range(len(counts)):
        found = _nearest_on(x, y, corners[i], counts[i], radii[i])
        if found[2] < best[2]:
            best = found
    return best


@njit(cache=True)  # type: ignore[untyped-decorator]
def _fill(
    grid: NDArray[np.float32],
    origin_x: float,
    origin_y: float,
    cell: float,
    limit: float,
    corners: FloatArray,
    counts: NDArray[np.int64],
    radii: FloatArray,
) -> None:
    rows, cols = grid.shape
    for i in range(len(counts)):
        pad = radii[i] + limit
        low_x = corners[i, : counts[i], 0].min() - pad
        high_x = corners[i, : counts[i], 0].max() + pad
        low_y = corners[i, : counts[i], 1].min() - pad
        high_y = corners[i, : counts[i], 1].max() + pad
        middle_x, middle_y = (low_x + high_x) / 2, (low_y + high_y) / 2
        outer = math.hypot(high_x - low_x - 2 * pad, high_y - low_y - 2 * pad) / 2 + radii[i]
        for row in range(max(int((low_y - origin_y) / cell), 0), min(int((high_y - origin_y) / cell) + 2, rows)):
            for col in range(max(int((low_x - origin_x) / cell), 0), min(int((high_x - origin_x) / cell) + 2, cols)):
                x, y = origin_x + (col + 0.5) * cell, origin_y + (row + 0.5) * cell
                away, reached = (x - middle_x) ** 2 + (y - middle_y) ** 2, outer + grid[row, col]
                if away >= reached * reached:
                    continue  # another footprint is nearer than this one can be
                d = _nearest_on(x, y, corners[i], counts[i], radii[i])[2]
                if d < grid[row, col]:
                    grid[row, col] = d
