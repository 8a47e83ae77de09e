"""A search over training settings with Optuna: pruned, resumable, in one sqlite file. The best trial is told.

Trials are short runs of the very same loop with the task's own batch and validations, so that what is good here is good
in `oxturn train`. The validation part chooses; the
test part is never read.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from foundation.progress import ProgressFactory, silent
from perception import base_weights, train, training_data
from perception.array_learner import ArrayLearner
from perception.errors import TrainingError
from perception.tasks.registry import task_named
from perception.train import Epoch, TrainSettings

SEARCHED: Final = {"learning_rate": (5e-4, 1e-2), "weight_decay": (1e-6, 1e-2)}


@dataclass(frozen=True, slots=True)
class Tuned:
    """The best of all trials, those of earlier calls on the same file included."""

    settings: TrainSettings
    score: float
    trials: int
    pruned: int


def tune(
    task_name: str,
    data_dir: Path,
    out_dir: Path,
    settings: TrainSettings,
    *,
    trials: int,
    progress: ProgressFactory,
) -> Tuned:
    """`settings` gives what is not searched: steps, batch, seed. Trials already in `out_dir/tune.db` count.

    Only those of the same training do: other data, another base or other settings are a study of their own.

    Raises:
        TrainingError: no trial ended with a score.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    task = task_named(task_name)
    out_dir.mkdir(parents=True, exist_ok=True)
    data = training_data.prepared(task, data_dir, out_dir / "cache", seed=settings.seed, progress=progress)
    base = base_weights.find(settings.base, task.name)
    if isinstance(data.learner, ArrayLearner):
        data.learner.begin_from(base_weights.trunk(settings.base, task))
    study = optuna.create_study(
        study_name=study_name(task.name, settings, data.learner.fingerprint, base),
        storage=f"sqlite:///{out_dir.resolve() / 'tune.db'}",
        direction="maximize",
        load_if_exists=True,
        sampler=optuna.samplers.TPESampler(seed=settings.seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1),
    )
    ended = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    done = len(study.get_trials(deepcopy=False, states=ended))
    with progress("tune", total=trials, unit="trials") as advance:
        advance(min(done, trials))
        for _ in range(trials - done):
            study.optimize(lambda trial: _score(trial, data.learner, out_dir, settings, base), n_trials=1)
            advance(1)
    finished = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    if not finished:
        raise TrainingError(f"{out_dir}: none of {trials} trials ended with a score")
    pruned = len(study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.PRUNED,)))
    best = study.best_trial
    return Tuned(searched(settings, best.params), float(best.values[0]), len(finished) + pruned, pruned)


def study_name(task_name: str, settings: TrainSettings, fingerprint: str, base: Path | None) -> str:
    """Of trials that may be ranked together: all but what is searched and the number of threads is the same."""
    fixed = {name: value for name, value in asdict(settings).items() if name not in (*SEARCHED, "threads")}
    told = json.dumps([fixed, fingerprint, base_weights.digest(base)], sort_keys=True)
    return f"{task_name}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def searched(settings: TrainSettings, parameters: dict[str, Any]) -> TrainSettings:
    """The settings with what a trial drew."""
    return replace(settings, **parameters)


def _score(trial: Any, learner: train.Learner, out_dir: Path, settings: TrainSettings, base: Path | None) -> float:
    import optuna

    drawn = {name: trial.suggest_float(name, low, high, log=True) for name, (low, high) in SEARCHED.items()}
    work_dir = out_dir / f"trial-{trial.number:04d}"
    work_dir.mkdir(exist_ok=True)
    try:
        result = train.fit(
            learner,
            work_dir,
            searched(settings, drawn),
            progress=silent,
            base=base,
            on_epoch=_pruning(trial, optuna.TrialPruned),
        )
    except TrainingError as error:  # a loss that is no number is a bad draw, not the end of the search
        raise optuna.TrialPruned(str(error)) from error
    train.forget(work_dir)
    return float(result.scores["score"])


def _pruning(trial: Any, pruned: type[Exception]) -> Callable[[Epoch], None]:
    def on_epoch(epoch: Epoch) -> None:
        trial.report(epoch.scores["score"], epoch.step)
        if trial.should_prune():
            raise pruned(f"below the median at step {epoch.step}")

    return on_epoch
