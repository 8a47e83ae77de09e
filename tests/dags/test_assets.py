from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.filterwarnings("ignore")  # Airflow's own


@pytest.fixture
def merged(dag_bag):
    """Imported once Airflow knows its home."""
    from dags.assets import merged

    return merged


def test_a_person_overrides_the_asset_and_the_asset_the_variable(merged):
    found = merged({"a": "hand", "b": "", "c": ""}, {"a": "asset", "b": "asset"}, {"a": "var", "b": "var", "c": "var"})

    assert found == {"a": "hand", "b": "asset", "c": "var"}


def test_what_nobody_names_is_named(merged):
    with pytest.raises(ValueError, match="nothing says lake, seed"):
        merged({"lake": "", "seed": "", "source": "x"}, {}, {})


def test_what_is_no_parameter_stays_out(merged):
    assert merged({"a": ""}, {"a": 1, "b": 2}, {}) == {"a": 1}


@pytest.fixture(scope="module")
def dated(dag_bag):
    from dags.assets import dated

    return dated


@given(st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1)), st.integers(1, 10**9), st.integers(-12, 14))
def test_of_every_run_its_own_names_and_the_same_wherever_its_date_is_written(dated, moment, later_s, zone_h):
    moment = moment.replace(tzinfo=UTC)
    elsewhere = moment.astimezone(timezone(timedelta(hours=zone_h)))
    later = moment + timedelta(seconds=later_s)

    assert dated(moment) == dated(elsewhere)
    assert dated(moment)["partition"] < dated(later)["partition"]
    assert int(dated(moment)["seed"]) < int(dated(later)["seed"])


def test_a_runs_names_can_be_read(dated):
    assert dated(datetime(2026, 8, 15, tzinfo=UTC)) == {"partition": "drift-20260815T000000", "seed": "1786752000"}
