"""The verbs as a user types them: JSON is one document, errors are one line, exit codes as promised."""

import json
import sys

import pytest
import typer
from fake_publisher import FakePublisher
from fake_software import wheels_of
from typer.testing import CliRunner

import deploy.cli
from deploy import pi_commands, robot_toml
from deploy.local_robot import local_robot_end
from deploy.transport import create_client_key
from deploy.update_errors import DeployError


@pytest.fixture
def run():
    app = typer.Typer()
    deploy.cli.register(app)

    def invoke(*arguments, code=0):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return invoke


@pytest.fixture
def bundle(tmp_path):
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"good 1")
    return folder


@pytest.fixture
def key_and_end(tmp_path):
    publisher = FakePublisher(tmp_path)
    home = publisher.robot(tmp_path / "robot")
    healthy = tmp_path / "healthy.py"
    healthy.write_text("""print('{"healthy": true, "reason": "", "latency_ms_p50": 1}')""")
    key = create_client_key(tmp_path / "client_key")
    shell = ["--health-command", sys.executable, str(healthy)]
    with local_robot_end(home.path, key, prefer_openssh=False, shell_arguments=shell) as end:
        yield publisher, tmp_path / "client_key", end


def test_keys_publish_push_status_rollback(run, bundle, key_and_end, tmp_path):
    publisher, key, end = key_and_end
    (tmp_path / "host.pub").write_text(end.host_key)
    robot = ["--host", f"{end.user}@{end.host}:{end.port}", "--host-key", tmp_path / "host.pub", "--key-file", key]

    published = json.loads(
        run("ota", "publish", bundle, "--keys", publisher.keys, "--repo", publisher.repo, "--json").stdout
    )
    pushed = json.loads(run("ota", "push", "--repo", publisher.repo, *robot, "--json").stdout)
    status = json.loads(run("ota", "status", *robot, "--json").stdout)
    back = json.loads(run("ota", "rollback", *robot, "--json", code=1).stdout)

    assert published["version"] == pushed["version"] == status["installed_version"] == 1
    assert pushed["result"] == "confirmed"
    assert "no older model" in back["message"]


def test_software_is_published_and_refused_by_a_robot_of_another_kind(run, key_and_end, tmp_path):
    publisher, key, end = key_and_end
    (tmp_path / "wheels").mkdir()
    for name, data in wheels_of("good 1").items():
        (tmp_path / "wheels" / name).write_bytes(data)
    robot = ["--host", f"{end.user}@{end.host}:{end.port}", "--host-key", end.host_key, "--key-file", key, "--json"]
    wheels = ["--software", tmp_path / "wheels", "--processor", "riscv64"]

    published = json.loads(
        run("ota", "publish", *wheels, "--keys", publisher.keys, "--repo", publisher.repo, "--json").stdout
    )
    pushed = json.loads(run("ota", "push", "--software", "--repo", publisher.repo, *robot, code=1).stdout)
    status = json.loads(run("ota", "status", *robot).stdout)
    back = json.loads(run("ota", "rollback", "--software", *robot, code=1).stdout)

    assert published["kind"] == "software"
    assert (pushed["result"], pushed["code"]) == ("refused", "bad_wheels")
    assert "riscv64" in pushed["message"]
    assert status["software"]["active"] is None
    assert "no older software" in back["message"]


def test_keys_are_made_and_rotated_and_their_passphrase_shown_once(run, tmp_path, monkeypatch):
    made = json.loads(run("ota", "keys", "--keys", tmp_path / "keys", "--json").stdout)
    monkeypatch.setenv("OXTURN_ROOT_PASSPHRASE", made["root_passphrase"])
    rotated = json.loads(run("ota", "keys", "--keys", tmp_path / "keys", "--rotate", "targets", "--json").stdout)

    assert made["first_root"].endswith("1.root.json")
    assert rotated["root"].endswith("2.root.json")


def test_the_robots_own_status(run, tmp_path):
    home = FakePublisher(tmp_path).robot(tmp_path / "robot")

    assert "version None" in run("ota", "status", "--home", home.path).stdout


def test_a_robot_that_cannot_tell_its_status_says_why_in_one_line(run, tmp_path):
    home = FakePublisher(tmp_path).robot(tmp_path / "robot")
    (home.path / "incoming" / "pushed").mkdir()  # cannot be read as a file

    failed = run("ota", "status", "--home", home.path, code=1)
    told = json.loads(run("ota", "status", "--home", home.path, "--json", code=1).stdout)

    assert isinstance(failed.exception, DeployError)
    assert "cannot tell its status" in str(failed.exception) and "pushed" in str(failed.exception)
    assert (told["result"], "pushed" in told["message"]) == ("failed", True)


