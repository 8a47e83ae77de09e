"""The search keeps its trials on disk: another call goes on where the last one stopped."""

from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from empty_bundles import ROWS

from foundation.progress import silent
from perception import tune
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
