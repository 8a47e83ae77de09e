"""Reads and writes maps as ROS map_server does: a YAML beside a greyscale image, trinary by its thresholds.

By map_server's rules a pixel's occupancy is (255 - value) / 255, or value / 255 when `negate` is set; above
`occupied_thresh` it is occupied, below `free_thresh` free, between them unknown. The image's last row lies at the
origin. Images are PGM (P5 or P2), or greyscale or colour PNG when Pillow is there.
"""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from foundation.atomic_files import write_bytes, write_text
from foundation.errors import OxturnError
from navigation.grid_geometry import GridGeometry
from navigation.static_map import FREE, OCCUPIED

PIXEL_FREE: Final = 254
PIXEL_OCCUPIED: Final = 0
PIXEL_UNKNOWN: Final = 205


class RosMapError(OxturnError):
    """A map that cannot be read: which file, which key or byte."""


def write_map(folder: Path, name: str, cells: NDArray[np.int8], geometry: GridGeometry) -> None:
    """`name`.yaml and `name`.pgm in `folder`; cells (R, C) with row 0 at the origin."""
    image = np.full(cells.shape, PIXEL_UNKNOWN, dtype=np.uint8)
    image[cells == FREE] = PIXEL_FREE
    image[cells == OCCUPIED] = PIXEL_OCCUPIED
    header = f"P5\n{cells.shape[1]} {cells.shape[0]}\n255\n".encode()
    write_bytes(folder / f"{name}.pgm", header + image[::-1].tobytes())
    write_text(
        folder / f"{name}.yaml",
        f"image: {name}.pgm\nmode: trinary\nresolution: {geometry.cell_m:.6g}\n"
        f"origin: [{geometry.origin_x_m:.6f}, {geometry.origin_y_m:.6f}, 0.0]\n"
        "negate: 0\noccupied_thresh: 0.65\nfree_thresh: 0.196\n",
    )
