"""A bundle judged on labelled data, whatever its task, always beside its baselines. What `oxturn evaluate` prints.

In: a bundle and a folder of samples or labelled arrays. Out: an `Evaluation` whose figures hold `baselines`: `majority`
(all floor is free; the commonest label) and `classical` (`floor_colour_baseline`; `classical_baseline`), judged by the
same judge on the same inputs. Fails as `evaluate` and `label_evaluation` do.
"""

from pathlib import Path
from typing import Any, Final

from foundation.progress import ProgressFactory
from perception import evaluate, label_evaluation, model_bundle, plots
from perception.evaluate import Evaluation, FrameDetector
from perception.floor_colour_baseline import FloorColourBaseline
from perception.tasks.registry import task_named

TOLD_OF_BASELINES: Final = ("recall", "recall_interval_95", "false_alarms_per_100", "by_distance")


def of_bundle(
    bundle_dir: Path, data_dir: Path, *, min_score: float | None, range_max_m: float, progress: ProgressFactory
) -> Evaluation:
    """`min_score` and `range_max_m` are the obstacle detector's; other tasks have none."""
    task = task_named(model_bundle.load(bundle_dir).task)
    if task.view != "grid":
        return label_evaluation.evaluate(bundle_dir, data_dir, progress=progress)
    found = evaluate.evaluate(
        evaluate.of_bundle(bundle_dir, min_score=min_score, range_max_m=range_max_m),
        data_dir,
        range_max_m=range_max_m,
        progress=progress,
    )
    baselines = obstacle_baselines(data_dir, range_max_m, progress)
    return Evaluation({**found.figures, "baselines": baselines}, found.confusion, found.class_names, found.curves)


def obstacle_baselines(data_dir: Path, range_max_m: float, progress: ProgressFactory) -> dict[str, Any]:
    """Neither tells classes, so nothing by class is said of them."""
    detectors: dict[str, FrameDetector] = {"majority": evaluate.nothing, "classical": FloorColourBaseline(range_max_m)}
    told = {}
    for name, detector in detectors.items():
        figures = evaluate.evaluate(detector, data_dir, range_max_m=range_max_m, progress=progress).figures
        told[name] = {key: figures[key] for key in TOLD_OF_BASELINES}
    return told


def draw(found: Evaluation, folder: Path) -> None:
    """The pictures of an evaluation as PNGs: confusion and curves, and of detections recall and scores."""
    plots.confusion(found, folder / "confusion.png")
    plots.curves(found, folder / "curves.png")
    if "by_distance" in found.figures:
        plots.recall_by_distance(found, folder / "recall.png")
        plots.scores(found, folder / "scores.png")
