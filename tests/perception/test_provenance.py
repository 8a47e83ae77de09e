"""Labels are learnt from only where the task says so, clustered ones are never measured against, the card tells."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from empty_bundles import ROWS
from painted_rooms import painted, write_rooms

from foundation.progress import silent
from perception import (
    dataset,
    evaluate,
    export_onnx,
    labelled_arrays,
    provenance,
    sample_format,
    training_data,
    training_job,
)
from perception.errors import EvaluationError, TaskError
from perception.tasks.obstacles import OBSTACLES
from perception.tasks.task import LabelSource
from perception.train import TrainSettings


@pytest.fixture
def split(tmp_path: Path) -> Path:
    rooms = write_rooms(tmp_path / "rooms", rooms=3, frames=2)
    dataset.split(rooms, tmp_path / "split", seed=0, fractions=(0.4, 0.3, 0.3), progress=silent)
    return tmp_path / "split"


def relabelled(folder: Path, by: str) -> None:
    """One sample of the folder has its labels from `by`."""
    path = folder / sample_format.shard_name(0)
    first, *others = sample_format.read_shard(path)
    sample_format.write_shard(path, [dataclasses.replace(first, provenance=by), *others])
    sample_format.write_manifest(folder, seed=0, origin={})


def prepared(task, split: Path):
    return training_data.prepared(task, split, split / "cache", seed=0, progress=silent)


@pytest.mark.parametrize("part", ["train", "validation"])
@pytest.mark.parametrize("by", ["cluster", "weak", "truth"])
def test_obstacles_are_not_learnt_from_labels_that_the_task_does_not_list(split: Path, part: str, by: str):
    relabelled(split / part, by)

    with pytest.raises(TaskError, match=f"{part}: labels of provenance '{by}'; obstacles learns only from simulator"):
        prepared(OBSTACLES, split)


def test_a_task_that_lists_clusters_learns_from_them_but_is_not_scored_on_them(split: Path):
    task = dataclasses.replace(OBSTACLES, labels=LabelSource("instances", ("simulator", "cluster")))
    relabelled(split / "train", "cluster")

    assert prepared(task, split).provenances == {"train": ("cluster", "simulator"), "validation": ("simulator",)}

    relabelled(split / "validation", "cluster")
    with pytest.raises(EvaluationError, match="validation: labels made by clustering"):
        prepared(task, split)


@pytest.mark.parametrize("part", ["validation", "test"])
def test_arrays_with_clustered_labels_are_measured_against_by_no_task(tmp_path: Path, part: str):
    task = dataclasses.replace(ROWS, labels=LabelSource("label", ("truth", "cluster")))
    held = {"inputs": np.zeros((2, 3), np.float32), "targets": np.array([0, 1]), "groups": np.array(["a", "b"])}
    for name in ("train", part):
        np.savez(tmp_path / f"{name}.npz", **held, provenance="cluster")

    assert labelled_arrays.load(tmp_path, task, "train").provenances == ("cluster",)
    with pytest.raises(EvaluationError, match="clustering"):
        labelled_arrays.load(tmp_path, task, part)


def test_no_frame_is_judged_against_clustered_labels():
    sample = dataclasses.replace(painted("a/0", "a", np.random.default_rng(0)), provenance=provenance.CLUSTER)

    with pytest.raises(EvaluationError, match="a/0: labels made by clustering"):
        evaluate.judge_sample(evaluate.nothing, sample, 1.2, 0.0)


def test_the_card_tells_what_the_labels_came_from():
    exported = export_onnx.Export(b"", "fp32", 0.0, 0.0, 0.0, "why", b"")
    told = {"train": ("human", "simulator"), "validation": ("human",)}

    card = training_job.card(OBSTACLES, TrainSettings(), {}, exported, told)
    real = training_job.card(OBSTACLES, TrainSettings(), {}, exported, {"train": ("human",), "validation": ("human",)})

    assert "Labels from: human, simulator (train); human (validation)." in card
    assert "simulated frames" in card
    assert "simulat" not in real
