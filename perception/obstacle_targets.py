"""Truth of one sample as the grid that the network shall answer: contact cells, kinds, boxes, floors.

In: decoded segmentation and instance images (H, W) and the sample's objects. Out: arrays at stride 8 for
`tasks.obstacles`. Pure numpy, no torch: evaluation and tests use it too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foundation.camera_geometry import PinholeCamera
from foundation.geometry import FloatArray
from perception.labels import FIRST_FLOOR, FLOORS, SMALL_OBJECTS
from perception.sample_format import LabelledObject
from perception.tasks.obstacles import BOX_CHANNELS, NOT_FLOOR, STRIDE_PX

VERSION = 4  # of what the numbers mean: caches of another are built anew
IGNORED = 255
LEARN_WITHIN_M = 1.6  # things further away are neither wanted nor punished
MIN_PIXELS = 10
MASK_SHARE = 0.1
OVERHANG_MAX_M = 0.08  # a contact further before the visible line is hidden by something else
UNKNOWN = -1.0  # drop of a cell whose object's nearest point is not in the picture
THIN = frozenset({"cable"})  # flat and narrow: every visible part lies on the floor


@dataclass(frozen=True, slots=True)
class GridTargets:
    """R x C cells of stride 8."""

    thing: NDArray[np.uint8]  # (R, C): 0, 1 or IGNORED
    kind: NDArray[np.uint8]  # (R, C): class index where thing is 1, else IGNORED
    box: NDArray[np.float32]  # (5, R, C): tasks.obstacles.BOX_CHANNELS where thing is 1, else 0; drop may be UNKNOWN
    floor: NDArray[np.uint8]  # (R, C): floor index, NOT_FLOOR, or IGNORED where the cell is mixed
    mask: NDArray[np.uint8]  # (R, C): 1 where small objects fill MASK_SHARE of a cell, IGNORED where they fill less


@dataclass(frozen=True, slots=True)
class Contour:
    """Where one object visibly meets the floor: pixel columns and, in each, the row just below the object."""

    columns: NDArray[np.int64]  # (N,)
    rows: NDArray[np.int64]  # (N,), lower edge of the lowest pixel
    tops: NDArray[np.int64]  # (N,), first row of the object in that column


def contour(
    instances: NDArray[np.integer], segmentation: NDArray[np.uint8], item: LabelledObject, bottom_px: int | None = None
) -> Contour:
    """Contact contour of an object; columns where something nearer hides the contact are left out.

    `bottom_px`: the row where the picture ends, if there are borders below it.
    """
    bottom_px = len(instances) if bottom_px is None else bottom_px
    x0, y0, x1, y1 = item.box_px
    mask = instances[y0:y1, x0:x1] == item.instance
    columns = np.flatnonzero(mask.any(axis=0))
    window = mask[:, columns]
    lowest = window.shape[0] - 1 - np.argmax(window[::-1], axis=0)
    tops = np.argmax(window, axis=0) + y0
    if item.class_name in THIN:
        rows_in, columns_in = np.nonzero(mask & ~np.vstack([mask[1:], np.zeros_like(mask[:1])]))
        return _unhidden(columns_in + x0, rows_in + y0, rows_in + y0, bottom_px, segmentation)
    return _unhidden(columns + x0, lowest + y0, tops, bottom_px, segmentation)


def _unhidden(
    columns: NDArray[np.int64],
    lowest: NDArray[np.int64],
    tops: NDArray[np.int64],
    bottom_px: int,
    segmentation: NDArray[np.uint8],
) -> Contour:
    below = np.minimum(lowest + 1, bottom_px - 1)
    at_edge = lowest + 1 >= bottom_px
    numbers = segmentation[below, columns]
    on_floor = (numbers >= FIRST_FLOOR) & (numbers < FIRST_FLOOR + len(FLOORS))
    seen = at_edge | on_floor
    return Contour(columns[seen], lowest[seen] + 1, tops[seen])


def encode(
    segmentation: NDArray[np.uint8],
    instances: NDArray[np.integer],
    objects: Sequence[LabelledObject],
    camera: PinholeCamera,
    inside_px: tuple[int, int, int, int] | None = None,
) -> GridTargets:
    """Far objects first, so that a nearer one takes the cell they share. `camera` reads images of this size.

    `inside_px`: x0, y0, x1, y1 of the picture where it has borders.
    """
    inside_px = inside_px or (0, 0, segmentation.shape[1], segmentation.shape[0])
    rows, columns = segmentation.shape[0] // STRIDE_PX, segmentation.shape[1] // STRIDE_PX
    thing = np.zeros((rows, columns), np.uint8)
    kind = np.full((rows, columns), IGNORED, np.uint8)
    box = np.zeros((len(BOX_CHANNELS), rows, columns), np.float32)
    for item in sorted(objects, key=lambda found: -found.distance_m):
        edge = contour(instances, segmentation, item, inside_px[3])
        if item.distance_m > LEARN_WITHIN_M or item.pixels < MIN_PIXELS:
            thing[_cells(edge, rows)] = IGNORED
        elif len(edge.columns):
            index = SMALL_OBJECTS.index(item.class_name)
            _draw(edge, drops(edge, item, camera, inside_px) / STRIDE_PX, index, thing, kind, box)
    return GridTargets(thing, kind, box, floor_cells(segmentation), _mask(instances, objects))


def _mask(instances: NDArray[np.integer], objects: Sequence[LabelledObject]) -> NDArray[np.uint8]:
    rows, columns = instances.shape[0] // STRIDE_PX, instances.shape[1] // STRIDE_PX
    small = [item.instance for item in objects]
    wanted = [item.instance for item in objects if item.distance_m <= LEARN_WITHIN_M and item.pixels >= MIN_PIXELS]

    def share(numbers: list[int]) -> FloatArray:
        inside = np.isin(instances[: rows * STRIDE_PX, : columns * STRIDE_PX], numbers)
        return np.asarray(inside.reshape(rows, STRIDE_PX, columns, STRIDE_PX).mean(axis=(1, 3)))

    mask = np.where(share(small) > 0, IGNORED, 0).astype(np.uint8)
    mask[share(wanted) >= MASK_SHARE] = 1
    return mask


def drops(
    edge: Contour, item: LabelledObject, camera: PinholeCamera, inside_px: tuple[int, int, int, int]
) -> FloatArray:
    """(N,) rows from each contour point down to the floor under the object's near side; negative where unknown."""
    unknown = np.full(len(edge.columns), UNKNOWN * STRIDE_PX)
    pixels = np.stack([edge.columns + 0.5, edge.rows], axis=1).astype(np.float64)
    points_base_m = camera.floor_from_pixels(pixels)
    distances_m = np.hypot(points_base_m[:, 0], points_base_m[:, 1])
    x0, _, x1, y1 = item.box_px
    left_px, _, right_px, bottom_px = inside_px
    cut = x0 <= left_px + 1 or x1 >= right_px - 1 or y1 >= bottom_px - 1
    if cut or not np.isfinite(distances_m).any():
        return unknown
    overhang_m = float(np.nanmin(distances_m)) - item.distance_m
    if overhang_m > OVERHANG_MAX_M or overhang_m < -OVERHANG_MAX_M / 4:
        return unknown
    nearer = points_base_m * (1 - max(overhang_m, 0.0) / distances_m)[:, None]
    fallen = camera.pixels_from_floor(nearer)[:, 1] - pixels[:, 1]
    return np.where(np.isfinite(fallen), np.clip(fallen, 0, 4 * STRIDE_PX), UNKNOWN * STRIDE_PX)


