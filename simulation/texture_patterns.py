"""What textures are made of: noise that repeats, grids, cells, and the colours that surfaces have."""

# mypy: disable-error-code="no-any-return"
# (arithmetic of float32 pictures is Any to the type checker; `textures.paint` checks what leaves)

import functools
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
_BANK = 1 << 20  # normal numbers; a picture of 384 x 384 takes a seventh of them
_FEW = 1024  # are drawn anew: wide patches that repeat would be known again
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
    stretched: Picture = _stretched(_normal(rng, cells_y or cells_x, cells_x), size)
    return stretched


def deviation(picture: Picture) -> float:
    """Standard deviation over all pixels of (size, size) float32; OpenCV's takes a tenth of numpy's time."""
    return float(cv2.meanStdDev(picture)[1][0, 0])


def grain(rng: Rng, size: int, strength: float) -> Picture:
    grain: Picture = _normal(rng, size, size) * np.float32(strength)
    return grain


def _normal(rng: Rng, rows: int, columns: int) -> Picture:
    """(rows, columns) normal numbers, to be read only: where there are many, somewhere from a bank drawn once."""
    count = rows * columns
    if count < _FEW:
        return rng.standard_normal((rows, columns), dtype=np.float32)
    bank = _bank(max(_BANK, 2 * count))
    start = int(rng.integers(len(bank) - count))
    return bank[start : start + count].reshape(rows, columns)


@functools.cache
def _bank(count: int) -> Picture:
    """The same in every process: a texture's seed alone says what it looks like."""
    held = np.random.default_rng(0xBA).standard_normal(count, dtype=np.float32)
    held.setflags(write=False)
    return held


def plain(colour: Colour, size: int) -> Picture:
    return np.broadcast_to(np.array(colour, np.float32), (size, size, 3)).copy()


def tones(rng: Rng, spread: float, shape: int | tuple[int, ...]) -> Picture:
    """Normal numbers of that deviation, to look up in: one for each board, tile or stone."""
    return rng.standard_normal(shape, dtype=np.float32) * np.float32(spread)


def mixed(first: Picture, second: Picture, share: Picture) -> Picture:
    """(S, S, 3): of two colours (3,), `share` (S, S) of the second."""
    return _mixed(np.asarray(first, np.float32), np.asarray(second, np.float32), np.asarray(share, np.float32))


def toned(colour: Colour, tone: Picture) -> Picture:
    """(S, S, 3) of one colour, each pixel as bright as `tone` says: (S, S), (S, 1) or (1, S)."""
    share = _square(np.asarray(tone, np.float32), max(tone.shape))
    return _mixed(np.zeros(3, np.float32), np.array(colour, np.float32), share)


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
    picture = np.zeros((size, size), np.float32)
    for i in range(count):
        side = min(first * 2**i, size // 2)
        values = _normal(rng, side, side)
        weight = 0.6**i / max(float(values.std()), 1e-3)  # of few numbers, too, an octave has its own strength
        _add_stretched(picture, values, np.float32(weight))
    picture *= np.float32(1 / max(deviation(picture), 1e-6))
    return picture


def cells(rng: Rng, size: int, count: int) -> tuple[NDArray[np.int64], Picture]:
    """(size, size) number of the nearest of `count` seeds, and how much nearer it is than the next (0 at borders)."""
    seeds = rng.uniform(size=(count, 2))
    owner, gap = _nearest_seeds(seeds, max(size // 2, 32))
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


def _stretched(values: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """(size, size) linear between `values` (Y, X), which lie at the middles of their cells and repeat; deviation 1."""
    out = np.zeros((size, size), np.float32)
    _add_stretched(out, values, np.float32(1))
    out *= np.float32(1 / max(deviation(out), 1e-6))
    return out


@njit(cache=True, fastmath=True)  # type: ignore[untyped-decorator]
def _add_stretched(out: NDArray[np.float32], values: NDArray[np.float32], weight: float) -> None:
    """Adds to (S, S) what is linear between `values` (Y, X), which lie at the middles of their cells and repeat."""
    size = len(out)
    rows, cols = values.shape
    wide = np.empty((rows, size), np.float32)
    for col in range(size):
        at = (col + 0.5) * cols / size - 0.5
        left = math.floor(at)
        share = np.float32(at - left)
        for row in range(rows):
            wide[row, col] = values[row, left % cols] * (1 - share) + values[row, (left + 1) % cols] * share
    for row in range(size):
        at = (row + 0.5) * rows / size - 0.5
        above = math.floor(at)
        share = np.float32(at - above) * weight
        rest = weight - share
        upper, lower, line = wide[above % rows], wide[(above + 1) % rows], out[row]
        for col in range(size):
            line[col] += upper[col] * rest + lower[col] * share


@njit(cache=True)  # type: ignore[untyped-decorator]
def _mixed(first: NDArray[np.float32], second: NDArray[np.float32], share: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, cols = share.shape
    out = np.empty((rows, cols, 3), np.float32)
    for row in range(rows):
        for col in range(cols):
            for k in range(3):
                out[row, col, k] = first[k] + (second[k] - first[k]) * share[row, col]
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
            laid = share if where[row, col] else np.float32(0)
            for k in range(3):
                picture[row, col, k] += laid * (colour[k] - picture[row, col, k])


@njit(cache=True)  # type: ignore[untyped-decorator]
def _nearest_seeds(seeds: Picture, size: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """(size, size): number of the nearest of `seeds` (C, 2) on a square that repeats, and how much farther the next.

    Each seed tells the pixels around, so far that they hear of some fifteen; the few that hear of one or none ask all.
    """
    count, reach = len(seeds), min(2.2 / math.sqrt(len(seeds)), 0.5)
    owner = np.zeros((size, size), np.int32)
    near, after = np.full((size, size), np.inf), np.full((size, size), np.inf)
    for i in range(count):
        x, y = seeds[i]
        for row in range(math.ceil((y - reach) * size - 0.5), math.floor((y + reach) * size - 0.5) + 1):
            up = (row + 0.5) / size - y
            wide = math.sqrt(max(reach * reach - up * up, 0.0))
            for col in range(math.ceil((x - wide) * size - 0.5), math.floor((x + wide) * size - 0.5) + 1):
                squared = up * up + ((col + 0.5) / size - x) ** 2
                r = row - size if row >= size else row + size if row < 0 else row
                c = col - size if col >= size else col + size if col < 0 else col
                if squared < near[r, c]:
                    near[r, c], after[r, c], owner[r, c] = squared, near[r, c], i
                elif squared < after[r, c]:
                    after[r, c] = squared
    gap = np.empty((size, size), np.float32)
    for row in range(size):
        for col in range(size):
            if after[row, col] == np.inf:
                near[row, col] = np.inf
                for i in range(count):
                    for turn in range(9):
                        squared = ((row + 0.5) / size - seeds[i, 1] + turn // 3 - 1) ** 2
                        squared += ((col + 0.5) / size - seeds[i, 0] + turn % 3 - 1) ** 2
                        if squared < near[row, col]:
                            near[row, col], after[row, col], owner[row, col] = squared, near[row, col], i
                        elif squared < after[row, col]:
                            after[row, col] = squared
            gap[row, col] = math.sqrt(after[row, col]) - math.sqrt(near[row, col])
    return owner, gap
