"""Every missed cell belongs to what lies nearest to it: a thing, a mark where nothing lies, or neither."""

import json
import math

import numpy as np
import pytest

from foundation.errors import OxturnError
from foundation.geometry import Pose2D
from oxturn.missed_floor import mean, missed_floor

CELL_M = 0.05
WORLD_FROM_MAP = Pose2D(0.7, -0.4, 0.6)
THING, FALSE = (1.0, 1.0, 0.05), (3.0, 1.0, 0.1)  # x, y, radius in world


def block(grid, x_m, y_m, half_cells=2):
    row, col = int(y_m / CELL_M), int(x_m / CELL_M)
    grid[row - half_cells : row + half_cells, col - half_cells : col + half_cells] = True


def write_run(folder, *, missed=(), marks=()):
    """A run over 4 x 2 m whose robot began somewhere else in its own map; `missed` are middles of 16 cells each."""
    way = np.array([(0.1 * i, 0.5 + 0.01 * i, 0.5 + 0.3 * math.sin(i / 9), 0.0) for i in range(40)])
    told = way.copy()
    told[:, 1:3] = WORLD_FROM_MAP.inverse().transform(way[:, 1:3])
    coverable = np.ones((40, 80), bool)
    left = np.zeros_like(coverable)
    for x_m, y_m in missed:
        block(left, x_m, y_m)
    (folder / "robot").mkdir(parents=True)
    (folder / "run.json").write_text("{}")
    np.savez(
        folder / "run.npz",
        true_trajectory=way,
        published_trajectory=told,
        covered=coverable & ~left,
        coverable=coverable,
        obstacles=np.zeros(coverable.shape, np.uint8),
        geometry=np.array([0.0, 0.0, CELL_M]),
        small_objects=np.array([[*THING, 3.0]]),
        hit=np.array([False]),
    )
    centres_map = WORLD_FROM_MAP.inverse().transform(np.array([mark[:2] for mark in marks]).reshape(-1, 2))
    objects = [{"x_m": x, "y_m": y, "radius_m": mark[2]} for (x, y), mark in zip(centres_map, marks, strict=True)]
    (folder / "robot" / "objects.json").write_text(json.dumps(objects))
    return folder


def test_missed_floor_belongs_to_the_nearest_thing_or_false_mark_or_to_neither(tmp_path):
    near_thing, near_false, far = (1.2, 1.0), (3.25, 1.0), (2.0, 1.8)
    run = write_run(tmp_path / "run", missed=[near_thing, near_false, far], marks=[(1.02, 0.97, 0.12), FALSE])

    told = missed_floor(run)

    assert told.coverable_m2 == pytest.approx(8.0)
    assert (told.beside_things, told.beside_false_marks, told.elsewhere) == pytest.approx((16 / 3200,) * 3)
    assert (told.false_marks, told.marks) == (1, 2)


def test_a_thing_that_was_never_marked_is_one_and_without_marks_nothing_is_false(tmp_path):
    told = missed_floor(write_run(tmp_path / "run", missed=[(1.2, 1.0), (3.25, 1.0)]))

    assert (told.beside_things, told.beside_false_marks, told.elsewhere) == pytest.approx((16 / 3200, 0, 16 / 3200))
    assert (told.false_marks, told.marks) == (0, 0)


def test_shares_of_several_runs_are_of_all_their_floor(tmp_path):
    runs = [
        missed_floor(write_run(tmp_path / "a", missed=[(1.2, 1.0)], marks=[FALSE])),
        missed_floor(write_run(tmp_path / "b", marks=[FALSE, (1.0, 1.0, 0.1)])),
    ]

    told = mean(runs)

    assert told.beside_things == pytest.approx(8 / 3200)
    assert (told.coverable_m2, told.false_marks, told.marks) == (pytest.approx(16.0), 2, 3)


def test_a_run_without_its_marks_is_refused_in_one_line(tmp_path):
    run = write_run(tmp_path / "run")
    (run / "robot" / "objects.json").unlink()

    with pytest.raises(OxturnError, match=r"cannot tell what the robot had marked"):
        missed_floor(run)
