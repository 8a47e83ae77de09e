"""A real floor plan becomes a room: walls from a picture's dark cells, furniture and small objects from the seed.

In the picture a pixel above FREE_ABOVE is floor, everything else stands; the first row is the north.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from foundation.geometry import FloatArray
from simulation import furniture_shapes
from simulation.errors import RoomError
from simulation.room_simulator import BODY_RADIUS_M, strew
from simulation.room_spec import Dock, FloorPatch, Furniture, Lamp, Purpose, Room, Wall
from simulation.shape_parts import Rng, box
from simulation.textures import draw_texture

FREE_ABOVE: Final = 250
WALLS_MAX: Final = 4000
_PASSABLE_M: Final = 0.44
_WALL_HEIGHT_M: Final = 2.5
_WHITE: Final = (1.0, 1.0, 1.0)


def room_from_plan(
    picture: Path, *, cell_m: float, seed: int, purpose: Purpose = "test", small_objects: int = 20
) -> Room:
    """Raises RoomError: no picture, no floor on it, too fine for `WALLS_MAX` walls; a seed below 0."""
    if seed < 0:
        raise RoomError(f"seed = {seed}: must not be below 0")
    image = cv2.imread(str(picture), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise RoomError(f"{picture}: cannot be read as a picture")
    if not 0.005 <= cell_m <= 0.5:
        raise RoomError(f"cell = {cell_m} m: must be between 0.005 and 0.5")
    free = _main_part(np.asarray(image)[::-1] > FREE_ABOVE)
    if free.sum() * cell_m**2 < 2:
        raise RoomError(f"{picture}: holds {free.sum() * cell_m**2:.2f} m2 of connected floor, at least 2 are needed")
    rng = np.random.default_rng([seed, 0x9A])
    textures = (draw_texture("wall", purpose, rng), draw_texture("hardwood", purpose, rng))
    walls = _walls(free, cell_m, picture)
    clear = ndimage.distance_transform_edt(np.pad(free, 1))[1:-1, 1:-1] * cell_m
    dock = _dock(free, clear, cell_m, rng)
    height, width = (side * cell_m for side in free.shape)
    room = Room(
        name=f"{picture.stem}-{seed}",
        seed=seed,
        purpose=purpose,
        walls=walls,
        floors=(FloorPatch("floor", "hardwood", width / 2, height / 2, 0.0, (width, height), 0.0, _WHITE, 1),),
        furniture=_furniture(clear, cell_m, dock, rng, purpose),
        small_objects=(),
        dock=dock,
        textures=textures,
        lamps=(Lamp((width / 2, height / 2, 2.4), (0.5, 0.5, 0.5)),),
        ambient=(0.5, 0.5, 0.5),
    )
    for _ in range(8):
        strewn = strew(room, rng, small_objects)
        if strewn is not None:
            return strewn
    raise RoomError(f"{picture}: seed {seed} finds no place for {small_objects} small objects")


def _main_part(free: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest connected floor, cut to its extent and two cells around it."""
    parts, count = ndimage.label(free)
    if count == 0:
        return np.zeros((1, 1), bool)
    largest = parts == 1 + int(np.argmax(ndimage.sum_labels(free, parts, range(1, count + 1))))
    rows, cols = np.nonzero(largest)
    cut = largest[rows.min() : rows.max() + 1, cols.min() : cols.max() + 1]
    return np.pad(cut, 2)


def _walls(free: NDArray[np.bool_], cell_m: float, picture: Path) -> tuple[Wall, ...]:
    """Boxes that fill every cell within two of the floor which is not floor itself."""
    rim = ndimage.binary_dilation(free, np.ones((3, 3)), iterations=2) & ~free
    blocks = list(rectangles(rim))
    if len(blocks) > WALLS_MAX:
        raise RoomError(f"{picture}: needs {len(blocks)} wall pieces, at most {WALLS_MAX}: use a coarser picture")
    walls = []
    for number, (row0, col0, row1, col1) in enumerate(blocks):
        x0, y0, x1, y1 = (value * cell_m for value in (col0, row0, col1, row1))
        if x1 - x0 >= y1 - y0:
            ends, thickness = (((x0, (y0 + y1) / 2), (x1, (y0 + y1) / 2))), y1 - y0
        else:
            ends, thickness = ((((x0 + x1) / 2, y0), ((x0 + x1) / 2, y1))), x1 - x0
        walls.append(Wall(f"wall_{number}", *ends, thickness, _WALL_HEIGHT_M, _WHITE, 0))
    return tuple(walls)


