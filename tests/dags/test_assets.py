import pytest

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
