"""The cleaning DAG spread over Celery workers: shards a worker, equal results, a killed worker's shard redone once.

    python -m benchmarks.scale_out [--workers 3] [--rooms 9] [--frames 40]

Needs redis-server and docker/airflow-workers.txt installed beside the rest. Captures are painted, not simulated: what
is measured is the spreading. Prints a table; exit code 1 when a result differs or a shard was lost.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "fakes"))

from room_samples import capture

from oxturn import lake
from oxturn.airflow_home import Running, running
from oxturn.jobs import data

MAPPED = ("validate", "clean", "augment")
QUICK_LOSS = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "3",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
}


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield f"redis://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


class Asked:
    """Airflow's REST interface."""

    def __init__(self, held: Running) -> None:
        self._url = held.url
        self._token = ""
        login = {"username": held.user, "password": held.password}
        self._token = self.send("/auth/token", login)["access_token"]

    def send(self, path: str, body: Any = None) -> Any:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"}
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self._url + path, data, headers), timeout=60) as response:
            return json.load(response)

    def tasks(self, run: str) -> list[dict[str, Any]]:
        path = f"/api/v2/dags/data_cleaning/dagRuns/{run}/taskInstances?limit=500"
        return list(self.send(path)["task_instances"])

    def state(self, run: str) -> str:
        return str(self.send(f"/api/v2/dags/data_cleaning/dagRuns/{run}")["state"])


def spread(
    asked: Asked, held: Running, partition: str, kill: bool, limit_s: float
) -> tuple[float, list[dict[str, Any]]]:
    """Runs the DAG over one partition; with `kill`, one worker is killed in the middle of a mapped task."""
    began_s = time.monotonic()
    run = asked.send("/api/v2/dags/data_cleaning/dagRuns", {"logical_date": None, "conf": {"partition": partition}})
    run_id = run["dag_run_id"]
    while asked.state(run_id) not in ("success", "failed"):
        if time.monotonic() - began_s > limit_s:
            raise SystemExit(
                f"partition {partition}: not done within {limit_s:.0f} s: {Counter(states(asked, run_id))}"
            )
        if kill and (victim := busy_worker(asked, held, run_id)) is not None:
            os.killpg(victim, signal.SIGKILL)
            kill = False
            print(f"killed worker with process group {victim}", flush=True)
        time.sleep(0.3)
    if kill:
        raise SystemExit("no worker was busy long enough to be killed: give more frames")
    return time.monotonic() - began_s, asked.tasks(run_id)


def states(asked: Asked, run_id: str) -> list[str]:
    return [f"{task['task_id']} {task['state']}" for task in asked.tasks(run_id)]


def busy_worker(asked: Asked, held: Running, run_id: str) -> int | None:
    """Process group of a worker that is in the middle of a mapped task."""
    groups = {process.pid for process in held.processes if "celery" in process.args}
    for task in asked.tasks(run_id):
        if task["task_id"] in MAPPED and task["state"] == "running" and task["pid"]:
            try:
                group = os.getpgid(int(task["pid"]))
            except ProcessLookupError:
                continue
            if group in groups:
                return group
            parent = parent_in(int(task["pid"]), groups)
            if parent is not None:
                return parent
    return None


def parent_in(pid: int, groups: set[int]) -> int | None:
    """The nearest forebear that is one of `groups`."""
    while pid > 1:
        if pid in groups:
            return pid
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            return None
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--rooms", type=int, default=9)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--port", type=int, default=18090)
    parser.add_argument("--limit", type=float, default=900.0, help="seconds for one run")
    told = parser.parse_args()
    if shutil.which("redis-server") is None:
        print("redis-server is not installed: sudo apt-get install redis-server")
        return 1
    with tempfile.TemporaryDirectory(prefix="oxturn-scale-") as name:
        return measured(Path(name), told)


def measured(root: Path, told: argparse.Namespace) -> int:
    capture(root / "captures", rooms=told.rooms, frames=told.frames, scale=3)
    source, where = (root / "captures").as_uri(), (root / "lake").as_uri()
    began_s = time.monotonic()
    raw = data.ingest(source, where, "single")
    single = data.split([data.augment(data.clean(data.validate(shard)), 1, 1) for shard in raw], where, "single", 1)
    wanted = lake.find(single)
    assert wanted is not None
    print(f"{'run':<24}{'seconds':>9}{'shards by worker':>30}{'tries > 1':>11}{'equal':>7}")
    print(f"{'one process':<24}{time.monotonic() - began_s:>9.1f}{told.rooms:>30}{0:>11}{'-':>7}", flush=True)
    variables = {"lake": where, "source": source, "partition": "p", "seed": "1", "copies": "1"}
    well = True
    with redis(root) as broker:
        settings = QUICK_LOSS | {
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__CELERY__BROKER_URL": f"{broker}/0",
            "AIRFLOW__CELERY__RESULT_BACKEND": f"{broker}/1",
            "AIRFLOW__CELERY__WORKER_PREFETCH_MULTIPLIER": "1",
        }
        home = root / "airflow"
        with running(home, told.port, variables, settings=settings, workers=told.workers) as held:
            asked = Asked(held)
            while len(asked.send("/api/v2/dags")["dags"]) < 4:
                time.sleep(0.5)
            for partition, kill in (("spread", False), ("killed", True)):
                seconds, tasks = spread(asked, held, partition, kill, told.limit)
                shares = by_worker(home, told.workers)
                again = [task for task in tasks if task["try_number"] > 1]
                found = lake.find(f"{where}/{partition}/dataset")
                equal = found is not None and found.digest == wanted.digest
                well &= equal and (len(again) == 1 if kill else not again)
                label = f"{told.workers} Celery workers" + (", one killed" if kill else "")
                print(f"{label:<24}{seconds:>9.1f}{shares!s:>30}{len(again):>11}{equal!s:>7}", flush=True)
    return 0 if well else 1


def by_worker(home: Path, workers: int) -> list[int]:
    """Tasks that each worker has received so far, from its own log."""
    return [(home / f"worker{n}.log").read_text(errors="replace").count(" received") for n in range(workers)]


if __name__ == "__main__":
    sys.exit(main())
