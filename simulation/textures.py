"""Procedural textures: a `Texture` to pixels, in numpy. Some kinds are drawn in training, others held back for testing.

`paint` is pure: equal textures give equal bytes. Pictures repeat without a visible seam.
"""

# mypy: disable-error-code="no-any-return"
# (arithmetic of float32 pictures is Any to the type checker; `paint` checks what leaves)

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
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


def draw_texture(use: Use, purpose: Purpose, rng: Rng) -> Texture:
    """A texture for floors, walls or things."""
    names = [name for name, kind in KINDS.items() if kind.use == use and kind.purpose == purpose]
    name = names[int(rng.integers(len(names)))]
    colours, scale_m = KINDS[name].draw(rng)
    return Texture(name, int(rng.integers(2**31)), colours, scale_m)


def paint(texture: Texture, size_px: int) -> NDArray[np.uint8]:
    """(size_px, size_px, 3) red, green, blue."""
    rng = np.random.default_rng(texture.seed)
    picture = KINDS[texture.kind].paint(texture, rng, size_px)
    return (np.clip(picture, 0, 1) * 255).astype(np.uint8)


def _noise(rng: Rng, size: int, cells_x: int, cells_y: int | None = None) -> Picture:
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


def _grain(rng: Rng, size: int, strength: float) -> Picture:
    grain: Picture = rng.standard_normal((size, size), dtype=np.float32) * np.float32(strength)
    return grain


def _plain(colour: Colour, size: int) -> Picture:
    return np.broadcast_to(np.array(colour, np.float32), (size, size, 3)).copy()


def _grid(size: int) -> tuple[Picture, Picture]:
    """x and y in 0..1 at the pixels' centres."""
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size
    return np.meshgrid(axis, axis)


def _wood(rng: Rng, size: int, colour: Colour, contrast: float) -> Picture:
    """Grain along x."""
    bands = _noise(rng, size, 3, 48) * 0.05 + _noise(rng, size, 2, 128) * 0.03 + _noise(rng, size, 4, 8) * 0.04
    return (1 + contrast * bands + _grain(rng, size, 0.01))[:, :, None] * np.array(colour, np.float32)


def _paint_planks(texture: Texture, rng: Rng, size: int) -> Picture:
    rows = 4 + texture.seed % 8
    picture = _wood(rng, size, texture.colours[0], 1.0 + texture.seed % 3)
    x, y = _grid(size)
    row = np.floor(y * rows).astype(int)
    shift, tone = rng.uniform(size=rows)[row], rng.normal(0, 0.08, (rows, 2))
    half = ((x + shift) % 1.0 > 0.5).astype(int)
    picture *= (1 + tone[row, half]).astype(np.float32)[:, :, None]
    gap = (np.minimum((y * rows) % 1, 1 - (y * rows) % 1) < 0.012 * rows / 4) | (
        np.abs((x + shift) % 0.5 - 0.25) > 0.2475
    )
    picture[gap] *= rng.uniform(0.4, 0.8)
    return picture


def _paint_herringbone(texture: Texture, rng: Rng, size: int) -> Picture:
    x, y = _grid(size)
    unit = 6
    column = np.floor(x * unit).astype(int)
    lean = np.where(column % 2 == 0, 1.0, -1.0)
    along = (y * unit * 2 + lean * (x * unit % 1.0)) % (unit * 2)
    tone = rng.normal(0, 0.1, (unit, unit * 2 + 1))[column % unit, np.floor(along).astype(int)]
    picture = _wood(rng, size, texture.colours[0], 1.5) * (1 + tone)[:, :, None]
    gap = (along % 1 < 0.05) | ((x * unit) % 1 < 0.03)
    picture[gap] *= 0.6
    return picture


def _paint_tiles(texture: Texture, rng: Rng, size: int) -> Picture:
    count = 2 + texture.seed % 4
    x, y = _grid(size)
    ix, iy = np.floor(x * count).astype(int), np.floor(y * count).astype(int)
    tone = rng.normal(0, 0.03, (count, count))[iy, ix]
    mottle = _noise(rng, size, 8) * 0.03 * (texture.seed % 3) + _grain(rng, size, 0.01)
    picture = _plain(texture.colours[0], size) * (1 + tone + mottle)[:, :, None]
    if texture.seed % 5 == 0:  # checkerboard
        picture[(ix + iy) % 2 == 0] *= np.array(texture.colours[2], np.float32)
    edge = 0.004 * count + 0.004
    gap = (np.minimum((x * count) % 1, 1 - (x * count) % 1) < edge) | (
        np.minimum((y * count) % 1, 1 - (y * count) % 1) < edge
    )
    picture[gap] = np.array(texture.colours[1], np.float32)
    return picture