def _cells(edge: Contour, rows: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.minimum((edge.rows - 1) // STRIDE_PX, rows - 1), edge.columns // STRIDE_PX


def _draw(
    edge: Contour,
    drop: FloatArray,
    kind_index: int,
    thing: NDArray[np.uint8],
    kind: NDArray[np.uint8],
    box: NDArray[np.float32],
) -> None:
    cell_rows, cell_columns = _cells(edge, thing.shape[0])
    flat = cell_rows * thing.shape[1] + cell_columns
    order = np.lexsort((-edge.rows, flat))
    numbers, first, counts = np.unique(flat[order], return_index=True, return_counts=True)
    lowest = edge.rows[order][first]
    for number, row, start, count in zip(numbers, lowest, first, counts):
        members = order[start : start + count]
        near = members[edge.rows[members] >= row - 1]
        at = divmod(int(number), thing.shape[1])
        if len(np.unique(edge.columns[members])) < 2 and count < 3 and len(numbers) > 1:
            if thing[at] == 0:
                thing[at] = IGNORED
            continue
        thing[at], kind[at] = 1, kind_index
        box[:, at[0], at[1]] = (
            (edge.columns[near].mean() + 0.5) / STRIDE_PX - at[1],
            row / STRIDE_PX - at[0],
            len(np.unique(edge.columns[members])) / STRIDE_PX,
            np.log1p((row - edge.tops[members].min()) / STRIDE_PX),
            drop[near].mean() if (drop[near] >= 0).all() else UNKNOWN,
        )
        _share_with_neighbour(thing, kind, box, at, int(row))


def _share_with_neighbour(
    thing: NDArray[np.uint8], kind: NDArray[np.uint8], box: NDArray[np.float32], at: tuple[int, int], row: int
) -> None:
    """The cell above or below, whichever the contact is nearer to, answers as well: no contact is hard to place."""
    side = -1 if row - at[0] * STRIDE_PX <= STRIDE_PX // 2 else 1
    other = (at[0] + side, at[1])
    if 0 <= other[0] < thing.shape[0] and thing[other] != 1:
        thing[other], kind[other] = 1, kind[at]
        box[:, other[0], other[1]] = box[:, at[0], at[1]]
        box[1, other[0], other[1]] -= side


def floor_cells(segmentation: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(R, C): what at least six tenths of a cell's pixels are, else IGNORED."""
    rows, columns = segmentation.shape[0] // STRIDE_PX, segmentation.shape[1] // STRIDE_PX
    table = np.full(256, NOT_FLOOR, np.uint8)
    table[FIRST_FLOOR : FIRST_FLOOR + len(FLOORS)] = np.arange(len(FLOORS))
    cells = table[segmentation[: rows * STRIDE_PX, : columns * STRIDE_PX]]
    cells = cells.reshape(rows, STRIDE_PX, columns, STRIDE_PX)
    counts = np.stack([(cells == index).sum(axis=(1, 3)) for index in range(NOT_FLOOR + 1)])
    best = counts.argmax(axis=0).astype(np.uint8)
    return np.where(counts.max(axis=0) >= 0.6 * STRIDE_PX**2, best, IGNORED).astype(np.uint8)
