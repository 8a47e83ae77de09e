"""The bare flat: rectangles of rooms, the walls between them, doorways, and corners that are not square."""

import math
from dataclasses import dataclass

from simulation.shape_parts import Rng

WALL_THICKNESS_M = 0.1
DOOR_WIDTH_M = (0.85, 1.05)
CORRIDOR_WIDTH_M = (1.15, 1.4)
_SHARED_MIN_M = 1.45  # a shared edge must hold a doorway and its posts


@dataclass(frozen=True, slots=True)
class Cell:
    """One room's rectangle between the middle lines of its walls."""

    x0_m: float
    y0_m: float
    x1_m: float
    y1_m: float
    corridor: bool = False

    @property
    def width_m(self) -> float:
        return self.x1_m - self.x0_m

    @property
    def depth_m(self) -> float:
        return self.y1_m - self.y0_m

    @property
    def area_m2(self) -> float:
        return self.width_m * self.depth_m


@dataclass(frozen=True, slots=True)
class Doorway:
    """An opening in a wall: its middle, the wall's direction and its width."""

    x_m: float
    y_m: float
    heading_rad: float
    width_m: float


Segment = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Layout:
    cells: tuple[Cell, ...]
    segments: tuple[Segment, ...]
    doorways: tuple[Doorway, ...]


def draw_layout(rng: Rng, rooms: int) -> Layout:
    """A flat of `rooms` rooms; from three rooms on there may be a corridor besides."""
    area = rng.uniform(11, 20) if rooms == 1 else sum(rng.uniform(9, 13) for _ in range(rooms))
    aspect = rng.uniform(0.7, 1.4)
    width, depth = math.sqrt(area * aspect), math.sqrt(area / aspect)
    cells = [Cell(0.0, 0.0, round(width, 2), round(depth, 2))]
    corridor: list[Cell] = []
    if rooms >= 3 and rng.uniform() < 0.5:
        cells, corridor = _with_corridor(rng, cells[0])
    while len(cells) < rooms:
        cells.sort(key=lambda cell: -cell.area_m2)
        cells = [*_split(rng, cells[0]), *cells[1:]]
    cells += corridor
    segments, doorways = _walls(rng, cells, round(width, 2), round(depth, 2))
    return Layout(tuple(cells), tuple(segments), tuple(doorways))


def _with_corridor(rng: Rng, flat: Cell) -> tuple[list[Cell], list[Cell]]:
    """A strip across the longer side, the rest on both sides of it."""
    wide = rng.uniform(*CORRIDOR_WIDTH_M)
    at = rng.uniform(0.42, 0.58)
    if flat.width_m < flat.depth_m:
        x = round(flat.x0_m + at * flat.width_m - wide / 2, 2)
        sides = [Cell(flat.x0_m, flat.y0_m, x, flat.y1_m), Cell(round(x + wide, 2), flat.y0_m, flat.x1_m, flat.y1_m)]
        return sides, [Cell(x, flat.y0_m, round(x + wide, 2), flat.y1_m, True)]
    y = round(flat.y0_m + at * flat.depth_m - wide / 2, 2)
    sides = [Cell(flat.x0_m, flat.y0_m, flat.x1_m, y), Cell(flat.x0_m, round(y + wide, 2), flat.x1_m, flat.y1_m)]
    return sides, [Cell(flat.x0_m, y, flat.x1_m, round(y + wide, 2), True)]


def _split(rng: Rng, cell: Cell) -> tuple[Cell, Cell]:
    at = rng.uniform(0.42, 0.58)
    if cell.width_m > cell.depth_m:
        x = round(cell.x0_m + at * cell.width_m, 2)
        return Cell(cell.x0_m, cell.y0_m, x, cell.y1_m), Cell(x, cell.y0_m, cell.x1_m, cell.y1_m)
    y = round(cell.y0_m + at * cell.depth_m, 2)
    return Cell(cell.x0_m, cell.y0_m, cell.x1_m, y), Cell(cell.x0_m, y, cell.x1_m, cell.y1_m)


def _walls(rng: Rng, cells: list[Cell], width: float, depth: float) -> tuple[list[Segment], list[Doorway]]:
    """Outer walls, then every shared edge, opened where a doorway is."""
    segments: list[Segment] = [
        ((0.0, 0.0), (width, 0.0)),
        ((width, 0.0), (width, depth)),
        ((width, depth), (0.0, depth)),
        ((0.0, depth), (0.0, 0.0)),
    ]
    edges = []
    for i, a in enumerate(cells):
        for j in range(i + 1, len(cells)):
            edge = _shared(a, cells[j])
            if edge is not None:
                edges.append((i, j, edge))
    opened = _joined(rng, len(cells), edges)
    doorways = []
    for index, (_, _, (start, end)) in enumerate(edges):
        if index not in opened:
            segments.append((start, end))
            continue
        length = math.dist(start, end)
        ux, uy = (end[0] - start[0]) / length, (end[1] - start[1]) / length
        wide = round(rng.uniform(*DOOR_WIDTH_M), 2)
        at = rng.uniform(0.2 + wide / 2, length - 0.2 - wide / 2)
        near, far = at - wide / 2, at + wide / 2
        segments.append((start, (start[0] + ux * near, start[1] + uy * near)))
        segments.append(((start[0] + ux * far, start[1] + uy * far), end))
        doorways.append(Doorway(start[0] + ux * at, start[1] + uy * at, math.atan2(uy, ux), wide))
    return segments, doorways


def _shared(a: Cell, b: Cell) -> Segment | None:
    for x, other in ((a.x1_m, b.x0_m), (a.x0_m, b.x1_m)):
        low, high = max(a.y0_m, b.y0_m), min(a.y1_m, b.y1_m)
        if abs(x - other) < 1e-6 and high - low > 1e-6:
            return (x, low), (x, high)
    for y, other in ((a.y1_m, b.y0_m), (a.y0_m, b.y1_m)):
        low, high = max(a.x0_m, b.x0_m), min(a.x1_m, b.x1_m)
        if abs(y - other) < 1e-6 and high - low > 1e-6:
            return (low, y), (high, y)
    return None


def _joined(rng: Rng, count: int, edges: list[tuple[int, int, Segment]]) -> set[int]:
    """Edges that get a doorway: a random spanning tree, and now and then one more."""
    wide = [i for i, (_, _, edge) in enumerate(edges) if math.dist(*edge) >= _SHARED_MIN_M]
    group = list(range(count))
    opened: set[int] = set()
    for index in [wide[int(i)] for i in rng.permutation(len(wide))]:
        a, b, _ = edges[index]
        if group[a] != group[b]:
            group = [group[a] if item == group[b] else item for item in group]
            opened.add(index)
        elif rng.uniform() < 0.25:
            opened.add(index)
    return opened
