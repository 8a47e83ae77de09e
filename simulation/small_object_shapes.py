"""Small objects below the LIDAR plane, built from primitives with random proportions.

Each class has shapes that training draws and at least one shape, of another construction, held back for testing.
Parts stand on the floor around the object's own origin.
"""

import itertools
import math
from dataclasses import dataclass

from simulation.room_spec import Part, Purpose
from simulation.shape_parts import (
    LYING_X,
    Rng,
    any_colour,
    box,
    brown,
    cable_colour,
    capsule_between,
    centred,
    cylinder,
    ellipsoid,
    ring,
    rod,
    shade,
    sphere,
    turn,
)
from simulation.training_shapes import MORE_FOR_TRAINING, Builder, stretched


@dataclass(frozen=True, slots=True)
class ObjectShape:
    """One way to build a class of small object."""

    kind: str
    variant: str
    purpose: Purpose
    build: Builder


def draw_parts(kind: str, purpose: Purpose, rng: Rng) -> tuple[str, tuple[Part, ...]]:
    """A variant's name and its parts."""
    shapes = [shape for shape in SHAPES if shape.kind == kind and shape.purpose == purpose]
    shape = shapes[int(rng.integers(len(shapes)))]
    parts = shape.build(rng)
    return shape.variant, tuple(stretched(parts, rng) if purpose == "train" else parts)


def _cable_wander(rng: Rng) -> list[Part]:
    heading, bend, step = rng.uniform(0, 2 * math.pi), 0.0, rng.uniform(0.035, 0.055)
    points = [(0.0, 0.0)]
    for _ in range(int(rng.integers(8, 15))):
        bend = 0.6 * bend + rng.normal(0, 0.35)
        heading += bend
        points.append((points[-1][0] + step * math.cos(heading), points[-1][1] + step * math.sin(heading)))
    return rod(centred(points), rng.uniform(0.005, 0.008), cable_colour(rng))


def _cable_coil(rng: Rng) -> list[Part]:
    radius, turns, count = rng.uniform(0.05, 0.11), rng.uniform(1.1, 1.9), 15
    points = [
        (
            radius * (1 + 0.3 * i / count) * math.cos(2 * math.pi * turns * i / count),
            radius * (1 + 0.3 * i / count) * rng.uniform(0.85, 1.1) * math.sin(2 * math.pi * turns * i / count),
        )
        for i in range(count)
    ]
    return rod(points, rng.uniform(0.005, 0.008), cable_colour(rng))


def _cable_with_plug(rng: Rng) -> list[Part]:
    colour, count = cable_colour(rng), 12
    length, swing, waves = rng.uniform(0.3, 0.6), rng.uniform(0.03, 0.09), rng.uniform(0.6, 1.6)
    points = [(length * (i / count - 0.5), swing * math.sin(2 * math.pi * waves * i / count)) for i in range(count + 1)]
    plug = box((0.04, 0.03, 0.022), (length / 2 + 0.02, points[-1][1], 0.011), shade(colour, 0.8))
    return [*rod(points, rng.uniform(0.005, 0.008), colour), plug]


def _sock_flat(rng: Rng) -> list[Part]:
    colour, thick = any_colour(rng), rng.uniform(0.015, 0.03)
    leg, foot, width = rng.uniform(0.09, 0.16), rng.uniform(0.1, 0.16), rng.uniform(0.06, 0.09)
    bend = rng.uniform(0.7, 2.2)
    toe = (foot / 2 * math.cos(bend), foot / 2 * math.sin(bend), thick / 2)
    return [
        ellipsoid((leg, width, thick), (-leg / 3, 0.0, thick / 2), colour, turn(0.0)),
        ellipsoid((foot, width, thick * 1.1), toe, colour, turn(bend)),
        box((0.02, width * 0.8, thick * 0.9), (-leg / 3 - leg / 2 + 0.02, 0.0, thick / 2), any_colour(rng)),
    ]


