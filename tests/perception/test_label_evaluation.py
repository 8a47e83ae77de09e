"""A row classifier judged by hand-made answers and as a bundle, beside majority and forest."""

import shutil
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np
import pytest
from empty_bundles import ROWS, obstacle_bundle, row_bundle
from painted_rooms import write_rooms

from foundation.progress import silent
from perception import dataset, evaluate, evaluation_report, label_evaluation, training_data, training_job
from perception.errors import EvaluationError, TaskError
from perception.tasks import registry
from perception.tasks.floor_surface import FLOOR_SURFACE
from perception.tasks.obstacles import OBSTACLES
from perception.train import TrainSettings

TWO = ("low", "high")


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "TASKS", MappingProxyType({**registry.TASKS, ROWS.name: ROWS}))


def write(folder: Path, *parts: str, shared: bool = False, provenance: str = "truth") -> Path:
    for number, part in enumerate(parts):
        rng = np.random.default_rng(number)
        inputs = rng.normal(size=(120, 3)).astype(np.float32)
        targets = (inputs[:, 0] > 0.5).astype(np.int64)  # about three in ten
        groups = np.array([f"{'room' if shared else part}-{index // 4}" for index in range(120)])
        np.savez(folder / f"{part}.npz", inputs=inputs, targets=targets, groups=groups, provenance=provenance)
    return folder


def test_figures_of_four_answers_by_hand():
    told = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8]])
    truth = np.array([0, 0, 1, 1])

    found = label_evaluation.judged(told, truth, ("a", "b", "c", "d"), TWO)

    assert found.figures["accuracy"] == 0.75
    assert found.confusion.tolist() == [[2, 0], [1, 1]]
    assert found.figures["by_class"]["low"] == {
        "inputs": 2, "precision": pytest.approx(2 / 3), "recall": 1.0, "f1": 0.8,
    }  # fmt: skip
    assert found.figures["curves"]["by_class"]["high"]["roc_auc"] == 0.75
    assert found.figures["calibration"]["expected_calibration_error"] == pytest.approx(
        (abs(0.9 - 1) + abs(0.6 - 1) + abs(0.7 - 0) + abs(0.8 - 1)) / 4
    )