def _paint_bond_tiles(texture: Texture, rng: Rng, size: int) -> Picture:
    rows, columns = 6, 3
    x, y = _grid(size)
    row = np.floor(y * rows).astype(int)
    across = (x * columns + 0.5 * (row % 2)) % columns
    tone = rng.normal(0, 0.05, (rows, columns))[row, np.floor(across).astype(int)]
    veins = np.exp(-np.abs(_noise(rng, size, 5)) * 8) * 0.15
    picture = _plain(texture.colours[0], size) * (1 + tone - veins)[:, :, None]
    gap = ((y * rows) % 1 < 0.04) | (across % 1 < 0.02)
    picture[gap] = np.array(texture.colours[1], np.float32)
    return picture


def _paint_carpet(texture: Texture, rng: Rng, size: int) -> Picture:
    pile = _noise(rng, size, size // 4) * 0.07 + _grain(rng, size, 0.08) + _noise(rng, size, 6) * 0.04
    return _plain(texture.colours[0], size) * (1 + pile)[:, :, None]


def _paint_carpet_fleck(texture: Texture, rng: Rng, size: int) -> Picture:
    picture = _paint_carpet(texture, rng, size)
    fleck = _noise(rng, size, size // 6) > 1.4
    picture[fleck] = 0.5 * picture[fleck] + 0.5 * np.array(texture.colours[1], np.float32)
    return picture


def _paint_carpet_loop(texture: Texture, rng: Rng, size: int) -> Picture:
    x, y = _grid(size)
    loops = np.sin(x * 2 * np.pi * 48) * np.sin(y * 2 * np.pi * 64)
    pile = loops * 0.1 + _noise(rng, size, 4) * 0.05 + _grain(rng, size, 0.05)
    return _plain(texture.colours[0], size) * (1 + pile)[:, :, None]


def _paint_rug_stripes(texture: Texture, rng: Rng, size: int) -> Picture:
    _, y = _grid(size)
    count = 3 + texture.seed % 9
    pick = rng.integers(len(texture.colours), size=count)
    picture = np.array(texture.colours, np.float32)[pick][np.floor(y * count).astype(int)]
    return picture * (1 + _noise(rng, size, size // 4) * 0.06 + _grain(rng, size, 0.05))[:, :, None]


def _paint_rug_medallion(texture: Texture, rng: Rng, size: int) -> Picture:
    x, y = _grid(size)
    palette = np.array(texture.colours, np.float32)
    radius = np.hypot(x - 0.5, y - 0.5) * (1 + 0.2 * np.cos(np.arctan2(y - 0.5, x - 0.5) * (4 + texture.seed % 9)))
    rings = np.floor(radius * (8 + texture.seed % 12)).astype(int) % len(palette)
    edge = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))
    rings[edge < 0.12] = 1
    rings[(edge < 0.09) & (np.floor((x + y) * 24).astype(int) % 2 == 0)] = 2
    return palette[rings] * (1 + _grain(rng, size, 0.07))[:, :, None]


def _paint_rug_check(texture: Texture, rng: Rng, size: int) -> Picture:
    x, y = _grid(size)
    count, palette = 5 + texture.seed % 4, np.array(texture.colours, np.float32)
    diamonds = (np.floor((x + y) * count) + np.floor((x - y) * count)).astype(int) % len(palette)
    return palette[diamonds] * (1 + _grain(rng, size, 0.07) + _noise(rng, size, size // 4) * 0.05)[:, :, None]


def _paint_concrete(texture: Texture, rng: Rng, size: int) -> Picture:
    stain = _noise(rng, size, 4) * 0.05 + _noise(rng, size, 16) * 0.03 + _grain(rng, size, 0.02)
    return _plain(texture.colours[0], size) * (1 + stain)[:, :, None]


def _paint_terrazzo(texture: Texture, rng: Rng, size: int) -> Picture:
    picture = _paint_concrete(texture, rng, size)
    chips = _noise(rng, size, size // 10)
    picture[chips > 1.3] = np.array(texture.colours[1], np.float32)
    picture[chips < -1.5] = np.array(texture.colours[2], np.float32)
    return picture


def _paint_plaster(texture: Texture, rng: Rng, size: int) -> Picture:
    rough = _noise(rng, size, 3) * 0.02 + _noise(rng, size, size // 3) * 0.015
    return _plain(texture.colours[0], size) * (1 + rough)[:, :, None]


def _paint_wallpaper(texture: Texture, rng: Rng, size: int) -> Picture:
    x, _ = _grid(size)
    band = np.floor(x * (4 + texture.seed % 12)).astype(int) % 2
    picture = np.array(texture.colours[:2], np.float32)[band]
    return picture * (1 + _grain(rng, size, 0.01))[:, :, None]


def _paint_bricks(texture: Texture, rng: Rng, size: int) -> Picture:
    return _paint_bond_tiles(texture, rng, size)


def _paint_weave(texture: Texture, rng: Rng, size: int) -> Picture:
    x, y = _grid(size)
    weave = np.sin(x * 2 * np.pi * 32) * np.sin(y * 2 * np.pi * 32) * 0.1
    return _plain(texture.colours[0], size) * (1 + weave + _noise(rng, size, 6) * 0.06)[:, :, None]


def _paint_bands(texture: Texture, rng: Rng, size: int) -> Picture:
    _, y = _grid(size)
    band = np.floor(y * (2 + texture.seed % 7)).astype(int) % 2
    return np.array(texture.colours[:2], np.float32)[band] * (1 + _grain(rng, size, 0.03))[:, :, None]


def _paint_timber(texture: Texture, rng: Rng, size: int) -> Picture:
    return _wood(rng, size, texture.colours[0], 2.0)


def _paint_dots(texture: Texture, rng: Rng, size: int) -> Picture:
    x, y = _grid(size)
    count = 3 + texture.seed % 5
    dots = np.hypot((x * count) % 1 - 0.5, (y * count) % 1 - 0.5) < 0.28
    picture = _plain(texture.colours[0], size)
    picture[dots] = np.array(texture.colours[1], np.float32)
    return picture * (1 + _grain(rng, size, 0.03))[:, :, None]


def _wood_colours(rng: Rng) -> tuple[tuple[Colour, ...], float]:
    return (brown(rng),), rng.uniform(0.8, 1.4)


def _tile_colours(rng: Rng) -> tuple[tuple[Colour, ...], float]:
    grey = shade((1, 1, 1), rng.uniform(0.15, 0.95))
    base = grey if rng.uniform() < 0.5 else _soft(rng)
    return (base, shade(base, rng.choice([0.5, 0.75, 1.3])), shade((1, 1, 1), rng.uniform(0.1, 0.6))), rng.uniform(
        0.6, 1.6
    )


def _soft_colours(rng: Rng) -> tuple[tuple[Colour, ...], float]:
    return (_soft(rng), any_colour(rng)), rng.uniform(0.5, 1.2)


def _rug_colours(rng: Rng) -> tuple[tuple[Colour, ...], float]:
    return tuple(any_colour(rng) for _ in range(4)), rng.uniform(0.8, 2.0)


def _grey_colours(rng: Rng) -> tuple[tuple[Colour, ...], float]:
    tint = rng.uniform(0.94, 1.0, 3)
    level = rng.uniform(0.2, 0.8)
    return (
        (level * tint[0], level * tint[1], level * tint[2]),
        any_colour(rng),
        shade((1, 1, 1), rng.uniform(0.05, 0.95)),
    ), rng.uniform(1.0, 2.0)


def _wall_colours(rng: Rng) -> tuple[tuple[Colour, ...], float]:
    base = shade((0.95, 0.94, 0.9), rng.uniform(0.6, 1.0)) if rng.uniform() < 0.6 else _soft(rng)
    return (base, shade(base, rng.uniform(0.8, 1.1))), rng.uniform(0.5, 1.5)


def _thing_colours(rng: Rng) -> tuple[tuple[Colour, ...], float]:
    level = shade((1, 1, 1), rng.uniform(0.75, 1.0))
    return (level, any_colour(rng)), rng.uniform(0.05, 0.2)


def _soft(rng: Rng) -> Colour:
    colour, white = any_colour(rng), rng.uniform(0.2, 0.8)
    mixed = [channel * (1 - white) + white * rng.uniform(0.5, 0.9) for channel in colour]
    return (mixed[0], mixed[1], mixed[2])


KINDS: Final[dict[str, TextureKind]] = {
    "planks": TextureKind("hardwood", "train", _wood_colours, _paint_planks),
    "herringbone": TextureKind("hardwood", "test", _wood_colours, _paint_herringbone),
    "square_tiles": TextureKind("tile", "train", _tile_colours, _paint_tiles),
    "bond_tiles": TextureKind("tile", "test", _tile_colours, _paint_bond_tiles),
    "pile": TextureKind("carpet", "train", _soft_colours, _paint_carpet),
    "fleck": TextureKind("carpet", "train", _soft_colours, _paint_carpet_fleck),
    "loop": TextureKind("carpet", "test", _soft_colours, _paint_carpet_loop),
    "rug_stripes": TextureKind("rug", "train", _rug_colours, _paint_rug_stripes),
    "rug_medallion": TextureKind("rug", "train", _rug_colours, _paint_rug_medallion),
    "rug_diamonds": TextureKind("rug", "test", _rug_colours, _paint_rug_check),
    "screed": TextureKind("concrete", "train", _grey_colours, _paint_concrete),
    "terrazzo": TextureKind("concrete", "test", _grey_colours, _paint_terrazzo),
    "plaster": TextureKind("wall", "train", _wall_colours, _paint_plaster),
    "wallpaper": TextureKind("wall", "train", _wall_colours, _paint_wallpaper),
    "bricks": TextureKind("wall", "test", _wall_colours, _paint_bricks),
    "weave": TextureKind("thing", "train", _thing_colours, _paint_weave),
    "bands": TextureKind("thing", "train", _thing_colours, _paint_bands),
    "timber": TextureKind("thing", "train", _thing_colours, _paint_timber),
    "dots": TextureKind("thing", "test", _thing_colours, _paint_dots),
}
