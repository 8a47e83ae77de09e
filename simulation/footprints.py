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
_SPHERE, _CAPSULE, _CYLINDER, _ELLIPSOID, _BOX = range(5)
_SHAPES = {"sphere": _SPHERE, "capsule": _CAPSULE, "cylinder": _CYLINDER, "ellipsoid": _ELLIPSOID, "box": _BOX}


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
    corners, radius = _outline(
        _SHAPES[part.shape],
        *(extent / 2 for extent in part.size_m),
        float(part.position_m[0]),
        float(part.position_m[1]),
        rotation_matrix(part.rotation),
    )
    return corners, float(radius)


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


@njit(cache=True)  # type: ignore[untyped-decorator]
def _outline(
    shape: int, half_x: float, half_y: float, half_z: float, x: float, y: float, matrix: FloatArray
) -> tuple[FloatArray, float]:
    """Corners (N, 2), counter-clockwise, and rounding radius of one of `_SHAPES` at (x, y), turned by `matrix`."""
    lean_x, lean_y = matrix[0, 2], matrix[1, 2]
    if shape == _SPHERE or (shape == _CYLINDER and abs(matrix[2, 2]) > 1 - 1e-9):
        return np.array([[x, y]]), half_x
    if shape == _CAPSULE:
        reach = half_z - half_x
        if reach * math.hypot(lean_x, lean_y) < 1e-9:
            return np.array([[x, y]]), half_x
        ends = np.array([[x - reach * lean_x, y - reach * lean_y], [x + reach * lean_x, y + reach * lean_y]])
        return ends, half_x
    points = np.empty((CORNERS_MAX, 2))
    if shape == _ELLIPSOID:  # its shadow is the ellipse of this matrix
        p, q, r = 0.0, 0.0, 0.0
        for k, half in enumerate((half_x, half_y, half_z)):
            p += (matrix[0, k] * half) ** 2
            q += matrix[0, k] * matrix[1, k] * half * half
            r += (matrix[1, k] * half) ** 2
        turn, spread = math.atan2(2 * q, p - r) / 2, math.hypot((p - r) / 2, q)
        long, short = math.sqrt((p + r) / 2 + spread), math.sqrt(max((p + r) / 2 - spread, 0.0))
        cos, sin = math.cos(turn), math.sin(turn)
        for i in range(CORNERS_MAX):
            ahead = long * math.cos(i * 2 * math.pi / CORNERS_MAX)
            aside = short * math.sin(i * 2 * math.pi / CORNERS_MAX)
            points[i] = x + cos * ahead - sin * aside, y + sin * ahead + cos * aside
        return _hull(points), 0.0
    count = 0
    if shape == _CYLINDER:
        for end in (-half_z, half_z):
            for i in range(CORNERS_MAX // 2):
                u, v = half_x * math.cos(i * math.pi / 4), half_y * math.sin(i * math.pi / 4)
                points[count, 0] = x + matrix[0, 0] * u + matrix[0, 1] * v + end * lean_x
                points[count, 1] = y + matrix[1, 0] * u + matrix[1, 1] * v + end * lean_y
                count += 1
        return _hull(points[:count]), 0.0
    for u in (-half_x, half_x):
        for v in (-half_y, half_y):
            for w in (-half_z, half_z):
                points[count, 0] = x + matrix[0, 0] * u + matrix[0, 1] * v + matrix[0, 2] * w
                points[count, 1] = y + matrix[1, 0] * u + matrix[1, 1] * v + matrix[1, 2] * w
                count += 1
    return _hull(points[:count]), 0.0


@njit(cache=True)  # type: ignore[untyped-decorator]
def _hull(points: FloatArray) -> FloatArray:
    """(M, 2): counter-clockwise convex hull of (N, 2), below from left to right, then above (Andrew's monotone chain).

    Points less than a nanometre apart count once.
    """
    points = np.round(points * 1e9) / 1e9
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
