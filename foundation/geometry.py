"""Plane geometry in SI units and radians, frames by REP-103 and REP-105 (x forward, y left, counter-clockwise).

A transform is named `parent_from_child`, so that frames cancel when read aloud:
`points_map = map_from_base.transform(points_base)`.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def wrap_angle(angle_rad: float) -> float:
    """The same direction in [-pi, pi)."""
    return (angle_rad + math.pi) % (2 * math.pi) - math.pi


def wrap_angles(angles_rad: FloatArray) -> FloatArray:
    """The same directions in [-pi, pi), element by element."""
    return (angles_rad + np.pi) % (2 * np.pi) - np.pi


@dataclass(frozen=True, slots=True)
class Pose2D:
    """Pose of a child frame in its parent, or the transform parent_from_child: the two are one thing."""

    x_m: float
    y_m: float
    heading_rad: float

    def __matmul__(self, other: "Pose2D") -> "Pose2D":
        """a_from_b @ b_from_c = a_from_c."""
        cos, sin = math.cos(self.heading_rad), math.sin(self.heading_rad)
        return Pose2D(
            self.x_m + cos * other.x_m - sin * other.y_m,
            self.y_m + sin * other.x_m + cos * other.y_m,
            wrap_angle(self.heading_rad + other.heading_rad),
        )

    def inverse(self) -> "Pose2D":
        """child_from_parent."""
        cos, sin = math.cos(self.heading_rad), math.sin(self.heading_rad)
        return Pose2D(
            -cos * self.x_m - sin * self.y_m,
            sin * self.x_m - cos * self.y_m,
            wrap_angle(-self.heading_rad),
        )

    def transform(self, points_child: FloatArray) -> FloatArray:
        """Points (N, 2) of the child frame, in the parent frame (N, 2)."""
        cos, sin = math.cos(self.heading_rad), math.sin(self.heading_rad)
        rotation = np.array([[cos, sin], [-sin, cos]])  # transposed: the points are rows
        moved: FloatArray = np.asarray(points_child, dtype=np.float64) @ rotation + (self.x_m, self.y_m)
        return moved

    def distance_m(self, other: "Pose2D") -> float:
        """Between the two origins."""
        return math.hypot(self.x_m - other.x_m, self.y_m - other.y_m)


IDENTITY = Pose2D(0.0, 0.0, 0.0)
