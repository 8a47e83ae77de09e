"""One Airflow home and database a session; every DAG run happens inside the test's own process."""

import os
import warnings
from pathlib import Path

import pytest

DAGS = Path(__file__).parents[2] / "dags"


@pytest.fixture(scope="session")
def dag_bag(tmp_path_factory):
    """All DAGs of `dags/`, ready for `dag.test()`."""
    home = tmp_path_factory.mktemp("airflow")
    os.environ.update(
        AIRFLOW_HOME=str(home),
        AIRFLOW__CORE__DAGS_FOLDER=str(DAGS),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{home / 'airflow.db'}",
        AIRFLOW__LOGGING__BASE_LOG_FOLDER=str(home / "logs"),
        AIRFLOW__LOGGING__LOGGING_LEVEL="ERROR",
        _AIRFLOW_SKIP_DB_TESTS="false",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("airflow", exc_type=ImportError)
        from airflow.dag_processing.dagbag import DagBag
        from airflow.utils.db import initdb

        initdb()
        return DagBag(DAGS)


@pytest.fixture
def run_dag(dag_bag):
    """`run_dag("data_cleaning", lake=..., source=...)` runs it to its end -> {task id: [states]}; a failure raises."""

    def run(dag_id, **params):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dag = dag_bag.dags[dag_id]
            asked = dict.fromkeys(dag.params, "") | {name: str(value) for name, value in params.items()}
            finished = dag.test(run_conf=asked)  # all of them: what an earlier run was given stays in the DAG
            states = {}
            for instance in finished.get_task_instances():
                states.setdefault(instance.task_id, []).append(str(instance.state))
        assert str(finished.state) == "success", states
        return states

    return run
