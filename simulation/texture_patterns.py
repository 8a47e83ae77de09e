"""What textures are made of: noise that repeats, grids, cells, and the colours that surfaces have."""

# mypy: disable-error-code="no-any-return"
# (arithmetic of float32 pictures is Any to the type checker; `textures.paint` checks what leaves)

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

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
    return cut * np.float32(1 / max(deviation(cut), 1e-6))


def deviation(picture: Picture) -> float:
    """Standard deviation over all pixels of (size, size) float32; OpenCV's takes a tenth of numpy's time."""
    return float(cv2.meanStdDev(picture)[1][0, 0])


def grain(rng: Rng, size: int, strength: float) -> Picture:
    grain: Picture = rng.standard_normal((size, size), dtype=np.float32) * np.float32(strength)
    return grain


def plain(colour: Colour, size: int) -> Picture:
    return np.broadcast_to(np.array(colour, np.float32), (size, size, 3)).copy()


def toned(colour: Colour, tone: Picture) -> Picture:
    """(S, S, 3) of one colour, each pixel as bright as `tone` says: (S, S), (S, 1) or (1, S)."""
    return _toned(np.array(colour, np.float32), _square(np.asarray(tone, np.float32), max(tone.shape)))


def picked(palette: Picture, index: NDArray[np.int64], tone: Picture) -> Picture:
    """(S, S, 3): of each pixel the colour of `palette` (C, 3) that `index` names, as bright as `tone` (S, S) says."""
    return _picked(palette, _square(index, len(tone)), np.asarray(tone, np.float32))


def shaded(picture: Picture, tone: Picture) -> Picture:
    """(S, S, 3): each pixel as bright as `tone` (S, S) says."""
    return _shaded(np.asarray(picture, np.float32), np.asarray(tone, np.float32))


def dim(picture: Picture, where: NDArray[np.bool_], factor: float) -> None:
    """Multiplies the pixels of (S, S, 3) that `where` names, in place: (S, S), (S, 1) or (1, S)."""
    _dim(picture, _square(where, len(picture)), np.float32(factor))


def cover(picture: Picture, where: NDArray[np.bool_], colour: Colour | Picture, share: float = 1.0) -> None:
    """Lays `colour` over the pixels of (S, S, 3) that `where` names, in place; `share` 1 hides what was there."""
    _cover(picture, _square(where, len(picture)), np.asarray(colour, np.float32), np.float32(share))


def eight_bits(picture: Picture) -> NDArray[np.uint8]:
    """(S, S, 3) from 0..1 to 0..255; what lies outside is cut off."""
    picture = np.asarray(picture, np.float32)
    return cv2.addWeighted(picture, 255, picture, 0, -0.4999, dtype=cv2.CV_8U)  # rounds and cuts off in one pass


def grid(size: int) -> tuple[Picture, Picture]:
    """x (1, size) and y (size, 1) in 0..1 at the pixels' centres: what depends on one of them alone is cheap."""
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size
    return axis[None, :], axis[:, None]


def frac(values: Picture) -> Picture:
    """What lies behind the point; numpy's remainder takes forty times as long."""
    return values - np.floor(values)


