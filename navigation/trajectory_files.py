"""Trajectories and pose graphs as other tools read them: TUM rows, g2o's SE2 vertices and edges."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from foundation.atomic_files import write_text
from foundation.errors import OxturnError
from foundation.geometry import FloatArray
from navigation.keyframes import Relation


class TrajectoryError(OxturnError):
    """A trajectory that cannot be read: which line, what was expected there."""


def write_tum(path: Path, stamps_s: FloatArray, poses: FloatArray) -> None:
    """One row `stamp x y z qx qy qz qw` for each of the poses (N, 3)."""
    rows = [
        f"{stamp:.6f} {x:.6f} {y:.6f} 0 0 0 {math.sin(heading / 2):.9f} {math.cos(heading / 2):.9f}\n"
        for stamp, (x, y, heading) in zip(stamps_s, poses)
    ]
    write_text(path, "".join(rows))


def read_tum(path: Path) -> tuple[FloatArray, FloatArray]:
    """Stamps (N,) and poses (N, 3) of x, y, heading. Raises TrajectoryError with the line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise TrajectoryError(f"{path}: cannot be read as a trajectory: {error}") from error
    stamps_s, poses = [], []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            stamp, x, y, _z, qx, qy, qz, qw = (float(word) for word in line.split())
        except ValueError:
            raise TrajectoryError(f"{path}, line {number}: want `stamp x y z qx qy qz qw`, got {line[:80]!r}") from None
        if not np.isfinite((stamp, x, y, qx, qy, qz, qw)).all():
            raise TrajectoryError(f"{path}, line {number}: values must be finite")
        stamps_s.append(stamp)
        poses.append((x, y, math.atan2(2 * (qw * qz + qx * qy), 1 - 2 * (qy * qy + qz * qz))))
    return np.array(stamps_s), np.array(poses).reshape(-1, 3)


def write_g2o(path: Path, poses: FloatArray, relations: Sequence[Relation]) -> None:
    """Keyframes (K, 3) as VERTEX_SE2, the first one fixed, and measured relations as EDGE_SE2."""
    rows = [f"VERTEX_SE2 {k} {x:.6f} {y:.6f} {heading:.8f}\n" for k, (x, y, heading) in enumerate(poses)]
    rows.append("FIX 0\n")
    for r in relations:
        step, weight = r.first_from_second, r.information
        upper = " ".join(f"{weight[i, j]:.3f}" for i in range(3) for j in range(i, 3))
        rows.append(f"EDGE_SE2 {r.first} {r.second} {step.x_m:.6f} {step.y_m:.6f} {step.heading_rad:.8f} {upper}\n")
    write_text(path, "".join(rows))
