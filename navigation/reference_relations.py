"""Scores a trajectory against reference relations between pairs of its poses: the error of each step, not of the sum.

Source: Kuemmerle et al., "On measuring the accuracy of SLAM algorithms", Autonomous Robots 27 (2009).
"""

from pathlib import Path

import numpy as np

from foundation.geometry import FloatArray


def relation_errors(
    stamps_s: FloatArray, poses: FloatArray, relations: Path, under_s: float = np.inf
) -> tuple[FloatArray, FloatArray]:
    """(metres (E,), degrees (E,)) of poses (N, 3) against the relations under `under_s` with a pose at both ends.

    A row of the file is `stamp stamp x y z roll pitch yaw`, the second pose as seen from the first.
    """
    row = {_key(stamp): i for i, stamp in enumerate(stamps_s.tolist())}
    reference = np.loadtxt(relations, comments="#", ndmin=2)
    reference = reference[np.abs(reference[:, 1] - reference[:, 0]) < under_s]
    ends = [(row.get(_key(first), -1), row.get(_key(second), -1)) for first, second in reference[:, :2].tolist()]
    known = np.array(ends).reshape(-1, 2)
    reference, known = reference[(known >= 0).all(axis=1)], known[(known >= 0).all(axis=1)]
    a, b = poses[known[:, 0]], poses[known[:, 1]]
    cos, sin = np.cos(a[:, 2]), np.sin(a[:, 2])
    step = b[:, :2] - a[:, :2]
    moved = np.column_stack([cos * step[:, 0] + sin * step[:, 1], cos * step[:, 1] - sin * step[:, 0]])
    turn = b[:, 2] - a[:, 2] - reference[:, 7]
    degrees = np.degrees(np.abs((turn + np.pi) % (2 * np.pi) - np.pi))
    return np.linalg.norm(moved - reference[:, 2:4], axis=1), degrees


def _key(stamp_s: float) -> int:
    """Stamps that are written with five or six decimals meet here."""
    return round(1e5 * stamp_s)
