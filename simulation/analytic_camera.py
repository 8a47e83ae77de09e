"""An independent camera: one ray a pixel against the room's own solids, exact. The oracle for rendered segmentation.

It shares nothing with the engines but the room: no MJCF, no GL, no MuJoCo rays.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from foundation.camera_geometry import PinholeCamera
from foundation.geometry import FloatArray, Pose2D
from perception import labels
from simulation.footprints import rotation_matrix
from simulation.mujoco_world import FLOOR_THICKNESS_M, class_number
from simulation.ray_solids import KINDS, enter
from simulation.room_spec import Part, Room


@dataclass(frozen=True, slots=True)
class Solids:
    """P convex solids in `map` with what each is."""

    kinds: NDArray[np.int64]  # (P,)
    half_m: FloatArray  # (P, 3)
    places_m: FloatArray  # (P, 3)
    rotations: FloatArray  # (P, 3, 3) map_from_part
    reach_m: FloatArray  # (P,) of the sphere around each
    classes: NDArray[np.uint8]  # (P,)
    instances: NDArray[np.uint16]  # (P,)


def solids_of(room: Room) -> Solids:
    """Everything in the room, furniture above the robot included."""
    here = Pose2D(0.0, 0.0, 0.0)
    rows: list[tuple[Pose2D, Part, int, int]] = []
    for patch in room.floors:
        middle = (0.0, 0.0, patch.top_m - FLOOR_THICKNESS_M / 2)
        part = Part("box", (*patch.size_m, FLOOR_THICKNESS_M), middle, (0.0, 0.0, 1.0, 0.0), patch.colour)
        rows.append((patch.pose, part, labels.floor_number(patch.kind), 0))
    rows += [(here, wall.part(), labels.WALL, 0) for wall in room.walls]
    rows += [(item.pose, part, class_number(item.kind), 0) for item in room.furniture for part in item.parts]
    rows += [(room.dock.pose, part, labels.DOCK, 0) for part in room.dock.parts]
    for number, small in enumerate(room.small_objects):
        rows += [(small.pose, part, labels.small_object_number(small.kind), number + 1) for part in small.parts]
    places, rotations = [], []
    for pose, part, _, _ in rows:
        turned = rotation_matrix((0.0, 0.0, 1.0, pose.heading_rad))
        places.append(turned @ np.array(part.position_m) + (pose.x_m, pose.y_m, 0.0))
        rotations.append(turned @ rotation_matrix(part.rotation))
    half = np.array([part.size_m for _, part, _, _ in rows]) / 2
    return Solids(
        np.array([KINDS[part.shape] for _, part, _, _ in rows], np.int64),
        half,
        np.array(places),
        np.array(rotations),
        np.linalg.norm(half, axis=1),
        np.array([number for _, _, number, _ in rows], np.uint8),
        np.array([instance for _, _, _, instance in rows], np.uint16),
    )


def segmentation(
    solids: Solids, camera: PinholeCamera, map_from_base: Pose2D, base_height_m: float = 0.0
) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Class numbers (H, W) and instances (H, W) by exact rays through the pixels' centres; void where nothing is."""
    nearest = cast(solids, camera, map_from_base, base_height_m)
    seen = nearest >= 0
    classes = np.where(seen, solids.classes[nearest], labels.VOID).astype(np.uint8)
    return classes, np.where(seen, solids.instances[nearest], 0).astype(np.uint16)


def cast(solids: Solids, camera: PinholeCamera, map_from_base: Pose2D, base_height_m: float) -> NDArray[np.int64]:
    """(H, W): index of the nearest solid on each pixel's ray, -1 for none."""
    base = rotation_matrix((0.0, 0.0, 1.0, map_from_base.heading_rad))
    pitch = rotation_matrix((0.0, 1.0, 0.0, camera.pitch_down_rad))
    roll = rotation_matrix((1.0, 0.0, 0.0, -camera.roll_rad))
    place = base @ np.array([camera.x_m, 0.0, camera.z_m]) + (map_from_base.x_m, map_from_base.y_m, base_height_m)
    columns = (np.arange(camera.width_px) + 0.5 - camera.width_px / 2) / camera.focal_px
    rows = (np.arange(camera.height_px) + 0.5 - camera.height_px / 2) / camera.focal_px
    right, down = np.meshgrid(columns, rows)
    rays = np.stack([np.ones_like(right), -right, -down], axis=-1).reshape(-1, 3) @ (base @ pitch @ roll).T
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    nearest: NDArray[np.int64] = _cast(
        place, rays, solids.kinds, solids.half_m, solids.places_m, solids.rotations, solids.reach_m
    )
    return nearest.reshape(camera.height_px, camera.width_px)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _cast(
    place: FloatArray,
    rays: FloatArray,
    kinds: NDArray[np.int64],
    half: FloatArray,
    places: FloatArray,
    rotations: FloatArray,
    reach: FloatArray,
) -> NDArray[np.int64]:
    count = len(kinds)
    starts = np.empty((count, 3))  # the camera in each solid's own frame
    for i in range(count):
        away = place - places[i]
        starts[i] = rotations[i].T @ away
    out = np.full(len(rays), -1, dtype=np.int64)
    local = np.empty(3)
    for pixel in range(len(rays)):
        ray = rays[pixel]
        best = np.inf
        for i in range(count):
            ax, ay, az = places[i, 0] - place[0], places[i, 1] - place[1], places[i, 2] - place[2]
            along = ax * ray[0] + ay * ray[1] + az * ray[2]
            if ax * ax + ay * ay + az * az - along * along > reach[i] * reach[i] * 1.0001 + 1e-9:
                continue
            for k in range(3):
                local[k] = rotations[i, 0, k] * ray[0] + rotations[i, 1, k] * ray[1] + rotations[i, 2, k] * ray[2]
            t = enter(kinds[i], half[i], starts[i], local)
            if 0 < t < best:
                best = t
                out[pixel] = i
    return out
