import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from navigation.floor_shapes import area_m2, disc_cells, fault_of, polygon_cells, polygon_gap_m, wall_corners
from navigation.grid_geometry import GridGeometry

GRID = GridGeometry(-1.0, -0.5, 0.05, 60, 80)  # 4 m x 3 m
ELL = ((0.0, 0.0), (2.0, 0.0), (2.0, 0.5), (0.5, 0.5), (0.5, 2.0), (0.0, 2.0))


def cell(x_m, y_m):
    row, col = GRID.cells(np.array([[x_m, y_m]]))[0]
    return row, col


def test_a_polygon_need_not_be_convex():
    cells = polygon_cells(GRID, ELL)

    assert cells[cell(1.8, 0.3)] and cells[cell(0.3, 1.8)] and not cells[cell(1.0, 1.0)]
    assert cells.sum() * 0.05**2 == pytest.approx(area_m2(ELL), abs=1e-9)


def test_a_notch_is_no_floor_whichever_side_it_opens_to():
    notched = ((0.0, 0.0), (1.5, 0.0), (1.5, 0.5), (0.5, 0.5), (0.5, 1.0), (1.5, 1.0), (1.5, 1.5), (0.0, 1.5))
    for corners in (notched, [(1.5 - x, y) for x, y in notched], [(y, x) for x, y in notched]):
        assert polygon_cells(GRID, corners).sum() * 0.05**2 == pytest.approx(1.75)


@given(st.integers(0, 5), st.booleans())
def test_where_the_corners_begin_and_which_way_they_run_makes_no_difference(first, backwards):
    corners = ELL[first:] + ELL[:first]

    assert np.array_equal(polygon_cells(GRID, corners[::-1] if backwards else corners), polygon_cells(GRID, ELL))


@pytest.mark.parametrize(
    ("point", "gap_m"),
    [((0.25, 1.0), -0.25), ((1.0, 0.25), -0.25), ((1.0, 1.0), 0.5), ((3.0, 0.25), 1.0), ((-3.0, -4.0), 5.0)],
)
def test_the_gap_to_a_polygon_counts_from_its_edge_and_is_negative_inside(point, gap_m):
    for corners in (ELL, ELL[::-1], [*ELL, ELL[-1]]):
        assert polygon_gap_m(corners, point) == pytest.approx(gap_m)


@given(st.floats(-1, 2.9), st.floats(-0.5, 2.4))
def test_the_gap_agrees_with_the_cells(x_m, y_m):
    here = GridGeometry(x_m - 5e-4, y_m - 5e-4, 1e-3, 1, 1)
    gap_m = polygon_gap_m(ELL, (x_m, y_m))

    if abs(gap_m) > 1e-6:
        assert polygon_cells(here, ELL).any() == (gap_m < 0)


def test_a_margin_takes_in_what_is_near_the_edge_and_no_more():
    cells = polygon_cells(GRID, ELL, 0.2)
    rows, cols = np.nonzero(cells)
    centres = GRID.centres(np.stack([rows, cols], axis=1))

    assert cells[cell(0.63, 0.63)] and not cells[cell(0.83, 0.83)]
    assert centres.min(axis=0).min() > -0.2 and centres.max() < 2.2


def test_a_shape_beside_the_map_is_nowhere_on_it():
    assert not polygon_cells(GRID, [(50, 50), (51, 50), (51, 51)], 0.1).any()
    assert not disc_cells(GRID, (-40.0, 3.0), 2.0).any()


def test_a_disc_is_as_large_as_it_is():
    cells = disc_cells(GRID, (0.5, 1.0), 0.8)

    assert cells.sum() * 0.05**2 == pytest.approx(math.pi * 0.64, rel=0.01)
    assert cells[cell(0.5, 1.77)] and not cells[cell(0.5, 1.83)]


def test_a_thin_wall_drawn_with_a_margin_has_no_gaps():
    wall = polygon_cells(GRID, wall_corners((-0.9, -0.4), (2.3, 1.7), 0.001), 0.71 * 0.05)

    for share in np.linspace(0, 1, 200):
        assert wall[cell(-0.9 + 3.2 * share, -0.4 + 2.1 * share)]


def test_a_wall_runs_counter_clockwise_and_is_as_wide_as_told():
    corners = wall_corners((0.0, 0.0), (0.0, 2.0), 0.1)

    assert area_m2(corners) == pytest.approx(0.2)
    assert sorted({round(x, 9) for x, _ in corners}) == [-0.05, 0.05]


@pytest.mark.parametrize(
    ("corners", "says"),
    [
        ([(0, 0), (1, 1)], "2 corners"),
        ([(0, 0), (1, 1), (1, 0), (0, 1)], "crosses"),
        ([(0, 0), (1, 0), (2, 0)], "0.000000 m2"),
        ([(0, 0), (2, 0), (2, 2), (1, 0), (0, 2)], "crosses"),  # a corner lies on another edge
    ],
)
def test_what_encloses_no_floor_is_told(corners, says):
    assert says in fault_of(corners)


def test_sound_polygons_have_no_fault():
    assert fault_of(ELL) is None and fault_of(ELL[::-1]) is None and fault_of([(0, 0), (1, 0), (0, 1)]) is None
