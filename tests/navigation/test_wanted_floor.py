import numpy as np
import pytest
from drawn_map import DrawnMap

from foundation.robot_config import RobotConfig
from navigation.grid_geometry import GridGeometry
from navigation.job import JobError, parse
from navigation.map_handler import MapHandler
from navigation.robot_io import DriveCommand
from navigation.wanted_floor import WantedFloor
from perception.observation import Observation

CORNER = parse(
    """
    [[zones]]
    corners_map_m = [[0.5, 0.5], [1.5, 0.5], [1.5, 1.5], [0.5, 1.5]]
    [[spots]]
    centre_map_m = [2.0, 2.0]
    radius_m = 0.3
    """,
    "job.toml",
)


def handler(job=None):
    static = DrawnMap()
    room = MapHandler(RobotConfig(), static)
    if job is not None:
        room.set_wanted(WantedFloor(job, None))
    return room, static


def tick(room, estimate):
    room.integrate(estimate, Observation(estimate.stamp_s, None, None, None), None, DriveCommand(0.1, 0.0))


def sweep(room, static, x0_m, x1_m, y_m):
    for x_m in np.arange(x0_m, x1_m, 0.05):
        tick(room, static.estimate(float(x_m), y_m))


def test_what_is_not_wanted_needs_no_sweep_and_stays_floor():
    room, static = handler(CORNER)
    tick(room, static.estimate(1.0, 1.0))
    free, geometry = room.traversable()
    left = ~room.needs_no_sweep() & free

    rows, cols = np.nonzero(left)
    centres = geometry.centres(np.stack([rows, cols], axis=1))
    in_zone = (np.abs(centres - 1.0) < 0.5).all(axis=1)
    assert (in_zone | (np.hypot(*(centres - 2.0).T) < 0.3)).all()
    assert left.sum() * geometry.cell_m**2 == pytest.approx(1.0 + np.pi * 0.09, rel=0.03)
    assert free.sum() == (static.cells == 0).sum()


def test_coverage_speaks_of_the_wanted_floor():
    asked, static = handler(CORNER)
    whole, _ = handler()
    for room in (asked, whole):
        sweep(room, static, 0.2, 3.0, 1.0)

    assert asked.coverage_ratio() > 3 * whole.coverage_ratio()
    assert 0.25 < asked.covered_m2() < 0.27 < whole.covered_m2()
    assert (asked.needs_no_sweep() | ~whole.needs_no_sweep()).all(), "what was swept is swept for both"


def test_without_a_wanted_floor_all_of_it_is():
    room, static = handler()
    sweep(room, static, 0.5, 1.0, 1.0)

    assert np.array_equal(room.needs_no_sweep(), room.covered())
    room.needs_no_sweep()[:] = True
    assert not room.covered().all(), "a copy"


def test_the_wanted_floor_is_drawn_again_on_a_map_that_grew():
    room, static = handler(CORNER)
    before = room.covered_m2()
    static.geometry = GridGeometry(-1.0, -1.0, 0.025, static.geometry.rows + 80, static.geometry.cols + 80)
    static.cells = np.zeros(static.geometry.shape, np.int8)
    tick(room, static.estimate(1.0, 1.0))

    left = ~room.needs_no_sweep()
    row, col = static.geometry.cells(np.array([[2.0, 2.0]]))[0]
    assert left.shape == static.geometry.shape and left[row, col] and room.covered_m2() > before


def test_rooms_without_a_saved_map_are_refused():
    with pytest.raises(JobError, match=r"rooms \[2\] .* on a saved map only"):
        WantedFloor(parse("rooms = [2]", "job.toml"), None)
