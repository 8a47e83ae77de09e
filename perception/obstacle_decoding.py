"""The network's grid of answers to small objects in `base_link`: pure numpy, run on the robot at every frame.

Neighbouring contact cells that lie together on the floor are one object; a long one (a cable) is told piece by piece,
so that a map can keep off all of it.
"""

import functools
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from foundation.camera_geometry import PinholeCamera
from foundation.geometry import FloatArray
from perception.letterbox import Letterbox, letterbox
from perception.observation import Detections
from perception.tasks.obstacles import NOT_FLOOR, STRIDE_PX

Grid = NDArray[np.float32]  # (channels, R, C) of logits or values

MAP_PIECE_M = 0.05  # a map stores a thing's near edge as small pieces: no free floor claimed, no tip missed
OBJECT_PIECE_M = 0.12  # what is counted, and told to people and other programs
JOIN_M = 0.06  # cells whose contacts lie further apart belong to different things
JOIN_RATIO = 0.08  # of the distance, on top: one pixel row is more floor further away
PLACES_A_CELL = 3  # of floor: a cell at .6 m is 1.5 cm wide and 10 cm deep
SAME_CONTACT_CELLS = 2.5
CLEARLY_LESS = 0.9  # of the score: cells along a cable are equals, those round a thing's contact are not
WEAK_RATIO = 0.6  # cells with this share of `min_score` may join a piece, not begin one


def decode(
    answers: Mapping[str, Grid],
    camera: PinholeCamera,
    *,
    stamp_s: float,
    min_score: float,
    range_max_m: float,
    piece_m: float,
) -> Detections:
    """Objects of one frame, told in pieces of about `piece_m`. `camera` is the frame's own size, boxes its pixels.

    The frame was given to the network as `data_processor.fitted` does it.
    """
    scores = _sigmoid(np.minimum(answers["thing"][0], _beside(answers["mask"][0])))
    fit = _fit(camera, *scores.shape)
    if fit.bordered:
        scores = np.where(_touched(fit, *scores.shape), scores, 0)
    rows, columns = np.nonzero(scores >= min_score * WEAK_RATIO)
    box = answers["box"][:, rows, columns].astype(np.float64)  # (5, N)
    pixels = np.stack([columns + np.clip(box[0], -0.5, 1.5), rows + np.clip(box[1], -0.5, 1.5)], axis=1)
    pixels = fit.picture_pixels(pixels * STRIDE_PX)  # (N, 2) of (u, v)
    fallen = np.stack([np.zeros(len(rows)), np.clip(box[4], 0, 4)], axis=1) * STRIDE_PX * fit.scale
    contacts_base_m = camera.floor_from_pixels(pixels + fallen)
    distances_m = np.hypot(contacts_base_m[:, 0], contacts_base_m[:, 1])
    near = np.flatnonzero(np.isfinite(distances_m) & (distances_m <= range_max_m))
    cells = np.stack([rows, columns], axis=1)[near]
    cell_scores = scores[rows, columns][near]
    telling = ~_outdone(scores, answers["box"][1], min_score)[rows, columns][near]
    pieces = _pieces(cells, contacts_base_m[near], distances_m[near], cell_scores, min_score, piece_m)
    kind = answers["kind"][:, rows, columns][:, near]
    tall_px = np.expm1(np.clip(box[3][near], 0, 4)) * STRIDE_PX * fit.row_scale
    wide_px = np.clip(box[2][near], 0.1, 1) * STRIDE_PX * fit.column_scale
    found = [
        _told(
            _those(piece, telling),
            min_score,
            pixels[near],
            contacts_base_m[near],
            cell_scores,
            kind,
            tall_px,
            wide_px,
            camera,
        )
        for piece in pieces
    ]
    floor, floor_kinds = floor_seen(answers, scores, camera, min_score=min_score, range_max_m=range_max_m)
    half_cell = 0.5 * STRIDE_PX * fit.column_scale / camera.focal_px
    edges = [_edges(piece, number, cells, contacts_base_m[near], half_cell) for number, piece in enumerate(pieces)]
    return _detections(stamp_s, found, floor, floor_kinds, np.concatenate([np.zeros((0, 4)), *edges]))


