"""A picture of a map's rooms for people: each in its colour, with its number at its deepest place."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from navigation.room_segmentation import Rooms

_WALL: Final = (60, 60, 60)
_COLOURS: Final = np.array(
    [(141, 211, 199), (255, 237, 111), (190, 186, 218), (251, 128, 114), (128, 177, 211), (253, 180, 98),
     (179, 222, 105), (252, 205, 229), (204, 235, 197)], dtype=np.uint8
)  # fmt: skip
_ROWS: Final = {  # five rows of three bits each
    "0": (7, 5, 5, 5, 7), "1": (2, 6, 2, 2, 7), "2": (7, 1, 7, 4, 7), "3": (7, 1, 7, 1, 7), "4": (5, 5, 7, 1, 1),
    "5": (7, 4, 7, 1, 7), "6": (7, 4, 7, 5, 7), "7": (7, 1, 2, 2, 2), "8": (7, 5, 7, 5, 7), "9": (7, 5, 7, 1, 7),
}  # fmt: skip


def picture(rooms: Rooms, pixels_a_bit: int = 3) -> NDArray[np.uint8]:
    """RGB (H, W, 3), y upwards; one pixel a cell."""
    image = np.full((*rooms.labels.shape, 3), _WALL, dtype=np.uint8)
    inside = rooms.labels > 0
    image[inside] = _COLOURS[(rooms.labels[inside] - 1) % len(_COLOURS)]
    image = image[::-1].copy()
    for number, (row, col) in enumerate(rooms.geometry.cells(rooms.places_map).tolist(), 1):
        bits = _bits(str(number)).repeat(pixels_a_bit, axis=0).repeat(pixels_a_bit, axis=1)
        top, left = image.shape[0] - 1 - row - bits.shape[0] // 2, col - bits.shape[1] // 2
        top, left = max(top, 0), max(left, 0)
        part = image[top : top + bits.shape[0], left : left + bits.shape[1]]
        part[bits[: part.shape[0], : part.shape[1]]] = 0
    return image


def _bits(text: str) -> NDArray[np.bool_]:
    """(5, 4 * digits - 1)."""
    drawn = [np.array([[bool(row & bit) for bit in (4, 2, 1)] for row in _ROWS[digit]]) for digit in text]
    spaced = [np.pad(digit, ((0, 0), (0, 1))) for digit in drawn]
    return np.concatenate(spaced, axis=1)[:, :-1]