def octaves(rng: Rng, size: int, first: int, count: int) -> Picture:
    """(size, size) noise of mean 0 and deviation 1: each octave twice as fine and half as strong."""
    total = sum(noise(rng, size, min(first * 2**i, size // 2)) * 0.6**i for i in range(count))
    picture = np.asarray(total, np.float32)
    return picture * np.float32(1 / max(deviation(picture), 1e-6))


def cells(rng: Rng, size: int, count: int) -> tuple[NDArray[np.int64], Picture]:
    """(size, size) number of the nearest of `count` seeds, and how much nearer it is than the next (0 at borders)."""
    seeds = rng.uniform(size=(count, 2))
    owner, gap = _nearest_seeds(seeds, max(size // 2, 32), max(int(math.sqrt(count / 2)), 1))
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


def _square(values: NDArray[Any], size: int) -> NDArray[Any]:
    return np.ascontiguousarray(np.broadcast_to(values, (size, size)))


@njit(cache=True)  # type: ignore[untyped-decorator]
def _toned(colour: NDArray[np.float32], tone: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, cols = tone.shape
    out = np.empty((rows, cols, 3), np.float32)
    for row in range(rows):
        for col in range(cols):
            for k in range(3):
                out[row, col, k] = colour[k] * tone[row, col]
    return out


@njit(cache=True)  # type: ignore[untyped-decorator]
def _picked(palette: NDArray[np.float32], index: NDArray[np.int64], tone: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, cols = tone.shape
    out = np.empty((rows, cols, 3), np.float32)
    for row in range(rows):
        for col in range(cols):
            for k in range(3):
                out[row, col, k] = palette[index[row, col], k] * tone[row, col]
    return out


@njit(cache=True)  # type: ignore[untyped-decorator]
def _shaded(picture: NDArray[np.float32], tone: NDArray[np.float32]) -> NDArray[np.float32]:
    out = np.empty(picture.shape, np.float32)
    for row in range(picture.shape[0]):
        for col in range(picture.shape[1]):
            for k in range(3):
                out[row, col, k] = picture[row, col, k] * tone[row, col]
    return out


@njit(cache=True)  # type: ignore[untyped-decorator]
def _dim(picture: Picture, where: NDArray[np.bool_], factor: float) -> None:
    for row in range(picture.shape[0]):
        for col in range(picture.shape[1]):
            here = factor if where[row, col] else np.float32(1)
            for k in range(3):
                picture[row, col, k] *= here


@njit(cache=True)  # type: ignore[untyped-decorator]
def _cover(picture: Picture, where: NDArray[np.bool_], colour: NDArray[np.float32], share: float) -> None:
    for row in range(picture.shape[0]):
        for col in range(picture.shape[1]):
            if where[row, col]:
                for k in range(3):
                    picture[row, col, k] += share * (colour[k] - picture[row, col, k])


@njit(cache=True)  # type: ignore[untyped-decorator]
def _nearest_seeds(seeds: Picture, size: int, bins: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """(size, size): number of the nearest of `seeds` (C, 2) on a square that repeats, and how much nearer it is than
    the next. Seeds lie in `bins` x `bins` drawers; a pixel opens the drawers around its own, ring after ring."""
    count = len(seeds)
    drawer = np.empty(count, np.int64)
    first = np.zeros(bins * bins + 1, np.int64)
    for i in range(count):
        drawer[i] = min(int(seeds[i, 1] * bins), bins - 1) * bins + min(int(seeds[i, 0] * bins), bins - 1)
        first[drawer[i] + 1] += 1
    for i in range(bins * bins):
        first[i + 1] += first[i]
    order = np.argsort(drawer, kind="mergesort")
    owner, gap = np.empty((size, size), np.int32), np.empty((size, size), np.float32)
    for row in range(size):
        for col in range(size):
            x, y = (col + 0.5) / size, (row + 0.5) / size
            home_x, home_y = int(x * bins), int(y * bins)
            near, next_near, number = np.inf, np.inf, 0
            ring = 0
            while ring <= 2 * bins and (ring < 1 or ring - 1 < bins * math.sqrt(next_near)):
                for i in range(-ring, ring + 1):
                    step = 1 if abs(i) == ring else 2 * ring
                    for j in range(-ring, ring + 1, max(step, 1)):
                        turns_x, turns_y = (home_x + j) // bins, (home_y + i) // bins
                        at = (home_y + i - turns_y * bins) * bins + home_x + j - turns_x * bins
                        for k in range(first[at], first[at + 1]):
                            seed = order[k]
                            squared = (seeds[seed, 0] + turns_x - x) ** 2 + (seeds[seed, 1] + turns_y - y) ** 2
                            if squared < near:
                                near, next_near, number = squared, near, seed
                            elif squared < next_near:
                                next_near = squared
                ring += 1
            owner[row, col] = number
            gap[row, col] = math.sqrt(next_near) - math.sqrt(near)
    return owner, gap
