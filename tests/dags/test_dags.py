import ast
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from room_samples import capture

from oxturn import lake
from oxturn.jobs import data, feedback, release, training
from oxturn.service_verbs import local_variables
from perception import sample_format

DAGS = Path(__file__).parents[2] / "dags"
pytestmark = pytest.mark.filterwarnings("ignore")  # Airflow's own


def test_every_file_is_a_dag_and_none_fails_to_import(dag_bag):
    assert dag_bag.import_errors == {}
    assert set(dag_bag.dags) == {"data_cleaning", "training", "release", "drift_retrain"}


def test_a_task_is_one_call_of_a_job():
    for path in DAGS.glob("*_dag.py"):
        tree = ast.parse(path.read_text())
        [outer] = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        tasks = [node for node in outer.body if isinstance(node, ast.FunctionDef)]
        assert tasks, path.name
        for node in tasks:
            assert len(node.body) == 1 and isinstance(node.body[0], ast.Return | ast.Expr), f"{path.name}: {node.name}"


def test_assets_tie_the_dags_together(dag_bag):
    wakes = {
        dag_id: {asset.name for asset in getattr(dag.timetable, "asset_condition", None).objects}
        for dag_id, dag in dag_bag.dags.items()
        if getattr(dag.timetable, "asset_condition", None) is not None
    }
    tells = {
        dag_id: {outlet.name for task in dag.tasks for outlet in task.outlets} for dag_id, dag in dag_bag.dags.items()
    }

    assert wakes == {
        "data_cleaning": {"oxturn-captures"},
        "training": {"oxturn-dataset"},
        "release": {"oxturn-model"},
    }
    assert tells == {
        "drift_retrain": {"oxturn-captures"},
        "data_cleaning": {"oxturn-dataset"},
        "training": {"oxturn-model"},
        "release": set(),
    }


def test_every_dag_retries_and_never_catches_up(dag_bag):
    for dag in dag_bag.dags.values():
        assert not dag.catchup
        assert all(task.retries == 2 for task in dag.tasks)


def test_cleaning_maps_over_shards_and_publishes_what_the_plain_jobs_do(run_dag, tmp_path):
    capture(tmp_path / "source", rooms=4, frames=4, black_every=3)
    source, root = (tmp_path / "source").as_uri(), (tmp_path / "lake").as_uri()

    states = run_dag("data_cleaning", lake=root, source=source, partition="p", seed=1, copies=1)

    assert states["validate"] == states["clean"] == states["augment"] == ["success"] * 4
    plain = [data.augment(data.clean(data.validate(raw)), 1, 1) for raw in data.ingest(source, root, "plain")]
    expected = data.split(plain, root, "plain", 1)
    assert lake.find(f"{root}/p/dataset").digest == lake.find(expected).digest
    with lake.local_copy(f"{root}/p/dataset") as folder:
        assert sample_format.load_manifest(folder / "samples" / "train").samples > 0


def test_a_parameter_that_nothing_names_fails_the_first_task_and_says_which(run_dag, dag_bag, monkeypatch):
    monkeypatch.setattr(dag_bag.dags["data_cleaning"].get_task("requested"), "retries", 0)

    with pytest.raises(AssertionError, match=r"'ingest': \['upstream_failed'\]"):
        run_dag("data_cleaning", lake="memory://x")
        run_dag("data_cleaning", lake="memory://x")


def test_drift_takes_in_frames_and_simulates_only_when_there_is_drift(run_dag, monkeypatch):
    calls = []
    monkeypatch.setattr(feedback, "collect", lambda *args: calls.append(("collect", *args)) or "memory://f")
    monkeypatch.setattr(feedback, "capture", lambda *args: calls.append(("capture", *args)) or "memory://c")
    asked = {
        "lake": "memory://l", "partition": "d", "prometheus": "http://p", "window": "1d",
        "feedback": "memory://k", "rooms": 2, "frames": 3, "seed": 4,
    }  # fmt: skip

    monkeypatch.setattr(feedback, "drifted", lambda prometheus, window: [])
    states = run_dag("drift_retrain", **asked)
    assert calls == [] and states["announce"] == ["skipped"]

    monkeypatch.setattr(feedback, "drifted", lambda *args: [{"robot": "ox1", "feature": "brightness"}])
    states = run_dag("drift_retrain", **asked)
    assert sorted(calls) == [
        ("capture", "memory://l", "d", 2, 3, 4),
        ("collect", "memory://k", "memory://l", "d"),
    ]
    assert states["announce"] == ["success"]


