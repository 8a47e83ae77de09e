"""A row classifier judged by hand-made answers and as a bundle, beside majority and forest."""

from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from empty_bundles import ROWS, obstacle_bundle, row_bundle
from painted_rooms import write_rooms

from foundation.progress import silent
from perception import dataset, evaluation_report, label_evaluation
from perception.errors import EvaluationError, TaskError
from perception.tasks import registry

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
