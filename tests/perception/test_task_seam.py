"""One seam carries photos, masks of any number of bands, and rows of sensor values: each is learnt, exported, read."""

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np
import pytest

from foundation.progress import silent
from perception import labelled_arrays, model_bundle, training_job
from perception.errors import EvaluationError, TaskError
from perception.onnx_model import OnnxModel
from perception.tasks import registry
from perception.tasks.task import Head, ImageInput, LabelSource, RowInput, Task
from perception.train import TrainSettings

TWO = ("low", "high")
LABELS = LabelSource("label", ("truth",))


def task(view, given, width=0.5) -> Task:
    return Task(
        "tiny", view, given, (Head("label", 2, "softmax", 1.0, TWO),), LABELS, "group", ("accuracy",), (), width
    )


def images(rng: np.random.Generator, count: int, bands: int) -> tuple[np.ndarray, np.ndarray]:
    labels = rng.integers(0, 2, count)
    noise = rng.integers(0, 40, (count, 32, 32, bands))
    return (noise + 30 + 150 * labels[:, None, None, None]).astype(np.uint8), labels


def masks(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    inputs = rng.integers(0, 40, (count, 32, 32, 5)).astype(np.uint8)
    targets = np.zeros((count, 32, 32), np.int64)
    for index, left in enumerate(rng.integers(0, 2, count) * 16):
        inputs[index, :, left : left + 16, 3] += 180
        targets[index, :, left : left + 16] = 1
    return inputs, targets


def rows(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    inputs = rng.normal(50, 20, (count, 3)).astype(np.float32)
    return inputs, (inputs[:, 0] > inputs[:, 1]).astype(np.int64)


def write(folder: Path, draw: Callable, provenance: str = "truth") -> Path:
    for part, count, seed in (("train", 200, 1), ("validation", 60, 2)):
        inputs, targets = draw(np.random.default_rng(seed), count)
        groups = np.array([f"{part}-{index}" for index in range(count)])
        np.savez(folder / f"{part}.npz", inputs=inputs, targets=targets, groups=groups, provenance=provenance)
    return folder


CASES = {
    "image": (task("image", ImageInput(32, 32)), lambda rng, count: images(rng, count, 3)),
    "dense, five bands": (task("dense", ImageInput(32, 32, 5)), masks),
    "rows": (task("rows", RowInput(("a", "b", "c"))), rows),
}


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Callable[[Task], None]:
    def add(task: Task) -> None:
        monkeypatch.setattr(registry, "TASKS", MappingProxyType({**registry.TASKS, task.name: task}))

    return add


@pytest.mark.parametrize("case", CASES)
def test_a_task_of_each_view_is_learnt_and_delivered(case: str, tmp_path: Path, known: Callable[[Task], None]):
    task, draw = CASES[case]
    known(task)
    write(tmp_path, draw)
    settings = TrainSettings(seed=0, steps=70, batch=8, threads=1, validations=1, learning_rate=5e-3)

    report = training_job.run("tiny", tmp_path, tmp_path / "out", settings, progress=silent, on_epoch=lambda e: None)

    inputs, targets = draw(np.random.default_rng(3), 30)
    model = OnnxModel.load(report.bundle.onnx_path)
    told = np.stack([model.run(one)["label"].argmax(axis=0) for one in inputs])
    assert (told == targets).mean() > 0.9
    assert model_bundle.load(report.bundle.folder).labels["label"] == TWO


def test_labels_made_by_clustering_are_no_lesson(tmp_path: Path):
    task, draw = CASES["rows"]
    write(tmp_path, draw, provenance="cluster")

    with pytest.raises(TaskError, match="'cluster'"):
        labelled_arrays.load(tmp_path, task, "train")


def test_the_same_input_in_two_parts_is_refused(tmp_path: Path):
    task, draw = CASES["rows"]
    write(tmp_path, draw)
    train = labelled_arrays.load(tmp_path, task, "train")

    with pytest.raises(EvaluationError, match="leaks"):
        labelled_arrays.refuse_shared_groups({"train": train, "validation": train})


def test_repeats_of_held_out_inputs_leave_the_lesson(tmp_path: Path):
    task, draw = CASES["rows"]
    write(tmp_path, draw)
    train = labelled_arrays.load(tmp_path, task, "train")
    held_out = labelled_arrays.load(tmp_path, task, "validation")
    both = labelled_arrays.LabelledArrays(
        np.concatenate([train.inputs, held_out.inputs[:3]]),
        np.concatenate([train.targets, held_out.targets[:3]]),
        (*train.groups, "x", "y", "z"),
        "",
    )

    kept = labelled_arrays.without_repeats(both, held_out)

    assert len(both) - len(kept) == 3
    np.testing.assert_array_equal(kept.inputs, train.inputs)


def test_a_table_of_photos_is_read_by_part(tmp_path: Path):
    task, _ = CASES["image"]
    cv2.imwrite(str(tmp_path / "a.png"), np.full((64, 48, 3), 200, np.uint8))
    (tmp_path / "labels.csv").write_text(
        "split,file,label,provenance\ntrain,a.png,high,truth\nvalidation,b.png,low,truth\n", encoding="utf-8"
    )

    train = labelled_arrays.load(tmp_path, task, "train")

    assert train.inputs.shape == (1, 32, 32, 3)
    assert train.targets.tolist() == [1]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("split,file\n", "lacks the columns label"),
        ("split,file,label,provenance\ntrain,a.png,dragon,truth\n", "unknown label 'dragon'"),
        ("split,file,label,provenance\ntest,a.png,low,truth\n", "no row of split 'train'"),
        ("split,file,label\ntrain,höhe.png,low\n", r"labels\.csv: must be UTF-8"),
        ("label,split,file\nlow,train\n", r"labels\.csv:2: has fewer cells than columns"),
    ],
)
def test_a_table_that_does_not_fit_says_why(table: str, message: str, tmp_path: Path):
    (tmp_path / "labels.csv").write_text(table, encoding="latin-1")

    with pytest.raises(TaskError, match=message):
        labelled_arrays.load(tmp_path, CASES["image"][0], "train")


def test_arrays_of_another_shape_are_refused(tmp_path: Path):
    write(tmp_path, lambda rng, count: images(rng, count, 4))

    with pytest.raises(TaskError, match=r"\(32, 32, 4\)"):
        labelled_arrays.load(tmp_path, CASES["image"][0], "train")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04torn"])
def test_arrays_that_are_none_are_named(data: bytes, tmp_path: Path):
    (tmp_path / "train.npz").write_bytes(data)

    with pytest.raises(TaskError, match=r"train\.npz: empty, torn or no \.npz"):
        labelled_arrays.load(tmp_path, CASES["rows"][0], "train")
