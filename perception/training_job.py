"""One training run as a job: samples in, a bundle out. Composes learner, loop and export; tracks nothing itself.

`DATA` is a split folder (train, validation, test) or what `labelled_arrays` reads. `OUT` holds the work (cache,
checkpoint), `model.torchscript.pt` for users of libtorch, and `bundle/`, which appears whole when everything before it
succeeded; started again with the same arguments on the same data and base, a killed run goes on, a finished one begins
anew.
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

from foundation import atomic_files
from foundation.progress import ProgressFactory
from perception import base_weights, export_onnx, export_torchscript, model_bundle, train, training_data
from perception.array_learner import ArrayLearner
from perception.grid_learner import GridLearner
from perception.model_bundle import Bundle, BundleContent
from perception.tasks.obstacles import OBSTACLES
from perception.tasks.registry import task_named
from perception.tasks.task import Task
from perception.train import Epoch, TrainSettings

GOLDEN_FRAMES: Final = 4


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
    torchscript: Path  # the same network for libtorch, beside the bundle


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
    data = training_data.prepared(task, data_dir, out_dir / "cache", seed=settings.seed, progress=progress)
    base = base_weights.find(settings.base, task.name)
    if isinstance(data.learner, ArrayLearner):
        data.learner.begin_from(base_weights.trunk(settings.base, task))
    if base is not None and settings.false_alarm_share > 0 and isinstance(data.learner, GridLearner):
        knowing = data.learner.model().eval()
        base_weights.begin(knowing, base_weights.read(base), str(base))
        data.learner.look_for_false_alarms(knowing, settings.false_alarm_share, progress)
    result = train.fit(data.learner, out_dir, settings, progress=progress, on_epoch=on_epoch, base=base)
    base_weights.write(out_dir / base_weights.FILE_NAME, result.model)
    model = at_threshold(result.model, result.scores)
    exported = export_onnx.export(model, task, data.raw_inputs, lambda answers: data.learner.score(answers)["score"])
    script = export_torchscript.export(model, task, data.raw_inputs, exported.float_onnx)
    atomic_files.write_bytes(out_dir / export_torchscript.FILE_NAME, script.data)
    golden = data.raw_inputs[:GOLDEN_FRAMES]
    content = BundleContent(
        task=task.name,
        version=f"{settings.seed}.{result.epochs[-1].step}",
        dataset_hash=data.dataset_hash,
        onnx=exported.onnx,
        labels={head.name: head.classes for head in task.heads if head.classes},
        min_score=0.5 if task == OBSTACLES else None,
        metrics={"validation": dict(result.scores)},
        reference=data.reference,
        golden_inputs=golden,
        golden_answers=_answers(exported.onnx, golden),
        card=card(task, settings, result.scores, exported, data.provenances),
        details={**train.task_settings(task, settings), "precision": exported.precision, "why": exported.reason},
    )
    bundle = model_bundle.write(out_dir / "bundle", content)
    train.forget(out_dir)
    return TrainingReport(
        bundle,
        result.scores,
        exported.precision,
        len(exported.onnx),
        settings.planned_steps,
        result.resumed_at,
        time.monotonic() - began_s,
        out_dir / export_torchscript.FILE_NAME,
    )


def at_threshold(model: nn.Module, scores: Mapping[str, float]) -> nn.Module:
    """Shifts the objectness so that a score of .5 is the threshold found best on validation data."""
    if "threshold_logit" in scores:
        with torch.no_grad():
            for name in ("thing", "mask"):  # a cell counts by the weaker of the two
                model.heads[name].bias -= scores["threshold_logit"]  # type: ignore[index, union-attr]
    return model


def card(
    task: Task,
    settings: TrainSettings,
    scores: Mapping[str, float],
    exported: export_onnx.Export,
    provenances: Mapping[str, tuple[str, ...]],
) -> str:
    """The model card: what it is, what it was trained on, what it is worth, what it must not be used for."""
    made_by = "; ".join(f"{', '.join(found)} ({part})" for part, found in provenances.items())
    lines = [
        f"# {task.name}",
        "",
        f"Precision: {exported.precision} ({exported.reason}). Size: {len(exported.onnx)} bytes.",
        f"Answers: {', '.join(head.name for head in task.heads)}. Labels from: {made_by}.",
        f"Split by: {task.group_key}; no group lies in two parts.",
        "",
        "| on validation | |",
        "|---|---|",
        *(f"| {name} | {value:.4f} |" for name, value in sorted(scores.items())),
        "",
        *_of_simulation(provenances),
        "No model here is a safety device: bumper, cliff sensors and LIDAR stop the robot.",
        "",
        f"Settings: {asdict(settings)}",
    ]
    return "\n".join(lines) + "\n"


def _of_simulation(provenances: Mapping[str, tuple[str, ...]]) -> list[str]:
    if "simulator" not in {name for found in provenances.values() for name in found}:
        return []
    return ["Trained or measured on simulated frames: figures on real frames are lower."]


def _answers(onnx_bytes: bytes, inputs: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
    model = export_onnx.loaded(onnx_bytes)
    told = [model.run(one) for one in inputs]
    return {name: np.stack([answers[name] for answers in told]) for name in told[0]}
