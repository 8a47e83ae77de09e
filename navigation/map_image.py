"""Greyscale pixels of a map image, PGM or PNG, decoded here: a robot carries no imaging library for one picture a map.

PGM: P2 and P5, up to 16 bits. PNG: every colour type and depth, not interlaced. Several channels are averaged, alpha
among them, as map_server does for trinary maps. Sizes are read first, so that a huge image is refused before memory is.
"""

import struct
import zlib
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from foundation.errors import OxturnError

MAX_PIXELS: Final = 64_000_000
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
GreyImage = NDArray[np.uint8]  # (H, W)


class MapImageError(OxturnError):
    """An image that cannot be read, or that is larger than the limit."""


def grey_pixels(data: bytes) -> GreyImage:
    """(H, W), 0 black to 255 white, top row first."""
    if data.startswith(_PNG):
        return _png(data)
    if data[:2] in (b"P2", b"P5"):
        return _pgm(data)
    raise MapImageError("neither a PGM (P2, P5) nor a PNG image")


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise MapImageError(f"image of {width} x {height} pixels")
    if width * height > MAX_PIXELS:
        raise MapImageError(
            f"image of {width} x {height} pixels, limit {MAX_PIXELS:,} in all: crop it or use larger cells"
        )


def _pgm(data: bytes) -> GreyImage:
    numbers: list[int] = []
    at = 2
    while len(numbers) < 3:
        while at < len(data) and data[at : at + 1].isspace():
            at += 1
        if data[at : at + 1] == b"#":
            at = data.find(b"\n", at)
            if at < 0:
                raise MapImageError("PGM header ends in a comment")
            continue
        end = at
        while end < len(data) and data[end : end + 1].isdigit():
            end += 1
        if end == at or end - at > 9:
            raise MapImageError(f"PGM header: no number at byte {at}")
        numbers.append(int(data[at:end]))
        at = end
    width, height, most = numbers
    _check_size(width, height)
    if not 1 <= most <= 65535:
        raise MapImageError(f"PGM's largest value is {most}, limits 1 and 65535")
    count = width * height
    if data[:2] == b"P2":
        words = data[at:].split()[:count]
        try:
            values = np.array(words, dtype=np.int64)
        except (ValueError, OverflowError) as error:
            raise MapImageError(f"PGM holds a word that is no number from 0 to {most}") from error
        if len(values) and not 0 <= values.min() <= values.max() <= most:
            raise MapImageError(f"PGM holds {values.min()} to {values.max()}, limits 0 and {most}")
    else:
        values = np.frombuffer(data[at + 1 :], dtype=np.uint8 if most < 256 else ">u2")[:count]
    if len(values) < count:
        raise MapImageError(f"PGM holds {len(values)} of {count} pixels")
    if most != 255:
        values = np.clip(values.astype(np.int64) * 255 // most, 0, 255)
    return values.astype(np.uint8).reshape(height, width)


def _png(data: bytes) -> GreyImage:
    header, packed, palette = b"", [], b""
    at = len(_PNG)
    while at + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + size]
        if len(body) < size:
            raise MapImageError(f"PNG ends within its {kind.decode('latin-1')} chunk")
        if kind == b"IHDR":
            header = body
        elif kind == b"PLTE":
            palette = body
        elif kind == b"IDAT":
            packed.append(body)
        elif kind == b"IEND":
            break
        at += 12 + size
    if len(header) != 13:
        raise MapImageError("PNG without a header")
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    _check_size(width, height)
    if colour not in _CHANNELS or depth not in (1, 2, 4, 8, 16):
        raise MapImageError(f"PNG of colour type {colour} with {depth} bits")
    if interlaced:
        raise MapImageError("PNG is interlaced: save it without interlacing")
    channels = _CHANNELS[colour]
    row_bytes = (width * channels * depth + 7) // 8
    wanted = height * (row_bytes + 1)
    try:
        raw = zlib.decompressobj().decompress(b"".join(packed), wanted)
    except zlib.error as error:
        raise MapImageError(f"PNG's pixels cannot be unpacked: {error}") from error
    if len(raw) < wanted:
        raise MapImageError(f"PNG holds {len(raw)} of {wanted} bytes")
    lines = np.frombuffer(raw, np.uint8).reshape(height, row_bytes + 1).copy()
    _unfilter(lines, max(channels * depth // 8, 1))
    return _grey(lines[:, 1:], width, channels, depth, palette if colour == 3 else b"")


def _grey(lines: NDArray[np.uint8], width: int, channels: int, depth: int, palette: bytes) -> GreyImage:
    if depth == 16:
        samples = lines[:, ::2]
    elif depth == 8:
        samples = lines
    else:
        bits = np.unpackbits(lines, axis=1).reshape(len(lines), -1, depth)
        samples = (bits @ (1 << np.arange(depth)[::-1])).astype(np.uint8)[:, : width * channels]
        if not palette:
            samples = (samples.astype(np.int64) * 255 // ((1 << depth) - 1)).astype(np.uint8)
    if palette:
        colours = np.zeros((256, 3), np.uint8)
        known = np.frombuffer(palette, np.uint8)[: 768 // 3 * 3].reshape(-1, 3)
        colours[: len(known)] = known
        return np.asarray(colours.mean(axis=1).astype(np.uint8)[samples[:, :width]])
    if channels == 1:
        return np.ascontiguousarray(samples[:, :width])
    mean = samples.reshape(len(lines), width, channels).mean(axis=2)
    return np.asarray(mean.astype(np.uint8))


@njit(cache=True)  # type: ignore[untyped-decorator]
def _unfilter(lines: Any, step: int) -> None:
    """Takes PNG's row filters back in place; lines (H, 1 + row bytes), the filter's number first."""
    height, width = lines.shape
    for r in range(height):
        kind = lines[r, 0]
        for c in range(1, width):
            left = int(lines[r, c - step]) if c > step else 0
            up = int(lines[r - 1, c]) if r > 0 else 0
            corner = int(lines[r - 1, c - step]) if r > 0 and c > step else 0
            if kind == 1:
                add = left
            elif kind == 2:
                add = up
            elif kind == 3:
                add = (left + up) // 2
            elif kind == 4:
                guess = left + up - corner
                a, b, d = abs(guess - left), abs(guess - up), abs(guess - corner)
                add = left if a <= b and a <= d else (up if b <= d else corner)
            else:
                add = 0
            lines[r, c] = (lines[r, c] + add) & 255
