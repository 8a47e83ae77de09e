"""Procedural textures: a `Texture` to pixels, in numpy. Some kinds are drawn in training, others held back for testing.

`paint` is pure: equal textures give equal bytes. Pictures repeat without a visible seam.
"""

# mypy: disable-error-code="no-any-return"
# (arithmetic of float32 pictures is Any to the type checker; `paint` checks what leaves)

from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulation.floor_textures import FLOOR_KINDS, weathered
from simulation.room_spec import Colour, Purpose, Texture, TextureName
from simulation.shape_parts import Rng
from simulation.texture_patterns import (
    Picture,
    TextureKind,
    Use,
    cover,
    dim,
    eight_bits,
    frac,
    grain,
    grey_colours,
    grid,
    noise,
    picked,
    plain,
    rug_colours,
    shaded,
    soft_colours,
    thing_colours,
    tile_colours,
    toned,
    tones,
    wall_colours,
    wood_colours,
)

FLOOR_USES: Final = ("hardwood", "tile", "carpet", "rug", "concrete")


def draw_texture(use: Use, purpose: Purpose, rng: Rng) -> Texture:
    """A texture for floors, walls or things."""
    names = [name for name, kind in KINDS.items() if kind.use == use and kind.purpose == purpose]
    name = names[int(rng.integers(len(names)))]
    colours, scale_m = KINDS[name].draw(rng)
    return Texture(name, int(rng.integers(2**31)), colours, scale_m)


def paint(texture: Texture, size_px: int) -> NDArray[np.uint8]:
    """(size_px, size_px, 3) red, green, blue."""
    rng = np.random.default_rng(texture.seed)
    kind = KINDS[texture.kind]
    picture = kind.paint(texture, rng, size_px)
    if kind.purpose == "train" and kind.use in FLOOR_USES:
        picture = weathered(picture, rng)
    return eight_bits(picture)


def _wood(rng: Rng, size: int, colour: Colour, contrast: float) -> Picture:
    """Grain along x."""
    bands = noise(rng, size, 3, 48) * 0.05 + noise(rng, size, 2, 128) * 0.03 + noise(rng, size, 4, 8) * 0.04
    return toned(colour, 1 + contrast * bands + grain(rng, size, 0.01))


def _paint_planks(texture: Texture, rng: Rng, size: int) -> Picture:
    rows = 4 + texture.seed % 8
    picture = _wood(rng, size, texture.colours[0], 1.0 + texture.seed % 3)
    x, y = grid(size)
    row = np.floor(y * rows).astype(int)
    shift, tone = rng.random(rows, dtype=np.float32)[row], tones(rng, 0.08, (rows, 2))
    half = (frac(x + shift) > 0.5).astype(int)
    picture = shaded(picture, 1 + tone[row, half])
    gap = (np.minimum(frac(y * rows), 1 - frac(y * rows)) < 0.012 * rows / 4) | (
        np.abs(0.5 * frac(2 * (x + shift)) - 0.25) > 0.2475
    )
    dim(picture, gap, rng.uniform(0.4, 0.8))
    return picture


def _paint_herringbone(texture: Texture, rng: Rng, size: int) -> Picture:
    x, y = grid(size)
    unit = 6
    column = np.floor(x * unit).astype(int)
    lean = np.where(column % 2 == 0, 1.0, -1.0)
    along = (y * unit * 2 + lean * (x * unit % 1.0)) % (unit * 2)
    tone = tones(rng, 0.1, (unit, unit * 2 + 1))[column % unit, np.floor(along).astype(int)]
    picture = shaded(_wood(rng, size, texture.colours[0], 1.5), 1 + tone)
    gap = (frac(along) < 0.05) | (frac(x * unit) < 0.03)
    dim(picture, gap, 0.6)
    return picture


