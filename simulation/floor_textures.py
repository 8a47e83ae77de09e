"""More floors for training: many constructions, so that a model learns what floors may look like, not a few of them.

None of them is a construction that testing holds back (herringbone, bond tiles, loop carpet, diamonds, terrazzo).
"""

# mypy: disable-error-code="no-any-return"
# (arithmetic of float32 pictures is Any to the type checker; `textures.paint` checks what leaves)

import math
from typing import Final

import cv2
import numpy as np

from simulation.room_spec import Texture, TextureName
from simulation.shape_parts import Rng
from simulation.texture_patterns import (
    Picture,
    TextureKind,
    cells,
    cover,
    dim,
    frac,
    grain,
    grey_colours,
    grid,
    mixed,
    noise,
    octaves,
    picked,
    plain,
    rug_colours,
    shaded,
    soft_colours,
    tile_colours,
    toned,
    tones,
    warped,
    wood_colours,
)


def _palette(texture: Texture) -> Picture:
    return np.array(texture.colours, np.float32)


def _boards(texture: Texture, rng: Rng, size: int) -> Picture:
    """Wide worn boards with knots and open gaps."""
    rows = 2 + texture.seed % 4
    x, y = warped(rng, size, 0.002)
    row = np.floor(y * rows).astype(int) % rows
    tone = tones(rng, 0.1, rows)[row]
    fibre = np.sin((y + noise(rng, size, 3) * 0.01) * 2 * np.pi * (30 + texture.seed % 40)) * 0.05
    picture = toned(texture.colours[0], 1 + tone + fibre + octaves(rng, size, 2, 4) * 0.06)
    for _ in range(texture.seed % 6):
        cx, cy, radius = rng.uniform(), rng.uniform(), rng.uniform(0.006, 0.02)
        dim(picture, (x - cx) ** 2 + ((y - cy) * 1.6) ** 2 < radius**2, 0.5)
    edge = frac(y * rows)
    dim(picture, np.minimum(edge, 1 - edge) < rng.uniform(0.005, 0.03), rng.uniform(0.2, 0.7))
    return picture


def _basket(texture: Texture, rng: Rng, size: int) -> Picture:
    """Square blocks of slats, turned by a quarter from block to block."""
    count, slats = 3 + texture.seed % 3, 4 + texture.seed % 3
    x, y = grid(size)
    ix, iy = np.floor(x * count).astype(int), np.floor(y * count).astype(int)
    turned = (ix + iy) % 2 == 0
    across = np.where(turned, frac(x * count), frac(y * count)) * slats
    number = np.floor(across).astype(int) + slats * (ix + count * iy)
    tone = tones(rng, 0.1, slats * count * count + slats)[number]
    picture = toned(texture.colours[0], 1 + tone + octaves(rng, size, 8, 4) * 0.05)
    dim(picture, frac(across) < 0.06, 0.65)
    return picture


def _strips(texture: Texture, rng: Rng, size: int) -> Picture:
    """Narrow strips of random length and tone."""
    rows = 12 + texture.seed % 14
    x, y = grid(size)
    row = np.floor(y * rows).astype(int)
    pieces = 2 + texture.seed % 4
    piece = np.floor((x + rng.random(rows, dtype=np.float32)[row]) * pieces).astype(int) % pieces
    tone = tones(rng, 0.06 + 0.02 * (texture.seed % 5), (rows, pieces))[row, piece]
    picture = toned(texture.colours[0], 1 + tone + noise(rng, size, 3, 96) * 0.04)
    dim(picture, frac(y * rows) < 0.06, 0.75)
    return picture


def _marble(texture: Texture, rng: Rng, size: int) -> Picture:
    """Big slabs with veins and thin joints."""
    wave = octaves(rng, size, 3, 5)
    vein = np.exp(-np.abs(wave) * rng.uniform(5, 14)) + 0.6 * np.exp(-np.abs(octaves(rng, size, 5, 4)) * 16)
    strength = rng.uniform(0.1, 0.6) * rng.choice([-1.0, 1.0])
    picture = toned(texture.colours[0], 1 - strength * np.clip(vein, 0, 1) + 0.04 * wave)
    x, y = grid(size)
    count = 1 + texture.seed % 3
    cover(picture, (frac(x * count) < 0.006) | (frac(y * count) < 0.006), _palette(texture)[1])
    return picture


def _mosaic(texture: Texture, rng: Rng, size: int) -> Picture:
    """Small squares of mixed colours."""
    count = 12 + texture.seed % 20
    x, y = grid(size)
    ix, iy = np.floor(x * count).astype(int), np.floor(y * count).astype(int)
    pick = rng.integers(0, 3, (count, count))[iy, ix]
    picture = picked(_palette(texture), pick, 1 + tones(rng, 0.12, (count, count))[iy, ix] + grain(rng, size, 0.02))
    cover(picture, (frac(x * count) < 0.1) | (frac(y * count) < 0.1), _palette(texture)[1] * 0.9)
    return picture


