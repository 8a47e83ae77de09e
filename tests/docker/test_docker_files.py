"""No container engine runs here: what can be known without one is known."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from foundation.robot_config import RobotConfig
from oxturn.service_verbs import local_variables

ROOT = Path(__file__).parents[2]
DOCKERFILES = sorted((ROOT / "docker").glob("*.Dockerfile"))
COMPOSE = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
KNOWN = {"FROM", "RUN", "WORKDIR", "COPY", "USER", "ENV", "ENTRYPOINT", "CMD", "VOLUME", "STOPSIGNAL", "HEALTHCHECK"}


def instructions(path):
    """(name, arguments) with continued lines joined and comments gone."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def installed_extras(path):
    return {name for group in re.findall(r"'\.\[([\w,]+)\]'", path.read_text()) for name in group.split(",")}


def with_nested(names):
    """Requirements of the extras, and of the extras they name."""
    found = set()
    for name in names:
        for requirement in EXTRAS[name]:
            nested = re.fullmatch(r"oxturn\[([\w,]+)\]", requirement)
            found |= with_nested(nested[1].split(",")) if nested else {re.split(r"[^\w-]", requirement)[0].lower()}
    return found


def test_there_are_three_images_and_no_package():
    assert [path.name.split(".")[0] for path in DOCKERFILES] == ["airflow", "robot", "train"]
    assert not (ROOT / "docker" / "__init__.py").exists()  # it would hide the library `docker`


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_a_dockerfile_names_only_what_exists(path):
    found = instructions(path)
    ignored_but = {line[1:] for line in Path(f"{path}.dockerignore").read_text().splitlines() if line.startswith("!")}

    assert {name for name, _ in found} <= KNOWN
    assert found[0][0] == "FROM"
    for name, arguments in found:
        if name == "COPY":
            *sources, _ = arguments.split()
            for source in sources:
                assert (ROOT / source).exists(), source
                assert source in ignored_but, f"{source} is kept out of the build context"
    assert installed_extras(path) <= set(EXTRAS)


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_no_image_runs_as_root_or_carries_a_secret(path):
    found = instructions(path)

    assert [arguments for name, arguments in found if name == "USER"] == ["oxturn"]
    assert not re.search(r"(?i)password|secret|token", path.read_text())


def test_every_package_the_command_imports_is_in_every_image():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"dags"}

    for path in DOCKERFILES:
        copied = {arguments.split()[0] for name, arguments in instructions(path) if name == "COPY"}
        assert packages <= copied, path.name


def test_the_robot_image_carries_no_torch():
    robot = next(path for path in DOCKERFILES if path.name == "robot.Dockerfile")
    heavy = {"torch", "mlflow", "apache-airflow", "mujoco", "matplotlib", "scikit-learn", "pandas"}

    assert installed_extras(robot) == {"robot"}
    assert not with_nested(["robot"]) & heavy
    assert with_nested(["train"]) & heavy  # the test would notice


def test_compose_opens_ports_on_loopback_only():
    for name, service in COMPOSE["services"].items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), name


LOOPBACK = {
    "prometheus": "--web.listen-address=127.0.0.1:9090",
    "alertmanager": "--web.listen-address=127.0.0.1:9093",
    "grafana": "127.0.0.1",
    "robot": "--simulated",  # robot.toml's defaults: its metrics and page are on loopback
    "prometheus-socket": "UNIX-LISTEN:/door/prometheus.sock,fork,unlink-early",
}


def test_what_shares_the_hosts_network_listens_on_loopback_only():
    hosts = {name: service for name, service in COMPOSE["services"].items() if service.get("network_mode") == "host"}

    assert set(hosts) == set(LOOPBACK)
    for name, service in hosts.items():
        told = [*service.get("command", []), service.get("environment", {}).get("GF_SERVER_HTTP_ADDR")]
        assert LOOPBACK[name] in told, name
        assert not [word for word in told if "0.0.0.0" in str(word)], name
    assert RobotConfig().monitoring.host == "127.0.0.1"


def test_the_variable_that_dags_read_is_set_as_oxturn_airflow_sets_it():
    local = local_variables(Path("/data"), "")
    services = {name: service for name, service in COMPOSE["services"].items() if name.startswith("airflow-")}
    del services["airflow-db"]

    for name, service in services.items():
        told = json.loads(service["environment"]["AIRFLOW_VAR_OXTURN"])
        assert told == local | {"registry": "http://mlflow:5000", "prometheus": "http://prometheus-door:9090"}, name
        assert "lake:/data" in service["volumes"], name
    assert {"mlflow", "prometheus-door"} <= set(COMPOSE["services"])


def test_no_setting_is_made_that_nothing_reads():
    told = "".join(path.read_text() for path in (ROOT / "docker").iterdir())
    folders = ("deploy", "oxturn", "dags", "monitoring")
    readers = [path for folder in folders for kind in ("py", "yml") for path in ROOT.glob(f"{folder}/**/*.{kind}")]
    read = "".join(path.read_text() for path in readers)

    for name in re.findall(r"^ +(OXTURN_\w+)[:=]", told, re.MULTILINE):
        assert name in read, name


def test_compose_mounts_and_builds_what_exists():
    for name, service in COMPOSE["services"].items():
        if "build" in service:
            assert (ROOT / service["build"]["dockerfile"]).is_file(), name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (ROOT / "docker" / source).resolve().is_dir(), f"{name}: {source}"
            else:
                assert source in COMPOSE["volumes"], f"{name}: {source}"


def test_compose_services_wait_only_for_known_ones_and_hold_no_password():
    for name, service in COMPOSE["services"].items():
        assert set(service.get("depends_on", {})) <= set(COMPOSE["services"]), name
        for key, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET", key):
                assert value.startswith("${"), f"{name}: {key}"
