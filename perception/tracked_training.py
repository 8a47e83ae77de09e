"""A training job told to MLflow while it runs: settings, every validation, the learning curve, bundle, TorchScript."""

from pathlib import Path

from foundation.progress import ProgressFactory
from perception import plots, train, training_data, training_job
from perception.mlflow_tracking import tracking
from perception.tasks.registry import task_named
from perception.train import Epoch, TrainSettings
from perception.training_job import TrainingReport


def run(
    task_name: str,
    data_dir: Path,
    out_dir: Path,
    settings: TrainSettings,
    *,
    tracking_uri: str | None,
    artifacts: str | None = None,
    progress: ProgressFactory,
) -> TrainingReport:
    """As `training_job.run`; a tracking server that fails changes nothing about the training."""
    task = task_named(task_name)
    epochs: list[Epoch] = []
    name = f"{task.name}-{settings.seed}"
    with tracking(tracking_uri, task.name, out_dir, name=name, artifacts=artifacts) as tracker:
        tracker.settings(
            {**train.task_settings(task, settings), "dataset_hash": training_data.dataset_hash(task, data_dir)}
        )

        def on_epoch(epoch: Epoch) -> None:
            epochs.append(epoch)
            tracker.scores({"loss": epoch.loss, **epoch.scores}, epoch.step)

        report = training_job.run(task_name, data_dir, out_dir, settings, progress=progress, on_epoch=on_epoch)
        if epochs:
            plots.learning_curve(epochs, out_dir / "learning_curve.png")
            tracker.file(out_dir / "learning_curve.png")
        tracker.scores({"size_bytes": report.size_bytes, "duration_s": report.duration_s}, report.steps)
        tracker.file(report.bundle.folder, "bundle")
        tracker.file(report.torchscript)
    return report
