"""Where the floor lies that a run has missed: beside small things, beside marks where nothing lies, or elsewhere.

In: a run's folder. Out: shares of the coverable floor, and how many of the robot's marks are at no thing. A missed cell
belongs to the nearest mark or thing within the tool's half and the body's gap of its edge; what is nearer to none is
along walls and furniture, in gaps, or was never come to. Raises OxturnError where no finished run lies.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from foundation.errors import OxturnError
from foundation.geometry import FloatArray
from oxturn.report import driven_run
from oxturn.report.driven_run import DrivenRun
from simulation.judge import matched_poses, rigid_fit

BESIDE_M: Final = 0.25  # of a mark's or a thing's edge
AT_THING_M: Final = 0.12  # a mark this near to a thing's edge is of it


@dataclass(frozen=True, slots=True)
class MissedFloor:
    """Shares of the coverable floor."""

    coverable_m2: float
    beside_things: float
    beside_false_marks: float
    elsewhere: float
    false_marks: int
    marks: int


def missed_floor(folder: Path) -> MissedFloor:
    """Of the run in `folder`."""
    run = driven_run.load(folder, folder.name)
    marks_world, things_world = _marks(run), run.small_objects[:, :3]
    false = _edge_distances_m(marks_world[:, :2], things_world).min(axis=1, initial=np.inf) >= AT_THING_M
    x0_m, y0_m, cell_m = (float(value) for value in run.geometry)
    rows, cols = np.nonzero(run.coverable & ~run.covered)
    cells_world = np.stack([x0_m + (cols + 0.5) * cell_m, y0_m + (rows + 0.5) * cell_m], axis=1)
    real = np.vstack([things_world, marks_world[~false]])
    to_real_m = _edge_distances_m(cells_world, real).min(axis=1, initial=np.inf)
    to_false_m = _edge_distances_m(cells_world, marks_world[false]).min(axis=1, initial=np.inf)
    by_false = (to_false_m < BESIDE_M) & (to_false_m < to_real_m)
    by_things = ~by_false & (to_real_m < BESIDE_M)
    cells = max(int(run.coverable.sum()), 1)
    return MissedFloor(
        coverable_m2=float(run.coverable.sum()) * cell_m**2,
        beside_things=float(by_things.sum()) / cells,
        beside_false_marks=float(by_false.sum()) / cells,
        elsewhere=float((~by_things & ~by_false).sum()) / cells,
        false_marks=int(false.sum()),
        marks=len(marks_world),
    )


def mean(told: Iterable[MissedFloor]) -> MissedFloor:
    """Shares of all floor together; marks are counted."""
    runs = list(told)
    floor_m2 = sum(one.coverable_m2 for one in runs)

    def share(name: str) -> float:
        return float(sum(getattr(one, name) * one.coverable_m2 for one in runs)) / max(floor_m2, 1e-9)

    return MissedFloor(
        floor_m2,
        share("beside_things"),
        share("beside_false_marks"),
        share("elsewhere"),
        sum(one.false_marks for one in runs),
        sum(one.marks for one in runs),
    )


def _marks(run: DrivenRun) -> FloatArray:
    """(M, 3): x, y, radius in world of what the robot believed to lie there at the end."""
    try:
        objects: list[dict[str, Any]] = json.loads((run.folder / "robot" / "objects.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OxturnError(f"{run.folder}: cannot tell what the robot had marked: {error}") from error
    marks = np.array([(one["x_m"], one["y_m"], one["radius_m"]) for one in objects]).reshape(-1, 3)
    true, told = matched_poses(run.true_trajectory, run.published_trajectory)
    if len(marks) and len(true) >= 2:
        marks[:, :2] = rigid_fit(told[:, 1:3], true[:, 1:3]).transform(marks[:, :2])
    return marks


def _edge_distances_m(points: FloatArray, discs: FloatArray) -> NDArray[np.float64]:
    """(N, K): from points (N, 2) to the edges of discs (K, 3), negative inside."""
    between: NDArray[np.float64] = np.linalg.norm(points[:, None] - discs[None, :, :2], axis=2) - discs[None, :, 2]
    return between
