"""Finds places for furniture: against walls or in the open, with gaps that a robot either passes or has no use for."""

import math
from dataclasses import dataclass

from simulation.room_layout import WALL_THICKNESS_M, Cell, Layout
from simulation.shape_parts import Rng

PASSABLE_M = 0.44  # the robot's diameter and a margin on both sides


@dataclass(frozen=True, slots=True)
class Placement:
    x_m: float
    y_m: float
    heading_rad: float


class Site:
    """Boxes already taken, with the gap each wants around it."""

    def __init__(self, layout: Layout, rng: Rng) -> None:
        self._taken: list[tuple[float, float, float, float, float]] = []
        for door in layout.doorways:
            reach = max(door.width_m / 2, 0.6)
            self._taken.append((door.x_m - reach, door.y_m - reach, door.x_m + reach, door.y_m + reach, 0.0))

    def claim(self, x0_m: float, y0_m: float, x1_m: float, y1_m: float, *, gap_m: float) -> bool:
        """Takes the box unless something is nearer than the larger of both gaps."""
        for ax0, ay0, ax1, ay1, gap in self._taken:
            keep = max(gap, gap_m) if gap else 0.0
            if x0_m < ax1 + keep and x1_m > ax0 - keep and y0_m < ay1 + keep and y1_m > ay0 - keep:
                return False
        self._taken.append((x0_m, y0_m, x1_m, y1_m, gap_m))
        return True


def against_wall(
    site: Site, cell: Cell, rng: Rng, depth_m: float, width_m: float, *, front_m: float, side_m: float
) -> Placement | None:
    """Back to one of the cell's four walls; `front_m` in front of it is kept free too."""
    inset = WALL_THICKNESS_M / 2
    for _ in range(12):
        side = int(rng.integers(4))
        heading = side * math.pi / 2
        length = (cell.depth_m if side % 2 == 0 else cell.width_m) - 2 * inset
        room = length - width_m
        if room < 0 or (cell.width_m if side % 2 == 0 else cell.depth_m) - 2 * inset < depth_m + front_m + PASSABLE_M:
            continue
        along = _flush_or_passable(rng, room)
        if along is None:
            continue
        deep = inset + depth_m / 2 + 0.005
        x, y = {
            0: (cell.x0_m + deep, cell.y0_m + inset + along + width_m / 2),
            1: (cell.x0_m + inset + along + width_m / 2, cell.y0_m + deep),
            2: (cell.x1_m - deep, cell.y0_m + inset + along + width_m / 2),
            3: (cell.x0_m + inset + along + width_m / 2, cell.y1_m - deep),
        }[side]
        if _claim(site, x, y, heading, depth_m, width_m, front_m, side_m):
            return Placement(x, y, heading if heading <= math.pi else heading - 2 * math.pi)
    return None


def in_the_open(site: Site, cell: Cell, rng: Rng, depth_m: float, width_m: float) -> Placement | None:
    """Away from all walls, mostly square to them."""
    for _ in range(12):
        heading = float(rng.integers(4)) * math.pi / 2 - math.pi / 2
        slanted = rng.uniform() < 0.3
        turn = rng.uniform(-0.5, 0.5) if slanted else 0.0
        across, along = (depth_m, width_m) if round(heading / (math.pi / 2)) % 2 == 0 else (width_m, depth_m)
        half_x = (across * math.cos(turn) + along * abs(math.sin(turn))) / 2
        half_y = (along * math.cos(turn) + across * abs(math.sin(turn))) / 2
        keep = WALL_THICKNESS_M / 2 + PASSABLE_M
        if cell.width_m < 2 * (half_x + keep) or cell.depth_m < 2 * (half_y + keep):
            continue
        x = rng.uniform(cell.x0_m + half_x + keep, cell.x1_m - half_x - keep)
        y = rng.uniform(cell.y0_m + half_y + keep, cell.y1_m - half_y - keep)
        if site.claim(x - half_x, y - half_y, x + half_x, y + half_y, gap_m=PASSABLE_M):
            return Placement(x, y, heading + turn)
    return None


def chairs_around(rng: Rng, table: Placement, depth_m: float, width_m: float) -> list[Placement]:
    """Chairs facing the table, pulled out enough not to touch it."""
    places = []
    spots = max(int(width_m / 0.62), 1)
    for sign in (-1, 1):
        for index in range(spots):
            if rng.uniform() < 0.6:
                continue
            ahead = sign * (depth_m / 2 + rng.uniform(0.02, 0.12))
            aside = (index - (spots - 1) / 2) * 0.62 + rng.uniform(-0.04, 0.04)
            cos, sin = math.cos(table.heading_rad), math.sin(table.heading_rad)
            facing = table.heading_rad + (math.pi if sign > 0 else 0.0) + rng.uniform(-0.25, 0.25)
            places.append(
                Placement(
                    table.x_m + cos * ahead - sin * aside,
                    table.y_m + sin * ahead + cos * aside,
                    math.remainder(facing, 2 * math.pi),
                )
            )
    return places


def _flush_or_passable(rng: Rng, room_m: float) -> float | None:
    """A distance from one end such that both ends are flush or passable."""
    choices = []
    if room_m < 0.03 or room_m >= PASSABLE_M:
        choices += [0.005, room_m - 0.005]
    if room_m >= 2 * PASSABLE_M:
        choices += [rng.uniform(PASSABLE_M, room_m - PASSABLE_M)] * 2
    return max(choices[int(rng.integers(len(choices)))], 0.0) if choices else None


def _claim(
    site: Site, x: float, y: float, heading: float, depth: float, width: float, front: float, side: float
) -> bool:
    cos, sin = round(math.cos(heading)), round(math.sin(heading))
    ahead0, ahead1 = -depth / 2, depth / 2 + front
    xs = [x + cos * a - sin * b for a in (ahead0, ahead1) for b in (-width / 2, width / 2)]
    ys = [y + sin * a + cos * b for a in (ahead0, ahead1) for b in (-width / 2, width / 2)]
    return site.claim(min(xs), min(ys), max(xs), max(ys), gap_m=side)