def test_a_robot_whose_trust_is_damaged_says_what_to_do_beside_its_status(run, tmp_path):
    home = FakePublisher(tmp_path).robot(tmp_path / "robot")
    (home.path / "trust" / "trusted.json").write_bytes(b"")

    told = run("ota", "status", "--home", home.path)

    assert "version None" in told.stdout
    assert told.stderr.startswith("oxturn: ") and "sudo rm" in told.stderr and told.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("ota", "push", "--repo", "nowhere"),
        ("ota", "status", "--host", "robot:port"),
        ("ota", "publish"),
        ("ota", "publish", "--keys", "keys", "--repo", "repo"),
        ("ota", "publish", "bundle", "--software", "wheels", "--keys", "keys", "--repo", "repo"),
        ("ota", "rollout", "--inventory", "fleet.toml"),
    ],
)
def test_wrong_usage_is_exit_code_two(run, arguments):
    run(*arguments, code=2)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("ota", "publish", "nowhere", "--keys", "keys", "--repo", "repo"), "nowhere is not a folder"),
        (("ota", "publish", "--software", "none", "--keys", "keys", "--repo", "repo"), "none is not a folder"),
        (
            ("ota", "publish", "--software", "none", "--python", "3.11", "--keys", "keys", "--repo", "repo"),
            "wanted as cp311",
        ),
        (("ota", "keys", "--keys", "{keys}"), "already holds keys"),
        (("ota", "keys", "--keys", "{keys}", "--rotate", "dance"), "cannot be opened"),
        (("ota", "rollout", "--inventory", "none.toml", "--journal", "j.json", "--repo", "r"), "none.toml"),
        (("pi", "setup", "pi", "--wheel", "w", "--first-root", "r", "--push-key", "k", "--check"), "w: No such file"),
    ],
)
def test_a_refusal_is_one_line(run, tmp_path, arguments, line, monkeypatch):
    monkeypatch.delenv("OXTURN_ROOT_PASSPHRASE", raising=False)
    publisher = FakePublisher(tmp_path)

    result = run(*(part.format(keys=publisher.keys) for part in arguments), code=1)

    assert isinstance(result.exception, DeployError)
    assert line in str(result.exception)
    assert "\n" not in str(result.exception)


def test_a_roll_out_by_its_verb(run, bundle, key_and_end, tmp_path):
    publisher, key, end = key_and_end
    publisher.publish(b"good 1")
    inventory = tmp_path / "fleet.toml"
    inventory.write_text(
        f'[[robot]]\nname = "one"\nhost = "{end.host}"\nport = {end.port}\nuser = "{end.user}"\n'
        f'host_key = "{end.host_key}"\nkey_file = "{key}"\n'
    )
    journal = ["--inventory", inventory, "--journal", tmp_path / "rollout.json"]

    paused = run("ota", "rollout", *journal, "--wish", "pause")
    first = json.loads(run("ota", "rollout", *journal, "--repo", publisher.repo, "--json").stdout)
    run("ota", "rollout", *journal, "--wish", "run")
    second = json.loads(run("ota", "rollout", *journal, "--repo", publisher.repo, "--json").stdout)

    assert "pause" in paused.stdout
    assert (first["result"], second["result"], second["installed"]) == ("paused", "finished", 1)


@pytest.fixture
def used_on_the_robot(monkeypatch):
    """Which configuration each verb that moves the robot was given."""
    used = []
    monkeypatch.setattr(pi_commands, "run_selftest", lambda config, out: used.append(config) or (True, "ok"))
    monkeypatch.setattr(pi_commands, "run_calibration", lambda config: used.append(config) or [])
    monkeypatch.setattr(pi_commands, "run_teleop", used.append)
    return used


@pytest.mark.parametrize("verb", [("pi", "selftest"), ("pi", "calibrate"), ("robot", "teleop")])
def test_verbs_on_the_robot_use_its_own_configuration_and_say_which(
    run, used_on_the_robot, verb, tmp_path, monkeypatch
):
    installed, other = tmp_path / "robot.toml", tmp_path / "other.toml"
    monkeypatch.setattr(deploy.cli, "config_here", lambda given: robot_toml.config_here(given, installed))

    elsewhere = run(*verb)
    installed.write_text("")
    on_the_robot = run(*verb)
    by_hand = run(*verb, "--config", other)

    assert used_on_the_robot == [None, installed, other]
    assert "the reference robot" in elsewhere.stderr
    assert f"configuration: {installed}" in on_the_robot.stderr
    assert f"configuration: {other}" in by_hand.stderr
