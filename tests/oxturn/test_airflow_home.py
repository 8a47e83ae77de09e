import json
import stat
import subprocess
import time
import urllib.request

import pytest
from room_samples import capture

from oxturn import airflow_home
from oxturn.airflow_home import AirflowError, environment, running
from oxturn.service_verbs import local_variables


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
@pytest.mark.timeout(600)
def test_the_real_airflow_answers_on_loopback_alone_and_a_capture_wakes_the_training(tmp_path):
    pytest.importorskip("airflow", exc_type=ImportError)
    capture(tmp_path / "captures", rooms=4, frames=4, scale=3)
    variables = local_variables(tmp_path / "home", (tmp_path / "lake").as_uri())
    variables |= {"source": (tmp_path / "captures").as_uri(), "copies": "0", "minutes": "0.02", "job_rooms": "0"}
    with running(tmp_path / "home", 18080, variables) as held:
        airflow = Asked(held)
        dags = airflow.until(lambda: airflow.get("dags")["dags"], lambda dags: len(dags) >= 4)
        listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
        airflow.get("dags/data_cleaning/dagRuns", {"logical_date": None})
        [cleaning] = airflow.ended("data_cleaning")
        woken = airflow.until(lambda: airflow.tasks("training"), lambda tasks: tasks.get("evaluate") == "success")

    ours = [line.split()[3] for line in listening.splitlines() if "airflow" in line]
    assert ours and all(address.startswith("127.0.0.1:") for address in ours)
    assert {dag["dag_id"]: dag["is_paused"] for dag in dags} == {
        "data_cleaning": False,
        "training": False,
        "release": False,
        "drift_retrain": False,
    }
    assert cleaning["state"] == "success"
    assert woken["requested"] == woken["train"] == "success"


class Asked:
    """Airflow's REST interface, with the login that was printed."""

    def __init__(self, held):
        self._held = held
        login = json.dumps({"username": held.user, "password": held.password}).encode()
        self._token = self._send(f"{held.url}/auth/token", login)["access_token"]

    def get(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        return self._send(f"{self._held.url}/api/v2/{path}", data, Authorization=f"Bearer {self._token}")

    def tasks(self, dag_id):
        """State by task of the newest run; nothing before there is one."""
        runs = self.get(f"dags/{dag_id}/dagRuns")["dag_runs"]
        if not runs:
            return {}
        found = self.get(f"dags/{dag_id}/dagRuns/{runs[-1]['dag_run_id']}/taskInstances")["task_instances"]
        assert not [task for task in found if task["state"] == "failed"], found
        return {task["task_id"]: task["state"] for task in found}

    def ended(self, dag_id):
        def runs():
            return self.get(f"dags/{dag_id}/dagRuns")["dag_runs"]

        return self.until(runs, lambda found: found and all(run["state"] in ("success", "failed") for run in found))

    def until(self, look, enough):
        deadline = time.monotonic() + 240
        while not enough(found := look()) and time.monotonic() < deadline:
            time.sleep(0.5)
        assert enough(found), found
        return found

    @staticmethod
    def _send(url, data, **headers):
        request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)