_Told = tuple[FloatArray, float, float, int, FloatArray]  # contact, radius, score, class, box


def _detections(
    stamp_s: float, found: list[_Told], floor: FloatArray, floor_kinds: NDArray[np.uint8], edges: FloatArray
) -> Detections:
    return Detections(
        stamp_s,
        np.array([one[0] for one in found], dtype=np.float64).reshape(-1, 2),
        np.array([one[1] for one in found], dtype=np.float64),
        np.array([one[2] for one in found], dtype=np.float64),
        np.array([one[3] for one in found], dtype=np.int64),
        np.array([one[4] for one in found], dtype=np.float64).reshape(-1, 4),
        floor,
        edges,
        floor_kinds,
    )


def _pieces(
    cells: NDArray[np.int64],  # (N, 2) of (row, column)
    contacts_base_m: FloatArray,  # (N, 2)
    distances_m: FloatArray,  # (N,)
    scores: NDArray[np.floating],  # (N,)
    min_score: float,
    piece_m: float,
) -> list[NDArray[np.int64]]:
    """Indices of the cells of each piece; its nearest strong cell comes first."""
    left = np.ones(len(cells), dtype=bool)
    pieces = []
    for seed in np.argsort(distances_m, kind="stable"):
        if not left[seed] or scores[seed] < min_score:
            continue
        within = left & (
            np.hypot(*(contacts_base_m - contacts_base_m[seed]).T) <= piece_m + JOIN_RATIO * distances_m[seed]
        )
        piece, border = [int(seed)], [int(seed)]
        left[seed] = False
        while border:
            at = border.pop()
            touching = within & left & (np.abs(cells - cells[at]).max(axis=1) <= 1)
            apart_m = np.hypot(*(contacts_base_m - contacts_base_m[at]).T)
            joined = np.flatnonzero(touching & (apart_m <= JOIN_M + JOIN_RATIO * distances_m[at]))
            left[joined] = False
            piece += joined.tolist()
            border += joined.tolist()
        pieces.append(np.array(piece, dtype=np.int64))
    return pieces


def _edges(
    piece: NDArray[np.int64],
    number: int,
    cells: NDArray[np.int64],  # (N, 2) of (row, column)
    contacts_base_m: FloatArray,  # (N, 2)
    half_cell: float,  # width over distance
) -> FloatArray:
    """(E, 4): the near edge of one piece, the nearest cell of each column: x, y, half width, the piece's number."""
    by_column = piece[np.lexsort((-cells[piece, 0], cells[piece, 1]))]
    nearest = by_column[np.unique(cells[by_column, 1], return_index=True)[1]]
    places = contacts_base_m[nearest]
    halves_m = half_cell * np.hypot(places[:, 0], places[:, 1])
    return np.column_stack([places, halves_m, np.full(len(nearest), float(number))])


