"""A whole run with a simple robot in a process of its own: scored, repeatable, and every failure one clear line."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from simulation.errors import RunError
from simulation.room_simulator import draw_room
from simulation.run_room import RunScore, run_room, time_limit_for, wheel_scale

ROBOT = """
import math, sys
from foundation.robot_config import RobotConfig
from navigation.robot_io import DriveCommand
from simulation.sim_robot import SimRobot
from simulation.standin.path import use_standin
use_standin()
from controller import Robot
robot = SimRobot(Robot(), RobotConfig(), seed=1)
out, until_s = sys.argv[1], float(sys.argv[2])
lines = []
for seen in robot.observations():
    lines.append(f"{seen.stamp_s:.3f} {seen.wheels.left_rad * 0.035:.6f} 0 0 0 0 0 1\\n")
    ahead = seen.scan.ranges_m[205:245].min()
    robot.drive(DriveCommand(0.2, 0.0) if ahead > 0.4 else DriveCommand(0.0, 1.0))
    if seen.stamp_s >= until_s:
        break
open(out + "/published.tum", "w").writelines(lines)
"""


@pytest.fixture(scope="module")
def robot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("robot") / "robot.py"
    path.write_text(ROBOT)
    return path


def _drive(robot: Path, out: Path, *, until_s: float = 4.0, time_limit_s: float = 30.0) -> RunScore:
    command = [sys.executable, str(robot), str(out / "robot"), str(until_s)]
    room = draw_room(7, rooms=1, purpose="test")
    return run_room(room, seed=7, out=out, bundle=None, robot_command=command, time_limit_s=time_limit_s)


def test_a_run_is_scored_from_the_truth_and_kept(robot: Path, tmp_path: Path):
    score = _drive(robot, tmp_path)

    assert score.finished
    assert score.duration_s == pytest.approx(4.0, abs=0.15)
    assert 0.01 < score.coverage_ratio < 0.4
    assert 0.3 < score.path_length_m < 0.85
    assert score.localisation_error_m is not None
    assert json.loads((tmp_path / "run.json").read_text())["coverage_ratio"] == score.coverage_ratio
    with np.load(tmp_path / "run.npz") as run:
        assert run["covered"].shape == run["coverable"].shape == run["obstacles"].shape
        assert abs(len(run["true_trajectory"]) - 200) <= 6
        assert run["published_trajectory"].shape[1] == 4
        assert len(run["small_objects"]) == len(run["hit"]) == score.small_objects


@pytest.mark.slow
def test_equal_seeds_give_equal_runs(robot: Path, tmp_path: Path):
    assert _drive(robot, tmp_path / "a") == _drive(robot, tmp_path / "b")


def test_a_robot_that_never_ends_is_told_to(robot: Path, tmp_path: Path):
    score = _drive(robot, tmp_path, until_s=1e9, time_limit_s=2.0)

    assert not score.finished
    assert score.duration_s == pytest.approx(2.0, abs=0.1)
    assert score.localisation_error_m is not None


def test_a_robot_that_fails_is_named_with_its_last_words(tmp_path: Path):
    command = [sys.executable, "-c", "raise SystemExit('no battery')"]

    with pytest.raises(RunError, match="ended with code 1 before it connected: no battery"):
        run_room(draw_room(7, rooms=1), seed=7, out=tmp_path, bundle=None, robot_command=command)

    assert not (tmp_path / "run.json").exists()


def test_wheels_differ_from_their_nominal_size_a_little():
    scales = np.array([wheel_scale(seed) for seed in range(200)])

    assert 0.005 < scales.std() < 0.02
    assert (scales[:, 0] != scales[:, 1]).all()


def test_the_robots_side_asks_for_nothing_a_robot_lacks():
    text = Path(__file__).parents[2].joinpath("simulation", "sim_robot.py").read_text()
    code = text.split('"""', 2)[2]

    for word in ("Supervisor", "GPS", "gps", "InertialUnit", "ecognition", "egmentation", "getFromDef", "getSelf"):
        assert word not in code, word


def test_a_large_flat_has_more_time_than_a_room():
    assert time_limit_for(9.0) == 1800
    assert time_limit_for(30.0) >= 30 * 100, "furnished rooms take up to 90 s a square metre"