def _sock_ball(rng: Rng) -> list[Part]:
    colour, size = any_colour(rng), rng.uniform(0.06, 0.1)
    return [
        ellipsoid((size, size * rng.uniform(0.7, 1), size * 0.7), (0.0, 0.0, size * 0.35), colour),
        ellipsoid((size * 0.7, size * 0.5, size * 0.35), (size * 0.4, 0.0, size * 0.18), shade(colour, 0.9)),
    ]


def _sock_folded(rng: Rng) -> list[Part]:
    colour, thick = any_colour(rng), rng.uniform(0.03, 0.045)
    length = rng.uniform(0.1, 0.15)
    z = thick / 2
    return [
        capsule_between((-length / 2, 0.0, z), (length / 2, 0.0, z), thick, colour),
        capsule_between((length / 2, 0.0, z), (length / 2 + 0.03, length * 0.5, z), thick, colour),
        capsule_between((-length / 2, 0.01, z), (length / 4, thick * 0.8, z), thick * 0.9, shade(colour, 0.85)),
    ]


def _shoe_sneaker(rng: Rng) -> list[Part]:
    colour, sole = any_colour(rng), any_colour(rng)
    length, width = rng.uniform(0.17, 0.3), rng.uniform(0.075, 0.11)
    tall = rng.uniform(0.05, 0.085)
    return [
        box((length, width, 0.025), (0.0, 0.0, 0.0125), sole),
        ellipsoid((length * 0.55, width, tall), (length * 0.2, 0.0, 0.022), colour),
        box((length * 0.45, width * 0.85, tall), (-length * 0.22, 0.0, 0.025 + tall / 2), colour),
    ]


def _shoe_slipper(rng: Rng) -> list[Part]:
    colour, length, width = any_colour(rng), rng.uniform(0.2, 0.3), rng.uniform(0.08, 0.11)
    return [
        box((length * 0.75, width, 0.018), (-length * 0.05, 0.0, 0.009), shade(colour, 0.7)),
        ellipsoid((length * 0.5, width * 1.02, 0.018), (length * 0.25, 0.0, 0.009), shade(colour, 0.7)),
        ellipsoid((length * 0.5, width, rng.uniform(0.07, 0.11)), (length * 0.15, 0.0, 0.018), colour),
    ]


def _shoe_boot(rng: Rng) -> list[Part]:
    colour, length, width = any_colour(rng), rng.uniform(0.16, 0.24), rng.uniform(0.07, 0.09)
    return [
        capsule_between((-length / 3, 0.0, width / 2), (length / 3, 0.0, width / 2), width, colour),
        cylinder(width * 1.05, 0.06, (-length / 3, 0.0, 0.085), colour),
        box((length, width * 0.9, 0.012), (0.0, 0.0, 0.006), shade(colour, 0.3)),
    ]


def _toy_blocks(rng: Rng) -> list[Part]:
    parts: list[Part] = []
    for _ in range(int(rng.integers(2, 5))):
        size = rng.uniform(0.025, 0.045)
        x, y = rng.uniform(-0.05, 0.05, 2)
        parts.append(box((size, size, size), (x, y, size / 2), any_colour(rng), turn(rng.uniform(0, 1.5))))
    return parts


def _toy_ball(rng: Rng) -> list[Part]:
    size, colour = rng.uniform(0.05, 0.11), any_colour(rng)
    return [sphere(size, (0.0, 0.0, size / 2), colour), cylinder(size * 0.9, 0.012, (0, 0, size / 2), any_colour(rng))]


