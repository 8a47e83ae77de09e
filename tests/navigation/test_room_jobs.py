"""A flat is covered once; from then on its rooms can be asked for."""

import numpy as np
import pytest
from flat_world import FlatWorld

from foundation.geometry import Pose2D
from foundation.robot_config import RobotConfig
from navigation.background import SteppedBackground
from navigation.grid_geometry import GridGeometry
from navigation.job import JobError, parse
from navigation.job_store import JobStore
from navigation.known_rooms import run_rooms
from navigation.robot_loop import run
from navigation.ros_map import write_map
from navigation.stages import build
from navigation.static_map import FREE, OCCUPIED

START = Pose2D(0.5, 0.5, 0.3)
BEYOND = "rooms = ['beyond']\nreturn_to_start = true\n"


class Blind:
    def detect(self, observation):
        return None


def flat():
    """Two rooms of 1.6 m x 1.7 m, a door of 0.55 m between them."""
    return FlatWorld((0, 0, 3.3, 1.7), [(1.6, 0, 1.7, 0.3), (1.6, 0.85, 1.7, 1.7)], start=START, seed=5)


def beyond_place():
    """In `map`, whose origin is the start."""
    return START.inverse().transform(np.array([[2.5, 0.9]]))[0]


def drive(world, state, text, ticks):
    stages = build(
        RobotConfig(), background=lambda name: SteppedBackground(2), state_dir=state, job=parse(text, "job.toml")
    )
    world.ticks = ticks
    run(
        world, stages.localiser, Blind(), stages.room, stages.planner, stages.limit,
        lambda report: stages.keeper.on_tick(report.estimate),
    )  # fmt: skip
    stages.keeper.end(stages.planner.report().done)
    return stages


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    state = tmp_path_factory.mktemp("state")
    stages = drive(flat(), state, "", 6000)
    assert stages.planner.report().done
    return state


def test_a_room_of_the_map_known_is_covered_and_no_other(known):
    x_m, y_m = beyond_place()
    named = f"[[named_rooms]]\nname = 'beyond'\nplace_map_m = [{x_m:.3f}, {y_m:.3f}]\n"
    world = flat()

    first = drive(world, known, BEYOND + named, 150)
    assert not first.planner.report().done
    again = flat()
    again.pose, again.track, again.tool_was_on = world.pose, world.track, world.tool_was_on
    stages = drive(again, known, BEYOND + named, 5000)

    score = again.score()
    rows, cols = np.nonzero(score["coverable"])
    x = score["geometry"].centres(np.stack([rows, cols], axis=1))[:, 0]
    swept = score["swept"][rows, cols]
    assert stages.planner.report().done and stages.planner.report().homecoming.arrived
    assert swept[x > 1.75].mean() > 0.95 and swept[x < 1.5].mean() < 0.6
    assert again.pose.distance_m(START) < 0.12 and score["collisions"] == 0


def test_the_rooms_of_a_robot_that_has_covered_its_floor_are_told(known, tmp_path):
    rows = run_rooms(known, RobotConfig(), tmp_path / "rooms.png")

    assert [row["number"] for row in rows] == [1, 2]
    assert all(2.0 < row["area_m2"] < 3.2 for row in rows)
    assert np.hypot(*(np.array(rows[1]["place_map_m"]) - beyond_place())) < 0.4
    assert (tmp_path / "rooms.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(JobError, match="no map of a finished job"):
        run_rooms(tmp_path, RobotConfig(), None)


def test_the_rooms_of_a_ros_map_are_told(tmp_path):
    cells = np.full((60, 120), OCCUPIED, np.int8)
    cells[2:-2, 2:58] = cells[2:-2, 62:-2] = cells[20:30, 58:62] = FREE
    write_map(tmp_path, "flat", cells, GridGeometry(-1.0, -1.0, 0.05, 60, 120))

    rows = run_rooms(tmp_path / "flat.yaml", RobotConfig(), None)

    assert len(rows) == 2 and rows[0]["place_map_m"][0] < 2.0 < rows[1]["place_map_m"][0]


def test_a_zone_on_the_saved_map_makes_no_map_anew(known):
    text = "on_saved_map = true\n[[spots]]\ncentre_map_m = [0.4, 0.2]\nradius_m = 0.25"

    ground = JobStore(known / "job.sqlite").finished()
    stages = drive(flat(), known, text, 2000)

    assert stages.planner.report().done and stages.room.coverage_ratio() > 0.95
    assert len(stages.localiser.snapshot().keyframes) == len(ground.snapshot.keyframes) > 3
    assert (known / "job.finished.sqlite").exists()


def test_a_room_that_is_not_there_and_a_map_that_is_not_there_are_told(known, tmp_path):
    before = sorted(path.name for path in known.iterdir())
    for state, text, says in (
        (known, "rooms = [3]", "room 3 is wanted, the map has rooms 1 to 2"),
        (tmp_path, "rooms = [1]", r"rooms \[1\] are wanted, and no map of a finished job is known"),
        (tmp_path / "else", "on_saved_map = true", "on_saved_map is set, and no map"),
    ):
        with pytest.raises(JobError, match=says):
            build(
                RobotConfig(), background=lambda name: SteppedBackground(1), state_dir=state,
                job=parse(text, "job.toml"),
            )  # fmt: skip
    assert sorted(path.name for path in known.iterdir()) == before, "the next start would try the impossible again"
