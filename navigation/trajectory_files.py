"""Trajectories and pose graphs as other tools read them: TUM rows, g2o's SE2 vertices and edges."""

import math
from collections.abc import Sequence
from pathlib import Path

from foundation.atomic_files import write_text
from foundation.geometry import FloatArray
from navigation.keyframes import Relation


def write_tum(path: Path, stamps_s: FloatArray, poses: FloatArray) -> None:
    """One row `stamp x y z qx qy qz qw` for each of the poses (N, 3)."""
    rows = [
        f"{stamp:.6f} {x:.6f} {y:.6f} 0 0 0 {math.sin(heading / 2):.9f} {math.cos(heading / 2):.9f}\n"
        for stamp, (x, y, heading) in zip(stamps_s, poses)
    ]
    write_text(path, "".join(rows))


def write_g2o(path: Path, poses: FloatArray, relations: Sequence[Relation]) -> None:
    """Keyframes (K, 3) as VERTEX_SE2, the first one fixed, and measured relations as EDGE_SE2."""
    rows = [f"VERTEX_SE2 {k} {x:.6f} {y:.6f} {heading:.8f}\n" for k, (x, y, heading) in enumerate(poses)]
    rows.append("FIX 0\n")
    for r in relations:
        step, weight = r.first_from_second, r.information
        upper = " ".join(f"{weight[i, j]:.3f}" for i in range(3) for j in range(i, 3))
        rows.append(f"EDGE_SE2 {r.first} {r.second} {step.x_m:.6f} {step.y_m:.6f} {step.heading_rad:.8f} {upper}\n")
    write_text(path, "".join(rows))