def rectangles(mask: NDArray[np.bool_]) -> Iterator[tuple[int, int, int, int]]:
    """Half-open blocks (row0, col0, row1, col1) that tile the mask; runs of a row grow down while they stay equal."""
    growing: dict[tuple[int, int], int] = {}
    for row in range(len(mask) + 1):
        runs: set[tuple[int, int]] = set()
        if row < len(mask):
            edges = np.flatnonzero(np.diff(np.pad(mask[row].astype(np.int8), 1)))
            runs = {(int(start), int(end)) for start, end in edges.reshape(-1, 2)}
        for run in sorted(set(growing) - runs):
            yield growing.pop(run), run[0], row, run[1]
        for run in runs - set(growing):
            growing[run] = row


def _dock(free: NDArray[np.bool_], clear: NDArray[np.float64], cell_m: float, rng: Rng) -> Dock:
    """Its back to a wall that a ray from open floor meets squarely."""
    open_cells = np.argwhere(clear >= 0.45)
    if not len(open_cells):
        raise RoomError("the plan has no floor wide enough for a dock and a robot")
    for _ in range(2000):
        row, col = (int(value) for value in open_cells[int(rng.integers(len(open_cells)))])
        step_row, step_col = ((0, 1), (1, 0), (0, -1), (-1, 0))[int(rng.integers(4))]
        while free[row, col]:
            row, col = row + step_row, col + step_col
        side = np.array([step_col, step_row])  # along the wall
        flat = all(
            not free[row + i * side[0], col + i * side[1]]
            and free[row - step_row + i * side[0], col - step_col + i * side[1]]
            for i in range(-round(0.25 / cell_m), round(0.25 / cell_m) + 1)
            if 0 <= row + i * side[0] < free.shape[0] and 0 <= col + i * side[1] < free.shape[1]
        )
        back = 0.5 * cell_m + 0.005
        x = (col + 0.5) * cell_m - step_col * (back + 0.05)
        y = (row + 0.5) * cell_m - step_row * (back + 0.05)
        heading = math.atan2(-step_row, -step_col)
        part = box((0.1, 0.24, 0.22), (0.0, 0.0, 0.11), (0.2, 0.2, 0.25))
        dock = Dock(x, y, heading, 0.05 + BODY_RADIUS_M + 0.08, (part,))
        start_row, start_col = int(dock.start.y_m / cell_m), int(dock.start.x_m / cell_m)
        if flat and clear[start_row, start_col] >= BODY_RADIUS_M + 0.05:
            return dock
    raise RoomError("the plan has no straight wall with open floor in front of it for a dock")


def _furniture(
    clear: NDArray[np.float64], cell_m: float, dock: Dock, rng: Rng, purpose: Purpose
) -> tuple[Furniture, ...]:
    """Pieces in the open, each with a passable gap all around; about one to twelve square metres."""
    shapes = [shape for shape in furniture_shapes.SHAPES if shape.purpose == purpose]
    clear = clear.copy()
    rows, cols = np.indices(clear.shape)
    x: FloatArray = np.asarray((cols + 0.5) * cell_m)
    y: FloatArray = np.asarray((rows + 0.5) * cell_m)
    clear = np.minimum(clear, np.hypot(x - dock.start.x_m, y - dock.start.y_m))
    pieces: list[Furniture] = []
    for number in range(int((clear > 0).sum() * cell_m**2 / 12)):
        shape = shapes[int(rng.integers(len(shapes)))]
        (depth, width), parts = shape.build(rng)
        reach = math.hypot(depth, width) / 2
        room = np.argwhere(clear >= reach + _PASSABLE_M)
        if not len(room):
            continue
        row, col = room[int(rng.integers(len(room)))]
        place = (float(x[row, col]), float(y[row, col]))
        heading = float(rng.integers(4)) * math.pi / 2 - math.pi / 2
        pieces.append(Furniture(f"{shape.kind}_{number}", shape.kind, shape.variant, *place, heading, tuple(parts)))
        clear = np.minimum(clear, np.maximum(np.hypot(x - place[0], y - place[1]) - reach, 0.0))
    return tuple(pieces)
