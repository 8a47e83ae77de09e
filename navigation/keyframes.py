"""What SLAM remembers: scans worth keeping, the measured relations between them, and where they are now.

Keyframes and relations are only ever added; poses change when the graph is solved. A background job works on a
`Snapshot`, which shares the immutable parts and copies the poses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foundation.geometry import FloatArray, Pose2D


@dataclass(frozen=True, slots=True)
class Keyframe:
    """One kept scan, motion undone; float32 keeps hours of driving small."""

    stamp_s: float
    points_base: NDArray[np.float32]  # (N, 2)
    origins_base: NDArray[np.float32]  # (N, 2)
    travelled_m: float  # since the start, by the tracker
    full_turn: bool


@dataclass(frozen=True, slots=True)
class Relation:
    """A measured pose of keyframe `second` in keyframe `first`."""

    first: int
    second: int
    first_from_second: Pose2D
    information: NDArray[np.float64]  # (3, 3) of x, y, heading
    loop: bool  # found by matching places, so it may be false


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a background job may read."""

    keyframes: Sequence[Keyframe]
    poses: FloatArray  # (K, 3): map_from_keyframe
    relations: Sequence[Relation]


class KeyframeStore:
    """Keyframes by index, in the order they were made."""

    def __init__(self) -> None:
        self.keyframes: list[Keyframe] = []
        self.relations: list[Relation] = []
        self._poses: list[Pose2D] = []

    def __len__(self) -> int:
        return len(self.keyframes)

    def add(self, keyframe: Keyframe, map_from_keyframe: Pose2D) -> int:
        """The new keyframe's index."""
        self.keyframes.append(keyframe)
        self._poses.append(map_from_keyframe)
        return len(self.keyframes) - 1

    def pose(self, index: int) -> Pose2D:
        """map_from_keyframe as the graph has it now."""
        return self._poses[index]

    def snapshot(self) -> Snapshot:
        poses = np.array([(p.x_m, p.y_m, p.heading_rad) for p in self._poses]).reshape(-1, 3)
        return Snapshot(tuple(self.keyframes), poses, tuple(self.relations))

    def correct(self, poses: FloatArray) -> None:
        """New poses (K, 3) for the first K keyframes; younger ones follow the K-th rigidly."""
        count = len(poses)
        solved = [Pose2D(float(x), float(y), float(heading)) for x, y, heading in poses]
        new_from_old = solved[-1] @ self._poses[count - 1].inverse()
        self._poses = solved + [new_from_old @ pose for pose in self._poses[count:]]

    def take_over(self, snapshot: Snapshot) -> None:
        """A saved map's keyframes, as the first ones of an empty store."""
        self.keyframes, self.relations = list(snapshot.keyframes), list(snapshot.relations)
        self._poses = [Pose2D(float(x), float(y), float(heading)) for x, y, heading in snapshot.poses]

    def closest(self, map_from_base: Pose2D, count: int) -> tuple[int, float]:
        """Of the first `count` keyframes the one nearest to the pose, and how far it is (m)."""
        distances_m = [map_from_base.distance_m(pose) for pose in self._poses[:count]]
        index = int(np.argmin(distances_m))
        return index, distances_m[index]

    def nearest(self, anchor: int, count: int) -> list[int]:
        """The `count` keyframes that lie nearest to the anchor, itself among them."""
        at = self._poses[anchor]
        distances_m = [at.distance_m(pose) for pose in self._poses]
        return [int(k) for k in np.argsort(distances_m, kind="stable")[:count]]

    def surfaces(self, anchor: int, members: Sequence[int]) -> tuple[FloatArray, FloatArray]:
        """Points (N, 2) of the members' scans and where they were seen from (N, 2), in the anchor's frame."""
        poses = {k: self._poses[k] for k in (anchor, *members)}
        return surfaces(self.keyframes, poses, anchor, members)


def surfaces(
    keyframes: Sequence[Keyframe], poses: Mapping[int, Pose2D], anchor: int, members: Sequence[int]
) -> tuple[FloatArray, FloatArray]:
    """Points (N, 2) of the members' scans and where they were seen from (N, 2), in the anchor's frame."""
    anchor_from_map = poses[anchor].inverse()
    moves = [anchor_from_map @ poses[k] for k in members]
    points = [m.transform(keyframes[k].points_base.astype(np.float64)) for m, k in zip(moves, members)]
    origins = [m.transform(keyframes[k].origins_base.astype(np.float64)) for m, k in zip(moves, members)]
    return np.vstack(points), np.vstack(origins)
