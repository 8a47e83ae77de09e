"""What SLAM remembers: scans worth keeping, the measured relations between them, and where they are now.

Keyframes and relations are only ever added; poses change when the graph is solved. A background job works on a
`Snapshot`, which shares the immutable parts and copies the poses.
"""

from collections.abc import Sequence
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

    def points_around(self, anchor: int, members: Sequence[int]) -> FloatArray:
        """Points (N, 2) of the members' scans in the anchor's frame."""
        anchor_from_map = self._poses[anchor].inverse()
        return np.vstack(
            [
                (anchor_from_map @ self._poses[k]).transform(self.keyframes[k].points_base.astype(np.float64))
                for k in members
            ]
        )
