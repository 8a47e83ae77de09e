"""What a training run needs of its data, whatever the task's view: a learner, raw inputs, look statistics, a hash."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from foundation.progress import ProgressFactory
from perception import data_processor, dataset, labelled_arrays, provenance, sample_format
from perception.array_learner import ArrayLearner
from perception.errors import TaskError
from perception.frame_features import FRAME_FEATURES, frame_features
from perception.grid_learner import GridLearner
from perception.tasks.task import ImageInput, RowInput, Task
from perception.train import Learner

RAW_INPUTS: Final = 96  # for calibration, parity and golden answers
FEATURE_FRAMES: Final = 600
LEAST_DEVIATION: Final = 1e-3  # of features about 0..1: far below what rooms differ by, above what rounding does
PARTS: Final = ("train", "validation")

Statistics = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class TrainingData:
    """All of it from the training part, but for what the learner scores on."""

    learner: Learner
    raw_inputs: NDArray[Any]  # (N, ...) as the robot's decoder gives them
    reference: Statistics  # of the drift features
    dataset_hash: str
    provenances: Mapping[str, tuple[str, ...]]  # of the labels, by part: each that occurs


def prepared(task: Task, data_dir: Path, cache_dir: Path, *, seed: int, progress: ProgressFactory) -> TrainingData:
    """All that a run needs.

    Raises:
        EvaluationError: two parts share a group or an input, or validation has labels made by clustering.
        TaskError: the data do not fit the task, or it does not learn from labels of such provenance.
    """
    if task.view == "grid":
        return _of_samples(task, data_dir, cache_dir, seed=seed, progress=progress)
    if not labelled_arrays.is_here(data_dir):
        raise TaskError(f"{data_dir}: {task.name} learns from labels.csv or train.npz, and neither is here")
    return _of_arrays(task, data_dir, seed=seed)


def dataset_hash(task: Task, data_dir: Path) -> str:
    """Of the lessons: the training part, less what lies in another."""
    if task.view == "grid":
        return sample_format.load_manifest(dataset.part_folder(data_dir, "train")).dataset_hash
    return labelled_arrays.sound_parts(data_dir, task, PARTS)["train"].digest


def _of_samples(task: Task, data_dir: Path, cache_dir: Path, *, seed: int, progress: ProgressFactory) -> TrainingData:
    parts = {part: dataset.part_folder(data_dir, part) for part in PARTS}
    dataset.refuse_leaks({**parts, **dataset.parts_here(data_dir)})
    made_by = {part: sample_format.provenances(folder) for part, folder in parts.items()}
    for part, found in made_by.items():
        provenance.refuse_unfit(found, task, part, str(parts[part]))
    learner = GridLearner(task, parts["train"], parts["validation"], cache_dir, progress)
    assert isinstance(task.input, ImageInput)
    width_px, height_px = task.input.width_px, task.input.height_px
    raw = [data_processor.fitted(image, width_px, height_px) for image in _images(parts["train"], RAW_INPUTS, seed)]
    reference = statistics(_images(parts["train"], FEATURE_FRAMES, seed))
    return TrainingData(learner, np.stack(raw), reference, dataset_hash(task, data_dir), made_by)


def _of_arrays(task: Task, data_dir: Path, *, seed: int) -> TrainingData:
    parts = labelled_arrays.sound_parts(data_dir, task, PARTS)
    train = parts["train"]
    chosen = sorted(_spread(len(train), RAW_INPUTS, seed))
    seen = train.inputs[sorted(_spread(len(train), FEATURE_FRAMES, seed))]
    colour = isinstance(task.input, ImageInput) and task.input.bands == 3
    reference = statistics(seen) if colour else column_statistics(seen, task)
    made_by = {part: parts[part].provenances for part in PARTS}
    learner = ArrayLearner(task, train, parts["validation"])
    return TrainingData(learner, train.inputs[chosen], reference, train.digest, made_by)


def statistics(images: Iterable[NDArray[np.uint8]]) -> Statistics:
    """Mean and spread of each drift feature; never without any spread, as colour has in grey frames."""
    rows = [frame_features(image) for image in images]
    values = {name: np.array([row[name] for row in rows]) for name in FRAME_FEATURES}
    return {
        name: {"mean": float(value.mean()), "std": max(float(value.std()), LEAST_DEVIATION)}
        for name, value in values.items()
    }


def column_statistics(inputs: NDArray[Any], task: Task) -> Statistics:
    """Mean and spread of each column of rows, or of each band of images that have no colour."""
    flat = inputs.reshape(-1, inputs.shape[-1])
    names = task.input.columns if isinstance(task.input, RowInput) else [f"band_{i}" for i in range(flat.shape[1])]
    return {
        name: {"mean": float(flat[:, index].mean()), "std": float(flat[:, index].std())}
        for index, name in enumerate(names)
    }


def _images(folder: Path, count: int, seed: int) -> Iterable[NDArray[np.uint8]]:
    chosen = _spread(sample_format.load_manifest(folder).samples, count, seed)
    for index, sample in enumerate(sample_format.iter_samples(folder)):
        if index in chosen:
            yield data_processor.decode(sample.image, sample.sample_id)


def _spread(count: int, wanted: int, seed: int) -> frozenset[int]:
    rng = np.random.default_rng([seed, count])
    return frozenset(rng.choice(count, size=min(wanted, count), replace=False).tolist())