def _paint_tiles(texture: Texture, rng: Rng, size: int) -> Picture:
    count = 2 + texture.seed % 4
    x, y = grid(size)
    ix, iy = np.floor(x * count).astype(int), np.floor(y * count).astype(int)
    tone = tones(rng, 0.03, (count, count))[iy, ix]
    mottle = noise(rng, size, 8) * 0.03 * (texture.seed % 3) + grain(rng, size, 0.01)
    picture = toned(texture.colours[0], 1 + tone + mottle)
    if texture.seed % 5 == 0:  # checkerboard
        picture[(ix + iy) % 2 == 0] *= np.array(texture.colours[2], np.float32)
    edge = 0.004 * count + 0.004
    gap = (np.minimum(frac(x * count), 1 - frac(x * count)) < edge) | (
        np.minimum(frac(y * count), 1 - frac(y * count)) < edge
    )
    cover(picture, gap, texture.colours[1])
    return picture


def _paint_bond_tiles(texture: Texture, rng: Rng, size: int) -> Picture:
    rows, columns = 6, 3
    x, y = grid(size)
    row = np.floor(y * rows).astype(int)
    across = (x * columns + 0.5 * (row % 2)) % columns
    tone = tones(rng, 0.05, (rows, columns))[row, np.floor(across).astype(int)]
    veins = np.exp(-np.abs(noise(rng, size, 5)) * 8) * 0.15
    picture = toned(texture.colours[0], 1 + tone - veins)
    gap = (frac(y * rows) < 0.04) | (frac(across) < 0.02)
    cover(picture, gap, texture.colours[1])
    return picture