def _toy_car(rng: Rng) -> list[Part]:
    colour, length = any_colour(rng), rng.uniform(0.07, 0.16)
    width, wheel = length * rng.uniform(0.4, 0.55), length * rng.uniform(0.18, 0.26)
    low = wheel / 2
    wheels = [
        cylinder(
            wheel, 0.012, (sx * length * 0.32, sy * width / 2, low), (0.05, 0.05, 0.05), (1.0, 0.0, 0.0, math.pi / 2)
        )
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    body = box((length, width, length * 0.2), (0.0, 0.0, low + length * 0.1), colour)
    cabin = box(
        (length * 0.5, width * 0.85, length * 0.18), (-0.05 * length, 0.0, low + length * 0.28), shade(colour, 1.3)
    )
    return [body, cabin, *wheels]


def _toy_duck(rng: Rng) -> list[Part]:
    colour, size = any_colour(rng), rng.uniform(0.05, 0.075)
    return [
        ellipsoid((size * 1.3, size, size * 0.8), (0.0, 0.0, size * 0.4), colour),
        sphere(size * 0.6, (size * 0.4, 0.0, size * 0.95), colour),
        ellipsoid((size * 0.35, size * 0.2, size * 0.1), (size * 0.75, 0.0, size * 0.92), any_colour(rng)),
    ]


def _bowl_round(rng: Rng) -> list[Part]:
    colour, radius, tall = any_colour(rng), rng.uniform(0.06, 0.11), rng.uniform(0.035, 0.07)
    count = 12
    width = 2 * radius * math.tan(math.pi / count) * 1.12
    food = ellipsoid((radius * 1.5, radius * 1.5, tall * rng.uniform(0.2, 0.8)), (0.0, 0.0, 0.008), any_colour(rng))
    base = cylinder(radius * 1.9, 0.008, (0.0, 0.0, 0.004), shade(colour, 0.8))
    return [base, *ring(count, radius, (0.006, width, tall), tall / 2, rng.uniform(0, 0.25), colour), food]


def _bowl_tray(rng: Rng) -> list[Part]:
    colour, x, y = any_colour(rng), rng.uniform(0.14, 0.26), rng.uniform(0.1, 0.18)
    tall = rng.uniform(0.02, 0.06)
    sides = [box((x, 0.006, tall), (0.0, sign * y / 2, tall / 2), colour) for sign in (-1, 1)] + [
        box((0.006, y, tall), (sign * x / 2, 0.0, tall / 2), colour) for sign in (-1, 1)
    ]
    return [box((x, y, 0.006), (0.0, 0.0, 0.003), shade(colour, 0.85)), *sides]


def _bowl_cone(rng: Rng) -> list[Part]:
    colour, radius, tall = any_colour(rng), rng.uniform(0.07, 0.1), rng.uniform(0.045, 0.075)
    width = 2 * radius * math.tan(math.pi / 8) * 1.15
    walls = ring(8, radius, (0.008, width, tall), tall / 2, -0.35, colour)
    return [*walls, cylinder(radius * 1.9, 0.01, (0.0, 0.0, 0.005), shade(colour, 0.7))]


def _waste_heap(rng: Rng) -> list[Part]:
    colour = shade(brown(rng), 0.6)
    parts = []
    for _ in range(int(rng.integers(3, 6))):
        size = rng.uniform(0.025, 0.05)
        x, y = rng.uniform(-0.03, 0.03, 2)
        shape = (size * rng.uniform(1.0, 1.8), size, size * 0.8)
        parts.append(
            ellipsoid(shape, (x, y, size * 0.35), shade(colour, rng.uniform(0.8, 1.2)), turn(rng.uniform(0, 3)))
        )
    return parts


def _waste_sausage(rng: Rng) -> list[Part]:
    colour, thick = shade(brown(rng), 0.6), rng.uniform(0.02, 0.035)
    parts: list[Part] = []
    for index in range(int(rng.integers(1, 4))):
        angle, length = rng.uniform(0, math.pi), rng.uniform(0.03, 0.08)
        x, y = length / 2 * math.cos(angle), length / 2 * math.sin(angle)
        z, offset = thick / 2 * (1 + 0.5 * index), 0.02 * index
        parts.append(capsule_between((offset - x, -y, z), (offset + x, y, z), thick, colour))
    return parts


def _waste_coil(rng: Rng) -> list[Part]:
    colour, thick = shade(brown(rng), 0.6), rng.uniform(0.018, 0.026)
    points = [
        (0.035 * (1 - i / 14) * math.cos(i * 0.9), 0.035 * (1 - i / 14) * math.sin(i * 0.9), thick * (0.5 + i * 0.12))
        for i in range(12)
    ]
    return [capsule_between(a, b, thick, colour) for a, b in itertools.pairwise(points)]


def _book_closed(rng: Rng) -> list[Part]:
    colour, x, y, thick = any_colour(rng), rng.uniform(0.15, 0.28), rng.uniform(0.11, 0.21), rng.uniform(0.012, 0.05)
    pages = box((x * 0.98, y * 0.98, thick * 0.8), (x * 0.015, 0.0, thick / 2), (0.9, 0.88, 0.8))
    covers = [box((x, y, thick * 0.1), (0.0, 0.0, z), colour) for z in (thick * 0.05, thick * 0.95)]
    return [pages, *covers, box((thick * 0.1, y, thick), (-x / 2, 0.0, thick / 2), colour)]


def _book_open(rng: Rng) -> list[Part]:
    x, y, thick, tilt = (
        rng.uniform(0.11, 0.18),
        rng.uniform(0.15, 0.24),
        rng.uniform(0.008, 0.02),
        rng.uniform(0.03, 0.12),
    )
    paper = shade((0.95, 0.93, 0.86), rng.uniform(0.85, 1.05))
    rise = thick / 2 + x / 2 * math.sin(tilt)
    return [box((x, y, thick), (sign * x / 2, 0.0, rise), paper, (0.0, 1.0, 0.0, sign * tilt)) for sign in (-1, 1)]


def _book_stack(rng: Rng) -> list[Part]:
    parts, z = [], 0.0
    for _ in range(int(rng.integers(2, 4))):
        thick = rng.uniform(0.012, 0.03)
        size = (rng.uniform(0.15, 0.25), rng.uniform(0.1, 0.18), thick)
        parts.append(box(size, (0.0, 0.0, z + thick / 2), any_colour(rng), turn(rng.uniform(-0.5, 0.5))))
        z += thick
    return parts


def _power_strip(rng: Rng) -> list[Part]:
    colour, count = shade((1, 1, 1), rng.choice([0.08, 0.5, 0.95])), int(rng.integers(3, 7))
    length, tall = 0.05 * count + 0.03, rng.uniform(0.03, 0.045)
    sockets = [
        cylinder(0.038, 0.004, ((i - (count - 1) / 2) * 0.05, 0.0, tall), shade(colour, 0.75)) for i in range(count)
    ]
    cable = rod([(length / 2, 0.0), (length / 2 + 0.06, 0.02), (length / 2 + 0.1, 0.08)], 0.008, shade(colour, 0.9))
    return [box((length, 0.055, tall), (0.0, 0.0, tall / 2), colour), *sockets, *cable]


def _power_brick(rng: Rng) -> list[Part]:
    colour = shade((1, 1, 1), rng.uniform(0.03, 0.15))
    size = (rng.uniform(0.09, 0.14), rng.uniform(0.05, 0.07), rng.uniform(0.028, 0.04))
    bend = rng.uniform(-0.1, 0.1)
    left = rod([(size[0] / 2, 0.0), (size[0] / 2 + 0.08, bend), (size[0] / 2 + 0.15, -bend)], 0.006, colour)
    right = rod([(-size[0] / 2, 0.0), (-size[0] / 2 - 0.08, -bend), (-size[0] / 2 - 0.12, bend)], 0.006, colour)
    return [box(size, (0.0, 0.0, size[2] / 2), colour), *left, *right]


def _power_cube(rng: Rng) -> list[Part]:
    colour, size = shade(any_colour(rng), 1.2), rng.uniform(0.06, 0.08)
    faces = [cylinder(size * 0.6, 0.006, (0.0, 0.0, size), shade(colour, 0.6))]
    cable = rod(
        [(size / 2, 0.0), (size / 2 + 0.07, 0.03), (size / 2 + 0.14, -0.02), (size / 2 + 0.2, 0.02)], 0.008, colour
    )
    return [box((size, size, size), (0.0, 0.0, size / 2), colour), *faces, *cable]


def _cup_mug(rng: Rng) -> list[Part]:
    colour, size, tall = any_colour(rng), rng.uniform(0.07, 0.095), rng.uniform(0.08, 0.11)
    x = size / 2
    loop = [(x, 0.75), (x + 0.025, 0.7), (x + 0.028, 0.4), (x, 0.25)]
    handle = [
        capsule_between((a[0], 0.0, a[1] * tall), (b[0], 0.0, b[1] * tall), 0.01, colour)
        for a, b in itertools.pairwise(loop)
    ]
    return [
        cylinder(size, tall, (0.0, 0.0, tall / 2), colour),
        cylinder(size * 0.86, 0.002, (0, 0, tall), shade(colour, 0.4)),
        *handle,
    ]


def _cup_lying(rng: Rng) -> list[Part]:
    colour, size, tall = any_colour(rng), rng.uniform(0.06, 0.09), rng.uniform(0.07, 0.12)
    return [
        cylinder(size, tall, (0.0, 0.0, size / 2), colour, LYING_X),
        cylinder(size * 0.88, 0.002, (tall / 2, 0.0, size / 2), shade(colour, 0.3), LYING_X),
    ]


def _cup_tumbler(rng: Rng) -> list[Part]:
    colour, size, tall = any_colour(rng), rng.uniform(0.06, 0.08), rng.uniform(0.08, 0.11)
    return [cylinder(size * (0.75 + 0.08 * i), tall / 4, (0.0, 0.0, tall * (i + 0.5) / 4), colour) for i in range(4)]


def _paper_sheet(rng: Rng) -> list[Part]:
    paper = shade((0.97, 0.97, 0.95), rng.uniform(0.8, 1.0)) if rng.uniform() < 0.7 else any_colour(rng)
    sheets = [box((rng.uniform(0.15, 0.3), rng.uniform(0.1, 0.21), 0.003), (0.0, 0.0, 0.0015), paper)]
    if rng.uniform() < 0.5:
        shift = rng.uniform(-0.08, 0.08)
        sheets.append(box((0.2, 0.14, 0.003), (shift, 0.04, 0.0045), shade(paper, 0.95), turn(rng.uniform(-0.6, 0.6))))
    return sheets


def _paper_crumpled(rng: Rng) -> list[Part]:
    paper, size = shade((0.97, 0.97, 0.95), rng.uniform(0.75, 1.0)), rng.uniform(0.04, 0.08)
    parts = []
    for _ in range(5):
        axis = rng.normal(size=3)
        axis = axis / max(float((axis**2).sum() ** 0.5), 1e-9)
        rotation = (float(axis[0]), float(axis[1]), float(axis[2]), rng.uniform(0, 3))
        shape = (size * rng.uniform(0.6, 0.9), size * rng.uniform(0.5, 0.8), size * rng.uniform(0.3, 0.6))
        parts.append(box(shape, (0.0, 0.0, size * 0.45), shade(paper, rng.uniform(0.85, 1.0)), rotation))
    return parts


def _paper_folded(rng: Rng) -> list[Part]:
    paper, x, y, tilt = (
        shade((0.96, 0.95, 0.9), rng.uniform(0.8, 1.0)),
        rng.uniform(0.1, 0.16),
        rng.uniform(0.14, 0.22),
        rng.uniform(0.15, 0.5),
    )
    rise = 0.002 + x / 2 * math.sin(tilt)
    return [
        box((x, y, 0.002), (s * x / 2 * math.cos(tilt), 0.0, rise), paper, (0.0, 1.0, 0.0, s * tilt)) for s in (-1, 1)
    ]


def _bottle_lying(rng: Rng) -> list[Part]:
    colour, size, tall = any_colour(rng), rng.uniform(0.055, 0.085), rng.uniform(0.12, 0.2)
    z = size / 2
    return [
        cylinder(size, tall, (0.0, 0.0, z), colour, LYING_X),
        cylinder(size * 0.6, tall * 0.2, (tall * 0.6, 0.0, z), colour, LYING_X),
        cylinder(size * 0.45, tall * 0.12, (tall * 0.75, 0.0, z), any_colour(rng), LYING_X),
        cylinder(size * 1.01, tall * 0.4, (-tall * 0.1, 0.0, z), any_colour(rng), LYING_X),
    ]


def _bottle_can(rng: Rng) -> list[Part]:
    colour, size, tall = any_colour(rng), rng.uniform(0.055, 0.07), rng.uniform(0.09, 0.115)
    if rng.uniform() < 0.5:
        return [
            cylinder(size, tall * 0.9, (0.0, 0.0, tall / 2), colour),
            cylinder(size * 0.85, tall, (0.0, 0.0, tall / 2), (0.7, 0.7, 0.72)),
        ]
    return [
        cylinder(size, tall * 0.9, (0.0, 0.0, size / 2), colour, LYING_X),
        cylinder(size * 0.85, tall, (0.0, 0.0, size / 2), (0.7, 0.7, 0.72), LYING_X),
    ]


def _bottle_flask(rng: Rng) -> list[Part]:
    colour, size, length = any_colour(rng), rng.uniform(0.06, 0.09), rng.uniform(0.09, 0.15)
    z = size / 2
    return [
        capsule_between((-length / 2, 0.0, z), (length / 2, 0.0, z), size, colour),
        capsule_between((length / 2, 0.0, z), (length / 2 + size * 0.6, 0.0, z), size * 0.4, shade(colour, 0.7)),
    ]


def _other_composite(rng: Rng) -> list[Part]:
    """Anything: two to five primitives thrown together."""
    parts: list[Part] = []
    for _ in range(int(rng.integers(2, 6))):
        x, y = rng.uniform(-0.05, 0.05, 2)
        size = rng.uniform(0.025, 0.1, 3)
        tall = float(min(size[2], 0.09))
        colour, rotation = any_colour(rng), turn(rng.uniform(0, 3))
        pick = int(rng.integers(4))
        if pick == 0:
            parts.append(box((size[0], size[1], tall), (x, y, tall / 2), colour, rotation))
        elif pick == 1:
            parts.append(cylinder(size[0], tall, (x, y, tall / 2), colour))
        elif pick == 2:
            parts.append(ellipsoid((size[0], size[1], tall), (x, y, tall / 2), colour, rotation))
        else:
            thick = float(min(size[1], 0.04))
            end = (x + size[0] * rng.uniform(-1, 1), y + size[0] * rng.uniform(-1, 1), thick / 2)
            parts.append(capsule_between((x, y, thick / 2), end, thick, colour))
    return parts


def _other_slab(rng: Rng) -> list[Part]:
    """Flat and about a hand wide: pouch, case, box of cards."""
    colour = brown(rng) if rng.uniform() < 0.4 else any_colour(rng)
    x, y, thick = rng.uniform(0.07, 0.18), rng.uniform(0.05, 0.12), rng.uniform(0.008, 0.04)
    parts = [box((x, y, thick), (0.0, 0.0, thick / 2), colour)]
    if rng.uniform() < 0.6:
        parts.append(
            box((x * 0.97, y * rng.uniform(0.1, 0.6), 0.003), (0.0, 0.0, thick), shade(colour, rng.uniform(0.5, 1.6)))
        )
    if rng.uniform() < 0.5:
        edge = shade(colour, 0.8)
        for sign in (-1, 1):
            parts.append(
                capsule_between((-x / 2, sign * y / 2, thick / 2), (x / 2, sign * y / 2, thick / 2), thick * 0.98, edge)
            )
    return parts


def _other_remote(rng: Rng) -> list[Part]:
    colour, length = shade((1, 1, 1), rng.choice([0.06, 0.2, 0.8])), rng.uniform(0.14, 0.21)
    body = ellipsoid((length, 0.05, 0.034), (0.0, 0.0, 0.015), colour)
    keys = [
        cylinder(0.009, 0.004, (x * length / 6, y * 0.012, 0.032), any_colour(rng))
        for x in (-2, -1, 0, 1)
        for y in (-1, 1)
    ]
    return [body, *keys]


def _other_roll(rng: Rng) -> list[Part]:
    colour, radius, tall = any_colour(rng), rng.uniform(0.03, 0.055), rng.uniform(0.02, 0.1)
    return ring(10, radius, (0.02, 2 * radius * math.tan(math.pi / 10) * 1.5, tall), tall / 2, 0.0, colour)


SHAPES: tuple[ObjectShape, ...] = (
    ObjectShape("cable", "wander", "train", _cable_wander),
    ObjectShape("cable", "coil", "train", _cable_coil),
    ObjectShape("cable", "plug", "test", _cable_with_plug),
    ObjectShape("sock", "flat", "train", _sock_flat),
    ObjectShape("sock", "ball", "train", _sock_ball),
    ObjectShape("sock", "folded", "test", _sock_folded),
    ObjectShape("shoe", "sneaker", "train", _shoe_sneaker),
    ObjectShape("shoe", "slipper", "train", _shoe_slipper),
    ObjectShape("shoe", "boot", "test", _shoe_boot),
    ObjectShape("toy", "blocks", "train", _toy_blocks),
    ObjectShape("toy", "ball", "train", _toy_ball),
    ObjectShape("toy", "car", "train", _toy_car),
    ObjectShape("toy", "duck", "test", _toy_duck),
    ObjectShape("bowl", "round", "train", _bowl_round),
    ObjectShape("bowl", "tray", "train", _bowl_tray),
    ObjectShape("bowl", "cone", "test", _bowl_cone),
    ObjectShape("pet_waste", "heap", "train", _waste_heap),
    ObjectShape("pet_waste", "sausage", "train", _waste_sausage),
    ObjectShape("pet_waste", "coil", "test", _waste_coil),
    ObjectShape("book", "closed", "train", _book_closed),
    ObjectShape("book", "open", "train", _book_open),
    ObjectShape("book", "stack", "test", _book_stack),
    ObjectShape("power_strip", "strip", "train", _power_strip),
    ObjectShape("power_strip", "brick", "train", _power_brick),
    ObjectShape("power_strip", "cube", "test", _power_cube),
    ObjectShape("cup", "mug", "train", _cup_mug),
    ObjectShape("cup", "lying", "train", _cup_lying),
    ObjectShape("cup", "tumbler", "test", _cup_tumbler),
    ObjectShape("paper", "sheet", "train", _paper_sheet),
    ObjectShape("paper", "crumpled", "train", _paper_crumpled),
    ObjectShape("paper", "folded", "test", _paper_folded),
    ObjectShape("bottle", "lying", "train", _bottle_lying),
    ObjectShape("bottle", "can", "train", _bottle_can),
    ObjectShape("bottle", "flask", "test", _bottle_flask),
    ObjectShape("other", "composite", "train", _other_composite),
    ObjectShape("other", "slab", "train", _other_slab),
    ObjectShape("other", "remote", "test", _other_remote),
    ObjectShape("other", "roll", "test", _other_roll),
    *(ObjectShape(kind, variant, "train", build) for (kind, variant), build in MORE_FOR_TRAINING.items()),
)