def _those(piece: NDArray[np.int64], wanted: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The wanted ones of a piece, in order; all of it where none is."""
    kept = piece[wanted[piece]]
    return kept if len(kept) else piece


def _told(
    piece: NDArray[np.int64],
    min_score: float,
    pixels: FloatArray,
    contacts_base_m: FloatArray,
    scores: NDArray[np.floating],
    kind: Grid,
    tall_px: FloatArray,
    wide_px: FloatArray,
    camera: PinholeCamera,
) -> _Told:
    u, v = pixels[piece, 0], pixels[piece, 1]
    left, right = u - wide_px[piece] / 2, u + wide_px[piece] / 2
    box = np.array([left.min(), (v - tall_px[piece]).min(), right.max(), v.max()])
    box = np.clip(box, 0, [camera.width_px, camera.height_px, camera.width_px, camera.height_px])
    clear = _those(piece, scores >= min_score)
    contact = contacts_base_m[clear[np.argmin(np.hypot(*contacts_base_m[clear].T))]]
    metres_per_px = np.hypot(contact[0] - camera.x_m, camera.z_m) / camera.focal_px
    reach_m = np.hypot(*(contacts_base_m[piece] - contact).T).max()
    radius_m = max((right.max() - left.min()) * metres_per_px / 2, reach_m / 2)
    votes = np.einsum("kn,n->k", kind[:, piece], scores[piece])
    return contact, float(radius_m), float(scores[piece].max()), int(votes.argmax()), box


def floor_seen(
    answers: Mapping[str, Grid],
    scores: NDArray[np.floating],  # (R, C)
    camera: PinholeCamera,
    *,
    min_score: float,
    range_max_m: float,
) -> tuple[FloatArray, NDArray[np.uint8]]:
    """Places (M, 2) in base_link, some in each cell that is floor with nothing on it, and the floor's kind (M,) there.

    Close enough to draw a map.
    """
    kinds = answers["floor"].argmax(axis=0).astype(np.uint8)
    floor = (kinds != NOT_FLOOR) & (scores < min_score / 2)
    points_base_m, in_range = _places(camera, *scores.shape, range_max_m)
    seen = floor[:, None] & in_range
    return points_base_m[seen], np.broadcast_to(kinds[:, None], seen.shape)[seen]


@functools.lru_cache(maxsize=4)
def _places(camera: PinholeCamera, rows: int, columns: int, range_max_m: float) -> tuple[FloatArray, NDArray[np.bool_]]:
    """(R, P, C, 2): where the floor of each cell is, P places one below the other; which lie in picture and range."""
    v = (np.arange(rows * PLACES_A_CELL) + 0.5) / PLACES_A_CELL
    u = np.arange(columns) + 0.5
    pixels = _fit(camera, rows, columns).picture_pixels(np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2) * STRIDE_PX)
    seen = ((pixels >= 0) & (pixels <= [camera.width_px, camera.height_px])).all(axis=1)
    points_base_m = camera.floor_from_pixels(pixels).reshape(rows, PLACES_A_CELL, columns, 2)
    near = np.hypot(points_base_m[..., 0], points_base_m[..., 1]) <= range_max_m  # NaN is not
    return points_base_m, near & seen.reshape(near.shape)


def _fit(camera: PinholeCamera, rows: int, columns: int) -> Letterbox:
    return letterbox(camera.width_px, camera.height_px, columns * STRIDE_PX, rows * STRIDE_PX)


def _touched(fit: Letterbox, rows: int, columns: int) -> NDArray[np.bool_]:
    """(R, C): is any of the picture in the cell? Beside it, in the borders, nothing was looked at."""
    x0, y0, x1, y1 = fit.inside
    v, u = np.arange(rows) * STRIDE_PX, np.arange(columns) * STRIDE_PX
    return np.outer((v + STRIDE_PX > y0) & (v < y1), (u + STRIDE_PX > x0) & (u < x1))


def _outdone(scores: NDArray[np.floating], row_in_cell: NDArray[np.floating], min_score: float) -> NDArray[np.bool_]:
    """(R, C): a clearer cell of the same column, a row or two away, tells the same contact (non-maximum suppression).

    A faint cell below a thing had put what is told of it up to a cell too near. The map's edges keep such cells: they
    keep the body off what the network is unsure of.
    """
    ends = np.arange(len(scores))[:, None] + np.clip(row_in_cell, -0.5, 1.5)
    outdone = np.zeros(scores.shape, dtype=bool)
    for apart in (1, 2):
        upper, lower = scores[:-apart], scores[apart:]
        same = np.abs(ends[:-apart] - ends[apart:]) < SAME_CONTACT_CELLS
        outdone[:-apart] |= same & (lower >= min_score) & (upper <= CLEARLY_LESS * lower)
        outdone[apart:] |= same & (upper >= min_score) & (lower <= CLEARLY_LESS * upper)
    return outdone


def _beside(logits: Grid) -> Grid:
    """(R, C): the highest of a cell and its eight neighbours: a contact lies at the rim of what is seen."""
    padded = np.pad(logits, 1, constant_values=-np.inf)
    rows, columns = logits.shape
    shifted = [padded[r : r + rows, c : c + columns] for r in range(3) for c in range(3)]
    highest: Grid = np.maximum.reduce(shifted)
    return highest


def _sigmoid(logits: Grid) -> NDArray[np.floating]:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))))
