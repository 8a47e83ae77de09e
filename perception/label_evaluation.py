"""What a classifier of images or rows is worth on held-out inputs, beside the majority and a classical baseline.

In: a bundle of a task with one label an input, and a folder that `labelled_arrays` reads. Out: an `Evaluation`:
accuracy with its interval, precision, recall and F1 by class, calibration, one-vs-rest ROC and precision-recall by
class, confusion (K, K). Both baselines know the training part only. Fails with TaskError on data that do not fit the
task (also: labels made by clustering) and with EvaluationError on a split that leaks.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from foundation.geometry import FloatArray
from foundation.progress import ProgressFactory
from perception import classical_baseline, detection_curves, labelled_arrays, model_bundle, ranking_curves, score_curves
from perception.detection_curves import ClassCurves
from perception.errors import EvaluationError
from perception.evaluate import Evaluation
from perception.onnx_model import OnnxModel
from perception.tasks.registry import task_named

DRAWS: Final = 300


def evaluate(bundle_dir: Path, data_dir: Path, *, progress: ProgressFactory) -> Evaluation:
    """Of the `test` part, or of `validation` where there is no other; `part` says which.

    Raises:
        EvaluationError: a leaking split, a bundle that may have learnt held-out inputs, or a task with a label a pixel.
    """
    bundle = model_bundle.load(bundle_dir)
    task = task_named(bundle.task)
    if task.view == "dense":
        raise EvaluationError(
            f"{bundle_dir}: {task.name} labels pixels, and only inputs with one label are judged here"
        )
    part = labelled_arrays.held_out_part(data_dir)
    parts = labelled_arrays.sound_parts(data_dir, task, ("train", part))
    train, held_out = parts["train"], parts[part]
    if train.left_out and bundle.dataset_hash != train.digest:
        raise EvaluationError(
            f"the split leaks, so its figures are refused: {train.left_out} training inputs lie in another part too, "
            f"and {bundle_dir} was not trained without them; train it anew on {data_dir}"
        )
    model, (head,) = OnnxModel.load(bundle.onnx_path), task.heads
    answers = []
    with progress("evaluate", total=len(held_out), unit="inputs") as advance:
        for one in held_out.inputs:
            answers.append(softmax(model.run(one)[head.name]))
            advance(1)
    found = judged(np.stack(answers), held_out.targets, held_out.groups, head.classes)
    shares = np.bincount(train.targets, minlength=head.channels) / len(train)
    told = {
        "majority": np.tile(shares, (len(held_out), 1)),
        "classical": classical_baseline.probabilities(train, held_out, head.channels),
    }
    baselines = {
        name: brief(judged(answer, held_out.targets, held_out.groups, head.classes).figures)
        for name, answer in told.items()
    }
    figures = {"task": task.name, "part": part, **found.figures, "baselines": baselines}
    return Evaluation(figures, found.confusion, found.class_names, found.curves)


def judged(
    probabilities: FloatArray, targets: NDArray[np.int64], groups: Sequence[str], names: Sequence[str]
) -> Evaluation:
    """Figures of answers (N, K) to inputs whose true classes are `targets` (N,)."""
    told, count = probabilities.argmax(axis=1), len(names)
    confusion = np.zeros((count, count), np.int64)
    np.add.at(confusion, (targets, told), 1)
    right = told == targets
    by_class = {name: _of_class(confusion, index) for index, name in enumerate(names)}
    f1 = [row["f1"] for row in by_class.values() if row["f1"] is not None]
    curves = {name: _curves(probabilities[:, index], targets == index) for index, name in enumerate(names)}
    figures: dict[str, Any] = {
        "inputs": len(targets),
        "accuracy": float(right.mean()),
        "accuracy_interval_95": interval(right, groups),
        "f1_mean": float(np.mean(f1)) if f1 else None,
        "by_class": by_class,
        "calibration": score_curves.calibration(probabilities.max(axis=1), right.astype(np.float64)),
        "curves": detection_curves.figures(curves),
    }
    return Evaluation(figures, confusion, tuple(names), curves)


def brief(figures: dict[str, Any]) -> dict[str, Any]:
    """What is told of a baseline."""
    means = {name: figures["curves"][name] for name in ("roc_auc_mean", "average_precision_mean")}
    return {name: figures[name] for name in ("accuracy", "accuracy_interval_95", "f1_mean")} | means


def interval(right: NDArray[np.bool_], groups: Sequence[str]) -> tuple[float, float]:
    """Bootstrap over groups: inputs of one room, scene or day are no independent witnesses."""
    _, at = np.unique(np.asarray(groups), return_inverse=True)
    sums, counts = np.bincount(at, weights=right), np.bincount(at)
    picks = np.random.default_rng(0).integers(len(counts), size=(DRAWS, len(counts)))
    low, high = np.percentile(sums[picks].sum(axis=1) / counts[picks].sum(axis=1), [2.5, 97.5])
    return float(low), float(high)


def softmax(logits: NDArray[np.float32]) -> FloatArray:
    """(K,) probabilities."""
    shares = np.exp(logits.astype(np.float64) - logits.max())
    return np.asarray(shares / shares.sum())


def _of_class(confusion: NDArray[np.int64], index: int) -> dict[str, float | int | None]:
    """Precision where it was told, recall where it occurs, F1 where either."""
    right, told, true = int(confusion[index, index]), int(confusion[:, index].sum()), int(confusion[index].sum())
    return {
        "inputs": true,
        "precision": right / told if told else None,
        "recall": right / true if true else None,
        "f1": 2 * right / (told + true) if told + true else None,
    }


def _curves(scores: FloatArray, truth: NDArray[np.bool_]) -> ClassCurves:
    positives = int(truth.sum())
    roc, precision_recall = ranking_curves.roc(scores, truth), ranking_curves.precision_recall(scores, truth)
    return ClassCurves(roc, precision_recall, positives, len(truth) - positives, positives)
