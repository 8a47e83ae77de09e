"""One Airflow home and database a session; every DAG run happens inside the test's own process."""

import functools

import airflow_in_process
import pytest


@pytest.fixture(scope="session")
def dag_bag(tmp_path_factory):
    """All DAGs of `dags/`, ready for `dag.test()`."""
    try:
        return airflow_in_process.load_dags(tmp_path_factory.mktemp("airflow"))
    except ImportError as error:
        pytest.skip(f"airflow cannot be imported: {error}")


@pytest.fixture
def run_dag(dag_bag):
    """`run_dag("data_cleaning", lake=..., source=...)` runs it to its end -> {task id: [states]}; a failure raises."""
    return functools.partial(airflow_in_process.run_dag, dag_bag)