@pytest.fixture
def local_variable(monkeypatch, tmp_path):
    """The variable `oxturn` as `oxturn airflow` sets it."""
    monkeypatch.setenv("AIRFLOW_VAR_OXTURN", json.dumps(local_variables(tmp_path, "")))


@pytest.fixture
def captures(monkeypatch):
    """There is drift; rooms are not simulated, but noted as (partition, seed)."""
    noted = []
    monkeypatch.setattr(feedback, "drifted", lambda *_: [{"robot": "ox1", "feature": "brightness"}])
    monkeypatch.setattr(feedback, "capture", lambda _, part, __, ___, seed: noted.append((part, seed)) or "memory://c")
    return noted


def keep_on_robot(folder, name):
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.jpg").write_bytes(name.encode())
    (folder / f"{name}.json").write_text(json.dumps({"reason": "drifted"}))


def scheduled(day):
    moment = datetime(2026, 8, day, tzinfo=UTC)
    return {"logical_date": moment, "run_after": moment}


def test_each_days_drift_is_new_rooms_and_takes_nothing_from_the_day_before(
    run_dag, captures, local_variable, tmp_path
):
    keep_on_robot(tmp_path / "feedback", "1-drifted")
    run_dag("drift_retrain", dated=scheduled(15))
    [labelled] = (tmp_path / "lake").rglob("1-drifted.jpg")
    (labelled.parent / "labels.csv").write_text("1-drifted,sock")
    (tmp_path / "feedback" / "1-drifted.jpg").unlink()  # the robot needed its room
    keep_on_robot(tmp_path / "feedback", "2-drifted")
    run_dag("drift_retrain", dated=scheduled(16))

    assert [partition for partition, _ in captures] == ["drift-20260815T000000", "drift-20260816T000000"]
    assert len({seed for _, seed in captures}) == 2
    assert labelled.exists() and (labelled.parent / "labels.csv").exists()
    assert len(list((tmp_path / "lake").rglob("2-drifted.jpg"))) == 1


def test_a_drift_run_by_hand_without_a_logical_date_is_dated_by_when_it_was_asked_for(
    run_dag, captures, local_variable, tmp_path
):
    keep_on_robot(tmp_path / "feedback", "1-drifted")

    run_dag("drift_retrain", dated={"logical_date": None, "run_after": datetime(2026, 8, 15, 9, 30, 5, tzinfo=UTC)})

    assert captures == [("drift-20260815T093005", 1786786205)]


def test_what_a_drift_run_is_given_by_hand_counts(run_dag, captures, local_variable, tmp_path):
    keep_on_robot(tmp_path / "feedback", "1-drifted")

    run_dag("drift_retrain", dated=scheduled(17), partition="mine", seed=5)

    assert captures == [("mine", 5)]


def test_a_release_is_signed_and_rolled_out_in_that_order(run_dag, monkeypatch):
    calls = []
    monkeypatch.setattr(release, "sign", lambda *args: calls.append(args) or {"version": 3, "sha256": "ab"})
    monkeypatch.setattr(release, "roll_out", lambda *args: calls.append(args) or {"result": "finished"})

    run_dag("release", lake="l", bundle="b", keys="k", repository="r", inventory="i")

    assert calls == [("b", "l", "k", "r"), ({"version": 3, "sha256": "ab"}, "r", "i")]


@pytest.mark.parametrize("promoted", [True, False])
def test_only_a_model_that_passes_the_gate_is_quantised_and_registered(run_dag, monkeypatch, promoted):
    calls = []

    def stand_in(name, answer):
        monkeypatch.setattr(training, name, lambda *args: calls.append((name, *args)) or answer)

    stand_in("train", "m")
    stand_in("evaluate", "m-on-d")
    stand_in("gate", {"promoted": promoted, "why": "better"})
    stand_in("quantise", "m-quantised")
    stand_in("register", {"bundle": "m-quantised", "version": "4"})

    asked = {
        "lake": "l",
        "dataset": "d",
        "task": "obstacles",
        "seed": 1,
        "minutes": 0.5,
        "registry": "r",
        "job_rooms": 2,
    }
    states = run_dag("training", **asked)

    made = [
        ("train", "d", "l", "obstacles", 1, 0.5, "r"),
        ("evaluate", "m", "d"),
        ("gate", "m", "d", "r", "obstacles", 2),
    ]
    kept = [("quantise", "m"), ("register", "m", "m-quantised", "better", "r", "obstacles")]
    assert calls == (made + kept if promoted else made)
    assert states["register"] == (["success"] if promoted else ["skipped"])
