"""PNG of label images: few numbers in large patches, which run lengths pack as small as a search for matches, faster.

Pictures of a camera are no such images: those go through OpenCV.
"""

import struct
import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_GREY: Final = 0
_FILTER_UP: Final = 2  # each byte less the one above it: patches become zeros


def label_png(image: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """A greyscale PNG of (H, W), 8 or 16 bits as the image has them; equal images give equal bytes."""
    height, width = image.shape
    depth_bits = 8 * image.itemsize
    rows = image.astype(">u2").view(np.uint8) if depth_bits == 16 else image  # PNG is big-endian
    filtered = np.empty((height, 1 + rows.shape[1]), np.uint8)
    filtered[:, 0] = _FILTER_UP
    filtered[0, 1:] = rows[0]  # above the first row PNG sees zeros
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_RLE)
    header = struct.pack(">IIBBBBB", width, height, depth_bits, _GREY, 0, 0, 0)
    pixels = packer.compress(filtered.tobytes()) + packer.flush()
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))
