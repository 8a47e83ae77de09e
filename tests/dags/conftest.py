"""One Airflow home and database a session; every DAG run happens inside the test's own process."""

import functools
import warnings

import airflow_in_process
import pytest


@pytest.fixture(scope="session")
def dag_bag(tmp_path_factory):
    """All DAGs of `dags/`, ready for `dag.test()`."""
    airflow_in_process.set_home(tmp_path_factory.mktemp("airflow"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("airflow", exc_type=ImportError)
    return airflow_in_process.load_dags()


@pytest.fixture
def run_dag(dag_bag):
    """`run_dag("data_cleaning", lake=..., source=...)` runs it to its end -> {task id: [states]}; a failure raises."""
    return functools.partial(airflow_in_process.run_dag, dag_bag)
