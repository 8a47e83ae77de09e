"""Seeded random rooms and flats that a robot can solve: drawn, checked by ground truth, redrawn until they hold."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from foundation.geometry import Pose2D
from perception.labels import SMALL_OBJECTS
from simulation import furniture_shapes
from simulation.doors_and_movers import Doors, with_a_shut_door, with_movers, with_open_doors
from simulation.errors import RoomError
from simulation.furnishing import Placement, Site, against_wall, chairs_around, in_the_open
from simulation.ground_truth import FloorTruth, again, distance_to, floor_truth
from simulation.room_layout import WALL_THICKNESS_M, Cell, Layout, draw_layout
from simulation.room_spec import (
    SMALL_OBJECT_HEIGHT_MAX_M,
    Colour,
    Dock,
    FloorPatch,
    Furniture,
    Lamp,
    Part,
    Purpose,
    Room,
    SmallObject,
    Texture,
    Wall,
)
from simulation.shape_parts import Rng, any_colour, box, shade, top_m
from simulation.small_object_shapes import draw_parts
from simulation.texture_patterns import Use
from simulation.textures import draw_texture

BODY_RADIUS_M = 0.17  # the reference robot, for which rooms are made solvable
TOOL_WIDTH_M = 0.26
SOLVABLE_RATIO = 0.9
_CHECK_CELL_M = 0.025
_ATTEMPTS = 60
_WALL_HEIGHT_M = 2.5
_ROOM_SIDE_MIN_M = 1.9
_WHITE: Colour = (1.0, 1.0, 1.0)
_PURPOSE_KEY = {"train": 0, "test": 1}


def draw_room(
    seed: int,
    *,
    rooms: int | None = None,
    purpose: Purpose = "train",
    small_objects: tuple[int, int] = (8, 14),
    clutter: float = 1.0,
    classes: tuple[str, ...] = SMALL_OBJECTS,
    doors: Doors = "gaps",
    movers: int = 0,
) -> Room:
    """The room of a seed; `rooms` None draws 1 to 4. `clutter` scales the furniture, `classes` name what lies about.

    `doors`: doorways are mere gaps, or have leaves that stand open, or one of them is shut and what lies behind it out
    of reach. `movers` people, pets and pushed chairs come and go.

    Raises RoomError when the seed or the counts are out of range.
    """
    if not 0 <= seed < 2**63:
        raise RoomError(f"seed = {seed}: must be between 0 and 2^63 - 1")
    if rooms is not None and not 1 <= rooms <= 12:
        raise RoomError(f"rooms = {rooms}: must be between 1 and 12")
    if not 0 <= small_objects[0] <= small_objects[1] <= 60:
        raise RoomError(f"small_objects = {small_objects}: must be 0 <= least <= most <= 60")
    for attempt in range(_ATTEMPTS):
        rng = np.random.default_rng([seed, _PURPOSE_KEY[purpose], attempt])
        count = int(rng.integers(1, 5)) if rooms is None else rooms
        drawn = _furnished(seed, rng, count, purpose, clutter * 0.97**attempt)
        if drawn is None or not _solvable(drawn[0]):
            continue
        room, layout = drawn
        extra = np.random.default_rng([seed, _PURPOSE_KEY[purpose], attempt, 0xD0])
        if doors != "gaps":
            room = with_open_doors(room, layout.doorways, extra, _solvable)
        many = int(rng.integers(small_objects[0], small_objects[1] + 1)) * (1 if count == 1 else 2)
        strewn = strew(room, rng, many, classes)
        if strewn is not None:
            if doors == "shut":
                strewn = with_a_shut_door(strewn, layout.doorways, extra)
            return with_movers(strewn, bare_truth(strewn), extra, movers)
    raise RoomError(f"seed {seed}: no solvable room of {rooms} rooms in {_ATTEMPTS} draws")


@dataclass(frozen=True, slots=True)
class Ground:
    """Where small objects may lie in a room; the same for as long as walls, furniture and dock stay."""

    truth: FloorTruth  # without small objects
    cells: NDArray[np.int64]  # (K, 2) rows and columns of the truth's grid


def ground_of(room: Room) -> Ground:
    """Floor that the tool reaches, away from the dock and from narrow ways."""
    truth = bare_truth(room)
    near_start = _near(truth, room.dock.start, 0.6)
    allowed = truth.coverable & (truth.standing_clear_m > 0.06) & ~near_start & ~_near_doorways(room, truth)
    return Ground(truth, np.argwhere(allowed))


def strew(
    room: Room, rng: Rng, count: int, classes: tuple[str, ...] = SMALL_OBJECTS, *, ground: Ground | None = None
) -> Room | None:
    """The room with `count` small objects spread over its reachable floor; None when they would cut it apart.

    `ground` is `ground_of(room)` when the caller has it already.
    """
    bare = replace(room, small_objects=())
    ground = ground or ground_of(bare)
    truth, cells = ground.truth, ground.cells
    if not truth.coverable.any():
        return None
    objects: list[SmallObject] = []
    places: list[tuple[float, float]] = []
    spacing_m = min(0.75, 0.8 * math.sqrt(float(len(cells)) * _CHECK_CELL_M**2 / max(count, 1)))
    kinds = [classes[int(i)] for i in rng.permutation(len(classes))]
    for index in range(count):
        for _ in range(200):
            row, col = cells[int(rng.integers(len(cells)))]
            x, y = (float(v) for v in truth.geometry.centres(np.array([[row, col]]))[0] + rng.uniform(-0.012, 0.012, 2))
            if all(math.hypot(x - a, y - b) >= spacing_m for a, b in places):
                break
            spacing_m *= 0.995
        places.append((x, y))
        objects.append(
            _small_object(index, kinds[index % len(kinds)], room, rng, x, y, float(truth.standing_clear_m[row, col]))
        )
    full = replace(room, small_objects=tuple(objects))
    with_objects = again(truth, full, full.dock.start, BODY_RADIUS_M, TOOL_WIDTH_M)
    return full if with_objects.coverable.sum() >= 0.8 * truth.coverable.sum() else None


def solvable_ratio(room: Room) -> float:
    """Share of the free floor that the body can stand on, coming from the dock; small objects left out."""
    truth = bare_truth(room)
    touched = distance_to(truth.reach, _CHECK_CELL_M) <= BODY_RADIUS_M + 0.03
    return float((touched & truth.free).sum() / max(int(truth.free.sum()), 1))


def _solvable(room: Room) -> bool:
    return solvable_ratio(room) >= SOLVABLE_RATIO


def bare_truth(room: Room) -> FloorTruth:
    """Of walls and furniture alone."""
    return floor_truth(
        room, body_radius_m=BODY_RADIUS_M, tool_width_m=TOOL_WIDTH_M, cell_m=_CHECK_CELL_M, with_small_objects=False
    )


def _small_object(index: int, kind: str, room: Room, rng: Rng, x: float, y: float, clear_m: float) -> SmallObject:
    for _ in range(20):
        variant, parts = draw_parts(kind, room.purpose, rng)
        reach = max(math.hypot(part.position_m[0], part.position_m[1]) + max(part.size_m) / 2 for part in parts)
        if top_m(parts) < SMALL_OBJECT_HEIGHT_MAX_M and reach < clear_m + 0.12:
            break
    things = [i for i, texture in enumerate(room.textures) if texture.kind in _THING_KINDS]
    if things and rng.uniform() < 0.4:
        pick = things[int(rng.integers(len(things)))]
        parts = tuple(replace(part, texture=pick) if i == 0 else part for i, part in enumerate(parts))
    return SmallObject(f"{kind}_{index}", kind, variant, x, y, float(rng.uniform(-math.pi, math.pi)), parts)


_THING_KINDS = ("weave", "bands", "timber", "dots")


def _near(truth: FloorTruth, pose: Pose2D, distance_m: float) -> NDArray[np.bool_]:
    rows, cols = np.indices(truth.geometry.shape)
    x = truth.geometry.origin_x_m + (cols + 0.5) * truth.geometry.cell_m
    y = truth.geometry.origin_y_m + (rows + 0.5) * truth.geometry.cell_m
    near: NDArray[np.bool_] = np.hypot(x - pose.x_m, y - pose.y_m) < distance_m
    return near


def _near_doorways(room: Room, truth: FloorTruth) -> NDArray[np.bool_]:
    """Where a small object would block the only way: gaps narrower than two robots."""
    wide = distance_to(truth.standing_clear_m <= 0, _CHECK_CELL_M)
    open_floor = distance_to(wide >= 0.42, _CHECK_CELL_M)
    narrow: NDArray[np.bool_] = open_floor > 0.45
    return narrow


def _furnished(seed: int, rng: Rng, count: int, purpose: Purpose, clutter: float) -> tuple[Room, Layout] | None:
    """A flat with furniture, dock, floors and lamps, without small objects; None when the dock finds no place."""
    layout = draw_layout(rng, count)
    if any(min(cell.width_m, cell.depth_m) < _ROOM_SIDE_MIN_M for cell in layout.cells if not cell.corridor):
        return None
    textures: list[Texture] = []

    def texture(use: Use) -> int:
        textures.append(draw_texture(use, purpose, rng))
        return len(textures) - 1

    wall_texture = texture("wall")
    walls = tuple(
        Wall(f"wall_{i}", start, end, WALL_THICKNESS_M, _WALL_HEIGHT_M, _WHITE, wall_texture)
        for i, (start, end) in enumerate(_lengthened(layout))
    )
    floors = _floors(layout, rng, texture)
    things = [texture("thing") for _ in range(3)]
    site = Site(layout, rng)
    dock = _dock(site, layout, rng)
    if dock is None:
        return None
    furniture: list[Furniture] = []
    if count == 1 and rng.uniform() < 0.5:
        furniture += _corner_blocks(site, layout.cells[0], rng, wall_texture)
    for cell in layout.cells:
        furniture += _furnish(site, cell, rng, purpose, clutter, len(furniture), things)
    room = Room(
        name=f"{purpose}-{seed}",
        seed=seed,
        purpose=purpose,
        walls=walls,
        floors=floors,
        furniture=tuple(furniture),
        small_objects=(),
        dock=dock,
        textures=tuple(textures),
        lamps=_lamps(layout, rng),
        ambient=shade(_WHITE, rng.uniform(0.25, 0.5)),
    )
    return room, layout


def _lengthened(layout: Layout) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """The outer four walls reach past each other, so that corners are closed."""
    pad = WALL_THICKNESS_M / 2
    segments = []
    for index, (start, end) in enumerate(layout.segments):
        if index < 4:
            length = math.dist(start, end)
            ux, uy = (end[0] - start[0]) / length * pad, (end[1] - start[1]) / length * pad
            start, end = (start[0] - ux, start[1] - uy), (end[0] + ux, end[1] + uy)
        segments.append((start, end))
    return segments


def _floors(layout: Layout, rng: Rng, texture: Callable[[Use], int]) -> tuple[FloorPatch, ...]:
    floors = []
    bases: list[tuple[str, int]] = []
    for index, cell in enumerate(layout.cells):
        if not bases or rng.uniform() < 0.5:
            kind: Use = ("hardwood", "tile", "carpet", "concrete")[int(rng.choice(4, p=[0.4, 0.25, 0.2, 0.15]))]
            bases.append((kind, texture(kind)))
        name, picture = bases[-1]
        middle = ((cell.x0_m + cell.x1_m) / 2, (cell.y0_m + cell.y1_m) / 2)
        size = (cell.width_m, cell.depth_m)
        floors.append(FloorPatch(f"floor_{index}", name, *middle, 0.0, size, 0.0, _WHITE, picture))
        if not cell.corridor and rng.uniform() < 0.45:
            rug = (rng.uniform(0.9, min(2.4, size[0] * 0.6)), rng.uniform(0.8, min(1.8, size[1] * 0.6)))
            x = rng.uniform(cell.x0_m + rug[0] / 2 + 0.3, cell.x1_m - rug[0] / 2 - 0.3)
            y = rng.uniform(cell.y0_m + rug[1] / 2 + 0.3, cell.y1_m - rug[1] / 2 - 0.3)
            floors.append(
                FloorPatch(f"rug_{index}", "rug", x, y, 0.0, rug, rng.uniform(0.003, 0.008), _WHITE, texture("rug"))
            )
    return tuple(floors)


def _dock(site: Site, layout: Layout, rng: Rng) -> Dock | None:
    """At a wall, with open floor in front."""
    for _ in range(40):
        cell = layout.cells[int(rng.integers(len(layout.cells)))]
        place = against_wall(site, cell, rng, 0.1, 0.24, front_m=0.9, side_m=0.45)
        if place is not None:
            colour = shade(any_colour(rng), 0.8)
            parts = (box((0.1, 0.24, 0.22), (0.0, 0.0, 0.11), colour),)
            return Dock(place.x_m, place.y_m, place.heading_rad, 0.05 + BODY_RADIUS_M + 0.08, parts)
    return None


def _corner_blocks(site: Site, cell: Cell, rng: Rng, texture: int) -> list[Furniture]:
    """An L shape (a boxed corner) or a slanted corner, built as solid blocks of wall."""
    x, y = (cell.x0_m, cell.x1_m)[int(rng.integers(2))], (cell.y0_m, cell.y1_m)[int(rng.integers(2))]
    slanted = rng.uniform() < 0.5
    if slanted:
        side = rng.uniform(0.8, 1.4)
        size, heading = (side, side), math.pi / 4
        half = side / math.sqrt(2)
    else:
        size, heading = (2 * rng.uniform(0.6, 1.2), 2 * rng.uniform(0.6, 1.2)), 0.0
        half = max(size) / 2
    if not site.claim(x - half, y - half, x + half, y + half, gap_m=0.42):
        return []
    block = box((size[0], size[1], _WALL_HEIGHT_M), (0.0, 0.0, _WALL_HEIGHT_M / 2), _WHITE, texture=texture)
    return [Furniture("corner_block", "wall_block", "slanted" if slanted else "square", x, y, heading, (block,))]


def _furnish(
    site: Site, cell: Cell, rng: Rng, purpose: Purpose, clutter: float, first: int, textures: list[int]
) -> list[Furniture]:
    if cell.corridor:
        return []
    made: list[Furniture] = []
    shapes = [shape for shape in furniture_shapes.SHAPES if shape.purpose == purpose]
    wanted = max(round(cell.area_m2 / 3.2 * clutter * rng.uniform(0.8, 1.2)), 1)
    for _ in range(wanted * 3):
        if len(made) >= wanted * 2 or sum(item.kind != "chair" for item in made) >= wanted:
            break
        shape = shapes[int(rng.integers(len(shapes)))]
        if sum(item.kind == shape.kind for item in made) >= 2:
            continue
        (depth, width), parts = shape.build(rng)
        place: Placement | None
        if shape.against_wall:
            place = against_wall(site, cell, rng, depth, width, front_m=0.0, side_m=0.42)
        else:
            place = in_the_open(site, cell, rng, depth, width)
        if place is None:
            continue
        if rng.uniform() < 0.5:
            pick = textures[int(rng.integers(len(textures)))]
            parts = [replace(part, texture=pick) if part.shape == "box" else part for part in parts]
        made.append(_piece(shape.kind, shape.variant, first + len(made), place, parts))
        if shape.kind == "table" and shape.variant != "coffee":
            chair_shapes = [item for item in shapes if item.kind == "chair"]
            chair = chair_shapes[int(rng.integers(len(chair_shapes)))]
            for seat in chairs_around(rng, place, depth, width):
                made.append(_piece("chair", chair.variant, first + len(made), seat, chair.build(rng)[1]))
    return made


def _piece(kind: str, variant: str, number: int, place: Placement, parts: list[Part]) -> Furniture:
    return Furniture(f"{kind}_{number}", kind, variant, place.x_m, place.y_m, place.heading_rad, tuple(parts))


def _lamps(layout: Layout, rng: Rng) -> tuple[Lamp, ...]:
    lamps = []
    for cell in layout.cells[:4]:
        x, y = rng.uniform(cell.x0_m, cell.x1_m), rng.uniform(cell.y0_m, cell.y1_m)
        warm = rng.uniform(0.75, 1.05)
        level = rng.uniform(0.3, 0.75) / math.sqrt(len(layout.cells))
        colour = (min(level, 1.0), min(level * (0.5 + 0.5 * warm), 1.0), min(level * warm, 1.0))
        lamps.append(Lamp((x, y, rng.uniform(1.6, 2.4)), colour))
    return tuple(lamps)
