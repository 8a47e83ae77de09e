import numpy as np

from foundation.geometry import IDENTITY, Pose2D
from navigation.coverage_layer import CoverageLayer
from navigation.grid_geometry import GridGeometry

GRID = GridGeometry(0.0, 0.0, 0.025, 80, 120)


def layer():
    return CoverageLayer(GRID, 0.26, 0.0)


def drive(layer, y_m, x0_m=0.5, x1_m=2.0):
    for x_m in np.arange(x0_m, x1_m, 0.05):
        pose = Pose2D(float(x_m), y_m, 0.0)
        layer.sweep(pose, 0, pose)


def test_a_new_pass_counts_from_nothing_and_forgets_no_sweep():
    first_only, both, second_only = layer(), layer(), layer()
    drive(first_only, 0.5)
    drive(both, 0.5)
    both.begin_pass()
    assert not both.covered.any()
    drive(both, 1.5)
    drive(second_only, 1.5)

    assert np.array_equal(both.covered, second_only.covered)
    assert len(both.sweeps(0)) == len(first_only.sweeps(0)) + len(second_only.sweeps(0))


def test_a_moved_map_carries_this_pass_and_not_the_one_before():
    one = layer()
    drive(one, 0.5)
    one.begin_pass()
    drive(one, 1.0)

    one.redraw(lambda keyframe: Pose2D(0.0, 0.25, 0.0))

    rows = np.flatnonzero(one.covered.any(axis=1))
    assert rows.min() * 0.025 > 1.1 and rows.max() * 0.025 < 1.4


def test_a_pass_is_gone_on_with_after_a_pause():
    one, later = layer(), layer()
    drive(one, 0.5)
    one.begin_pass()
    drive(one, 1.0)

    later.restore(one.sweeps(0), lambda keyframe: IDENTITY, one.pass_begins_at)

    assert np.array_equal(later.covered, one.covered) and later.pass_begins_at == one.pass_begins_at > 0
    assert np.array_equal(later.sweeps(0), one.sweeps(0))
