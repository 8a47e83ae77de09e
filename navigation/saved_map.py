"""SLAM's memory in one file: keyframes, where they lie, and the relations between them, as a NumPy archive."""

import io
import zipfile
import zlib
from pathlib import Path
from typing import Final

import numpy as np

from foundation.atomic_files import write_bytes
from foundation.errors import OxturnError
from foundation.geometry import Pose2D
from navigation.keyframes import Keyframe, Relation, Snapshot

FORMAT: Final = 1


class SavedMapError(OxturnError):
    """A saved map that cannot be read: which file, what is wrong."""


def save(path: Path, snapshot: Snapshot) -> None:
    """Appears whole or not at all."""
    keyframes, relations = snapshot.keyframes, snapshot.relations
    buffer = io.BytesIO()
    steps = [r.first_from_second for r in relations]
    np.savez_compressed(
        buffer,
        format=np.array(FORMAT),
        poses=snapshot.poses,
        counts=np.array([len(k.points_base) for k in keyframes], dtype=np.int64),
        points=np.vstack([np.zeros((0, 2), np.float32), *[k.points_base for k in keyframes]]),
        origins=np.vstack([np.zeros((0, 2), np.float32), *[k.origins_base for k in keyframes]]),
        stamps=np.array([k.stamp_s for k in keyframes]),
        full_turn=np.array([k.full_turn for k in keyframes], dtype=bool),
        ends=np.array([(r.first, r.second) for r in relations], dtype=np.int64).reshape(-1, 2),
        steps=np.array([(s.x_m, s.y_m, s.heading_rad) for s in steps]).reshape(-1, 3),
        informations=np.array([r.information for r in relations]).reshape(-1, 3, 3),
        loops=np.array([r.loop for r in relations], dtype=bool),
    )
    write_bytes(path, buffer.getvalue())


def load(path: Path) -> Snapshot:
    """Raises SavedMapError on anything that `save` did not write."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            data = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise SavedMapError(f"{path}: not a saved map: {error}") from error
    try:
        return _snapshot(data)
    except (KeyError, ValueError, IndexError, TypeError) as error:
        raise SavedMapError(f"{path}: not a saved map: {type(error).__name__} {error}") from error


def _snapshot(data: dict[str, np.ndarray]) -> Snapshot:
    if int(data["format"]) != FORMAT:
        raise ValueError(f"format {int(data['format'])}, want {FORMAT}")
    poses, counts = data["poses"].reshape(-1, 3).astype(np.float64), data["counts"]
    points, origins = data["points"].astype(np.float32), data["origins"].astype(np.float32)
    if len(counts) != len(poses) or (counts < 0).any() or not len(points) == len(origins) == counts.sum():
        raise ValueError(f"{len(poses)} poses, {len(counts)} keyframes, {len(points)} points of {counts.sum()}")
    if not (np.isfinite(poses).all() and np.isfinite(points).all() and np.isfinite(origins).all()):
        raise ValueError("a pose or point is not finite")
    ends = np.cumsum(counts)
    keyframes = tuple(
        Keyframe(float(stamp), points[end - n : end], origins[end - n : end], -np.inf, bool(full))
        for stamp, n, end, full in zip(data["stamps"], counts, ends, data["full_turn"], strict=True)
    )
    relations = tuple(
        Relation(int(a), int(b), Pose2D(float(x), float(y), float(heading)), information, bool(loop))
        for (a, b), (x, y, heading), information, loop in zip(
            data["ends"], data["steps"], data["informations"], data["loops"], strict=True
        )
    )
    if any(not 0 <= k < len(poses) for r in relations for k in (r.first, r.second)):
        raise ValueError("a relation names a keyframe that is not there")
    return Snapshot(keyframes, poses, relations)
