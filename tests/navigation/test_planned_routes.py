import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import ConfigError
from foundation.robot_config import RobotConfig
from navigation.background import SteppedBackground
from navigation.coverage_planner import repaired
from navigation.grid_geometry import GridGeometry
from navigation.planned_routes import PlannedRoutes, iterations_for, whole_cells_m
from navigation.stages import build

CELL_M = RobotConfig().planner.cell_m


def room(side_m=2.0):
    cells = round(side_m / CELL_M)
    return np.ones((cells, cells), dtype=np.bool_), GridGeometry(0.0, 0.0, CELL_M, cells, cells)


def test_a_remainder_is_searched_shortly_and_a_flat_not_forever():
    assert iterations_for(0.0) == iterations_for(0.3) == 20_000
    assert iterations_for(5.0) == 200_000
    assert iterations_for(200.0) == 300_000


@pytest.mark.parametrize(("wanted_m", "kept_m"), [(0.19, 0.175), (0.20, 0.175)])
def test_clearance_is_whole_cells_less_a_half(wanted_m, kept_m):
    assert whole_cells_m(wanted_m, 0.05) == pytest.approx(kept_m)


def test_a_route_covers_the_room_and_what_is_swept_is_left_alone():
    free, geometry = room()
    routes = PlannedRoutes(RobotConfig())

    whole = routes(free, geometry, (1.0, 1.0), np.zeros_like(free), quick=True)
    half = routes(free, geometry, (1.0, 1.0), np.tri(*free.shape, dtype=np.bool_), quick=True)
    none = routes(free, geometry, (1.0, 1.0), free, quick=True)

    def length_m(route):
        return float(np.hypot(*np.diff(route.points_map, axis=0).T).sum())

    assert length_m(whole) > 4 * 2.0
    assert length_m(half) < 0.75 * length_m(whole)
    assert len(none.points_map) < 2


def test_no_floor_is_no_route():
    free, geometry = room()

    none = PlannedRoutes(RobotConfig())(~free, geometry, (1.0, 1.0), free, quick=True)

    assert len(none.points_map) == 0 and none.refused.startswith("no cell of the map's")


def test_a_place_that_nothing_leads_away_from_is_told_and_floor_that_is_swept_is_not():
    free, geometry = room()
    free[:30], free[30:, :30] = False, False
    routes = PlannedRoutes(RobotConfig())

    shut = routes(free, geometry, (0.3, 0.3), ~free, quick=True)
    assert shut.refused.startswith("start (0.30, 0.30): nothing within")
    left = routes(free, geometry, (1.4, 1.4), free, quick=True)
    assert len(left.points_map) < 2 and left.refused == ""


@pytest.mark.parametrize(
    ("section", "key", "value"), [("tool", "width_m", 0.03), ("tool", "width_m", 0.001), ("planner", "cell_m", 0.5)]
)
def test_a_robot_that_no_route_can_be_planned_for_is_refused_before_it_drives(section, key, value, tmp_path):
    config = RobotConfig.model_validate({section: {key: value}})

    with pytest.raises(ConfigError, match=rf"{section}\.{key} = {value}: "):
        build(config, background=lambda name: SteppedBackground(1), state_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []


@given(st.floats(0.02, 0.6), st.floats(0.0, 0.2), st.floats(0.002, 0.5), st.floats(0.001, 1.0))
def test_what_is_not_refused_can_be_planned_for(radius_m, margin_m, cell_m, width_m):
    config = RobotConfig.model_validate(
        {
            "body": {"radius_m": radius_m},
            "planner": {"margin_m": margin_m, "cell_m": cell_m},
            "tool": {"width_m": width_m},
        }
    )
    try:
        settings = PlannedRoutes(config)._settings
    except ConfigError:
        return
    assert settings.robot_radius_m > 0 and settings.tool_width_m > 0


def test_the_rest_of_a_route_is_led_round_what_came_and_picks_up_new_floor():
    free, geometry = room(3.0)
    shut = free.copy()
    shut[:, 45:] = False
    routes, nothing = PlannedRoutes(RobotConfig()), np.zeros_like(free)
    old = routes(shut, geometry, (0.5, 0.5), nothing, quick=False).points_map
    came = free.copy()
    came[20:26, 20:26] = False

    told = routes(came, geometry, tuple(old[3]), nothing, quick=False, rest=old[3:])

    driven = densely(told.points_map)
    assert np.allclose(driven[0], old[3], atol=CELL_M)
    assert (driven[:, 0] > 46 * CELL_M).any()
    assert from_box_m(driven).min() > 0.16
    at_once = densely(routes(came, geometry, tuple(old[3]), nothing, quick=True, rest=old[3:]).points_map)
    assert from_box_m(at_once).min() > 0.16
    safe = densely(repaired(came, geometry, old[3:], whole_cells_m(RobotConfig().clearance_m, CELL_M)).points_map)
    still, corners = far_from_box(densely(old[3:])), far_from_box(old[3:-1])  # from its end the new floor is gone on to
    assert len(still) > 500 and len(corners) > 3
    assert max(np.hypot(*(safe - point).T).min() for point in still) < CELL_M, "kept where nothing is in the way"
    assert max(np.hypot(*(at_once - point).T).min() for point in corners) < CELL_M


def densely(points):
    """(N, 2) along the way, a centimetre or so apart."""
    return np.concatenate([a + np.linspace(0, 1, 200)[:, None] * (b - a) for a, b in itertools.pairwise(points)])


def from_box_m(points):
    """Distance to what came: the cells 20 to 25 both ways."""
    return np.hypot(*np.maximum(np.abs(points - 23 * CELL_M) - 3 * CELL_M, 0).T)


def far_from_box(points):
    return points[from_box_m(points) > 0.3]


@pytest.mark.parametrize("quick", [True, False])
def test_a_crosswise_route_runs_across_the_one_before(quick):
    free = np.ones((round(1.6 / CELL_M), round(3.2 / CELL_M)), dtype=np.bool_)
    geometry = GridGeometry(0.0, 0.0, CELL_M, *free.shape)
    routes, nothing = PlannedRoutes(RobotConfig()), np.zeros_like(free)

    def along_share(crosswise):
        route = routes(free, geometry, (0.5, 0.5), nothing, quick=quick, crosswise=crosswise)
        along_x, along_y = np.abs(np.diff(route.points_map, axis=0)).sum(axis=0)
        return along_x / (along_x + along_y)

    assert along_share(crosswise=False) > 0.7
    assert along_share(crosswise=True) < 0.45
