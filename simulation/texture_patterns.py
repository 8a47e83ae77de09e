"""What textures are made of: noise that repeats, grids, cells, and the colours that surfaces have."""

# mypy: disable-error-code="no-any-return"
# (arithmetic of float32 pictures is Any to the type checker; `textures.paint` checks what leaves)

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from simulation.room_spec import Colour, Purpose, Texture
from simulation.shape_parts import Rng, any_colour, brown, shade

Picture = NDArray[np.floating]  # (S, S, 3) red, green, blue, 0..1
Use = Literal["hardwood", "tile", "carpet", "rug", "concrete", "wall", "thing"]


@dataclass(frozen=True, slots=True)
class TextureKind:
    """How one kind of surface is drawn: its colours and scale from a generator, then its pixels."""

    use: Use
    purpose: Purpose
    draw: Callable[[Rng], tuple[tuple[Colour, ...], float]]
    paint: Callable[[Texture, Rng, int], Picture]


def noise(rng: Rng, size: int, cells_x: int, cells_y: int | None = None) -> Picture:
    """(size, size) smooth noise of mean 0 and deviation 1 that repeats."""
    cells_y = cells_y or cells_x
    grid = rng.standard_normal((cells_y, cells_x)).astype(np.float32)
    grid = np.pad(grid, 2, mode="wrap")
    big = cv2.resize(
        grid, (size * (cells_x + 4) // cells_x, size * (cells_y + 4) // cells_y), interpolation=cv2.INTER_LINEAR
    )
    y, x = 2 * size // cells_y, 2 * size // cells_x
    cut: Picture = big[y : y + size, x : x + size]
    return cut / max(float(cut.std()), 1e-6)


def grain(rng: Rng, size: int, strength: float) -> Picture:
    grain: Picture = rng.standard_normal((size, size), dtype=np.float32) * np.float32(strength)
    return grain


def plain(colour: Colour, size: int) -> Picture:
    return np.broadcast_to(np.array(colour, np.float32), (size, size, 3)).copy()


def grid(size: int) -> tuple[Picture, Picture]:
    """x and y in 0..1 at the pixels' centres."""
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size
    return np.meshgrid(axis, axis)


def octaves(rng: Rng, size: int, first: int, count: int) -> Picture:
    """(size, size) noise of mean 0 and deviation 1: each octave twice as fine and half as strong."""
    total = sum(noise(rng, size, min(first * 2**i, size // 2)) * 0.6**i for i in range(count))
    return np.asarray(total / max(float(np.std(total)), 1e-6), np.float32)


def cells(rng: Rng, size: int, count: int) -> tuple[NDArray[np.int64], Picture]:
    """(size, size) number of the nearest of `count` seeds, and how much nearer it is than the next (0 at borders)."""
    seeds = rng.uniform(size=(count, 2))
    around = np.concatenate([seeds + (i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)])
    coarse = max(size // 2, 32)
    x, y = grid(coarse)
    distance, nearest = cKDTree(around).query(np.stack([x.ravel(), y.ravel()], axis=1), k=2)
    gap = (distance[:, 1] - distance[:, 0]).astype(np.float32).reshape(coarse, coarse)
    owner = (nearest[:, 0] % count).astype(np.int32).reshape(coarse, coarse)
    big = cv2.resize(owner, (size, size), interpolation=cv2.INTER_NEAREST).astype(np.int64)
    return big, cv2.resize(gap, (size, size), interpolation=cv2.INTER_LINEAR)


def warped(rng: Rng, size: int, strength: float) -> tuple[Picture, Picture]:
    """x and y in 0..1, pushed about by smooth noise."""
    x, y = grid(size)
    return x + noise(rng, size, 4) * strength, y + noise(rng, size, 4) * strength


def wood_colours(rng: Rng) -> tuple[tuple[Colour, ...], float]:
    return (brown(rng),), rng.uniform(0.8, 1.4)


def tile_colours(rng: Rng) -> tuple[tuple[Colour, ...], float]:
    grey = shade((1, 1, 1), rng.uniform(0.15, 0.95))
    base = grey if rng.uniform() < 0.5 else soft(rng)
    return (base, shade(base, rng.choice([0.5, 0.75, 1.3])), shade((1, 1, 1), rng.uniform(0.1, 0.6))), rng.uniform(
        0.6, 1.6
    )


def soft_colours(rng: Rng) -> tuple[tuple[Colour, ...], float]:
    return (soft(rng), any_colour(rng)), rng.uniform(0.5, 1.2)


def rug_colours(rng: Rng) -> tuple[tuple[Colour, ...], float]:
    return tuple(any_colour(rng) for _ in range(4)), rng.uniform(0.8, 2.0)


def grey_colours(rng: Rng) -> tuple[tuple[Colour, ...], float]:
    tint = rng.uniform(0.94, 1.0, 3)
    level = rng.uniform(0.2, 0.8)
    return (
        (level * tint[0], level * tint[1], level * tint[2]),
        any_colour(rng),
        shade((1, 1, 1), rng.uniform(0.05, 0.95)),
    ), rng.uniform(1.0, 2.0)


def wall_colours(rng: Rng) -> tuple[tuple[Colour, ...], float]:
    base = shade((0.95, 0.94, 0.9), rng.uniform(0.6, 1.0)) if rng.uniform() < 0.6 else soft(rng)
    return (base, shade(base, rng.uniform(0.8, 1.1))), rng.uniform(0.5, 1.5)


def thing_colours(rng: Rng) -> tuple[tuple[Colour, ...], float]:
    level = shade((1, 1, 1), rng.uniform(0.75, 1.0))
    return (level, any_colour(rng)), rng.uniform(0.05, 0.2)


def soft(rng: Rng) -> Colour:
    colour, white = any_colour(rng), rng.uniform(0.2, 0.8)
    mixed = [channel * (1 - white) + white * rng.uniform(0.5, 0.9) for channel in colour]
    return (mixed[0], mixed[1], mixed[2])
