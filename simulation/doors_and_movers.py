"""Door leaves, open and shut, and things that come and go: added to a room that is already drawn."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from simulation.furniture_shapes import chair
from simulation.ground_truth import FloorTruth
from simulation.room_layout import Doorway
from simulation.room_spec import Furniture, Mover, Part, Room
from simulation.shape_parts import Rng, any_colour, box, brown, cylinder, shade

Doors = Literal["gaps", "open", "shut"]
LEAF_M = (0.04, 2.0)  # thickness, height
_WALK_CLEAR_M = 0.32
_KINDS: tuple[Literal["person", "pet", "chair"], ...] = ("person", "pet", "chair")


def with_open_doors(room: Room, doorways: Sequence[Doorway], rng: Rng, solvable: Callable[[Room], bool]) -> Room:
    """A leaf at every doorway where it can stand open and leave the room solvable."""
    for number, doorway in enumerate(doorways):
        choices = [(hinge, side) for hinge in (-1, 1) for side in (-1, 1)]
        for index in rng.permutation(len(choices)):
            hinge, side = choices[int(index)]
            leaf = _leaf(f"door_{number}", doorway, hinge, side * rng.uniform(1.4, 1.75), "open", rng)
            with_leaf = replace(room, furniture=(*room.furniture, leaf))
            if solvable(with_leaf):
                room = with_leaf
                break
    return room


def with_a_shut_door(room: Room, doorways: Sequence[Doorway], rng: Rng) -> Room:
    """One doorway shut: its leaf lies in the opening. A room without doorways stays as it is."""
    if not doorways:
        return room
    number = int(rng.integers(len(doorways)))
    name = f"door_{number}"
    leaf = _leaf(name, doorways[number], -1, 0.0, "shut", rng)
    return replace(room, furniture=(*(item for item in room.furniture if item.name != name), leaf))


def with_movers(room: Room, truth: FloorTruth, rng: Rng, count: int) -> Room:
    """`count` movers on floor wide enough for them, none near the dock at the start."""
    movers = []
    for number in range(count):
        kind = _KINDS[number % len(_KINDS)]
        points = _walk(truth, rng, room.dock.start.x_m, room.dock.start.y_m, legs=1 if kind == "chair" else 5)
        if not points:
            continue
        speed = {"person": rng.uniform(0.4, 0.9), "pet": rng.uniform(0.3, 0.8), "chair": 0.4}[kind]
        start_s = float(rng.uniform(5, 60))
        parts = {"person": _person, "pet": _pet, "chair": _pushed_chair}[kind](rng)
        movers.append(Mover(f"{kind}_mover_{number}", kind, points, speed, start_s, kind != "chair", parts))
    return replace(room, movers=tuple(movers))


def _leaf(name: str, doorway: Doorway, hinge: int, swing_rad: float, variant: str, rng: Rng) -> Furniture:
    """`hinge` -1 or 1: which end of the doorway; swung by `swing_rad` out of the wall's line."""
    width = doorway.width_m - 0.02
    ux, uy = math.cos(doorway.heading_rad), math.sin(doorway.heading_rad)
    x, y = doorway.x_m + hinge * ux * doorway.width_m / 2, doorway.y_m + hinge * uy * doorway.width_m / 2
    heading = doorway.heading_rad + (math.pi if hinge > 0 else 0.0) + swing_rad
    colour = shade((0.95, 0.95, 0.92), rng.uniform(0.8, 1.0)) if rng.uniform() < 0.6 else brown(rng)
    panel = box((width, LEAF_M[0], LEAF_M[1]), (width / 2 + 0.01, 0.0, LEAF_M[1] / 2), colour)
    return Furniture(name, "door", variant, x, y, math.remainder(heading, 2 * math.pi), (panel,))


def _walk(
    truth: FloorTruth, rng: Rng, dock_x_m: float, dock_y_m: float, *, legs: int
) -> tuple[tuple[float, float], ...]:
    """Points joined by straight lines over wide floor; empty when there is no such floor."""
    wide = truth.reach & (truth.standing_clear_m >= min(_WALK_CLEAR_M, float(truth.standing_clear_m.max())))
    cells = np.argwhere(wide)
    if not len(cells):
        return ()
    centres = truth.geometry.centres(cells)
    away = centres[np.hypot(centres[:, 0] - dock_x_m, centres[:, 1] - dock_y_m) > 1.2]
    if not len(away):
        return ()
    points = [away[int(rng.integers(len(away)))]]
    for _ in range(40 * legs):
        if len(points) > legs:
            break
        there = away[int(rng.integers(len(away)))]
        steps = np.linspace(points[-1], there, max(int(np.hypot(*(there - points[-1])) / 0.05), 2))
        rows, cols = truth.geometry.cells(steps).T
        if wide[rows, cols].all():
            points.append(there)
    return tuple((float(x), float(y)) for x, y in points)


def _person(rng: Rng) -> tuple[Part, ...]:
    trousers, shirt = any_colour(rng), any_colour(rng)
    legs = [cylinder(0.13, 0.85, (0.0, side * 0.1, 0.425), trousers) for side in (-1, 1)]
    return (
        *legs,
        box((0.25, 0.42, 0.6), (0.0, 0.0, 1.15), shirt),
        cylinder(0.2, 0.25, (0.0, 0.0, 1.6), (0.8, 0.6, 0.5)),
    )


def _pet(rng: Rng) -> tuple[Part, ...]:
    fur = brown(rng)
    legs = [cylinder(0.04, 0.12, (x * 0.12, y * 0.05, 0.06), shade(fur, 0.8)) for x in (-1, 1) for y in (-1, 1)]
    return (box((0.34, 0.14, 0.16), (0.0, 0.0, 0.18), fur), box((0.12, 0.12, 0.12), (0.2, 0.0, 0.28), fur), *legs)


def _pushed_chair(rng: Rng) -> tuple[Part, ...]:
    return tuple(chair(rng)[1])
