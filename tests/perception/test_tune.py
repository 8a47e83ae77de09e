"""The search keeps its trials on disk: another call goes on where the last one stopped."""

import dataclasses
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from empty_bundles import ROWS
from typer.testing import CliRunner

from foundation.progress import silent
from oxturn import cli
from perception import tracked_training, tune
from perception.errors import TrainingError
from perception.tasks import registry
from perception.train import TrainSettings

SETTINGS = TrainSettings(seed=0, steps=4, batch=8, threads=1, validations=2)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(registry, "TASKS", MappingProxyType({ROWS.name: ROWS}))
    for part, count in (("train", 120), ("validation", 40)):
        inputs = np.random.default_rng(count).normal(0, 1, (count, 3)).astype(np.float32)
        groups = np.array([f"{part}-{index}" for index in range(count)])
        targets = (inputs[:, 0] > 0).astype(np.int64)
        np.savez(tmp_path / f"{part}.npz", inputs=inputs, targets=targets, groups=groups, provenance="truth")
    return tmp_path


def test_trials_of_an_earlier_call_count(data: Path):
    first = tune.tune(ROWS.name, data, data / "out", SETTINGS, trials=2, progress=silent)
    again = tune.tune(ROWS.name, data, data / "out", SETTINGS, trials=3, progress=silent)

    assert (first.trials, again.trials) == (2, 3)
    assert again.score >= first.score
    assert 5e-4 <= again.settings.learning_rate <= 1e-2
    assert again.settings.steps == SETTINGS.steps


def test_a_loss_that_is_no_number_is_a_bad_draw(data: Path, monkeypatch: pytest.MonkeyPatch):
    from perception import train
    from perception.errors import TrainingError

    fit, calls = train.fit, []

    def sometimes(*arguments, **how):
        calls.append(1)
        if len(calls) == 1:
            raise TrainingError("loss is nan")
        return fit(*arguments, **how)

    monkeypatch.setattr(train, "fit", sometimes)

    found = tune.tune(ROWS.name, data, data / "out", SETTINGS, trials=2, progress=silent)

    assert (found.trials, found.pruned) == (2, 1)


def test_trials_of_other_steps_or_data_are_not_ranked_together(data: Path):
    longer = dataclasses.replace(SETTINGS, steps=6)
    tune.tune(ROWS.name, data, data / "out", SETTINGS, trials=2, progress=silent)

    assert tune.tune(ROWS.name, data, data / "out", longer, trials=1, progress=silent).trials == 1
    assert tune.tune(ROWS.name, data, data / "out", SETTINGS, trials=2, progress=silent).trials == 2

    with np.load(data / "validation.npz") as held:
        changed = {**held, "targets": 1 - held["targets"]}
    np.savez(data / "validation.npz", **changed)
    assert tune.tune(ROWS.name, data, data / "out", SETTINGS, trials=1, progress=silent).trials == 1


def test_what_is_searched_and_the_threads_alone_do_not_name_a_study():
    searched = dataclasses.replace(SETTINGS, learning_rate=1.0, weight_decay=1.0, threads=2)
    others = [dataclasses.replace(SETTINGS, **change) for change in ({"steps": 5}, {"batch": 9}, {"validations": 3})]

    names = [tune.study_name("a", one, "data", None) for one in (SETTINGS, searched, *others)]

    assert names[0] == names[1]
    assert len(set(names)) == 4


def told_settings(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> TrainSettings:
    """What the verb hands on."""
    held: list[TrainSettings] = []

    def stop(task: str, data: Path, out: Path, settings: TrainSettings, **how: object) -> None:
        held.append(settings)
        raise TrainingError("told")

    monkeypatch.setattr(tune, "tune", stop)
    monkeypatch.setattr(tracked_training, "run", stop)
    if not cli.app.registered_commands:
        cli.mount()
    CliRunner().invoke(cli.app, [*arguments, "--data", "d", "--out", "o"])
    return held[0]


@pytest.mark.parametrize("task", ["obstacles", "floor_surface"])
def test_tune_searches_the_training_that_train_runs(task: str, monkeypatch: pytest.MonkeyPatch):
    searched = told_settings(monkeypatch, "tune", task, "--steps", "600")
    best = ["--learning-rate", str(searched.learning_rate), "--weight-decay", "0.003"]

    run = told_settings(monkeypatch, "train", task, "--steps", "600", *best)

    assert run == dataclasses.replace(searched, weight_decay=0.003)
    assert (searched.batch, searched.validations) == ((32, 1) if task == "floor_surface" else (8, 4))
