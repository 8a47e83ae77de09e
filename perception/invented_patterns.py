"""Invented patterns painted on what training images show: floors, true in perspective, and whatever stands on them,
under the image's own light and shadow.

Whatever lies flat in a floor or is printed on a wall is no thing, and a thing with another print is still one: a
network that has seen thousands of patterns does not take the next one for a sock. Nothing here knows the simulator's
textures. In: image, segmentation, instances, the camera. Pure: draws come from the generator.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from foundation.camera_geometry import PinholeCamera
from foundation.geometry import FloatArray
from perception.labels import FIRST_FLOOR, FLOORS, FURNITURE, WALL

VERSION = 2  # of what is painted: caches of another are made anew
FLOOR_SHARE = 0.5  # of training images
WALL_SHARE = 0.3
FURNITURE_SHARE = 0.4  # of the pieces in view
THING_SHARE = 0.25  # of the small things
REACH_M = 4.0  # beyond it a floor is left as it is
MIN_PIXELS = 200
RIM_PX = 2  # around a painted region, for its soft edge
PIXELS_A_METRE = 150.0  # of surfaces that stand: patches of 4 to 60 pixels
CHANGED = 0.25  # a pixel that is covered by more is of another material

Image = NDArray[np.uint8]


def painted_floor(
    image: Image,  # (H, W, 3)
    segmentation: NDArray[np.uint8],  # (H, W)
    camera: PinholeCamera,
    rng: np.random.Generator,
) -> tuple[Image, NDArray[np.bool_]]:
    """The image with another pattern on one kind of floor, or all of them, and where that is: its kind is not known."""
    nowhere = np.zeros(image.shape[:2], dtype=bool)
    floor = (segmentation >= FIRST_FLOOR) & (segmentation < FIRST_FLOOR + len(FLOORS))
    kinds = np.unique(segmentation[floor])
    if not len(kinds):
        return image, nowhere
    if rng.random() < 0.5:
        floor = segmentation == kinds[rng.integers(len(kinds))]
    rows, columns = np.nonzero(floor)
    points_m = camera.floor_from_pixels(np.stack([columns + 0.5, rows + 0.5], axis=1))
    near = np.hypot(points_m[:, 0], points_m[:, 1]) < REACH_M  # NaN is not
    rows, columns, points_m = rows[near], columns[near], points_m[near]
    if len(rows) < MIN_PIXELS:
        return image, nowhere
    levels, size_m = pattern(points_m, rng)
    palette = _palette(int(levels.max()) + 1, rng)
    cover = np.zeros(image.shape[:2], np.float32)
    cover[rows, columns] = rng.uniform(0.4, 1.0) * _resolved(points_m, size_m, camera)
    return _laid_on(image, floor, rows, columns, palette[levels], cover), floor & (cover > CHANGED)


def painted_surfaces(
    image: Image,  # (H, W, 3)
    segmentation: NDArray[np.uint8],  # (H, W)
    instances: NDArray[np.integer],  # (H, W), 0 where no small thing is
    rng: np.random.Generator,
) -> Image:
    """The image with other patterns on some walls, pieces of furniture and small things."""
    _, pieces = cv2.connectedComponents((segmentation == FURNITURE).astype(np.uint8))
    regions = [(segmentation == WALL, WALL_SHARE)]
    regions += [(pieces == number, FURNITURE_SHARE) for number in range(1, int(pieces.max()) + 1)]
    regions += [(instances == number, THING_SHARE) for number in np.unique(instances[instances > 0])]
    for region, share in regions:
        if rng.random() >= share:
            continue
        rows, columns = np.nonzero(region)
        if len(rows) < MIN_PIXELS:
            continue
        levels, _ = pattern(np.stack([columns, rows], axis=1) / PIXELS_A_METRE, rng)
        palette = _palette(int(levels.max()) + 1, rng)
        cover = np.zeros(image.shape[:2], np.float32)
        cover[rows, columns] = rng.uniform(0.4, 1.0)
        image = _laid_on(image, region, rows, columns, palette[levels], cover)
    return image


def _laid_on(
    image: Image,
    region: NDArray[np.bool_],  # (H, W)
    rows: NDArray[np.int64],  # (N,)
    columns: NDArray[np.int64],
    paint: NDArray[np.float32],  # (N, 3)
    cover: NDArray[np.float32],  # (H, W) 0..1
) -> Image:
    """The paint in the light that lies there, its rim as soft as the image's own."""
    top, left = max(int(rows.min()) - RIM_PX, 0), max(int(columns.min()) - RIM_PX, 0)
    box = (slice(top, int(rows.max()) + 1 + RIM_PX), slice(left, int(columns.max()) + 1 + RIM_PX))
    part, inside = image[box], region[box].astype(np.float32)
    cover = cv2.GaussianBlur(cover[box], (3, 3), 0) * (cv2.GaussianBlur(inside, (3, 3), 0) > 0.3)
    colours = np.zeros(part.shape, np.float32)
    colours[rows - top, columns - left] = paint
    bare = np.ones(part.shape[:2], dtype=bool)
    bare[rows - top, columns - left] = False
    colours[bare] = (cv2.blur(colours, (5, 5)) * 2)[bare]
    light = cv2.transform(part.astype(np.float32), np.full((1, 3), 1 / 3, np.float32))
    mean = float(light[rows - top, columns - left].mean())
    shade = np.clip(light / max(mean, 8.0), 0.2, 2.0) * min(max(mean / 110, 0.15), 1.6)
    colours *= shade[..., None]
    changed = image.copy()
    changed[box] = np.clip(part + cover[..., None] * (colours - part), 0, 255)
    return changed


