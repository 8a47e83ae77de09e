#!/usr/bin/env python3
"""What Airflow adds to a task: the cleaning DAG under `dag.test()`, and the same jobs called one after the other.

    python benchmarks/airflow_overhead.py [--rooms 12] [--frames 6] [--rounds 3]

Captures are painted, not simulated. A round runs both over fresh folders, in turn; the median round counts. The bar is
.2 s a task. The time of the whole suite of DAG tests is `pytest tests/dags`.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "fakes"))

import airflow_in_process
from room_samples import capture

from oxturn.jobs import data

BAR_S = 0.2


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=12)
    parser.add_argument("--frames", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="oxturn-dags-") as folder:
        work = Path(folder)
        airflow_in_process.set_home(work)
        dag_bag = airflow_in_process.load_dags()
        capture(work / "source", rooms=given.rooms, frames=given.frames, scale=2)
        source, lake = (work / "source").as_uri(), (work / "lake").as_uri()
        jobs(source, lake, "warm")  # imports, and kernels that are compiled when first called
        rounds = [one_round(dag_bag, source, lake, index) for index in range(given.rounds)]
    print(f"{'round':<7}{'tasks':>6}{'under Airflow s':>17}{'plain jobs s':>14}{'a task s':>10}")
    for index, (tasks, under_s, plain_s) in enumerate(rounds):
        print(f"{index:<7}{tasks:>6}{under_s:>17.2f}{plain_s:>14.2f}{(under_s - plain_s) / tasks:>10.3f}")
    added_s = statistics.median((under_s - plain_s) / tasks for tasks, under_s, plain_s in rounds)
    print(f"{'ok    ' if added_s <= BAR_S else 'FAILED'} Airflow's overhead a task {added_s:.3f} s <= {BAR_S} s")
    return 0 if added_s <= BAR_S else 1


def one_round(dag_bag: object, source: str, lake: str, index: int) -> tuple[int, float, float]:
    """Tasks, seconds under Airflow, seconds of the plain jobs."""
    began_s = time.perf_counter()
    params = {"lake": lake, "source": source, "partition": f"dag-{index}", "seed": 1, "copies": 1}
    states = airflow_in_process.run_dag(dag_bag, "data_cleaning", **params)
    ended_s = time.perf_counter()
    jobs(source, lake, f"plain-{index}")
    return sum(map(len, states.values())), ended_s - began_s, time.perf_counter() - ended_s


def jobs(source: str, lake: str, partition: str) -> None:
    """What the DAG's tasks call."""
    shards = [data.augment(data.clean(data.validate(raw)), 1, 1) for raw in data.ingest(source, lake, partition)]
    data.publish(data.split(shards, lake, partition, 1), lake, partition)


if __name__ == "__main__":
    sys.exit(main())
