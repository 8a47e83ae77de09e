"""What stands in a parsed Webots world, cut in the LIDAR's plane: to check one engine's world by another's."""

import math
from collections.abc import Iterator

import numpy as np

from foundation.geometry import FloatArray, Pose2D
from simulation.footprints import Footprints, placed_footprints, rotation_matrix
from simulation.room_spec import Part
from simulation.webots_file import WebotsNode

_ROOT = np.eye(4)


def standing_solids(roots: list[WebotsNode], height_m: float) -> Footprints:
    """Cross-sections at `height_m` of the bounding objects of all root Solids; the Robot is not one of them."""
    return placed_footprints(_cut(roots, height_m))


def _cut(roots: list[WebotsNode], height_m: float) -> Iterator[tuple[int, Pose2D, Part]]:
    """Owner, place and part of everything that the plane at `height_m` goes through."""
    for owner, solid in enumerate(node for node in roots if node.kind == "Solid"):
        bounding = solid.fields.get("boundingObject")
        if bounding is None:
            continue
        for part, world_from_part in _parts(bounding, _placed(_ROOT, solid)):
            if abs(world_from_part[2, 3] - height_m) >= part.size_m[2] / 2:
                continue
            heading = math.atan2(world_from_part[1, 0], world_from_part[0, 0])
            yield owner, Pose2D(float(world_from_part[0, 3]), float(world_from_part[1, 3]), heading), part


def _parts(node: WebotsNode, world_from_node: FloatArray) -> list[tuple[Part, FloatArray]]:
    """Every upright Box and Cylinder below a bounding object, with its place in the world."""
    if node.kind in ("Pose", "Group", "Transform"):
        here = _placed(world_from_node, node)
        return [item for child in node.fields.get("children", []) for item in _parts(child, here)]
    white = (1.0, 1.0, 1.0)
    if node.kind == "Box":
        x, y, z = node.fields["size"]
        return [(Part("box", (x, y, z), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), white), world_from_node)]
    if node.kind == "Cylinder":
        across, tall = 2 * node.fields["radius"], node.fields["height"]
        return [
            (Part("cylinder", (across, across, tall), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), white), world_from_node)
        ]
    return []


def _placed(parent: FloatArray, node: WebotsNode) -> FloatArray:
    place = np.eye(4)
    place[:3, 3] = node.fields.get("translation", (0.0, 0.0, 0.0))
    x, y, z, angle = node.fields.get("rotation", (0.0, 0.0, 1.0, 0.0))
    length = math.sqrt(x * x + y * y + z * z)
    place[:3, :3] = rotation_matrix((x / length, y / length, z / length, angle))
    moved: FloatArray = parent @ place
    return moved
