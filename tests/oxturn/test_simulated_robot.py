import json
import subprocess
import sys
from pathlib import Path

import pytest

from oxturn import simulated_robot
from oxturn.simulated_robot import Pace, in_a_room


def test_the_daemon_drives_a_simulated_room_and_leaves_what_a_daemon_leaves(tmp_path):
    config = tmp_path / "robot.toml"
    config.write_text("[monitoring]\nport = 0\n")

    score = in_a_room(config, None, seed=3, rooms=1, speed=0, out=tmp_path / "run", time_limit_s=25)

    assert score["duration_s"] == pytest.approx(25, abs=0.5) and not score["finished"]
    assert score["path_length_m"] > 0.2 and score["collisions"] == 0
    robot = tmp_path / "run" / "robot"
    assert (robot / "metrics_address.txt").read_text().startswith("http://127.0.0.1:")
    assert json.loads((robot / "status.json").read_text())["has_model"] is False


def test_a_world_is_held_back_to_its_speed(monkeypatch):
    now, slept = [100.0], []
    monkeypatch.setattr(simulated_robot.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(simulated_robot.time, "sleep", slept.append)
    pace = Pace(speed=2.0)

    pace(None, 0.0)
    pace(None, 0.5)
    now[0] = 100.2
    pace(None, 0.5)
    now[0] = 101.0
    pace(None, 0.5)

    assert slept == pytest.approx([0.0, 0.25, 0.05, 0.0])


def test_a_configuration_that_is_wrong_is_one_clear_line(tmp_path):
    config = tmp_path / "robot.toml"
    config.write_text("[drive]\ncruise_mps = -1\n")

    command = [Path(sys.executable).with_name("oxturn"), "robotd", "--simulated", "--config", config]
    said = subprocess.run([*command, "--out", tmp_path / "o"], capture_output=True, text=True, check=False)

    assert said.returncode == 1
    assert said.stderr.count("\n") == 1 and "cruise_mps" in said.stderr
    assert not (tmp_path / "o").exists()
