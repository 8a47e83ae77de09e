"""What new software is asked about itself before it is used."""

import json

import pytest
import typer
from fake_publisher import FakePublisher
from typer.testing import CliRunner

import deploy.cli
from deploy import software_check
from deploy.software_check import examine


@pytest.fixture
def publisher(tmp_path):
    return FakePublisher(tmp_path)


@pytest.fixture
def home(publisher, tmp_path):
    return publisher.robot(tmp_path / "robot")


def test_this_software_works_on_a_fresh_robot(home, tmp_path):
    seen = examine(home.path, tmp_path / "none.toml")

    assert (seen.healthy, seen.reason) == (True, "")


def test_a_module_that_is_missing_is_named(home, monkeypatch):
    monkeypatch.setattr(software_check, "NEEDED", ("deploy.robotd", "deploy.no_such_module"))

    seen = examine(home.path, None)

    assert (seen.healthy, seen.reason) == (False, "ModuleNotFoundError: No module named 'deploy.no_such_module'")


def test_settings_that_it_does_not_understand_are_told_before_the_switch(home, tmp_path):
    (tmp_path / "robot.toml").write_text("[body]\nradiuss_m = 1.0\n")

    seen = examine(home.path, tmp_path / "robot.toml")

    assert not seen.healthy
    assert "radiuss_m" in seen.reason


def test_a_robot_without_a_trust_root_is_not_well(tmp_path):
    assert "run `oxturn pi setup`" in examine(tmp_path, None).reason


def test_the_robots_model_must_give_its_answers_with_the_new_software(home, publisher):
    from deploy.bundle_archive import unpack
    from deploy.trust import verify_offer

    publisher.publish(b"no model at all")
    publisher.deliver(home)
    verification = verify_offer(home.load_trust(), home.fetch, publisher.now_s)
    (archive,) = publisher.repo.glob("*.model.tar")
    home.slots.fill("A", unpack(archive.read_bytes()), verification.offer)
    home.slots.switch("A")

    assert "the robot's model with this software" in examine(home.path, None).reason


def test_its_verb_prints_one_line_that_the_updater_reads(home):
    app = typer.Typer()
    deploy.cli.register(app)

    result = CliRunner().invoke(app, ["pi", "software-check", str(home.path)])

    assert json.loads(result.stdout)["healthy"] is True
    assert result.stdout.count("\n") == 1
