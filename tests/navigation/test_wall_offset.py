import numpy as np
import pytest

from navigation.wall_offset import WallOffset, offset_for, side_m


def wall(y_m, x0_m=-0.5, x1_m=0.5):
    return np.stack([np.linspace(x0_m, x1_m, 201), np.full(201, y_m)], axis=1)


def test_the_nearest_thing_beside_is_measured_on_each_side():
    points = np.concatenate([wall(0.21), wall(-0.30)])

    assert side_m(points, 1.0) == pytest.approx(0.21, abs=0.002)
    assert side_m(points, -1.0) == pytest.approx(0.30, abs=0.002)
    assert side_m(wall(0.21, 0.3, 0.5), 1.0) == np.inf  # ahead, not beside
    assert side_m(np.zeros((0, 2)), 1.0) == np.inf


@pytest.mark.parametrize(
    ("left_m", "right_m", "offset_m"),
    [
        (0.20, np.inf, 0.01),
        (0.18, np.inf, -0.01),
        (np.inf, 0.20, -0.01),
        (np.inf, 0.18, 0.01),
        (0.10, np.inf, -0.03),
        (0.50, 0.60, 0.0),
        (0.20, 0.20, 0.0),
        (0.18, 0.20, -0.01),
        (np.inf, np.inf, 0.0),
    ],
)
def test_the_offset_brings_the_nearer_wall_to_the_wanted_distance(left_m, right_m, offset_m):
    assert offset_for(left_m, right_m, 0.19) == pytest.approx(offset_m)


def test_it_comes_gently_and_goes_when_the_wall_ends():
    offset = WallOffset(0.19)
    first = offset.update(wall(0.20), may_go_nearer=True)
    for _ in range(30):
        settled = offset.update(wall(0.20), may_go_nearer=True)

    assert 0 < first < 0.005
    assert settled == pytest.approx(0.01, abs=0.001)

    for _ in range(30):
        offset.update(wall(1.0), may_go_nearer=True)
    assert offset.left_m == pytest.approx(0.0, abs=0.001)


def test_beside_small_objects_it_never_leaves_the_line_towards_a_wall_but_still_away_from_one():
    offset = WallOffset(0.19)

    assert offset.update(wall(0.20), may_go_nearer=False) == 0.0
    assert offset.update(wall(0.18), may_go_nearer=False) < 0.0
