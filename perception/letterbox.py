"""Where a picture of any shape lies in the network's: one scale for rows and columns, borders where it leaves room.

The middle of the picture stays the middle, so the network's picture is a pinhole camera's again. A picture of the
network's own aspect fills it. Pure numbers: `data_processor` moves pixels by them, `obstacle_decoding` comes back.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from foundation.camera_geometry import PinholeCamera
from foundation.geometry import FloatArray


@dataclass(frozen=True, slots=True)
class Letterbox:
    """`left_px` and `top_px` are the borders' widths in the network's picture, the same right and below."""

    width_px: int  # of the network's picture, borders included
    height_px: int
    left_px: int
    top_px: int
    column_scale: float  # pixels of the picture per pixel of the network's
    row_scale: float  # the same but for what rounding to whole pixels leaves

    @property
    def inner_width_px(self) -> int:
        return self.width_px - 2 * self.left_px

    @property
    def inner_height_px(self) -> int:
        return self.height_px - 2 * self.top_px

    @property
    def inside(self) -> tuple[int, int, int, int]:
        """x0, y0, x1, y1 of the picture in the network's, the last two exclusive."""
        return self.left_px, self.top_px, self.width_px - self.left_px, self.height_px - self.top_px

    @property
    def bordered(self) -> bool:
        return self.left_px > 0 or self.top_px > 0

    @property
    def scale(self) -> FloatArray:
        """(2,) of columns and rows."""
        return np.array([self.column_scale, self.row_scale])

    def picture_pixels(self, pixels: FloatArray) -> FloatArray:
        """(N, 2) of (u, v) in the network's picture -> in the picture."""
        return pixels * self.scale - self.scale * np.array([self.left_px, self.top_px], np.float64)


def letterbox(width_px: int, height_px: int, into_width_px: int, into_height_px: int) -> Letterbox:
    """A picture of `width_px` x `height_px` in one of `into_width_px` x `into_height_px`, as large as it goes."""
    scale = max(width_px / into_width_px, height_px / into_height_px)
    left_px = _border(into_width_px, width_px / scale)
    top_px = _border(into_height_px, height_px / scale)
    return Letterbox(
        into_width_px,
        into_height_px,
        left_px,
        top_px,
        width_px / (into_width_px - 2 * left_px),
        height_px / (into_height_px - 2 * top_px),
    )


def network_camera(camera: PinholeCamera, box: Letterbox) -> PinholeCamera:
    """The camera that would take the network's picture, borders included, `camera` being the picture's."""
    across = math.tan(camera.horizontal_fov_rad / 2) * box.width_px / box.inner_width_px
    scaled = replace(camera, width_px=box.width_px, height_px=box.height_px)
    return scaled if not box.left_px else replace(scaled, horizontal_fov_rad=2 * math.atan(across))


def middle_of(camera: PinholeCamera, width_px: int, height_px: int) -> PinholeCamera:
    """The camera of the largest picture of that aspect cut from the middle of `camera`'s, read at that size."""
    scale = min(camera.width_px / width_px, camera.height_px / height_px)
    across = math.tan(camera.horizontal_fov_rad / 2) * width_px * scale / camera.width_px
    scaled = replace(camera, width_px=width_px, height_px=height_px)
    narrower = round(width_px * scale) < camera.width_px
    return replace(scaled, horizontal_fov_rad=2 * math.atan(across)) if narrower else scaled


def same_aspect(camera: PinholeCamera, width_px: int, height_px: int) -> bool:
    """Is a picture of that size the whole of `camera`'s, to a row of the coarser one?"""
    apart_px = abs(width_px * camera.height_px / camera.width_px - height_px)
    return apart_px <= max(1.0, height_px / camera.height_px)


def _border(whole_px: int, inner_px: float) -> int:
    """Of each side: whole pixels, and never all of it."""
    return min(round((whole_px - inner_px) / 2), (whole_px - 1) // 2)
