"""Reads and writes maps as ROS map_server does: a YAML beside a greyscale image, trinary by its thresholds.

By map_server's rules a pixel's occupancy is (255 - value) / 255, or value / 255 when `negate` is set; above
`occupied_thresh` it is occupied, below `free_thresh` free, between them unknown. The image's last row lies at the
origin. Images are PGM or PNG (`map_image`).
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from foundation.atomic_files import write_bytes, write_text
from foundation.errors import OxturnError
from foundation.geometry import FloatArray
from navigation.grid_geometry import GridGeometry
from navigation.map_image import MapImageError, grey_pixels
from navigation.static_map import FREE, OCCUPIED, UNKNOWN

PIXEL_FREE: Final = 254
PIXEL_OCCUPIED: Final = 0
PIXEL_UNKNOWN: Final = 205


class RosMapError(OxturnError):
    """A map that cannot be read: which file, which key or byte."""


@dataclass(frozen=True, slots=True)
class RosMap:
    """`cells` (R, C) of static_map's values, row 0 at the origin; the grid is turned by `yaw_rad` about its origin."""

    cells: NDArray[np.int8]
    geometry: GridGeometry
    yaw_rad: float

    def to_grid(self, points_map: FloatArray) -> FloatArray:
        """Points (N, 2) of `map` in the frame of the unturned grid."""
        return self._turned(points_map, -self.yaw_rad)

    def to_map(self, points_grid: FloatArray) -> FloatArray:
        """Points (N, 2) of the unturned grid's frame in `map`."""
        return self._turned(points_grid, self.yaw_rad)

    def _turned(self, points: FloatArray, angle_rad: float) -> FloatArray:
        origin = np.array([self.geometry.origin_x_m, self.geometry.origin_y_m])
        cos, sin = math.cos(angle_rad), math.sin(angle_rad)
        turned: FloatArray = (points - origin) @ np.array([[cos, sin], [-sin, cos]]) + origin
        return turned


def read_map(path: Path) -> RosMap:
    """Raises RosMapError with the file and the key."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RosMapError(f"{path}: cannot be read: {error}") from error
    keys = _keys(text)
    for key in ("image", "resolution", "origin"):
        if key not in keys:
            raise RosMapError(f"{path}: key {key} is missing")
    cell_m = _number(path, keys, "resolution", 0.0)
    if not 0.001 <= cell_m <= 10:
        raise RosMapError(f"{path}: resolution is {cell_m} m a cell, limits 0.001 and 10")
    origin = _numbers(path, "origin", keys["origin"])
    if len(origin) not in (2, 3):
        raise RosMapError(f"{path}: origin has {len(origin)} numbers, must be [x, y, yaw]")
    mode = str(keys.get("mode", "trinary"))
    if mode not in ("trinary", "scale", "raw"):
        raise RosMapError(f"{path}: mode is {mode}, must be trinary, scale or raw")
    pixels = _pixels(path, path.parent / str(keys["image"]))
    occupied_above = _number(path, keys, "occupied_thresh", 0.65)
    free_below = _number(path, keys, "free_thresh", 0.196)
    negate = str(keys.get("negate", "0")).lower() in ("1", "true", "yes")
    cells = _cells(pixels, mode, negate, occupied_above, free_below)
    geometry = GridGeometry(origin[0], origin[1], cell_m, *cells.shape)
    return RosMap(cells, geometry, origin[2] if len(origin) == 3 else 0.0)


def _pixels(path: Path, image: Path) -> NDArray[np.uint8]:
    try:
        return grey_pixels(image.read_bytes())
    except OSError as error:
        raise RosMapError(f"{path}: its image {image} cannot be read: {error.strerror}") from error
    except MapImageError as error:
        raise RosMapError(f"{image}: {error}") from error


def _cells(
    pixels: NDArray[np.uint8], mode: str, negate: bool, occupied_above: float, free_below: float
) -> NDArray[np.int8]:
    """(R, C): the image by map_server's rules, its last row first. `scale` between its thresholds is unknown."""
    if mode == "raw":
        occupancy = np.where(np.arange(256) <= 100, np.arange(256) / 100, math.nan)
    else:
        shade = np.arange(256) / 255
        occupancy = shade if negate else 1 - shade
    table = np.full(256, UNKNOWN, np.int8)
    table[occupancy > occupied_above] = OCCUPIED
    table[occupancy < free_below] = FREE
    return np.ascontiguousarray(table[pixels[::-1]])


def _keys(text: str) -> dict[str, str | list[str]]:
    """The few forms of YAML that maps use: `key: value`, flow lists and block lists, comments, quotes."""
    keys: dict[str, str | list[str]] = {}
    last = ""
    for line in text.splitlines():
        bare = line.split(" #")[0].strip()
        if not bare or bare.startswith(("#", "---", "%")):
            continue
        if bare.startswith("- ") and last:
            before = keys[last]
            keys[last] = [*(before if isinstance(before, list) else []), bare[2:].strip()]
            continue
        key, colon, value = bare.partition(":")
        if not colon:
            continue
        last, value = key.strip(), value.strip()
        if value.startswith("["):
            keys[last] = [item.strip() for item in value.strip("[]").split(",") if item.strip()]
        else:
            keys[last] = value.strip("'\"")
    return keys


def _number(path: Path, keys: dict[str, str | list[str]], key: str, default: float) -> float:
    if key not in keys:
        return default
    found = _numbers(path, key, keys[key])
    if len(found) != 1:
        raise RosMapError(f"{path}: {key} must be one number")
    return found[0]


def _numbers(path: Path, key: str, value: str | list[str]) -> list[float]:
    try:
        found = [float(item) for item in (value if isinstance(value, list) else [value])]
    except ValueError as error:
        raise RosMapError(f"{path}: {key} is {value}, must be numbers") from error
    if not all(math.isfinite(item) for item in found):
        raise RosMapError(f"{path}: {key} is {value}, must be finite")
    return found


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