def _paving(texture: Texture, rng: Rng, size: int) -> Picture:
    """Irregular stones with joints."""
    owner, gap = cells(rng, size, 12 + texture.seed % 50)
    tone = tones(rng, 0.15, int(owner.max()) + 1)[owner]
    picture = toned(texture.colours[0], 1 + tone + octaves(rng, size, 8, 4) * 0.06)
    cover(picture, gap < rng.uniform(0.004, 0.014), _palette(texture)[1])
    return picture


def _cement_tiles(texture: Texture, rng: Rng, size: int) -> Picture:
    """Patterned tiles: arcs, stars and stripes from one drawn motif, mirrored."""
    count = 2 + texture.seed % 4
    x, y = grid(size)
    u, v = np.abs(frac(x * count) - 0.5), np.abs(frac(y * count) - 0.5)
    radius = np.hypot(u - rng.uniform(0, 0.5), v - rng.uniform(0, 0.5))
    motif = np.sin(radius * rng.uniform(10, 40)) + rng.uniform(-1, 1) * np.cos((u + v) * rng.uniform(6, 30))
    low, high = np.sort(rng.uniform(-1, 1, 2)).tolist()
    level = (motif >= low).astype(np.int64) + (motif >= high)
    palette = _palette(texture)
    return picked(palette, level % len(palette), 1 + octaves(rng, size, 8, 3) * 0.03)


def _checker(texture: Texture, rng: Rng, size: int) -> Picture:
    """Two tones, sometimes on the corner, with faint joints."""
    x, y = grid(size)
    count = 2 + texture.seed % 5
    u, v = (x + y, x - y) if texture.seed % 2 else (x, y)
    squares = (np.floor(u * count) + np.floor(v * count)).astype(int) % 2
    picture = picked(_palette(texture)[[0, 2]], squares, 1 + octaves(rng, size, 4, 4) * 0.04)
    dim(picture, (frac(u * count) < 0.015) | (frac(v * count) < 0.015), 0.8)
    return picture


def _cloudy(texture: Texture, rng: Rng, size: int) -> Picture:
    """Carpet of several tones that run into each other."""
    wave = octaves(rng, size, 3 + texture.seed % 8, 5)
    share = 1 / (1 + np.exp(-2 * wave))
    first, second = _palette(texture)[:2]
    return shaded(mixed(0.5 * first + 0.5 * second, first, share), 1 + grain(rng, size, 0.06))


def _carpet_tiles(texture: Texture, rng: Rng, size: int) -> Picture:
    """Office squares whose pile runs another way in each."""
    count = 2 + texture.seed % 2
    x, y = grid(size)
    turned = (np.floor(x * count) + np.floor(y * count)).astype(int) % 2 == 0
    lines = np.where(turned, np.sin(x * 2 * np.pi * 40), np.sin(y * 2 * np.pi * 40))
    flecks = octaves(rng, size, 32, 3)
    picture = toned(texture.colours[0], 1 + 0.06 * lines + 0.06 * flecks)
    cover(picture, flecks > 1.8, _palette(texture)[1], 0.4)
    return picture


