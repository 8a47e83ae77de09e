import json
import stat
import subprocess
import time
import urllib.request

import pytest

from oxturn import airflow_home
from oxturn.airflow_home import AirflowError, environment, running


def test_everything_listens_on_loopback_and_runs_our_dags(tmp_path):
    settings = environment(tmp_path, 8081, {"lake": "file:///lake"})

    assert settings["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert (airflow_home.ROOT / "dags" / "data_cleaning_dag.py").is_file()
    assert settings["AIRFLOW__CORE__DAGS_FOLDER"] == str(airflow_home.ROOT / "dags")
    assert settings["AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION"] == "False"
    assert all("--skip-serve-logs" in p for p in airflow_home.PROGRAMS if p[0] in ("scheduler", "triggerer"))
    assert json.loads(settings["AIRFLOW_VAR_OXTURN"]) == {"lake": "file:///lake"}


def test_secrets_outlive_a_restart_and_are_the_owners_only(tmp_path):
    first = airflow_home._password(tmp_path / "p.json"), airflow_home._secret(tmp_path / "s.txt")
    second = airflow_home._password(tmp_path / "p.json"), airflow_home._secret(tmp_path / "s.txt")

    assert first == second
    assert first[0] != airflow_home._password(tmp_path / "other.json")
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def fake_airflow(folder, body):
    program = folder / "airflow"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    return folder / "python"


def test_a_program_that_ends_early_is_named_and_the_others_are_ended(tmp_path, monkeypatch):
    body = f'[ "$1" = db ] && exit 0; [ "$1" = triggerer ] && exit 3; echo $$ >> {tmp_path}/pids; exec sleep 60'
    monkeypatch.setattr("sys.executable", str(fake_airflow(tmp_path, body)))

    with pytest.raises(AirflowError, match=r"triggerer.*ended while starting"), running(tmp_path / "home", 1, {}):
        pass

    for pid in (tmp_path / "pids").read_text().split():
        assert subprocess.run(["kill", "-0", pid], capture_output=True, check=False).returncode != 0


def test_a_failed_migration_names_its_log(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.executable", str(fake_airflow(tmp_path, "echo no such table; exit 1")))

    refused = pytest.raises(AirflowError, match=r"db migrate ended with 1: see .*db-migrate\.log")
    with refused, running(tmp_path / "home", 1, {}):
        pass
    assert "no such table" in (tmp_path / "home" / "db-migrate.log").read_text()


def test_without_airflow_it_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))

    with pytest.raises(AirflowError, match=r"pip install"), running(tmp_path / "home", 1, {}):
        pass


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_real_airflow_answers_on_loopback_alone_and_knows_our_dags(tmp_path):
    pytest.importorskip("airflow", exc_type=ImportError)
    with running(tmp_path / "home", 18080, {"lake": tmp_path.as_uri()}) as held:
        dags = listed_dags(held)
        listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout

    ours = [line.split()[3] for line in listening.splitlines() if "airflow" in line]
    assert ours and all(address.startswith("127.0.0.1:") for address in ours)
    assert {dag["dag_id"]: dag["is_paused"] for dag in dags} == {
        "data_cleaning": False,
        "training": False,
        "release": False,
        "drift_retrain": False,
    }


def listed_dags(held):
    login = json.dumps({"username": held.user, "password": held.password}).encode()
    request = urllib.request.Request(f"{held.url}/auth/token", login, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as response:
        token = json.load(response)["access_token"]
    deadline = time.monotonic() + 60
    while True:
        request = urllib.request.Request(f"{held.url}/api/v2/dags", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=10) as response:
            dags = json.load(response)["dags"]
        if len(dags) >= 4 or time.monotonic() > deadline:
            return dags
        time.sleep(0.5)
