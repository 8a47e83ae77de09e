"""Short words for building parts: boxes, cylinders, capsules along a line, turns. Frames are the thing's own."""

import colorsys
import itertools
import math
from collections.abc import Iterable

import numpy as np

from simulation.room_spec import UPRIGHT, AxisAngle, Colour, Part, Vector

Rng = np.random.Generator
LYING_X: AxisAngle = (0.0, 1.0, 0.0, math.pi / 2)  # z along x


def turn(angle_rad: float) -> AxisAngle:
    """About the vertical."""
    return (0.0, 0.0, 1.0, angle_rad)


def along(direction: Vector) -> AxisAngle:
    """The rotation that lays z along `direction`."""
    x, y, z = direction
    length = math.sqrt(x * x + y * y + z * z)
    flat = math.hypot(x, y)
    if flat < 1e-9 * length:
        return UPRIGHT if z > 0 else (1.0, 0.0, 0.0, math.pi)
    return (-y / flat, x / flat, 0.0, math.acos(max(-1.0, min(1.0, z / length))))


def axis_of(rotation: AxisAngle) -> Vector:
    """Where a part's own z points."""
    w, x, y, z = _quaternion(rotation)
    return (2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y))


def composed(outer: AxisAngle, inner: AxisAngle) -> AxisAngle:
    """First `inner`, then `outer`."""
    a, b = _quaternion(outer), _quaternion(inner)
    w = a[0] * b[0] - a[1] * b[1] - a[2] * b[2] - a[3] * b[3]
    x = a[0] * b[1] + a[1] * b[0] + a[2] * b[3] - a[3] * b[2]
    y = a[0] * b[2] - a[1] * b[3] + a[2] * b[0] + a[3] * b[1]
    z = a[0] * b[3] + a[1] * b[2] - a[2] * b[1] + a[3] * b[0]
    norm = math.sqrt(x * x + y * y + z * z)
    if norm < 1e-12:
        return UPRIGHT
    return (x / norm, y / norm, z / norm, 2 * math.atan2(norm, w))


def box(size_m: Vector, position_m: Vector, colour: Colour, rotation: AxisAngle = UPRIGHT, texture: int = -1) -> Part:
    return Part("box", size_m, position_m, rotation, colour, texture)


def cylinder(
    diameter_m: float, height_m: float, position_m: Vector, colour: Colour, rotation: AxisAngle = UPRIGHT
) -> Part:
    return Part("cylinder", (diameter_m, diameter_m, height_m), position_m, rotation, colour)


def ellipsoid(size_m: Vector, position_m: Vector, colour: Colour, rotation: AxisAngle = UPRIGHT) -> Part:
    return Part("ellipsoid", size_m, position_m, rotation, colour)


def sphere(diameter_m: float, position_m: Vector, colour: Colour) -> Part:
    return Part("sphere", (diameter_m, diameter_m, diameter_m), position_m, UPRIGHT, colour)


def capsule_between(start_m: Vector, end_m: Vector, diameter_m: float, colour: Colour) -> Part:
    """A capsule whose cap centres are the two points."""
    direction = (end_m[0] - start_m[0], end_m[1] - start_m[1], end_m[2] - start_m[2])
    length = math.sqrt(sum(value * value for value in direction))
    middle = tuple((a + b) / 2 for a, b in zip(start_m, end_m, strict=True))
    size = (diameter_m, diameter_m, length + diameter_m)
    return Part("capsule", size, (middle[0], middle[1], middle[2]), along(direction), colour)


def rod(points_m: list[tuple[float, float]], diameter_m: float, colour: Colour) -> list[Part]:
    """Capsules joined end to end, lying on the floor."""
    z = diameter_m / 2
    return [capsule_between((*start, z), (*end, z), diameter_m, colour) for start, end in itertools.pairwise(points_m)]


def top_m(parts: Iterable[Part]) -> float:
    """About how high above the floor they reach, whichever way they are turned."""
    return max(part.position_m[2] + min(part.size_m) / 2 for part in parts)


def ring(
    count: int, radius_m: float, wall: tuple[float, float, float], z_m: float, lean: float, c: Colour
) -> list[Part]:
    """Boxes of (thickness, width, height) around a circle, leaning outwards."""
    return [
        box(
            wall,
            (radius_m * math.cos(a), radius_m * math.sin(a), z_m),
            c,
            composed(turn(a), (0.0, 1.0, 0.0, lean)),
        )
        for a in (2 * math.pi * i / count for i in range(count))
    ]


def centred(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Their mean at the origin."""
    x = sum(point[0] for point in points) / len(points)
    y = sum(point[1] for point in points) / len(points)
    return [(point[0] - x, point[1] - y) for point in points]


def any_colour(rng: Rng) -> Colour:
    """Anything people buy: vivid, pale, dark or grey."""
    hue, pick = rng.uniform(), rng.uniform()
    if pick < 0.3:
        grey = rng.uniform(0.02, 0.95)
        return shade((grey, grey, grey), rng.uniform(0.97, 1.03))
    if pick < 0.6:
        return colorsys.hsv_to_rgb(hue, rng.uniform(0.5, 1.0), rng.uniform(0.35, 1.0))
    return colorsys.hsv_to_rgb(hue, rng.uniform(0.1, 0.6), rng.uniform(0.08, 0.95))


def cable_colour(rng: Rng) -> Colour:
    """Black, white, or anything."""
    pick = rng.uniform()
    if pick < 0.45:
        return shade((1, 1, 1), rng.uniform(0.02, 0.15))
    if pick < 0.75:
        return shade((1, 1, 1), rng.uniform(0.7, 1.0))
    return any_colour(rng)


def brown(rng: Rng) -> Colour:
    """Wood, leather, earth."""
    return colorsys.hsv_to_rgb(rng.uniform(0.04, 0.11), rng.uniform(0.3, 0.8), rng.uniform(0.12, 0.8))


def shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(max(channel * factor, 0.0), 1.0) for channel in colour)
    return (red, green, blue)


def _quaternion(rotation: AxisAngle) -> tuple[float, float, float, float]:
    half = rotation[3] / 2
    sin = math.sin(half)
    return (math.cos(half), rotation[0] * sin, rotation[1] * sin, rotation[2] * sin)
