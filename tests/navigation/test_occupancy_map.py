"""What cells a scan marks, and that the map grows by whole cells and reports what changed."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.geometry import IDENTITY, Pose2D
from navigation.occupancy_map import OccupancyMap
from navigation.scan_points import points_of
from navigation.static_map import FREE, OCCUPIED, UNKNOWN
from perception.observation import Scan


def new_map(ray_max_m=8.0):
    return OccupancyMap(cell_m=0.025, occupied_ratio=0.4, ray_max_m=ray_max_m)


def at(grid, x_m, y_m):
    ((row, col),) = grid.geometry.cells(np.array([[x_m, y_m]]))
    return grid.cells[row, col]


def wall_ahead():
    """Beams from the origin to a wall at x = 1.01."""
    ys = np.linspace(-0.5, 0.5, 101)
    return np.stack([np.full(101, 1.01), ys], axis=1)


def test_beams_free_what_they_pass_and_fill_where_they_end():
    grid = new_map()
    grid.integrate(IDENTITY, wall_ahead(), np.zeros((101, 2)))
    assert at(grid, 1.01, 0.0) == OCCUPIED
    assert at(grid, 0.5, 0.0) == FREE
    assert at(grid, 1.2, 0.0) == UNKNOWN
    assert at(grid, -0.5, 0.0) == UNKNOWN


def test_ends_beyond_the_ray_limit_fill_nothing():
    grid = new_map(ray_max_m=0.6)
    grid.integrate(IDENTITY, wall_ahead(), np.zeros((101, 2)))
    assert at(grid, 0.5, 0.0) == FREE
    assert not (grid.cells == OCCUPIED).any()


def test_furniture_that_was_taken_away_fades():
    grid = new_map()
    for _ in range(3):
        grid.integrate(IDENTITY, wall_ahead(), np.zeros((101, 2)))
    for _ in range(8):
        grid.integrate(IDENTITY, wall_ahead() * 2, np.zeros((101, 2)))
    assert at(grid, 1.01, 0.0) == FREE
    assert at(grid, 2.02, 0.0) == OCCUPIED


def test_a_wall_seen_along_itself_is_not_eaten():
    grid = new_map()
    xs = np.linspace(0.3, 4.0, 240)
    ends = np.stack([xs, np.full(240, 0.113)], axis=1)
    for _ in range(20):
        grid.integrate(IDENTITY, ends, np.zeros((240, 2)))
    wall = np.array([at(grid, x, 0.113) for x in np.arange(0.5, 2.5, 0.025)])
    assert np.mean(wall == OCCUPIED) > 0.95


def test_growth_keeps_whole_cells_and_touches_everything():
    grid = new_map()
    grid.integrate(IDENTITY, wall_ahead(), np.zeros((101, 2)))
    before, cells = grid.geometry, grid.cells.copy()
    grid.take_changed()
    grid.integrate(Pose2D(-5.0, -3.0, 0.0), wall_ahead(), np.zeros((101, 2)))
    rows, cols = before.shift_to(grid.geometry)
    kept = grid.cells[rows : rows + before.rows, cols : cols + before.cols]
    assert np.array_equal(kept[cells != UNKNOWN], cells[cells != UNKNOWN])
    assert grid.take_changed().slices() == (slice(0, grid.geometry.rows), slice(0, grid.geometry.cols))
    assert grid.take_changed().empty


@settings(max_examples=40, deadline=None)
@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-3.1, 3.1), st.integers(0, 1000))
def test_every_changed_cell_lies_in_the_reported_block(x_m, y_m, heading_rad, seed):
    grid = new_map()
    rng = np.random.default_rng(seed)
    grid.integrate(IDENTITY, rng.uniform(-6, 6, (200, 2)), np.zeros((200, 2)))
    grid.take_changed()
    before, geometry = grid.cells.copy(), grid.geometry
    grid.integrate(Pose2D(x_m, y_m, heading_rad), rng.uniform(-1, 1, (30, 2)), np.zeros((30, 2)))
    changed = grid.take_changed()
    if grid.geometry == geometry:
        outside = np.ones(before.shape, dtype=bool)
        outside[changed.slices()] = False
        assert np.array_equal(before[outside], grid.cells[outside])


def test_motion_within_a_scan_is_undone():
    """A wall at x = 2 while the robot drives 1 m/s towards it: every beam ends on it as of the newest."""
    bearings = np.linspace(-0.5, 0.5, 50)
    lags = np.linspace(-0.2, 0.0, 50)
    ranges = (2.0 - 1.0 * lags) / np.cos(bearings)  # earlier beams were taken from farther away
    scan = Scan(10.0, ranges, -0.5, 1.0 / 49, 12.0, lags)
    points = points_of(scan, IDENTITY, 10.0, 1.0, 0.0, 0.05, 12.0)
    assert np.abs(points.points_base[:, 0] - 2.0).max() < 1e-9


def test_turning_within_a_scan_is_undone():
    bearings = np.linspace(-0.5, 0.5, 50)
    lags = np.linspace(-0.1, 0.0, 50)
    ranges = 2.0 / np.cos(bearings + 1.0 * lags)  # the laser pointed elsewhere then
    scan = Scan(10.0, ranges, -0.5, 1.0 / 49, 12.0, lags)
    points = points_of(scan, IDENTITY, 10.0, 0.0, 1.0, 0.05, 12.0)
    assert np.abs(points.points_base[:, 0] - 2.0).max() < 1e-9


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(width=64), min_size=0, max_size=20))
def test_no_ranges_make_points_that_are_not_finite(ranges):
    values = np.array(ranges, dtype=np.float64)
    scan = Scan(1.0, values, 0.0, 0.1, 12.0, np.zeros(len(values)))
    points = points_of(scan, Pose2D(0.1, 0, 0.2), 1.0, 0.3, 0.4, 0.05, 40.0)
    assert np.isfinite(points.points_base).all()
    assert len(points.points_base) <= len(values)
