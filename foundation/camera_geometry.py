"""Pinhole camera looking at a flat floor: pixels to floor points in `base_link` and back.

Frames: `base_link` lies on the floor under the robot's centre (x forward, y left, z up); `camera_optical` by REP-103
(x right, y down, z forward). Pixel (0, 0) is the top-left corner of the image, pixel centres lie at (u + .5, v + .5).
"""

import math
from dataclasses import dataclass

import numpy as np

from foundation.geometry import FloatArray


@dataclass(frozen=True, slots=True)
class PinholeCamera:
    """Intrinsics and mounting of the forward camera; square pixels, principal point in the image's middle."""

    width_px: int
    height_px: int
    horizontal_fov_rad: float
    x_m: float  # in base_link
    z_m: float  # above the floor
    pitch_down_rad: float
    roll_rad: float = 0.0  # about the optical axis, clockwise in the image

    @property
    def focal_px(self) -> float:
        return self.width_px / 2 / math.tan(self.horizontal_fov_rad / 2)

    def scaled(self, width_px: int, height_px: int) -> "PinholeCamera":
        """The same camera read at another resolution (height must keep the aspect)."""
        return PinholeCamera(
            width_px, height_px, self.horizontal_fov_rad, self.x_m, self.z_m, self.pitch_down_rad, self.roll_rad
        )

    def floor_from_pixels(self, pixels: FloatArray) -> FloatArray:
        """Floor points (N, 2) in base_link under the pixels (N, 2) of (u, v); NaN at and above the horizon."""
        pixels = np.asarray(pixels, dtype=np.float64)
        right, down = self._unrolled(
            (pixels[:, 0] - self.width_px / 2) / self.focal_px,
            (pixels[:, 1] - self.height_px / 2) / self.focal_px,
            self.roll_rad,
        )
        cos, sin = math.cos(self.pitch_down_rad), math.sin(self.pitch_down_rad)
        forward, fall = cos - sin * down, sin + cos * down
        scale = np.full(len(pixels), np.nan)
        np.divide(self.z_m, fall, out=scale, where=fall > 1e-6)
        return np.stack([self.x_m + scale * forward, -scale * right], axis=1)

    def pixels_from_floor(self, points_base: FloatArray) -> FloatArray:
        """Pixels (N, 2) of (u, v) where the floor points (N, 2) in base_link appear; NaN behind the camera."""
        points_base = np.asarray(points_base, dtype=np.float64)
        cos, sin = math.cos(self.pitch_down_rad), math.sin(self.pitch_down_rad)
        ahead = points_base[:, 0] - self.x_m
        depth = cos * ahead + sin * self.z_m
        seen = np.where(depth > 1e-6, depth, np.nan)
        right, down = self._unrolled(-points_base[:, 1] / seen, (cos * self.z_m - sin * ahead) / seen, -self.roll_rad)
        return np.stack([right * self.focal_px + self.width_px / 2, down * self.focal_px + self.height_px / 2], axis=1)

    @staticmethod
    def _unrolled(right: FloatArray, down: FloatArray, roll_rad: float) -> tuple[FloatArray, FloatArray]:
        cos, sin = math.cos(roll_rad), math.sin(roll_rad)
        return cos * right + sin * down, cos * down - sin * right
