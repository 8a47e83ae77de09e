"""Runs are told to MLflow; a server that is not there, or goes, never ends a training."""

import json
import socket
from pathlib import Path

import pytest
from s3_server import s3_server

from perception import mlflow_tracking


def test_a_run_is_in_the_database_with_its_figures_and_files(tmp_path: Path):
    from mlflow import MlflowClient

    note = tmp_path / "note.txt"
    note.write_text("hello", encoding="utf-8")

    with mlflow_tracking.tracking(None, "obstacles", tmp_path / "out", name="one") as tracker:
        tracker.settings({"seed": 3})
        tracker.scores({"score": 0.5}, 10)
        tracker.file(note)

    run = MlflowClient(f"sqlite:///{tmp_path / 'out/mlflow.db'}").get_run(tracker.run_id)
    assert (run.info.status, run.data.params, run.data.metrics) == ("FINISHED", {"seed": "3"}, {"score": 0.5})
    assert run.info.run_name == "one"
    assert list((tmp_path / "out").glob("mlartifacts/*/artifacts/note.txt"))


@pytest.mark.slow  # making its database takes MLflow seconds
def test_artifacts_lie_beside_the_database_whatever_becomes_of_the_run_folder(tmp_path: Path):
    uri, note = f"sqlite:///{tmp_path / 'kept/mlflow.db'}", tmp_path / "note.txt"
    note.write_text("hello", encoding="utf-8")
    (tmp_path / "kept").mkdir()

    with mlflow_tracking.tracking(uri, "obstacles", tmp_path / "passing", name="one") as tracker:
        tracker.file(note)

    assert list(tmp_path.glob("kept/mlartifacts/*/artifacts/note.txt"))


def test_files_go_to_s3_by_uri_and_figures_to_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    note = tmp_path / "note.txt"
    note.write_text("hello", encoding="utf-8")

    with s3_server(monkeypatch, "oxturn-models") as s3:
        where = "s3://oxturn-models/runs"
        with mlflow_tracking.tracking(None, "obstacles", tmp_path, name="one", artifacts=where) as tracker:
            tracker.scores({"score": 0.5}, 10)
            tracker.file(note, "bundle")
        held = s3.list_objects_v2(Bucket="oxturn-models")["Contents"]
        body = s3.get_object(Bucket="oxturn-models", Key=held[0]["Key"])["Body"].read()

    assert [row["Key"] for row in held] == [f"runs/{tracker.run_id}/artifacts/bundle/note.txt"]
    assert body == b"hello"
    assert not (tmp_path / "mlartifacts").exists()
    assert not (tmp_path / "unsent.jsonl").exists()


@pytest.mark.slow  # boto3 tries again before it gives up
def test_an_s3_that_is_gone_ends_no_training_and_what_it_missed_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    note = tmp_path / "note.txt"
    note.write_text("hello", encoding="utf-8")
    with s3_server(monkeypatch, "oxturn-models"):
        pass
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    with mlflow_tracking.tracking(None, "obstacles", tmp_path, name="one", artifacts="s3://oxturn-models") as tracker:
        tracker.file(note)

    assert _unsent(tmp_path) == [{"what": "artifact", "path": str(note)}]


@pytest.mark.slow  # making its database takes MLflow seconds
def test_an_experiment_that_is_known_keeps_its_place_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    with mlflow_tracking.tracking(None, "obstacles", tmp_path, name="one"):
        pass

    with mlflow_tracking.tracking(None, "obstacles", tmp_path, name="two", artifacts="s3://elsewhere"):
        pass

    assert "not in s3://elsewhere" in caplog.text


@pytest.mark.slow  # making its database takes MLflow seconds
def test_a_failed_block_is_a_failed_run(tmp_path: Path):
    from mlflow import MlflowClient

    with pytest.raises(KeyError), mlflow_tracking.tracking(None, "obstacles", tmp_path, name="one") as tracker:
        raise KeyError("training broke")

    run = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}").get_run(tracker.run_id)
    assert run.info.status == "FAILED"


def test_without_a_server_what_was_to_be_said_is_kept(tmp_path: Path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{closed.getsockname()[1]}"

    with mlflow_tracking.tracking(uri, "obstacles", tmp_path, name="one") as tracker:
        tracker.scores({"score": 0.5}, 10)

    assert tracker.run_id is None
    assert _unsent(tmp_path) == [{"what": "metric", "key": "score", "value": 0.5, "step": 10}]


def test_a_server_that_goes_in_the_middle_loses_nothing(tmp_path: Path):
    class Going:
        told = 0

        def log_metric(self, *arguments):
            self.told += 1
            if self.told > 1:
                raise ConnectionError("gone")

    client = Going()
    tracker = mlflow_tracking.Tracker(client, "run", tmp_path / "unsent.jsonl")

    for step in (1, 2, 3):
        tracker.scores({"score": step / 10}, step)

    assert client.told == 2
    assert [one["step"] for one in _unsent(tmp_path)] == [2, 3]


def _unsent(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "unsent.jsonl").read_text(encoding="utf-8").splitlines()]