def _carpet_lines(texture: Texture, rng: Rng, size: int) -> Picture:
    """Broken coloured lines along one way."""
    _, y = grid(size)
    rows = 20 + texture.seed % 60
    row = np.floor(y * rows).astype(int)
    on = noise(rng, size, 6, min(rows, size // 2)) > 0.6
    picture = toned(texture.colours[0], 1 + tones(rng, 0.05, rows)[row])
    cover(picture, on, _palette(texture)[1], 0.5)
    return shaded(picture, 1 + grain(rng, size, 0.06))


def _stained(texture: Texture, rng: Rng, size: int) -> Picture:
    """Old screed: patches, stains and cracks."""
    patch = octaves(rng, size, 2, 6)
    picture = toned(texture.colours[0], 1 + 0.12 * patch)
    stain = octaves(rng, size, 3, 4) > rng.uniform(0.8, 1.6)
    dim(picture, stain, rng.uniform(0.6, 0.9))
    crack = np.abs(octaves(rng, size, 3, 5)) < rng.uniform(0.005, 0.03)
    dim(picture, crack, 0.6)
    return picture


def _pebbles(texture: Texture, rng: Rng, size: int) -> Picture:
    """Round stones cast in one tone."""
    owner, gap = cells(rng, size, 250 + texture.seed % 500)
    tone = tones(rng, 0.25, int(owner.max()) + 1)[owner]
    stone = toned(texture.colours[0], 1 + tone)
    cover(stone, gap < 0.008, _palette(texture)[0] * 0.7)
    return stone


def _waves(texture: Texture, rng: Rng, size: int) -> Picture:
    """Rug of bent stripes."""
    x, y = warped(rng, size, rng.uniform(0.01, 0.08))
    angle, palette = rng.uniform(0, 2 * np.pi), _palette(texture)
    along = x * np.cos(angle) + y * np.sin(angle)
    stripe = np.floor(along * (4 + texture.seed % 14)).astype(int) % len(palette)
    return picked(palette, stripe, 1 + grain(rng, size, 0.06))


def _patches(texture: Texture, rng: Rng, size: int) -> Picture:
    """Rug of many-cornered patches."""
    owner, gap = cells(rng, size, 10 + texture.seed % 60)
    palette = _palette(texture)
    pick = rng.integers(0, len(palette), int(owner.max()) + 1)[owner]
    picture = picked(palette, pick, 1 + grain(rng, size, 0.06))
    if texture.seed % 2:
        cover(picture, gap < 0.01, palette[0] * 0.6)
    return picture


def _speckled_rug(texture: Texture, rng: Rng, size: int) -> Picture:
    """Rug of blots in several colours."""
    palette, picture = _palette(texture), plain(texture.colours[0], size)
    for colour in palette[1:]:
        cover(picture, octaves(rng, size, 6 + texture.seed % 20, 3) > rng.uniform(0.5, 1.5), colour)
    return shaded(picture, 1 + grain(rng, size, 0.06))


def weathered(picture: Picture, rng: Rng) -> Picture:
    """Marks that are no objects: stains, scratches, crumbs of light and shade; on two floors of three."""
    size = len(picture)
    picture = np.ascontiguousarray(picture, np.float32)
    if rng.uniform() < 0.35:
        return picture
    if rng.uniform() < 0.6:
        picture = shaded(picture, 1 + rng.uniform(0.03, 0.15) * octaves(rng, size, 2, 3))
    for _ in range(int(rng.integers(0, 5))):  # spills: a blot with a soft or a dark edge
        x, y = (int(value) for value in rng.integers(0, size, 2))
        axes = tuple(int(value) for value in rng.integers(size // 60 + 1, size // 9, 2))
        turned, soft_px = float(rng.uniform(0, 180)), 0.0
        if rng.uniform() < 0.5:
            soft_px = float(rng.uniform(1, size / 60))
        part, (x0, y0) = _around(picture, (x, y), (x, y), max(axes) + 1 + math.ceil(5 * soft_px))
        mask = np.zeros(part.shape[:2], np.float32)
        cv2.ellipse(mask, (x - x0, y - y0), axes, turned, 0, 360, 1.0, -1)
        if soft_px:
            mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), soft_px), np.float32)
        part *= (1 + np.float32(rng.uniform(-0.45, 0.35)) * mask)[:, :, None]
    for _ in range(int(rng.integers(0, 5))):  # scratches and hairs of the surface
        ends = [(int(x), int(y)) for x, y in (rng.integers(0, size, 2) for _ in range(2))]
        part, (x0, y0) = _around(picture, ends[0], ends[1], 2)
        mask = np.zeros(part.shape[:2], np.float32)
        first, last = ((x - x0, y - y0) for x, y in ends)
        cv2.line(mask, first, last, 1.0, 1, cv2.LINE_AA)
        part *= (1 + np.float32(rng.uniform(-0.3, 0.3)) * mask)[:, :, None]
    return picture


def _around(
    picture: Picture, first: tuple[int, int], last: tuple[int, int], reach: int
) -> tuple[Picture, tuple[int, int]]:
    """The part of (S, S, 3) within `reach` pixels of the box of two points (column, row), and its corner's."""
    x0, y0 = (max(min(a, b) - reach, 0) for a, b in zip(first, last, strict=True))
    x1, y1 = (max(a, b) + reach + 1 for a, b in zip(first, last, strict=True))
    return picture[y0:y1, x0:x1], (x0, y0)


FLOOR_KINDS: Final[dict[TextureName, TextureKind]] = {
    "boards": TextureKind("hardwood", "train", wood_colours, _boards),
    "basket": TextureKind("hardwood", "train", wood_colours, _basket),
    "strips": TextureKind("hardwood", "train", wood_colours, _strips),
    "marble": TextureKind("tile", "train", tile_colours, _marble),
    "mosaic": TextureKind("tile", "train", tile_colours, _mosaic),
    "paving": TextureKind("tile", "train", tile_colours, _paving),
    "cement_tiles": TextureKind("tile", "train", rug_colours, _cement_tiles),
    "checker": TextureKind("tile", "train", tile_colours, _checker),
    "cloudy": TextureKind("carpet", "train", soft_colours, _cloudy),
    "carpet_tiles": TextureKind("carpet", "train", soft_colours, _carpet_tiles),
    "carpet_lines": TextureKind("carpet", "train", soft_colours, _carpet_lines),
    "stained": TextureKind("concrete", "train", grey_colours, _stained),
    "pebbles": TextureKind("concrete", "train", grey_colours, _pebbles),
    "waves": TextureKind("rug", "train", rug_colours, _waves),
    "patches": TextureKind("rug", "train", rug_colours, _patches),
    "blots": TextureKind("rug", "train", rug_colours, _speckled_rug),
}