def test_one_group_that_is_all_wrong_widens_the_interval():
    right = np.array([True] * 15 + [False] * 5)
    alone = label_evaluation.interval(right, [str(index) for index in range(20)])
    together = label_evaluation.interval(right, [str(index // 5) for index in range(20)])

    assert together[1] - together[0] > alone[1] - alone[0]


def test_a_bundle_is_judged_on_its_test_part_beside_both_baselines(tmp_path: Path):
    bundle = row_bundle(tmp_path)
    write(tmp_path, "train", "validation")
    before = evaluation_report.of_bundle(bundle, tmp_path, min_score=None, range_max_m=1.2, progress=silent)
    write(tmp_path, "train", "validation", "test")

    found = evaluation_report.of_bundle(bundle, tmp_path, min_score=None, range_max_m=1.2, progress=silent)

    assert (before.figures["part"], found.figures["part"]) == ("validation", "test")
    baselines = found.figures["baselines"]
    assert list(baselines) == ["majority", "classical"]
    assert baselines["majority"]["roc_auc_mean"] == 0.5  # says the same of all
    assert 0.6 < baselines["majority"]["accuracy"] < 0.8
    assert baselines["classical"]["accuracy"] > 0.95
    evaluation_report.draw(found, tmp_path / "pictures")
    assert {path.name for path in (tmp_path / "pictures").iterdir()} == {"confusion.png", "curves.png"}


def test_leaks_and_clustered_labels_are_refused(tmp_path: Path):
    bundle = row_bundle(tmp_path)

    with pytest.raises(EvaluationError, match="leaks"):
        label_evaluation.evaluate(bundle, write(tmp_path, "train", "test", shared=True), progress=silent)
    with pytest.raises(TaskError, match="'cluster'"):
        label_evaluation.evaluate(bundle, write(tmp_path, "train", "test", provenance="cluster"), progress=silent)


def copied(folder: Path, source: str, target: str, count: int) -> None:
    """The first inputs of one part put before those of another, under groups of their own."""
    held = {part: dict(np.load(folder / f"{part}.npz")) for part in (source, target)}
    more = {name: held[source][name][:count] for name in ("inputs", "targets")}
    more["groups"] = np.array([f"{target}-more-{index}" for index in range(count)])
    joined = {name: np.concatenate([values, held[target][name]]) for name, values in more.items()}
    np.savez(folder / f"{target}.npz", **{**held[target], **joined})


SETTINGS = TrainSettings(seed=0, steps=3, batch=8, threads=1, validations=1)


def trained(data: Path, out: Path) -> Path:
    return training_job.run(ROWS.name, data, out, SETTINGS, progress=silent, on_epoch=lambda epoch: None).bundle.folder


def test_the_same_input_in_validation_and_test_is_refused_at_training_and_at_evaluation(tmp_path: Path):
    bundle = row_bundle(tmp_path)
    write(tmp_path, "train", "validation", "test")
    copied(tmp_path, "validation", "test", 3)

    with pytest.raises(EvaluationError, match="the same input in validation and test"):
        label_evaluation.evaluate(bundle, tmp_path, progress=silent)
    with pytest.raises(EvaluationError, match="the same input in validation and test"):
        trained(tmp_path, tmp_path / "out")


def test_training_repeats_of_test_inputs_are_no_lesson(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    write(tmp_path, "train", "validation", "test")
    copied(tmp_path, "test", "train", 5)

    data = training_data.prepared(ROWS, tmp_path, tmp_path / "cache", seed=0, progress=silent)

    assert data.learner.size == 120
    assert data.dataset_hash == training_data.dataset_hash(ROWS, tmp_path)
    assert "5 training inputs" in caplog.text


def test_figures_on_repeated_inputs_are_told_only_of_a_bundle_that_learnt_none_of_them(tmp_path: Path):
    (tmp_path / "data").mkdir()
    write(tmp_path / "data", "train", "validation")
    before = trained(tmp_path / "data", tmp_path / "before")
    write(tmp_path / "data", "train", "validation", "test")
    copied(tmp_path / "data", "train", "test", 5)
    without = trained(tmp_path / "data", tmp_path / "without")

    assert label_evaluation.evaluate(without, tmp_path / "data", progress=silent).figures["inputs"] == 125
    with pytest.raises(EvaluationError, match=r"leaks.*5 training inputs"):
        label_evaluation.evaluate(before, tmp_path / "data", progress=silent)


def test_a_table_whose_validation_and_test_share_a_photo_is_refused(tmp_path: Path):
    for name, shade in (("a", 20), ("b", 120), ("c", 220), ("d", 120)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((40, 40, 3), shade, np.uint8))
    rows = ["train,a.png,wood", "train,c.png,tiles", "validation,b.png,wood", "test,d.png,wood"]
    (tmp_path / "labels.csv").write_text("\n".join(["split,file,label", *rows, ""]), encoding="utf-8")

    with pytest.raises(EvaluationError, match="validation and test"):
        training_data.prepared(FLOOR_SURFACE, tmp_path, tmp_path / "cache", seed=0, progress=silent)


def test_rooms_shared_by_validation_and_test_are_refused_at_training_and_at_evaluation(tmp_path: Path):
    rooms = write_rooms(tmp_path / "rooms", rooms=3, frames=2)
    dataset.split(rooms, tmp_path / "split", seed=0, fractions=(0.4, 0.3, 0.3), progress=silent)
    shutil.rmtree(tmp_path / "split" / "test")
    shutil.copytree(tmp_path / "split" / "validation", tmp_path / "split" / "test")

    with pytest.raises(EvaluationError, match="in validation and in test"):
        evaluate.evaluate(evaluate.nothing, tmp_path / "split", range_max_m=1.2, progress=silent)
    with pytest.raises(EvaluationError, match="in validation and in test"):
        training_data.prepared(OBSTACLES, tmp_path / "split", tmp_path / "cache", seed=0, progress=silent)


def test_obstacles_are_judged_beside_both_baselines_too(tmp_path: Path):
    rooms = write_rooms(tmp_path / "rooms", rooms=3, frames=3)
    dataset.split(rooms, tmp_path / "split", seed=0, fractions=(0.4, 0.3, 0.3), progress=silent)

    found = evaluation_report.of_bundle(
        obstacle_bundle(tmp_path), tmp_path / "split", min_score=0.5, range_max_m=1.2, progress=silent
    )

    assert found.figures["baselines"]["majority"]["recall"] == 0.0
    assert found.figures["baselines"]["classical"]["recall"] == 1.0
    evaluation_report.draw(found, tmp_path / "pictures")
    names = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert names == {"confusion.png", "curves.png", "recall.png", "scores.png"}
