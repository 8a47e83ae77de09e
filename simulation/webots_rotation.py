"""Webots' axis-angle rotations and MuJoCo's quaternions (w, x, y, z)."""

import math
from collections.abc import Sequence

import numpy as np

from foundation.geometry import FloatArray


def quaternion(rotation: Sequence[float]) -> FloatArray:
    """(4,) of an axis-angle (x, y, z, angle); the axis need not have length 1 (Webots normalises it)."""
    x, y, z, angle_rad = rotation
    length = math.sqrt(x * x + y * y + z * z) or 1.0
    sin = math.sin(angle_rad / 2) / length
    return np.array([math.cos(angle_rad / 2), x * sin, y * sin, z * sin])


def axis_angle(matrix: FloatArray) -> tuple[float, float, float, float]:
    """Axis-angle of a rotation matrix (3, 3); the axis of no rotation is z."""
    angle_rad = math.acos(min(max((float(np.trace(matrix)) - 1) / 2, -1.0), 1.0))
    axis = np.array([matrix[2, 1] - matrix[1, 2], matrix[0, 2] - matrix[2, 0], matrix[1, 0] - matrix[0, 1]])
    length = float(np.linalg.norm(axis))
    if angle_rad < 1e-12:
        return 0.0, 0.0, 1.0, 0.0
    if length < 1e-9:  # half a turn: the axis is the one direction that stays
        values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
        x, y, z = vectors[:, int(np.argmax(values))]
        return float(x), float(y), float(z), angle_rad
    x, y, z = axis / length
    return float(x), float(y), float(z), angle_rad


def multiply(a: FloatArray, b: FloatArray) -> FloatArray:
    """Quaternion product: first b, then a."""
    w1, x1, y1, z1 = a
    w2, x2, y2, z2 = b
    return np.array(
        [
            w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
            w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
            w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
            w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
        ]
    )


def camera_quaternion(rotation: Sequence[float]) -> FloatArray:
    """MuJoCo's camera (x right, y up, looking along -z) for a Webots camera node (FLU, looking along +x)."""
    flu_from_mujoco = np.array([0.5, 0.5, -0.5, -0.5])  # columns: right = -y, up = z, back = -x
    return multiply(quaternion(rotation), flu_from_mujoco)