def pattern(points_m: FloatArray, rng: np.random.Generator) -> tuple[NDArray[np.int64], float]:
    """Colour numbers (N,) of floor points (N, 2), and about how large a patch of one colour is."""
    size_m = float(np.exp(rng.uniform(np.log(0.025), np.log(0.4))))
    turn = rng.uniform(0, np.pi)
    axes = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    axes[:, 1] *= rng.uniform(0.4, 1.6)
    at = points_m @ axes / size_m + rng.uniform(0, 100, 2)
    kind = rng.integers(4)
    if kind == 0:  # islands: a random field cut at some heights
        waves = rng.normal(size=(9, 2)) * 2.2
        phases = rng.uniform(0, 2 * np.pi, 9).astype(np.float32)
        field = np.cos(at.astype(np.float32) @ waves.T.astype(np.float32) + phases).sum(axis=1)
        cuts = np.quantile(field[::7], np.sort(rng.uniform(0.25, 0.95, rng.integers(1, 4))))
        return np.searchsorted(cuts, field), size_m
    if kind == 1:  # patches: cells of a slanted lattice, each with a colour of its own
        at[:, 0] += at[:, 1] * rng.uniform(-0.6, 0.6)
        cells = np.floor(at).astype(np.int64)
        mixed = (cells[:, 0] * 73856093) ^ (cells[:, 1] * 19349663)
        return (mixed >> 3) % int(rng.integers(2, 5)), size_m
    widest = 0.6 if kind == 2 else 0.1  # bands, or lines; or a plaid of them
    bands = (at[:, 0] % 1 < rng.uniform(0.02, widest)).astype(np.int64)
    crossing = (at[:, 1] % 1 < rng.uniform(0.02, widest)).astype(np.int64) if rng.random() < 0.6 else 0
    return bands + 2 * crossing, size_m


def _palette(count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(count, 3) colours: around one, or anything."""
    spread = rng.choice([25.0, 60.0, 160.0])
    around = rng.uniform(30, 220, 3) + rng.uniform(-1, 1, (count, 3)) * spread
    return np.asarray(np.clip(around, 5, 250), dtype=np.float32)


def _resolved(points_m: FloatArray, size_m: float, camera: PinholeCamera) -> FloatArray:
    """(N,) 0..1: how well pixels there can show patches of that size; finer ones melt into one."""
    ahead_m = np.hypot(points_m[:, 0] - camera.x_m, points_m[:, 1])
    row_m = ahead_m**2 / (camera.z_m * camera.focal_px)  # floor under one pixel row
    return np.clip(size_m / (2.5 * row_m) - 0.4, 0, 1)
