"""More small objects for training: many constructions, so that a model learns what may lie about, not a few of them.

None of them is a construction that testing holds back (plug, folded sock, boot, duck, cone, coil of waste, stack of
books, cube, tumbler, folded paper, flask, remote, roll). `stretched` draws each of them, and the plain ones, in other
proportions. Parts stand on the floor around the object's own origin.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from simulation.room_spec import SMALL_OBJECT_HEIGHT_MAX_M, Colour, Part
from simulation.shape_parts import (
    LYING_X,
    Rng,
    along,
    any_colour,
    axis_of,
    box,
    brown,
    cable_colour,
    capsule_between,
    centred,
    composed,
    cylinder,
    ellipsoid,
    rod,
    shade,
    sphere,
    top_m,
    turn,
)

_ROUND_ABOUT_Z: Final = frozenset({"cylinder", "capsule"})


def stretched(parts: list[Part], rng: Rng) -> list[Part]:
    """The same construction wider or narrower and taller or flatter, some of its parts in another colour."""
    flat = math.exp(rng.uniform(-0.25, 0.25))
    tall = flat * math.exp(rng.uniform(-0.25, 0.25))
    tall = min(tall, max(0.98 * SMALL_OBJECT_HEIGHT_MAX_M / top_m(parts), 0.5))
    motley = rng.uniform() < 0.15
    return [_scaled(part, flat, tall, any_colour(rng) if motley and rng.uniform() < 0.5 else None) for part in parts]


def _scaled(part: Part, flat: float, tall: float, colour: Colour | None) -> Part:
    ahead = axis_of(part.rotation)
    upright = abs(ahead[2])
    along_axis = math.hypot(flat * math.sqrt(max(1 - upright**2, 0.0)), tall * upright)
    across = flat * upright + tall * (1 - upright)  # what rests on the floor keeps resting on it
    (x, y, z), (a, b, c) = part.position_m, part.size_m
    shape, size, rotation = part.shape, (a * flat, b * flat, c * tall), part.rotation
    if shape in _ROUND_ABOUT_Z:
        size = (a * across, b * across, c * along_axis)
        rotation = along((flat * ahead[0], flat * ahead[1], tall * ahead[2]))
    elif shape == "sphere":
        shape = "ellipsoid"
    elif upright < 0.999:
        size = (a * along_axis, b * along_axis, c * along_axis)
    return Part(shape, size, (x * flat, y * flat, z * tall), rotation, colour or part.colour, part.texture)


def _cable_tangle(rng: Rng) -> list[Part]:
    """One that crosses itself."""
    size, steps = rng.uniform(0.05, 0.12), 13
    a, b = rng.uniform(0.8, 2.6, 2)
    first, second = rng.uniform(0, 2 * math.pi, 2)
    points = [
        (size * math.sin(a * t + first), size * math.sin(b * t + second)) for t in (i * 0.45 for i in range(steps))
    ]
    return rod(centred(points), rng.uniform(0.004, 0.009), cable_colour(rng))


def _cable_bundle(rng: Rng) -> list[Part]:
    """Strands side by side, held by a tie."""
    colour, thick, length = cable_colour(rng), rng.uniform(0.004, 0.007), rng.uniform(0.1, 0.2)
    strands: list[Part] = []
    for i in range(int(rng.integers(2, 5))):
        bow, y = rng.uniform(-0.03, 0.03), (i - 1.5) * thick * 1.2
        strands += rod([(-length / 2, y + bow), (0.0, y), (length / 2, y - bow)], thick, colour)
    return [*strands, box((0.015, thick * 6, thick * 2.2), (0.0, 0.0, thick * 1.1), any_colour(rng))]


def _cable_earphones(rng: Rng) -> list[Part]:
    colour, thick = cable_colour(rng), rng.uniform(0.003, 0.005)
    length, apart = rng.uniform(0.1, 0.25), rng.uniform(0.03, 0.09)
    stem = [(-length, rng.uniform(-0.05, 0.05)), (-length / 2, rng.uniform(-0.04, 0.04)), (0.0, 0.0)]
    arms = [[(0.0, 0.0), (0.06, sign * apart * 0.4), (0.13, sign * apart)] for sign in (-1, 1)]
    buds = [ellipsoid((0.02, 0.016, 0.014), (0.135, sign * apart, 0.007), shade(colour, 0.8)) for sign in (-1, 1)]
    return [part for points in (stem, *arms) for part in rod(points, thick, colour)] + buds


def _cable_straight(rng: Rng) -> list[Part]:
    """Nearly straight, thick or thin: an extension lead across the room."""
    colour, count, bend = cable_colour(rng), 7, rng.normal(0, 0.12)
    step = rng.uniform(0.04, 0.09)
    points, heading = [(0.0, 0.0)], 0.0
    for _ in range(count):
        heading += bend + rng.normal(0, 0.08)
        points.append((points[-1][0] + step * math.cos(heading), points[-1][1] + step * math.sin(heading)))
    return rod(centred(points), rng.uniform(0.005, 0.012), colour)


def _sock_bent(rng: Rng) -> list[Part]:
    """A tube thrown down: its thickness swells and shrinks."""
    colour, heading = any_colour(rng), 0.0
    points = [(0.0, 0.0)]
    for _ in range(4):
        heading += rng.uniform(-0.9, 0.9)
        points.append((points[-1][0] + 0.045 * math.cos(heading), points[-1][1] + 0.045 * math.sin(heading)))
    parts: list[Part] = []
    for i, (x, y) in enumerate(centred(points)):
        width, tall = rng.uniform(0.05, 0.085), rng.uniform(0.02, 0.045)
        tone = shade(colour, rng.uniform(0.8, 1.15)) if i % 2 else colour
        parts.append(ellipsoid((0.075, width, tall), (x, y, tall / 2), tone, turn(rng.uniform(0, 3))))
    return parts


def _sock_striped(rng: Rng) -> list[Part]:
    first, second, thick = any_colour(rng), any_colour(rng), rng.uniform(0.012, 0.03)
    width, bands = rng.uniform(0.055, 0.085), int(rng.integers(4, 8))
    step = rng.uniform(0.14, 0.26) / bands
    bow = rng.uniform(-0.1, 0.1)
    return [
        box(
            (step * 1.15, width, thick),
            ((i - bands / 2) * step, bow * (2 * i / bands - 1) ** 2, thick / 2),
            first if i % 2 else second,
            turn(bow * 3 * (2 * i / bands - 1)),
        )
        for i in range(bands)
    ]


def _shoe_sandal(rng: Rng) -> list[Part]:
    colour, length, width = any_colour(rng), rng.uniform(0.17, 0.29), rng.uniform(0.07, 0.1)
    thick = rng.uniform(0.015, 0.035)
    tall, strap = rng.uniform(0.04, 0.06), any_colour(rng)
    sole = [
        ellipsoid((length * 0.55, width, 2 * thick), (length * 0.22, 0.0, 0.0), colour),
        box((length * 0.7, width * 0.8, thick), (-length * 0.12, 0.0, thick / 2), colour),
    ]
    straps = [
        capsule_between((x, sign * width * 0.45, thick), (x + 0.01, 0.0, thick + tall), 0.012, strap)
        for x in (length * 0.2, -length * 0.25)
        for sign in (-1, 1)
    ]
    return [*sole, *straps]


def _shoe_pump(rng: Rng) -> list[Part]:
    """A heel, a slope and a toe."""
    colour, length, width = any_colour(rng), rng.uniform(0.17, 0.25), rng.uniform(0.06, 0.08)
    heel = rng.uniform(0.02, 0.07)
    slope = (0.0, 1.0, 0.0, math.atan2(heel, length * 0.6))
    return [
        cylinder(rng.uniform(0.012, 0.05), heel, (-length * 0.42, 0.0, heel / 2), shade(colour, 0.6)),
        box((length * 0.7, width * 0.8, 0.012), (-length * 0.1, 0.0, heel / 2 + 0.006), colour, slope),
        ellipsoid((length * 0.4, width, 0.05), (length * 0.3, 0.0, 0.018), colour),
        ellipsoid((length * 0.3, width * 0.9, 0.06), (-length * 0.35, 0.0, heel + 0.02), colour),
    ]


def _shoe_fallen(rng: Rng) -> list[Part]:
    """On its side, the sole to be seen."""
    colour, sole, length = any_colour(rng), any_colour(rng), rng.uniform(0.17, 0.29)
    width, tall = rng.uniform(0.07, 0.1), rng.uniform(0.05, 0.09)
    return [
        box((length, 0.022, width), (0.0, -tall / 2, width / 2), sole),
        ellipsoid((length * 0.55, tall, width), (length * 0.2, 0.0, width / 2), colour),
        box((length * 0.42, tall * 0.9, width * 0.9), (-length * 0.24, 0.0, width * 0.45), colour),
    ]


def _toy_train(rng: Rng) -> list[Part]:
    size, parts = rng.uniform(0.03, 0.045), []
    for i in range(int(rng.integers(2, 5))):
        x = (i - 1.5) * size * 1.9
        tall = size * rng.uniform(0.6, 1.6)
        parts.append(box((size * 1.6, size, tall), (x, 0.0, 0.01 + tall / 2), any_colour(rng)))
        parts.append(cylinder(0.02, size * 1.1, (x, 0.0, 0.01), (0.1, 0.1, 0.1), (1.0, 0.0, 0.0, math.pi / 2)))
    return parts


def _toy_bear(rng: Rng) -> list[Part]:
    """On its back, arms and legs spread."""
    colour, size = any_colour(rng) if rng.uniform() < 0.5 else brown(rng), rng.uniform(0.06, 0.1)
    limbs = [
        ellipsoid(
            (size * 0.6, size * 0.3, size * 0.28),
            (sx * size * 0.55, sy * size * 0.45, size * 0.15),
            shade(colour, 0.9),
            turn(sx * sy * rng.uniform(0.2, 0.9)),
        )
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    body = ellipsoid((size, size * 0.75, size * 0.7), (0.0, 0.0, size * 0.35), colour)
    head = ellipsoid((size * 0.6, size * 0.6, size * 0.55), (size * 0.7, 0.0, size * 0.28), colour)
    return [body, head, *limbs]


def _toy_rings(rng: Rng) -> list[Part]:
    """Discs on a stick, widest below."""
    count, widest = int(rng.integers(3, 6)), rng.uniform(0.06, 0.1)
    tall = rng.uniform(0.012, 0.02)
    discs = [
        cylinder(widest * (1 - 0.6 * i / count), tall, (0.0, 0.0, tall * (i + 0.5)), any_colour(rng))
        for i in range(count)
    ]
    return [*discs, sphere(0.02, (0.0, 0.0, tall * count + 0.008), any_colour(rng))]


def _toy_plane(rng: Rng) -> list[Part]:
    colour, length, low = any_colour(rng), rng.uniform(0.08, 0.16), 0.02
    thick = length * rng.uniform(0.14, 0.22)
    return [
        capsule_between((-length / 2, 0.0, low), (length / 2, 0.0, low), thick, colour),
        box((length * 0.25, length, 0.006), (0.0, 0.0, low + thick * 0.3), any_colour(rng)),
        box((length * 0.15, length * 0.4, 0.006), (-length / 2, 0.0, low + thick * 0.3), colour),
        box((length * 0.15, 0.006, length * 0.22), (-length / 2, 0.0, low + thick * 0.8), colour),
    ]


def _bowl_plate(rng: Rng) -> list[Part]:
    colour, size = any_colour(rng), rng.uniform(0.14, 0.24)
    rim = rng.uniform(0.012, 0.025)
    parts = [
        cylinder(size * 0.7, rim, (0.0, 0.0, rim / 2), shade(colour, 0.85)),
        cylinder(size, 0.008, (0.0, 0.0, rim), colour),
    ]
    if rng.uniform() < 0.6:
        x, y = rng.uniform(-0.03, 0.03, 2)
        parts.append(ellipsoid((size * 0.4, size * 0.3, 0.03), (x, y, rim), any_colour(rng)))
    return parts


def _bowl_pot(rng: Rng) -> list[Part]:
    """Straight sides, two ears, full or empty."""
    colour, size, tall = any_colour(rng), rng.uniform(0.1, 0.17), rng.uniform(0.05, 0.1)
    ears = [
        box((0.03, 0.035, 0.01), (sign * (size / 2 + 0.01), 0.0, tall * 0.75), shade(colour, 0.5)) for sign in (-1, 1)
    ]
    inside = cylinder(size * 0.9, 0.003, (0.0, 0.0, tall), shade(any_colour(rng), 0.6))
    return [cylinder(size, tall, (0.0, 0.0, tall / 2), colour), inside, *ears]


def _bowl_upturned(rng: Rng) -> list[Part]:
    colour, size, tall = any_colour(rng), rng.uniform(0.11, 0.18), rng.uniform(0.04, 0.075)
    return [
        ellipsoid((size, size, 2 * tall), (0.0, 0.0, 0.0), colour),
        cylinder(size * 0.45, 0.012, (0.0, 0.0, tall), shade(colour, 0.8)),
    ]


def _waste_pellets(rng: Rng) -> list[Part]:
    colour = shade(brown(rng), 0.6)
    parts = []
    for _ in range(int(rng.integers(4, 9))):
        size = rng.uniform(0.012, 0.028)
        x, y = rng.normal(0, 0.03, 2)
        parts.append(
            ellipsoid((size * rng.uniform(1, 1.7), size, size), (x, y, size / 2), colour, turn(rng.uniform(0, 3)))
        )
    return parts


def _waste_flat(rng: Rng) -> list[Part]:
    """Soft: a spread pat with ridges."""
    colour = shade(brown(rng), rng.uniform(0.5, 0.9))
    parts = [
        ellipsoid(
            (rng.uniform(0.07, 0.13), rng.uniform(0.06, 0.1), rng.uniform(0.015, 0.03)), (0.0, 0.0, 0.004), colour
        )
    ]
    for _ in range(int(rng.integers(2, 5))):
        x, y = rng.uniform(-0.03, 0.03, 2)
        size = rng.uniform(0.03, 0.05)
        parts.append(ellipsoid((size, size * 0.7, 0.03), (x, y, 0.01), shade(colour, rng.uniform(0.85, 1.1))))
    return parts


def _book_magazine(rng: Rng) -> list[Part]:
    """Thin, with coloured fields on its cover."""
    x, y, thick = rng.uniform(0.18, 0.29), rng.uniform(0.13, 0.21), rng.uniform(0.004, 0.012)
    parts = [box((x, y, thick), (0.0, 0.0, thick / 2), any_colour(rng))]
    for _ in range(int(rng.integers(1, 4))):
        a, b = x * rng.uniform(0.2, 0.8), y * rng.uniform(0.15, 0.5)
        at = (rng.uniform(-1, 1) * (x - a) / 2, rng.uniform(-1, 1) * (y - b) / 2, thick)
        parts.append(box((a, b, 0.001), at, any_colour(rng)))
    return parts


def _book_tent(rng: Rng) -> list[Part]:
    """Face down, its back in the air."""
    cover, x, y = any_colour(rng), rng.uniform(0.1, 0.15), rng.uniform(0.14, 0.22)
    lean, thick = rng.uniform(0.25, 0.65), rng.uniform(0.006, 0.018)
    rise = x / 2 * math.sin(lean) + thick / 2
    leaves = []
    for sign in (-1, 1):
        at = sign * x / 2 * math.cos(lean)
        leaves.append(box((x, y, thick), (at, 0.0, rise), cover, (0.0, 1.0, 0.0, sign * lean)))
        leaves.append(
            box(
                (x * 0.95, y * 0.96, thick),
                (at * 0.96, 0.0, rise - thick * 0.5),
                (0.9, 0.88, 0.8),
                (0.0, 1.0, 0.0, sign * lean),
            )
        )
    return leaves


def _book_ringed(rng: Rng) -> list[Part]:
    cover, x, y, thick = any_colour(rng), rng.uniform(0.14, 0.22), rng.uniform(0.1, 0.16), rng.uniform(0.008, 0.03)
    binding = cylinder(
        thick * 1.3,
        y * 0.94,
        (-x / 2, 0.0, thick * 0.65),
        shade((1, 1, 1), rng.uniform(0.1, 0.8)),
        (1.0, 0.0, 0.0, math.pi / 2),
    )
    return [
        box((x, y, thick * 0.8), (0.0, 0.0, thick * 0.4), (0.92, 0.91, 0.86)),
        box((x, y, thick * 0.2), (0.0, 0.0, thick * 0.9), cover),
        binding,
    ]


def _power_double(rng: Rng) -> list[Part]:
    """Two rows of sockets on a broad block."""
    colour, count = shade((1, 1, 1), rng.choice([0.1, 0.4, 0.95])), int(rng.integers(2, 4))
    length, width, tall = 0.055 * count + 0.03, rng.uniform(0.09, 0.12), rng.uniform(0.03, 0.05)
    sockets = [
        box(
            (0.035, 0.035, 0.004),
            ((i - (count - 1) / 2) * 0.055, sign * width / 4, tall),
            shade(colour, rng.uniform(0.5, 0.8)),
        )
        for i in range(count)
        for sign in (-1, 1)
    ]
    switch = box((0.02, 0.014, 0.008), (-length / 2 + 0.015, 0.0, tall), (0.8, 0.1, 0.05))
    cable = rod(
        [(-length / 2, 0.0), (-length / 2 - 0.07, rng.uniform(-0.05, 0.05)), (-length / 2 - 0.12, 0.0)], 0.008, colour
    )
    return [box((length, width, tall), (0.0, 0.0, tall / 2), colour), *sockets, switch, *cable]


def _power_reel(rng: Rng) -> list[Part]:
    """A flat drum with sockets in its middle and some cable off it."""
    colour, size, tall = any_colour(rng), rng.uniform(0.12, 0.18), rng.uniform(0.04, 0.07)
    out = size / 2
    return [
        cylinder(size, tall * 0.25, (0.0, 0.0, tall * 0.125), colour),
        cylinder(size * 0.75, tall * 0.6, (0.0, 0.0, tall * 0.5), (0.1, 0.1, 0.1)),
        cylinder(size, tall * 0.25, (0.0, 0.0, tall * 0.875), colour),
        cylinder(size * 0.4, 0.006, (0.0, 0.0, tall), shade(colour, 0.5)),
        *rod([(out, 0.0), (out + 0.06, rng.uniform(-0.04, 0.04)), (out + 0.11, 0.0)], 0.008, (0.1, 0.1, 0.1)),
    ]


def _power_adapter(rng: Rng) -> list[Part]:
    """A rounded supply with its prongs in the air and a thin lead."""
    colour = shade((1, 1, 1), rng.choice([0.06, 0.3, 0.95]))
    length, width, tall = rng.uniform(0.06, 0.09), rng.uniform(0.04, 0.055), rng.uniform(0.03, 0.045)
    prongs = [
        cylinder(0.005, 0.02, (length / 2 + 0.008, y, tall / 2), (0.7, 0.7, 0.72), LYING_X) for y in (-0.01, 0.01)
    ]
    wave = rng.uniform(-0.08, 0.08)
    lead = rod(
        [(-length / 2, 0.0), (-length / 2 - 0.06, wave), (-length / 2 - 0.14, -wave), (-length / 2 - 0.2, wave)],
        0.005,
        colour,
    )
    return [
        capsule_between((-length / 4, 0.0, tall / 2), (length / 4, 0.0, tall / 2), tall, colour),
        box((length, width, tall * 0.8), (0.0, 0.0, tall * 0.4), colour),
        *prongs,
        *lead,
    ]


def _cup_and_saucer(rng: Rng) -> list[Part]:
    colour, size, tall = any_colour(rng), rng.uniform(0.055, 0.08), rng.uniform(0.045, 0.07)
    return [
        cylinder(size * 1.8, 0.01, (0.0, 0.0, 0.005), shade(colour, 0.95)),
        cylinder(size * 0.6, 0.01, (0.0, 0.0, 0.015), colour),
        cylinder(size, tall, (0.0, 0.0, 0.02 + tall / 2), colour),
        cylinder(size * 0.85, 0.002, (0.0, 0.0, 0.021 + tall), (0.2, 0.12, 0.05)),
        box((0.02, 0.008, tall * 0.5), (size / 2 + 0.01, 0.0, 0.02 + tall / 2), colour),
    ]


def _cup_with_lid(rng: Rng) -> list[Part]:
    """To go: a sleeve, a lid, perhaps a straw."""
    colour, size, tall = any_colour(rng), rng.uniform(0.06, 0.08), rng.uniform(0.08, 0.1)
    return [
        cylinder(size, tall, (0.0, 0.0, tall / 2), colour),
        cylinder(size * 1.03, tall * 0.45, (0.0, 0.0, tall * 0.5), brown(rng)),
        cylinder(size * 1.08, 0.012, (0.0, 0.0, tall), shade((1, 1, 1), rng.uniform(0.1, 0.95))),
    ]


def _cup_rolled(rng: Rng) -> list[Part]:
    """A cone on its side: a paper cup."""
    colour, size, tall = any_colour(rng), rng.uniform(0.06, 0.085), rng.uniform(0.08, 0.12)
    low = size / 2
    steps = [
        cylinder(size * (1 - 0.1 * i), tall / 3.6, (tall * (0.35 - i / 3.8), 0.0, low * (1 - 0.1 * i)), colour, LYING_X)
        for i in range(4)
    ]
    return [*steps, cylinder(size * 0.85, 0.002, (tall * 0.35 + tall / 7.2, 0.0, low), shade(colour, 0.35), LYING_X)]


def _paper_scraps(rng: Rng) -> list[Part]:
    paper, parts = shade((0.97, 0.97, 0.95), rng.uniform(0.8, 1.0)), []
    for _ in range(int(rng.integers(3, 7))):
        x, y = rng.normal(0, 0.05, 2)
        a, b = rng.uniform(0.02, 0.08, 2)
        tilt = composed(turn(rng.uniform(0, 3)), (0.0, 1.0, 0.0, rng.uniform(-0.15, 0.15)))
        parts.append(box((a, b, 0.002), (x, y, 0.004), shade(paper, rng.uniform(0.85, 1.0)), tilt))
    return parts


def _paper_curled(rng: Rng) -> list[Part]:
    """A sheet that bends up at its ends."""
    paper = shade((0.97, 0.97, 0.95), rng.uniform(0.8, 1.0)) if rng.uniform() < 0.7 else any_colour(rng)
    step, width, bend = rng.uniform(0.03, 0.05), rng.uniform(0.1, 0.2), rng.uniform(0.1, 0.3)
    parts, x, z, lean = [], 0.0, 0.002, 0.0
    for _ in range(4):
        parts.append((x + step / 2 * math.cos(lean), z + step / 2 * math.sin(lean), lean))
        x, z = x + step * math.cos(lean), z + step * math.sin(lean)
        lean += bend
    return [
        box((step * 1.05, width, 0.002), (sign * x, 0.0, z), paper, (0.0, 1.0, 0.0, -sign * lean))
        for x, z, lean in parts
        for sign in (-1, 1)
    ]


def _paper_envelope(rng: Rng) -> list[Part]:
    paper = shade((0.95, 0.93, 0.88), rng.uniform(0.75, 1.05))
    x, y = rng.uniform(0.16, 0.24), rng.uniform(0.09, 0.17)
    flap = box((x * 0.7, x * 0.7, 0.001), (0.0, y * 0.2, 0.0045), shade(paper, 0.92), turn(math.pi / 4))
    window = box((x * 0.35, y * 0.25, 0.001), (-x * 0.2, -y * 0.2, 0.0045), shade(any_colour(rng), 1.1))
    return [box((x, y, 0.004), (0.0, 0.0, 0.002), paper), window if rng.uniform() < 0.5 else flap]


def _bottle_squat(rng: Rng) -> list[Part]:
    """Standing: a jar or a pot of cream with its lid."""
    colour, size = any_colour(rng), rng.uniform(0.045, 0.085)
    tall = rng.uniform(0.04, 0.08)
    return [
        cylinder(size, tall, (0.0, 0.0, tall / 2), colour),
        cylinder(size * rng.uniform(0.6, 1.03), 0.02, (0.0, 0.0, tall + 0.01), any_colour(rng)),
        cylinder(size * 1.01, tall * 0.5, (0.0, 0.0, tall / 2), any_colour(rng)),
    ]


def _bottle_square(rng: Rng) -> list[Part]:
    """A carton or canister on its side."""
    colour, length = any_colour(rng), rng.uniform(0.12, 0.2)
    width, tall = rng.uniform(0.05, 0.08), rng.uniform(0.04, 0.08)
    return [
        box((length, width, tall), (0.0, 0.0, tall / 2), colour),
        box((length * 0.5, width * 1.01, tall * 1.01), (0.0, 0.0, tall / 2), any_colour(rng)),
        cylinder(0.028, 0.02, (length / 2 + 0.01, 0.0, tall * 0.6), any_colour(rng), LYING_X),
    ]


def _bottle_bulged(rng: Rng) -> list[Part]:
    """Detergent: a belly, a neck and a long cap, lying."""
    colour, length, size = any_colour(rng), rng.uniform(0.12, 0.18), rng.uniform(0.06, 0.09)
    z = size / 2
    return [
        ellipsoid((length, size * 1.1, size), (0.0, 0.0, z), colour),
        ellipsoid((length * 0.6, size * 0.9, size * 0.9), (length * 0.25, 0.0, z), shade(colour, 1.1)),
        cylinder(size * 0.4, length * 0.35, (length * 0.6, 0.0, z), any_colour(rng), LYING_X),
    ]


def _other_tool(rng: Rng) -> list[Part]:
    """A handle and a head: hammer, brush, torch."""
    length, thick = rng.uniform(0.12, 0.24), rng.uniform(0.015, 0.03)
    z = thick / 2
    handle = capsule_between((-length / 2, 0.0, z), (length / 2, 0.0, z), thick, any_colour(rng))
    if rng.uniform() < 0.5:
        size = (rng.uniform(0.02, 0.05), rng.uniform(0.05, 0.11), rng.uniform(0.02, 0.05))
        return [handle, box(size, (length / 2, 0.0, size[2] / 2), any_colour(rng))]
    width = rng.uniform(0.03, 0.06)
    return [handle, cylinder(width, rng.uniform(0.03, 0.07), (length / 2, 0.0, width / 2), any_colour(rng), LYING_X)]


def _other_fruit(rng: Rng) -> list[Part]:
    """Apples, a banana."""
    if rng.uniform() < 0.5:
        return [
            sphere(size, (x, y, size / 2), any_colour(rng))
            for size, x, y in (
                (rng.uniform(0.05, 0.08), *rng.uniform(-0.05, 0.05, 2)) for _ in range(rng.integers(1, 4))
            )
        ]
    colour, bend, thick = any_colour(rng), rng.uniform(0.5, 1.4), rng.uniform(0.025, 0.04)
    radius = rng.uniform(0.13, 0.18) / max(bend, 0.7)
    at = [(radius * math.cos(a), radius * math.sin(a)) for a in (bend * (i / 4 - 0.5) for i in range(5))]
    return [
        capsule_between((*a, thick / 2), (*b, thick / 2), thick, colour) for a, b in itertools.pairwise(centred(at))
    ]


def _other_crumpled(rng: Rng) -> list[Part]:
    """Cloth or a bag: lumps of one colour run into each other."""
    colour, size, parts = any_colour(rng), rng.uniform(0.06, 0.11), []
    for _ in range(int(rng.integers(4, 8))):
        x, y = rng.normal(0, size * 0.35, 2)
        shape = (size * rng.uniform(0.5, 1.1), size * rng.uniform(0.3, 0.8), min(size * rng.uniform(0.2, 0.7), 0.08))
        parts.append(
            ellipsoid(shape, (x, y, shape[2] * 0.4), shade(colour, rng.uniform(0.75, 1.15)), turn(rng.uniform(0, 3)))
        )
    return parts


def _other_device(rng: Rng) -> list[Part]:
    """A phone, a controller, a case: a rounded slab with a face."""
    colour, x, y = shade((1, 1, 1), rng.uniform(0.03, 0.9)), rng.uniform(0.1, 0.19), rng.uniform(0.06, 0.1)
    thick = rng.uniform(0.008, 0.045)
    grips = [
        ellipsoid((x * 0.4, y * 0.8, thick * 1.6), (sign * x * 0.35, -y * 0.2, thick * 0.8), colour) for sign in (-1, 1)
    ]
    face = box((x * 0.9, y * rng.uniform(0.5, 0.9), 0.002), (0.0, 0.0, thick), any_colour(rng))
    return [box((x, y, thick), (0.0, 0.0, thick / 2), colour), face, *(grips if rng.uniform() < 0.4 else [])]


def _other_hybrid(rng: Rng) -> list[Part]:
    """Halves of two other things run into each other: no class of its own, and yet a thing."""
    builders = [build for (kind, _), build in MORE_FOR_TRAINING.items() if kind != "other"]
    parts: list[Part] = []
    for _ in range(2):
        drawn = builders[int(rng.integers(len(builders)))](rng)
        parts += drawn[: max(len(drawn) // 2, 1)]
    return [replace(part, colour=any_colour(rng)) if rng.uniform() < 0.5 else part for part in parts]


Builder = Callable[[Rng], list[Part]]

MORE_FOR_TRAINING: Final[dict[tuple[str, str], Builder]] = {
    ("cable", "tangle"): _cable_tangle,
    ("cable", "bundle"): _cable_bundle,
    ("cable", "earphones"): _cable_earphones,
    ("cable", "straight"): _cable_straight,
    ("sock", "bent"): _sock_bent,
    ("sock", "striped"): _sock_striped,
    ("shoe", "sandal"): _shoe_sandal,
    ("shoe", "pump"): _shoe_pump,
    ("shoe", "fallen"): _shoe_fallen,
    ("toy", "train"): _toy_train,
    ("toy", "bear"): _toy_bear,
    ("toy", "rings"): _toy_rings,
    ("toy", "plane"): _toy_plane,
    ("bowl", "plate"): _bowl_plate,
    ("bowl", "pot"): _bowl_pot,
    ("bowl", "upturned"): _bowl_upturned,
    ("pet_waste", "pellets"): _waste_pellets,
    ("pet_waste", "flat"): _waste_flat,
    ("book", "magazine"): _book_magazine,
    ("book", "tent"): _book_tent,
    ("book", "ringed"): _book_ringed,
    ("power_strip", "double"): _power_double,
    ("power_strip", "reel"): _power_reel,
    ("power_strip", "adapter"): _power_adapter,
    ("cup", "saucer"): _cup_and_saucer,
    ("cup", "lid"): _cup_with_lid,
    ("cup", "rolled"): _cup_rolled,
    ("paper", "scraps"): _paper_scraps,
    ("paper", "curled"): _paper_curled,
    ("paper", "envelope"): _paper_envelope,
    ("bottle", "squat"): _bottle_squat,
    ("bottle", "square"): _bottle_square,
    ("bottle", "bulged"): _bottle_bulged,
    ("other", "tool"): _other_tool,
    ("other", "fruit"): _other_fruit,
    ("other", "crumpled"): _other_crumpled,
    ("other", "device"): _other_device,
    ("other", "hybrid"): _other_hybrid,
}
