"""Furniture whose shape matters to a LIDAR: legs, low fronts, things to drive under. Upright boxes and cylinders only.

A piece stands at its frame's origin with its back at -x, so that +x looks into the room. Whatever stands on the floor
is at least as high as the LIDAR plane: lower hazards are small objects. Overhead parts start above the robot.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from simulation.room_spec import Colour, Part, Purpose
from simulation.shape_parts import Rng, any_colour, box, brown, cylinder, shade

Builder = Callable[[Rng], tuple[tuple[float, float], list[Part]]]  # (depth, width) of the place it takes, parts


@dataclass(frozen=True, slots=True)
class FurnitureShape:
    kind: str
    variant: str
    purpose: Purpose
    against_wall: bool
    build: Builder


def _legs(x: float, y: float, tall: float, thick: float, colour: Colour, round_: bool) -> list[Part]:
    """Four legs at (+-x, +-y)."""
    if round_:
        return [cylinder(thick, tall, (sx * x, sy * y, tall / 2), colour) for sx in (-1, 1) for sy in (-1, 1)]
    return [box((thick, thick, tall), (sx * x, sy * y, tall / 2), colour) for sx in (-1, 1) for sy in (-1, 1)]


def _material(rng: Rng) -> Colour:
    return brown(rng) if rng.uniform() < 0.6 else any_colour(rng)


def _table(rng: Rng, depth: float, width: float, tall: float) -> tuple[tuple[float, float], list[Part]]:
    colour, thick = _material(rng), rng.uniform(0.04, 0.08)
    top = box((depth, width, 0.03), (0.0, 0.0, tall), colour)
    inset = thick / 2 + 0.01
    legs = _legs(depth / 2 - inset, width / 2 - inset, tall - 0.015, thick, shade(colour, 0.9), rng.uniform() < 0.4)
    return (depth, width), [top, *legs]


def _dining_table(rng: Rng) -> tuple[tuple[float, float], list[Part]]:
    return _table(rng, rng.uniform(0.75, 0.95), rng.uniform(1.1, 1.7), rng.uniform(0.7, 0.76))


def _coffee_table(rng: Rng) -> tuple[tuple[float, float], list[Part]]:
    return _table(rng, rng.uniform(0.55, 0.7), rng.uniform(0.8, 1.1), rng.uniform(0.38, 0.46))


def _pedestal_table(rng: Rng) -> tuple[tuple[float, float], list[Part]]:
    colour, size = _material(rng), rng.uniform(0.7, 1.0)
    foot = cylinder(rng.uniform(0.22, 0.34), 0.2, (0.0, 0.0, 0.1), shade(colour, 0.8))
    return (size, size), [
        cylinder(size, 0.03, (0.0, 0.0, 0.73), colour),
        cylinder(0.09, 0.6, (0.0, 0.0, 0.42), shade(colour, 0.8)),
        foot,
    ]


def chair(rng: Rng) -> tuple[tuple[float, float], list[Part]]:
    colour, size = _material(rng), rng.uniform(0.4, 0.46)
    legs = _legs(
        size / 2 - 0.02, size / 2 - 0.02, 0.44, rng.uniform(0.03, 0.045), shade(colour, 0.85), rng.uniform() < 0.5
    )
    seat = box((size, size, 0.03), (0.0, 0.0, 0.455), colour)
    back = box((0.03, size, 0.4), (-size / 2 + 0.015, 0.0, 0.68), colour)
    return (size, size), [seat, back, *legs]


def _stool(rng: Rng) -> tuple[tuple[float, float], list[Part]]:
    colour, size = any_colour(rng), rng.uniform(0.32, 0.42)
    return (size, size), [cylinder(size, rng.uniform(0.38, 0.46), (0.0, 0.0, 0.21), colour)]


def _sofa(rng: Rng, clearance: float) -> tuple[tuple[float, float], list[Part]]:
    colour, depth, width = any_colour(rng), rng.uniform(0.8, 0.95), rng.uniform(1.4, 2.0)
    low = clearance
    seat_tall = 0.42 - low
    parts = [
        box((depth, width, seat_tall), (0.0, 0.0, low + seat_tall / 2), colour),
        box((0.2, width, 0.4), (-depth / 2 + 0.1, 0.0, 0.62), shade(colour, 0.92)),
        box((depth, 0.16, 0.18), (0.0, width / 2 - 0.08, 0.51), shade(colour, 0.96)),
        box((depth, 0.16, 0.18), (0.0, -width / 2 + 0.08, 0.51), shade(colour, 0.96)),
    ]
    if low > 0:
        parts += _legs(depth / 2 - 0.05, width / 2 - 0.05, low, 0.05, shade(brown(rng), 0.6), True)
    return (depth, width), parts


def _sofa_low(rng: Rng) -> tuple[tuple[float, float], list[Part]]:
    return _sofa(rng, 0.0)


def _sofa_high(rng: Rng) -> tuple[tuple[float, float], list[Part]]:
    return _sofa(rng, rng.uniform(0.21, 0.25))


def _armchair(rng: Rng) -> tuple[tuple[float, float], list[Part]]:
    colour, size = any_colour(rng), rng.uniform(0.7, 0.85)
    return (size, size), [
        box((size, size, 0.4), (0.0, 0.0, 0.2), colour),
        box((0.18, size, 0.4), (-size / 2 + 0.09, 0.0, 0.6), shade(colour, 0.9)),
    ]


def _bed_high(rng: Rng) -> tuple[tuple[float, float], list[Part]]:
    frame, sheet = _material(rng), any_colour(rng)
    depth, width, low = rng.uniform(1.95, 2.1), rng.uniform(0.9, 1.6), rng.uniform(0.22, 0.28)
    return (depth, width), [
        box((depth, width, 0.1), (0.0, 0.0, low + 0.05), frame),
        box((depth * 0.97, width * 0.96, 0.18), (0.0, 0.0, low + 0.19), sheet),
        *_legs(depth / 2 - 0.05, width / 2 - 0.05, low, 0.08, shade(frame, 0.8), False),
    ]


def _bed_closed(rng: Rng) -> tuple[tuple[float, float], list[Part]]:
    frame, sheet = _material(rng), any_colour(rng)
    depth, width = rng.uniform(1.95, 2.1), rng.uniform(0.9, 1.5)
    return (depth, width), [
        box((depth, width, 0.3), (0.0, 0.0, 0.15), frame),
        box((depth * 0.97, width * 0.97, 0.18), (0.0, 0.0, 0.39), sheet),
    ]


def _cupboard(rng: Rng) -> tuple[tuple[float, float], list[Part]]:
    colour = _material(rng)
    depth, width, tall = rng.uniform(0.3, 0.6), rng.uniform(0.6, 1.6), rng.uniform(0.5, 2.0)
    doors = max(int(width / 0.5), 1)
    fronts = [
        box(
            (0.02, width / doors - 0.02, tall - 0.06),
            (depth / 2, (i - (doors - 1) / 2) * width / doors, tall / 2 + 0.01),
            shade(colour, 0.93),
        )
        for i in range(doors)
    ]
    return (depth + 0.02, width), [box((depth, width, tall), (0.0, 0.0, tall / 2), colour), *fronts]


def _shelf(rng: Rng) -> tuple[tuple[float, float], list[Part]]:
    colour, depth, width, tall = _material(rng), rng.uniform(0.25, 0.4), rng.uniform(0.6, 1.3), rng.uniform(0.9, 1.9)
    boards = [box((depth, width - 0.05, 0.02), (0.0, 0.0, z), colour) for z in (0.35, 0.75, tall - 0.01)]
    sides = [box((depth, 0.025, tall), (0.0, sign * width / 2, tall / 2), shade(colour, 0.9)) for sign in (-1, 1)]
    plinth = box((depth, width - 0.05, 0.3), (0.0, 0.0, 0.15), shade(colour, 0.95))
    return (depth, width), [*boards, *sides, plinth]


def _desk(rng: Rng) -> tuple[tuple[float, float], list[Part]]:
    colour, depth, width = _material(rng), rng.uniform(0.6, 0.75), rng.uniform(1.1, 1.6)
    panels = [box((depth, 0.03, 0.7), (0.0, sign * (width / 2 - 0.015), 0.35), shade(colour, 0.9)) for sign in (-1, 1)]
    return (depth, width), [box((depth, width, 0.03), (0.0, 0.0, 0.72), colour), *panels]


def _counter(rng: Rng) -> tuple[tuple[float, float], list[Part]]:
    colour, width = any_colour(rng), rng.uniform(1.4, 2.4)
    return (0.6, width), [
        box((0.6, width, 0.86), (0.0, 0.0, 0.43), colour),
        box((0.62, width, 0.04), (0.0, 0.0, 0.88), shade(colour, 0.6)),
    ]


def _plant(rng: Rng) -> tuple[tuple[float, float], list[Part]]:
    size, tall = rng.uniform(0.22, 0.36), rng.uniform(0.22, 0.4)
    leaf = cylinder(size * 1.2, 0.5, (0.0, 0.0, tall + 0.3), (0.1, rng.uniform(0.3, 0.5), 0.12))
    return (size, size), [cylinder(size, tall, (0.0, 0.0, tall / 2), any_colour(rng)), leaf]


def _bin(rng: Rng) -> tuple[tuple[float, float], list[Part]]:
    size, tall = rng.uniform(0.22, 0.3), rng.uniform(0.3, 0.5)
    return (size, size), [box((size, size * 0.9, tall), (0.0, 0.0, tall / 2), any_colour(rng))]


def _pillar(rng: Rng) -> tuple[tuple[float, float], list[Part]]:
    size = rng.uniform(0.2, 0.4)
    colour = shade((0.9, 0.9, 0.88), rng.uniform(0.7, 1.0))
    if rng.uniform() < 0.5:
        return (size, size), [cylinder(size, 2.5, (0.0, 0.0, 1.25), colour)]
    return (size, size), [box((size, size, 2.5), (0.0, 0.0, 1.25), colour)]


def _curtain(rng: Rng) -> tuple[tuple[float, float], list[Part]]:
    colour, count, fold = any_colour(rng), int(rng.integers(8, 14)), rng.uniform(0.08, 0.12)
    width = count * fold
    parts = []
    for i in range(count):
        lean = (1 if i % 2 else -1) * rng.uniform(0.4, 0.7)
        place = (0.0, (i + 0.5) * fold - width / 2, 1.1)
        tint = shade(colour, 1.0 if i % 2 else 0.92)
        parts.append(box((0.02, fold / math.cos(lean), 2.2), place, tint, (0.0, 0.0, 1.0, lean)))
    return (0.12, width), parts


SHAPES: tuple[FurnitureShape, ...] = (
    FurnitureShape("table", "legs", "train", False, _dining_table),
    FurnitureShape("table", "coffee", "train", False, _coffee_table),
    FurnitureShape("table", "pedestal", "test", False, _pedestal_table),
    FurnitureShape("chair", "legs", "train", False, chair),
    FurnitureShape("chair", "stool", "test", False, _stool),
    FurnitureShape("sofa", "low", "train", True, _sofa_low),
    FurnitureShape("sofa", "high", "test", True, _sofa_high),
    FurnitureShape("armchair", "block", "train", True, _armchair),
    FurnitureShape("bed", "closed", "train", True, _bed_closed),
    FurnitureShape("bed", "high", "test", True, _bed_high),
    FurnitureShape("cupboard", "doors", "train", True, _cupboard),
    FurnitureShape("shelf", "open", "test", True, _shelf),
    FurnitureShape("desk", "panels", "train", True, _desk),
    FurnitureShape("counter", "kitchen", "test", True, _counter),
    FurnitureShape("plant", "pot", "train", True, _plant),
    FurnitureShape("bin", "box", "test", True, _bin),
    FurnitureShape("pillar", "plain", "train", False, _pillar),
    FurnitureShape("curtain", "folds", "train", True, _curtain),
)
