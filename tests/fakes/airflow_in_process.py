"""Airflow without a server: one home and database, every DAG run in the caller's own process by `dag.test()`."""

import os
import warnings
from pathlib import Path

DAGS = Path(__file__).parents[2] / "dags"


def set_home(home):
    """Before Airflow is imported for the first time: where its database and logs lie."""
    os.environ.update(
        AIRFLOW_HOME=str(home),
        AIRFLOW__CORE__DAGS_FOLDER=str(DAGS),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{home / 'airflow.db'}",
        AIRFLOW__LOGGING__BASE_LOG_FOLDER=str(home / "logs"),
        AIRFLOW__LOGGING__LOGGING_LEVEL="ERROR",
        _AIRFLOW_SKIP_DB_TESTS="false",
    )


def load_dags():
    """All DAGs of `dags/` over a new database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from airflow.dag_processing.dagbag import DagBag
        from airflow.utils.db import initdb

        initdb()
        return DagBag(DAGS)


def run_dag(dag_bag, dag_id, dated=None, **params):
    """Runs the DAG to its end -> {task id: [states]}; raises AssertionError when it fails.

    `dated`: `logical_date` and `run_after` of the run; without, those of a run by hand now.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dag = dag_bag.dags[dag_id]
        # all of them: what an earlier run was given stays in the DAG
        asked = dict.fromkeys(dag.params, "") | {name: str(value) for name, value in params.items()}
        finished = dag.test(run_conf=asked, **(dated or {}))
        states = {}
        for instance in finished.get_task_instances():
            states.setdefault(instance.task_id, []).append(str(instance.state))
    assert str(finished.state) == "success", states
    return states
