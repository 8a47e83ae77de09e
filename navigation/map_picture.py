"""A PNG of a map with a trajectory on it, for people; written here because a robot carries no plotting library."""

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foundation.atomic_files import write_bytes
from foundation.geometry import FloatArray
from navigation.grid_geometry import GridGeometry
from navigation.static_map import FREE, OCCUPIED

WALL, FLOOR, UNSEEN = (20, 20, 20), (255, 255, 255), (205, 205, 205)
EARLY, LATE = np.array((30, 110, 220)), np.array((225, 60, 30))  # the trajectory's colour runs from one to the other


def write_picture(path: Path, cells: NDArray[np.int8], geometry: GridGeometry, track_map: FloatArray) -> None:
    """Cells (R, C), y upwards, and the track (N, 2) in map."""
    image = np.empty((*cells.shape, 3), dtype=np.uint8)
    image[:] = UNSEEN
    image[cells == FREE] = FLOOR
    image[cells == OCCUPIED] = WALL
    track = geometry.cells(track_map)
    inside = geometry.contains(track)
    share = np.linspace(0, 1, len(track))[:, None]
    colours = ((1 - share) * EARLY + share * LATE).astype(np.uint8)
    image[track[inside, 0], track[inside, 1]] = colours[inside]
    write_bytes(path, png(image[::-1]))


def png(image: NDArray[np.uint8]) -> bytes:
    """An RGB image (H, W, 3) as PNG."""
    height, width = image.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in np.ascontiguousarray(image))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
