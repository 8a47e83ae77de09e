"""The loop learns, keeps the best, refuses a loss that is no number, and resumes as if nothing had been."""

import dataclasses
import math

import pytest
import torch
from torch import nn

from foundation.progress import silent
from perception import base_weights, train
from perception.errors import TrainingError
from perception.train import TrainSettings

SETTINGS = TrainSettings(seed=3, steps=40, batch=8, validations=4, checkpoint_every=10, threads=1, learning_rate=0.05)


class Line:
    """y = 2 x + 1; counts steps, and can break at one."""

    size = 100

    def __init__(self, breaks_at=None, nan_at=None, fingerprint="these data"):
        self.breaks_at, self.nan_at, self.fingerprint = breaks_at, nan_at, fingerprint

    def model(self):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.line = nn.Linear(1, 1)

            def forward(self, x):
                return {"y": self.line(x)}

        return Net()

    def batch(self, step_seed, size):
        if step_seed[1] == self.breaks_at:
            raise KeyboardInterrupt
        x = torch.randn(size, 1, generator=torch.Generator().manual_seed(step_seed[0] * 1000 + step_seed[1]))
        scale = math.nan if step_seed[1] == self.nan_at else 1.0
        return x, {"y": (2 * x + 1) * scale}

    def loss(self, answers, targets):
        return (answers["y"] - targets["y"]).square().mean()

    def preprocess(self, raw):
        return raw

    def score(self, model):
        x = torch.linspace(-1, 1, 5)[:, None]
        return {"score": -float((model(x)["y"] - 2 * x - 1).abs().max())}


@pytest.fixture(autouse=True)
def _own_threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def fit(learner, folder, settings=SETTINGS, on_epoch=lambda epoch: None, base=None):
    return train.fit(learner, folder, settings, progress=silent, on_epoch=on_epoch, base=base)


def test_training_learns_and_tells_each_validation(tmp_path):
    told = []

    result = fit(Line(), tmp_path, dataclasses.replace(SETTINGS, steps=200), told.append)

    assert [epoch.step for epoch in told] == [50, 100, 150, 200]
    assert result.scores["score"] > -0.2
    assert result.scores["score"] == max(epoch.scores["score"] for epoch in told)


def test_a_killed_run_goes_on_bit_for_bit(tmp_path):
    whole = fit(Line(), tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        fit(Line(breaks_at=27), tmp_path / "killed")

    resumed = fit(Line(), tmp_path / "killed")

    assert resumed.resumed_at == 20
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name])
    assert resumed.epochs == whole.epochs


def test_other_settings_start_anew_and_a_torn_checkpoint_is_named(tmp_path):
    fit(Line(), tmp_path)

    assert fit(Line(), tmp_path, dataclasses.replace(SETTINGS, seed=4)).resumed_at == 0

    (tmp_path / "checkpoint.pt").write_bytes(b"torn")
    with pytest.raises(TrainingError, match=r"checkpoint\.pt"):
        fit(Line(), tmp_path)


def test_a_killed_run_on_other_data_starts_anew(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        fit(Line(breaks_at=27), tmp_path)

    assert fit(Line(fingerprint="other data"), tmp_path).resumed_at == 0


def test_a_killed_run_from_a_base_that_changed_under_its_path_starts_anew(tmp_path):
    base = tmp_path / "base.npz"
    base_weights.write(base, fit(Line(), tmp_path / "first").model)
    with pytest.raises(KeyboardInterrupt):
        fit(Line(breaks_at=27), tmp_path / "run", base=base)
    base_weights.write(base, fit(Line(), tmp_path / "second", dataclasses.replace(SETTINGS, seed=9)).model)

    assert fit(Line(), tmp_path / "run", base=base).resumed_at == 0


def test_a_run_that_is_delivered_is_forgotten(tmp_path):
    fit(Line(), tmp_path)
    assert fit(Line(), tmp_path).resumed_at == SETTINGS.steps  # killed between the last step and the bundle

    train.forget(tmp_path)

    assert fit(Line(), tmp_path).resumed_at == 0


def test_a_loss_that_is_no_number_stops_with_the_step(tmp_path):
    with pytest.raises(TrainingError, match="loss is nan at step 5 of 40"):
        fit(Line(nan_at=5), tmp_path)


def test_the_rate_rises_shortly_then_falls_to_nearly_nothing():
    rates = [train.rate_at(step, 1000, 1.0) for step in range(1000)]

    assert rates[0] < 0.05 < 0.99 < max(rates)
    assert rates.index(max(rates)) < 60
    assert rates[-1] < 0.011
    assert sorted(rates[60:], reverse=True) == rates[60:]


def test_minutes_plan_steps_whatever_the_machine():
    assert TrainSettings(minutes=2.0).planned_steps == 2 * train.STEPS_PER_MINUTE
    assert TrainSettings(minutes=2.0, steps=7).planned_steps == 7
