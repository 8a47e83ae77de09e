"""The judge's measures against examples worked out by hand, and properties."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.geometry import Pose2D
from foundation.robot_config import RobotConfig
from simulation.judge import Judge, localisation_errors, rigid_fit, sweep
from simulation.room_spec import Dock, FloorPatch, Furniture, Lamp, Part, Room, SmallObject, Texture, Wall
from simulation.run_room import read_tum, score_of
from simulation.shape_parts import turn

WHITE = (1.0, 1.0, 1.0)


def bare_room(*, objects: tuple[SmallObject, ...] = (), furniture: tuple[Furniture, ...] = ()) -> Room:
    """4 x 3 m inside, the dock at the left wall."""
    corners = [(0.0, 0.0), (4.0, 0.0), (4.0, 3.0), (0.0, 3.0)]
    walls = tuple(Wall(f"wall_{i}", corners[i], corners[(i + 1) % 4], 0.1, 2.5, WHITE) for i in range(4))
    dock = Dock(0.1, 1.5, 0.0, 0.3, (Part("box", (0.1, 0.24, 0.22), (0, 0, 0.11), turn(0), WHITE),))
    floor = FloorPatch("floor", "tile", 2.0, 1.5, 0.0, (4.0, 3.0), 0.0, WHITE, 0)
    texture = Texture("square_tiles", 1, (WHITE, WHITE, WHITE), 1.0)
    lamps = (Lamp((2, 1.5, 2.2), WHITE),)
    return Room("bare", 0, "test", walls, (floor,), furniture, objects, dock, (texture,), lamps)


def ball(name: str, x_m: float, y_m: float) -> SmallObject:
    return SmallObject(
        name, "toy", "ball", x_m, y_m, 0.0, (Part("sphere", (0.06, 0.06, 0.06), (0, 0, 0.03), turn(0), WHITE),)
    )


def drive(judge: Judge, points: list[tuple[float, float]], step_m: float = 0.005) -> None:
    stamp = 0.0
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        heading = math.atan2(y1 - y0, x1 - x0)
        count = max(round(math.dist((x0, y0), (x1, y1)) / step_m), 1)
        for i in range(count + 1):
            judge.see(stamp, Pose2D(x0 + (x1 - x0) * i / count, y0 + (y1 - y0) * i / count, heading), ())
            stamp += 0.02


def test_a_straight_swath_covers_its_own_area():
    judge = Judge(bare_room(), RobotConfig())

    drive(judge, [(1.0, 1.0), (3.0, 1.0)])

    assert judge.covered.sum() * 1e-4 == pytest.approx(2.0 * 0.26, rel=0.02)
    assert judge.path_length_m == pytest.approx(2.0)


def test_a_turn_on_the_spot_covers_the_tools_disc():
    covered = np.zeros((100, 100), bool)
    for i in range(100):
        a, b = math.pi * i / 100, math.pi * (i + 1) / 100
        sweep(covered, 0.0, 0.0, 0.01, 0.5, 0.5, a, 0.5, 0.5, b, -0.13, 0.13)

    assert covered.sum() * 1e-4 == pytest.approx(math.pi * 0.13**2, rel=0.03)


def test_furrows_over_the_whole_floor_cover_all_that_can_be():
    judge = Judge(bare_room(), RobotConfig())
    rows = np.append(np.arange(0.25, 2.75, 0.22), 2.75)
    path = [point for y in rows for point in ((0.25, y), (3.75, y))]

    drive(judge, [*path, (0.25, 2.75), (0.25, 0.25), (3.75, 0.25), (3.75, 2.75)], step_m=0.02)

    assert judge.coverage_ratio > 0.98
    assert 0.9 * 3.9 * 2.9 < judge.truth.coverable_m2 < 3.9 * 2.9


def test_an_object_counts_once_and_only_when_the_body_reaches_it():
    room = bare_room(objects=(ball("near", 2.0, 1.19), ball("far", 2.0, 1.25), ball("never", 3.0, 2.5)))
    judge = Judge(room, RobotConfig())

    drive(judge, [(1.0, 1.0), (3.0, 1.0), (1.0, 1.0)])

    assert judge.hit.tolist() == [True, False, False]


def test_a_lasting_contact_is_one_collision_and_a_later_one_another():
    judge = Judge(bare_room(), RobotConfig())

    for tick in range(200):
        touched = ("wall_1",) if 50 <= tick < 90 or tick >= 150 else ()
        judge.see(tick * 0.02, Pose2D(1, 1, 0), touched)

    assert [name for _, name in judge.collisions] == ["wall_1", "wall_1"]


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-3.1, 3.1), st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_the_best_fit_undoes_any_rigid_motion(x: float, y: float, heading: float, seed: int):
    points = np.random.default_rng(seed).normal(size=(20, 2))
    motion = Pose2D(x, y, heading)

    fitted = rigid_fit(points, motion.transform(points))

    assert np.allclose(fitted.transform(points), motion.transform(points), atol=1e-9)


def test_localisation_errors_compare_equal_stamps_only():
    true = np.array([(0.1 * i, 0.1 * i, 0.0, 0.0) for i in range(50)])
    told = np.array([(0.2 * i, 5.0, 0.2 * i, math.pi / 2) for i in range(20)] + [(77.7, 9.0, 9.0, 0.0)])

    fitted, aligned = localisation_errors(true, told)

    assert len(fitted) == 20
    assert fitted.max() < 1e-9
    assert aligned.max() < 1e-9


def test_a_drift_shows_in_the_error():
    true = np.array([(0.1 * i, 0.1 * i, 0.0, 0.0) for i in range(100)])
    told = true.copy()
    told[:, 2] = 0.01 * true[:, 1] ** 2

    fitted, aligned = localisation_errors(true, told)

    assert 0.02 < np.percentile(fitted, 95) < 0.15
    assert np.percentile(aligned, 95) > 0.8


def test_a_broken_trajectory_file_counts_as_none(tmp_path):
    (tmp_path / "a.tum").write_text("1 2 3\n")
    (tmp_path / "b.tum").write_text("0.1 1.0 2.0 0 0 0 0.0 1.0\n")

    assert len(read_tum(tmp_path / "missing.tum")) == 0
    assert len(read_tum(tmp_path / "a.tum")) == 0
    assert read_tum(tmp_path / "b.tum").tolist() == [[0.1, 1.0, 2.0, 0.0]]


def test_a_run_without_published_poses_says_so():
    judge = Judge(bare_room(), RobotConfig())
    drive(judge, [(1.0, 1.0), (1.5, 1.0)])

    score = score_of(judge, np.empty((0, 4)), finished=False)

    assert score.localisation_error_m is None
    assert score.to_json()["finished"] is False
