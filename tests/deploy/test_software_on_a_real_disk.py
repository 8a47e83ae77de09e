"""Real wheels, a real environment, the real guard: pushed over SSH, installed without a network, started by hand."""

import subprocess
from pathlib import Path

import pytest
from fake_health import FakeClock
from fake_publisher import FakePublisher
from fake_software import wheel

from deploy import software_trial, software_watch
from deploy.environments import AsksItself, PipEnvironments, clean_environment
from deploy.local_robot import local_robot_end
from deploy.push import ask, push
from deploy.robot_home import on_this_machine
from deploy.software_update import slot_of, this_machine
from deploy.software_watch import SoftwareWatch
from deploy.transport import RobotAddress, create_client_key
from deploy.update_errors import UpdateFailed
from navigation.background import SteppedBackground

GUARD = Path(__file__).parents[2] / "deploy" / "systemd" / "software_guard.sh"


@pytest.fixture
def publisher(tmp_path):
    return FakePublisher(tmp_path)


@pytest.fixture
def home(publisher, tmp_path):
    return publisher.robot(tmp_path / "robot").path


@pytest.fixture
def robot(tmp_path, home):
    key = create_client_key(tmp_path / "client_key")
    with local_robot_end(home, key, prefer_openssh=False, shell_arguments=["--no-system-packages"]) as end:
        yield RobotAddress(end.host, end.port, end.user, end.host_key, tmp_path / "client_key")


def start(home):
    """ExecStartPre and ExecStart of the unit; (exit code, what the daemon printed)."""
    subprocess.run(["sh", str(GUARD), str(home / "software")], check=True, capture_output=True)
    program = home / "software" / "current" / "venv" / "bin" / "oxturn"
    done = subprocess.run([program], capture_output=True, text=True, env=clean_environment(), check=False)
    return done.returncode, done.stdout.strip()


def run_well(home):
    """The daemon's part, from the slot that it runs from."""
    watch = SoftwareWatch(home, software_home(home).slots.active(), SteppedBackground(1), FakeClock(0.0), 0.0)
    for _ in range(30):
        watch.tick()
    return watch


def software_home(home):
    return on_this_machine(home, "software")


@pytest.mark.slow
def test_software_is_pushed_installed_tried_confirmed_and_left_when_it_crashes(publisher, home, robot):
    machine = this_machine()

    publisher.publish_software("good 1", machine)
    first = push(publisher.repo, robot, kind="software")
    publisher.publish_software("good 2", machine)
    second = push(publisher.repo, robot, kind="software")
    on_trial = ask(robot, "status")["software"]
    ran = start(home)
    run_well(home)
    confirmed = ask(robot, "status")["software"]
    publisher.publish_software("crash 3", machine)
    third = push(publisher.repo, robot, kind="software")
    crashed = [start(home)[0] for _ in range(3)]
    back = start(home)
    run_well(home)
    after = ask(robot, "status")["software"]

    assert (first.result, first.how) == ("confirmed", "whole")
    assert (second.result, second.how) == ("on_trial", "patch")
    assert (on_trial["on_trial"], on_trial["active"], ran) == (True, "B", (0, "good 2"))
    assert (confirmed["on_trial"], confirmed["last_update"]["result"]) == (False, "confirmed")
    assert third.result == "on_trial"
    assert crashed == [1, 1, 1]
    assert back == (0, "good 2")
    assert (after["installed_version"], after["last_rollback"]["result"]) == (2, "rolled_back")


def environment(tmp_path, publisher, what, name="venv"):
    publisher.publish_software(what, this_machine())
    wheels = sorted(path.name for path in (tmp_path / "wheels").iterdir())
    PipEnvironments(system_packages=False).build(tmp_path / name, tmp_path / "wheels", wheels)
    return tmp_path / name


@pytest.mark.slow
def test_an_environment_is_built_where_it_runs_and_asked_by_its_own_program(tmp_path, publisher, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # nobody asks an index, whatever is set
    (tmp_path / "pip.py").write_text("raise SystemExit(3)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))  # nor are modules taken from elsewhere

    venv = environment(tmp_path, publisher, "sick 1")
    seen = AsksItself(tmp_path).examine(venv)

    assert (venv / "bin" / "oxturn").read_text().startswith(f"#!{venv}/bin/python")
    assert (seen.healthy, seen.reason) == (False, "cannot import")


@pytest.mark.slow
def test_what_cannot_be_built_says_why_in_one_line(tmp_path, publisher):
    with pytest.raises(UpdateFailed, match="pip ended with 1"):
        (tmp_path / "wheels").mkdir()
        PipEnvironments(system_packages=False).build(tmp_path / "venv", tmp_path / "wheels", ["x-1-py3-none-any.whl"])


@pytest.mark.slow
def test_a_wheel_writes_nothing_outside_its_environment(tmp_path):
    name = "oxturn-1.0-py3-none-any.whl"
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / name).write_bytes(wheel("oxturn", "1.0", {"../../../../../outside.txt": "here"}))

    with pytest.raises(UpdateFailed, match="has a file"):  # pip says which, and stops
        PipEnvironments(system_packages=False).build(tmp_path / "robot" / "venv", tmp_path / "wheels", [name])

    assert not list(tmp_path.rglob("outside.txt"))


def test_building_ends_at_its_deadline(tmp_path):
    with pytest.raises(UpdateFailed, match="not done within"):
        PipEnvironments(within_s=0.001).build(tmp_path / "venv", tmp_path, [])


def test_an_environment_without_the_program_is_not_healthy(tmp_path):
    seen = AsksItself(tmp_path).examine(tmp_path)

    assert (seen.healthy, seen.reason) == (False, "bin/oxturn cannot be started: No such file or directory")


def test_a_process_knows_the_slot_that_it_runs_from(home):
    software = software_home(home)

    assert slot_of(software, str(software_trial.venv_dir(software, "B"))) == "B"
    assert software_watch.own_slot(home) is None  # this one runs from none
