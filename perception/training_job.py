"""One training run as a job: samples in, a bundle out. Composes learner, loop and export; tracks nothing itself.

`DATA` is a split folder (train, validation, test). `OUT` holds the work (cache, checkpoint) and `bundle/`: it appears
whole when everything before it succeeded; started again with the same arguments, a killed run goes on.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from foundation.progress import ProgressFactory
from perception import data_processor, dataset, export_onnx, model_bundle, sample_format, train
from perception.frame_features import FRAME_FEATURES, frame_features
from perception.grid_learner import GridLearner
from perception.model_bundle import Bundle, BundleContent
from perception.onnx_model import OnnxModel
from perception.tasks.obstacles import OBSTACLES
from perception.tasks.registry import task_named
from perception.tasks.task import ImageInput, Task
from perception.train import Epoch, TrainSettings

PARITY_FRAMES: Final = 96
GOLDEN_FRAMES: Final = 4
FEATURE_FRAMES: Final = 600


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What a run has to show."""

    bundle: Bundle
    scores: Mapping[str, float]  # of the delivered network on the validation part
    precision: str
    size_bytes: int
    steps: int
    resumed_at: int
    duration_s: float


def run(
    task_name: str,
    data_dir: Path,
    out_dir: Path,
    settings: TrainSettings,
    *,
    progress: ProgressFactory,
    on_epoch: Callable[[Epoch], None],
) -> TrainingReport:
    """Trains, exports through the parity gates, writes `out_dir/bundle`."""
    began_s = time.monotonic()
    task = task_named(task_name)
    parts = {part: dataset.part_folder(data_dir, part) for part in ("train", "validation")}
    dataset.refuse_leaks(parts)
    learner = learner_of(task, parts["train"], parts["validation"], out_dir / "cache", progress)
    result = train.fit(learner, out_dir, settings, progress=progress, on_epoch=on_epoch)
    model = at_threshold(result.model, result.scores)
    raw = raw_inputs(parts["train"], task, PARITY_FRAMES, seed=settings.seed)
    exported = export_onnx.export(model, task, raw, lambda answers: learner.score(answers)["score"])
    content = BundleContent(
        task=task.name,
        version=f"{settings.seed}.{result.epochs[-1].step}",
        dataset_hash=sample_format.load_manifest(parts["train"]).dataset_hash,
        onnx=exported.onnx,
        labels={head.name: head.classes for head in task.heads if head.classes},
        min_score=0.5 if task == OBSTACLES else None,
        metrics={"validation": dict(result.scores)},
        reference=reference_statistics(parts["train"], seed=settings.seed),
        golden_inputs=raw[:GOLDEN_FRAMES],
        golden_answers=_answers(exported.onnx, out_dir, raw[:GOLDEN_FRAMES]),
        card=card(task, settings, result.scores, exported),
        details={**train.task_settings(task, settings), "precision": exported.precision, "why": exported.reason},
    )
    bundle = model_bundle.write(out_dir / "bundle", content)
    return TrainingReport(
        bundle,
        result.scores,
        exported.precision,
        len(exported.onnx),
        settings.planned_steps,
        result.resumed_at,
        time.monotonic() - began_s,
    )


def learner_of(
    task: Task, train_dir: Path, validation_dir: Path, cache_dir: Path, progress: ProgressFactory
) -> train.Learner:
    """What the task's view says."""
    return GridLearner(task, train_dir, validation_dir, cache_dir, progress)


def at_threshold(model: nn.Module, scores: Mapping[str, float]) -> nn.Module:
    """Shifts the objectness so that a score of .5 is the threshold found best on validation data."""
    if "threshold_logit" in scores:
        with torch.no_grad():
            model.heads["thing"].bias -= scores["threshold_logit"]  # type: ignore[index, union-attr]
    return model


def raw_inputs(folder: Path, task: Task, count: int, *, seed: int) -> NDArray[Any]:
    """(count, H, W, bands): decoded images spread over the folder, as the robot would give them."""
    assert isinstance(task.input, ImageInput)
    chosen = _spread(sample_format.load_manifest(folder).samples, count, seed)
    images = [
        data_processor.resized(
            data_processor.decode(sample.image, sample.sample_id), task.input.width_px, task.input.height_px
        )
        for index, sample in enumerate(sample_format.iter_samples(folder))
        if index in chosen
    ]
    return np.stack(images)


def reference_statistics(folder: Path, *, seed: int) -> dict[str, dict[str, float]]:
    """Mean and spread of the drift features over the training frames."""
    chosen = _spread(sample_format.load_manifest(folder).samples, FEATURE_FRAMES, seed)
    rows = [
        frame_features(data_processor.decode(sample.image, sample.sample_id))
        for index, sample in enumerate(sample_format.iter_samples(folder))
        if index in chosen
    ]
    values = {name: np.array([row[name] for row in rows]) for name in FRAME_FEATURES}
    return {name: {"mean": float(value.mean()), "std": float(value.std())} for name, value in values.items()}


def card(task: Task, settings: TrainSettings, scores: Mapping[str, float], exported: export_onnx.Export) -> str:
    """The model card: what it is, what it was trained on, what it is worth, what it must not be used for."""
    lines = [
        f"# {task.name}",
        "",
        f"Precision: {exported.precision} ({exported.reason}). Size: {len(exported.onnx)} bytes.",
        f"Answers: {', '.join(head.name for head in task.heads)}. Labels from: {', '.join(task.labels.provenances)}.",
        f"Split by: {task.group_key}; no group lies in two parts.",
        "",
        "| on validation | |",
        "|---|---|",
        *(f"| {name} | {value:.4f} |" for name, value in sorted(scores.items())),
        "",
        "Trained on simulated frames unless the data's provenance says otherwise: figures on real frames are lower.",
        "No model here is a safety device: bumper, cliff sensors and LIDAR stop the robot.",
        "",
        f"Settings: {asdict(settings)}",
    ]
    return "\n".join(lines) + "\n"


def _answers(onnx_bytes: bytes, work_dir: Path, inputs: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
    path = work_dir / "candidate.onnx"
    path.write_bytes(onnx_bytes)
    model = OnnxModel.load(path)
    told = [model.run(one) for one in inputs]
    path.unlink()
    return {name: np.stack([answers[name] for answers in told]) for name in told[0]}


def _spread(count: int, wanted: int, seed: int) -> frozenset[int]:
    rng = np.random.default_rng([seed, count])
    return frozenset(rng.choice(count, size=min(wanted, count), replace=False).tolist())
