"""Invented patterns painted on the floors of training images, true in perspective, under the image's own light and
shadow.

Whatever lies flat in a floor is no thing: a network that has seen thousands of patterns does not take the next one
for a sock. Nothing here knows the simulator's textures. In: image, segmentation, the camera. Pure: draws come from
the generator.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from foundation.camera_geometry import PinholeCamera
from foundation.geometry import FloatArray
from perception.labels import FIRST_FLOOR, FLOORS

SHARE = 0.6  # of training images
REACH_M = 4.0  # beyond it a floor is left as it is


def painted(
    image: NDArray[np.uint8],  # (H, W, 3)
    segmentation: NDArray[np.uint8],  # (H, W)
    camera: PinholeCamera,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """The image with another pattern on one kind of floor, or on all of them."""
    floor = (segmentation >= FIRST_FLOOR) & (segmentation < FIRST_FLOOR + len(FLOORS))
    kinds = np.unique(segmentation[floor])
    if not len(kinds):
        return image
    if rng.random() < 0.5:
        floor = segmentation == kinds[rng.integers(len(kinds))]
    rows, columns = np.nonzero(floor)
    points_m = camera.floor_from_pixels(np.stack([columns + 0.5, rows + 0.5], axis=1))
    near = np.hypot(points_m[:, 0], points_m[:, 1]) < REACH_M  # NaN is not
    rows, columns, points_m = rows[near], columns[near], points_m[near]
    if len(rows) < 200:
        return image
    levels, size_m = pattern(points_m, rng)
    palette = _palette(int(levels.max()) + 1, rng)
    covering = rng.uniform(0.4, 1.0) * _resolved(points_m, size_m, camera)
    cover = np.zeros(image.shape[:2], np.float32)
    cover[rows, columns] = covering
    cover = cv2.GaussianBlur(cover, (3, 3), 0) * (cv2.GaussianBlur(floor.astype(np.float32), (3, 3), 0) > 0.3)
    colours = np.zeros(image.shape, np.float32)
    colours[rows, columns] = palette[levels]
    colours = np.where(colours.any(axis=2, keepdims=True), colours, cv2.blur(colours, (5, 5)) * 2)
    light = image.mean(axis=2, dtype=np.float32)[..., None]
    shade = np.clip(light / max(float(light[rows, columns].mean()), 8.0), 0.2, 2.0)
    level = min(max(float(light[rows, columns].mean()) / 110, 0.15), 1.6)
    changed = image + cover[..., None] * (colours * shade * level - image)
    return np.asarray(np.clip(changed, 0, 255), dtype=np.uint8)


def pattern(points_m: FloatArray, rng: np.random.Generator) -> tuple[NDArray[np.int64], float]:
    """Colour numbers (N,) of floor points (N, 2), and about how large a patch of one colour is."""
    size_m = float(np.exp(rng.uniform(np.log(0.025), np.log(0.4))))
    turn = rng.uniform(0, np.pi)
    axes = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    axes[:, 1] *= rng.uniform(0.4, 1.6)
    at = points_m @ axes / size_m + rng.uniform(0, 100, 2)
    kind = rng.integers(3)
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
    bands = (np.modf(at[:, 0])[0] % 1 < rng.uniform(0.05, 0.6)).astype(np.int64)  # bands, or a plaid of them
    crossing = (at[:, 1] % 1 < rng.uniform(0.05, 0.6)).astype(np.int64) if rng.random() < 0.6 else 0
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
