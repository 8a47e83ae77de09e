"""Maps that are hard or wrong: one line that says what, or an honest part of the floor; never a hang."""

import time
from pathlib import Path

import numpy as np
import pytest

from navigation.coverage_planner import CoverageSettings, NoFloor, StartBlocked
from navigation.grid_geometry import GridGeometry
from navigation.plan_command import PlanReport, run_plan
from navigation.ros_map import write_map
from navigation.static_map import FREE, OCCUPIED, UNKNOWN

ROBOT = CoverageSettings(robot_radius_m=0.3, tool_width_m=0.6, escape=False)


def planned(folder: Path, cells: np.ndarray, start_map=None, seconds=0.2) -> PlanReport:
    write_map(folder, "map", cells.astype(np.int8), GridGeometry(0.0, 0.0, 0.05, *cells.shape))
    return run_plan(folder / "map.yaml", folder / "path.csv", ROBOT, start_map=start_map, seconds=seconds)


def room(rows=60, cols=120):
    return np.full((rows, cols), FREE)


@pytest.mark.parametrize("value", [OCCUPIED, UNKNOWN])
def test_a_map_without_a_free_cell_is_refused(tmp_path: Path, value: int):
    with pytest.raises(NoFloor, match="no cell of the map's 60 x 120 is free"):
        planned(tmp_path, np.full((60, 120), value))

    assert not (tmp_path / "path.csv").exists()


def test_a_robot_larger_than_the_room_is_refused_with_its_radius(tmp_path: Path):
    with pytest.raises(NoFloor, match=r"0\.300 m clear"):
        planned(tmp_path, room(10, 120))


@pytest.mark.parametrize("start_map", [(3.0, 1.5), (50.0, 50.0), (-1.0, 0.5)])
def test_a_start_in_an_obstacle_or_beside_the_map_is_refused_with_its_place(
    tmp_path: Path, start_map: tuple[float, float]
):
    cells = room()
    cells[20:40, 50:70] = OCCUPIED

    with pytest.raises(StartBlocked, match=rf"start \({start_map[0]:.2f}, {start_map[1]:.2f}\)"):
        planned(tmp_path, cells, start_map)


def test_a_robot_larger_than_every_door_covers_its_room_and_tells_the_others(tmp_path: Path):
    cells = room()
    cells[:, 38:40] = cells[:, 78:80] = OCCUPIED
    cells[28:32, 38:40] = cells[28:32, 78:80] = FREE  # .2 m wide

    report = planned(tmp_path, cells, (1.0, 1.5))

    assert report.coverage_ratio > 0.99
    assert len(report.unreachable) == 2 and all(area["area_m2"] > 2 for area in report.unreachable)
    xs = np.loadtxt(tmp_path / "path.csv", delimiter=",", skiprows=1)[:, 0]
    assert xs.max() < 38 * 0.05


@pytest.mark.slow
def test_a_hall_of_sixteen_million_cells_is_planned_in_about_its_time(tmp_path: Path):
    began_s = time.monotonic()

    report = planned(tmp_path, room(4000, 4000), seconds=5.0)

    assert report.coverage_ratio > 0.99
    assert report.first_path_s < 60 and time.monotonic() - began_s < 120  # for a busy machine


@pytest.mark.slow
def test_a_maze_of_single_cells_ends_in_time_with_a_part(tmp_path: Path):
    cells = room(800, 800)
    cells[np.random.default_rng(0).random(cells.shape) < 0.3] = OCCUPIED
    write_map(tmp_path, "map", cells.astype(np.int8), GridGeometry(0.0, 0.0, 0.05, *cells.shape))
    small = CoverageSettings(robot_radius_m=0.02, tool_width_m=0.1, escape=False)
    began_s = time.monotonic()

    report = run_plan(tmp_path / "map.yaml", tmp_path / "path.csv", small, start_map=None, seconds=3.0)

    assert 0 < report.coverage_ratio <= 1 and time.monotonic() - began_s < 90
