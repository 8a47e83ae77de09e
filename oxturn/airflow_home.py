"""Airflow with our DAGs on this machine, for `make airflow`: scheduler, DAG processor, triggerer and web server.

`airflow standalone` would also start log servers that listen on every interface and cannot be told otherwise, so the
four programs are started here without them; the LocalExecutor's logs are read from disk. Only loopback listens.
"""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from foundation.atomic_files import write_bytes
from foundation.errors import OxturnError

ROOT: Final = Path(__file__).parents[1]
PROGRAMS: Final[tuple[tuple[str, ...], ...]] = (
    ("scheduler", "--skip-serve-logs"),
    ("dag-processor",),
    ("triggerer", "--skip-serve-logs"),
)
WORKER: Final = ("celery", "worker", "--skip-serve-logs", "--without-mingle", "--concurrency", "1", "-H")
USER: Final = "admin"
START_WITHIN_S: Final = 180.0


class AirflowError(OxturnError):
    """Airflow is not installed, or one of its programs does not run."""


@dataclass(frozen=True, slots=True)
class Running:
    """Where Airflow answers, and the login."""

    url: str
    user: str
    password: str
    processes: tuple["subprocess.Popen[bytes]", ...]

    def ended(self) -> str | None:
        """The first program that is no longer there."""
        return next((str(p.args) for p in self.processes if p.poll() is not None), None)


def environment(home: Path, port: int, variables: Mapping[str, str]) -> dict[str, str]:
    """What makes Airflow ours; `variables` is what DAGs take when neither a person nor an asset says otherwise."""
    address = f"http://127.0.0.1:{port}"
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(max(os.cpu_count() or 2, 2)),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        "AIRFLOW_VAR_OXTURN": json.dumps(dict(variables)),
    }


@contextmanager
def running(
    home: Path,
    port: int,
    variables: Mapping[str, str],
    *,
    settings: Mapping[str, str] | None = None,
    workers: int = 0,
) -> Iterator[Running]:
    """Airflow while the block runs; its programs log to `home`. Raises AirflowError when one ends early.

    `settings` override the environment made here: another executor, its broker. `workers` Celery workers are started
    beside the others, the last of `processes`.
    """
    airflow = Path(sys.executable).with_name("airflow")
    if not airflow.exists():
        raise AirflowError("airflow is not installed here: pip install -c requirements.lock -e '.[airflow]'")
    home.mkdir(parents=True, exist_ok=True)
    told = os.environ | environment(home, port, variables)
    told |= {name: _secret(home / f"{name.lower()}.txt") for name in _SECRETS}
    told |= settings or {}
    password = _password(home / "passwords.json")
    _run_once(airflow, ("db", "migrate"), told, home)
    server = ("api-server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1")
    spread = [(*WORKER, f"worker{number}@%h") for number in range(workers)]
    processes = tuple(_started(airflow, command, told, home) for command in (*PROGRAMS, server, *spread))
    held = Running(f"http://127.0.0.1:{port}", USER, password, processes)
    try:
        _wait_until_it_answers(held, home)
        yield held
    finally:
        for process in processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in processes:
            _reap(process)


_SECRETS: Final = ("AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__API__SECRET_KEY", "AIRFLOW__CORE__FERNET_KEY")


def _secret(path: Path) -> str:
    """A random key that outlives restarts, readable by its owner only."""
    import base64

    if not path.exists():
        write_bytes(path, base64.urlsafe_b64encode(secrets.token_bytes(32)))
        path.chmod(0o600)
    return path.read_text()


def _password(path: Path) -> str:
    if not path.exists():
        write_bytes(path, json.dumps({USER: secrets.token_urlsafe(12)}).encode())
        path.chmod(0o600)
    return str(json.loads(path.read_text())[USER])


def _run_once(airflow: Path, command: tuple[str, ...], settings: Mapping[str, str], home: Path) -> None:
    log = home / f"{'-'.join(command)}.log"
    with log.open("wb") as output:
        code = subprocess.run([airflow, *command], env=dict(settings), stdout=output, stderr=output, check=False)
    if code.returncode:
        raise AirflowError(f"airflow {' '.join(command)} ended with {code.returncode}: see {log}")


def _started(
    airflow: Path, command: tuple[str, ...], settings: Mapping[str, str], home: Path
) -> "subprocess.Popen[bytes]":
    name = command[-1].partition("@")[0] if command[0] == "celery" else command[0]
    with (home / f"{name}.log").open("wb") as output:
        return subprocess.Popen(
            [airflow, *command], env=dict(settings), stdout=output, stderr=output, start_new_session=True
        )


def _wait_until_it_answers(held: Running, home: Path) -> None:
    deadline_s = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline_s:
        if (ended := held.ended()) is not None:
            raise AirflowError(f"{ended} ended while starting: see the logs in {home}")
        try:
            with urllib.request.urlopen(f"{held.url}/api/v2/monitor/health", timeout=2):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.25)
    raise AirflowError(f"no answer at {held.url} within {START_WITHIN_S:.0f} s: see the logs in {home}")


def _reap(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