def _paint_carpet(texture: Texture, rng: Rng, size: int) -> Picture:
    pile = noise(rng, size, size // 4) * 0.07 + grain(rng, size, 0.08) + noise(rng, size, 6) * 0.04
    return toned(texture.colours[0], 1 + pile)


def _paint_carpet_fleck(texture: Texture, rng: Rng, size: int) -> Picture:
    picture = _paint_carpet(texture, rng, size)
    fleck = noise(rng, size, size // 6) > 1.4
    cover(picture, fleck, texture.colours[1], 0.5)
    return picture


def _paint_carpet_loop(texture: Texture, rng: Rng, size: int) -> Picture:
    x, y = grid(size)
    loops = np.sin(x * 2 * np.pi * 48) * np.sin(y * 2 * np.pi * 64)
    pile = loops * 0.1 + noise(rng, size, 4) * 0.05 + grain(rng, size, 0.05)
    return toned(texture.colours[0], 1 + pile)


def _paint_rug_stripes(texture: Texture, rng: Rng, size: int) -> Picture:
    _, y = grid(size)
    count = 3 + texture.seed % 9
    pick = rng.integers(len(texture.colours), size=count)
    tone = 1 + noise(rng, size, size // 4) * 0.06 + grain(rng, size, 0.05)
    return picked(np.array(texture.colours, np.float32), pick[np.floor(y * count).astype(int)], tone)


def _paint_rug_medallion(texture: Texture, rng: Rng, size: int) -> Picture:
    x, y = grid(size)
    palette = np.array(texture.colours, np.float32)
    radius = np.hypot(x - 0.5, y - 0.5) * (1 + 0.2 * np.cos(np.arctan2(y - 0.5, x - 0.5) * (4 + texture.seed % 9)))
    rings = np.floor(radius * (8 + texture.seed % 12)).astype(int) % len(palette)
    edge = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))
    rings[edge < 0.12] = 1
    rings[(edge < 0.09) & (np.floor((x + y) * 24).astype(int) % 2 == 0)] = 2
    return picked(palette, rings, 1 + grain(rng, size, 0.07))


def _paint_rug_check(texture: Texture, rng: Rng, size: int) -> Picture:
    x, y = grid(size)
    count, palette = 5 + texture.seed % 4, np.array(texture.colours, np.float32)
    diamonds = (np.floor((x + y) * count) + np.floor((x - y) * count)).astype(int) % len(palette)
    return picked(palette, diamonds, 1 + grain(rng, size, 0.07) + noise(rng, size, size // 4) * 0.05)


def _paint_concrete(texture: Texture, rng: Rng, size: int) -> Picture:
    stain = noise(rng, size, 4) * 0.05 + noise(rng, size, 16) * 0.03 + grain(rng, size, 0.02)
    return toned(texture.colours[0], 1 + stain)


def _paint_terrazzo(texture: Texture, rng: Rng, size: int) -> Picture:
    picture = _paint_concrete(texture, rng, size)
    chips = noise(rng, size, size // 10)
    cover(picture, chips > 1.3, texture.colours[1])
    cover(picture, chips < -1.5, texture.colours[2])
    return picture


def _paint_plaster(texture: Texture, rng: Rng, size: int) -> Picture:
    rough = noise(rng, size, 3) * 0.02 + noise(rng, size, size // 3) * 0.015
    return toned(texture.colours[0], 1 + rough)


def _paint_wallpaper(texture: Texture, rng: Rng, size: int) -> Picture:
    x, _ = grid(size)
    band = np.floor(x * (4 + texture.seed % 12)).astype(int) % 2
    return picked(np.array(texture.colours[:2], np.float32), band, 1 + grain(rng, size, 0.01))


def _paint_bricks(texture: Texture, rng: Rng, size: int) -> Picture:
    return _paint_bond_tiles(texture, rng, size)


def _paint_weave(texture: Texture, rng: Rng, size: int) -> Picture:
    x, y = grid(size)
    weave = np.sin(x * 2 * np.pi * 32) * np.sin(y * 2 * np.pi * 32) * 0.1
    return toned(texture.colours[0], 1 + weave + noise(rng, size, 6) * 0.06)


def _paint_bands(texture: Texture, rng: Rng, size: int) -> Picture:
    _, y = grid(size)
    band = np.floor(y * (2 + texture.seed % 7)).astype(int) % 2
    return picked(np.array(texture.colours[:2], np.float32), band, 1 + grain(rng, size, 0.03))


def _paint_timber(texture: Texture, rng: Rng, size: int) -> Picture:
    return _wood(rng, size, texture.colours[0], 2.0)


def _paint_dots(texture: Texture, rng: Rng, size: int) -> Picture:
    x, y = grid(size)
    count = 3 + texture.seed % 5
    dots = np.hypot(frac(x * count) - 0.5, frac(y * count) - 0.5) < 0.28
    picture = plain(texture.colours[0], size)
    cover(picture, dots, texture.colours[1])
    return shaded(picture, 1 + grain(rng, size, 0.03))


KINDS: Final[dict[TextureName, TextureKind]] = {
    **FLOOR_KINDS,
    "planks": TextureKind("hardwood", "train", wood_colours, _paint_planks),
    "herringbone": TextureKind("hardwood", "test", wood_colours, _paint_herringbone),
    "square_tiles": TextureKind("tile", "train", tile_colours, _paint_tiles),
    "bond_tiles": TextureKind("tile", "test", tile_colours, _paint_bond_tiles),
    "pile": TextureKind("carpet", "train", soft_colours, _paint_carpet),
    "fleck": TextureKind("carpet", "train", soft_colours, _paint_carpet_fleck),
    "loop": TextureKind("carpet", "test", soft_colours, _paint_carpet_loop),
    "rug_stripes": TextureKind("rug", "train", rug_colours, _paint_rug_stripes),
    "rug_medallion": TextureKind("rug", "train", rug_colours, _paint_rug_medallion),
    "rug_diamonds": TextureKind("rug", "test", rug_colours, _paint_rug_check),
    "screed": TextureKind("concrete", "train", grey_colours, _paint_concrete),
    "terrazzo": TextureKind("concrete", "test", grey_colours, _paint_terrazzo),
    "plaster": TextureKind("wall", "train", wall_colours, _paint_plaster),
    "wallpaper": TextureKind("wall", "train", wall_colours, _paint_wallpaper),
    "bricks": TextureKind("wall", "test", wall_colours, _paint_bricks),
    "weave": TextureKind("thing", "train", thing_colours, _paint_weave),
    "bands": TextureKind("thing", "train", thing_colours, _paint_bands),
    "timber": TextureKind("thing", "train", thing_colours, _paint_timber),
    "dots": TextureKind("thing", "test", thing_colours, _paint_dots),
}
