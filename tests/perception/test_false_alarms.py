"""Windows around places where a network tells things that are not there."""

import numpy as np
import pytest
import torch
from painted_rooms import write_rooms
from torch import nn

from foundation.progress import silent
from perception import training_job
from perception.grid_learner import WINDOW_CELLS, GridLearner
from perception.tasks.obstacles import OBSTACLES
from perception.train import TrainSettings


class Sees(nn.Module):
    """Things at the cells (row, column) of every frame, and nowhere else."""

    def __init__(self, *cells):
        super().__init__()
        self.cells = cells

    def forward(self, images):
        logits = torch.full((len(images), 1, images.shape[2] // 8, images.shape[3] // 8), -5.0)
        for row, column in self.cells:
            logits[:, 0, row, column] = 5.0
        return {"thing": logits, "mask": logits}


@pytest.fixture
def learner(tmp_path):
    for part in ("train", "validation"):
        write_rooms(tmp_path / part, rooms=1, frames=6)
    return GridLearner(OBSTACLES, tmp_path / "train", tmp_path / "validation", tmp_path / "cache", silent)


def test_places_are_one_a_block_and_frame_and_never_at_a_thing(learner):
    free = ~(np.asarray(learner._train.thing) != 0).any(axis=0)
    rows, columns = np.nonzero(free[1:-1, 1:-1] & free[:-2, 1:-1] & free[2:, 1:-1])
    cell = (int(rows[0]) + 1, int(columns[0]) + 1)
    thing = tuple(int(value) for value in np.argwhere(np.asarray(learner._train.thing)[0] == 1)[0])

    assert learner.look_for_false_alarms(Sees(cell), 0.5, silent) == 6
    assert learner.look_for_false_alarms(Sees(), 0.5, silent) == 0
    told = learner.look_for_false_alarms(Sees(thing), 0.5, silent)
    assert told < 6  # in the first frame it is none


def test_windows_show_them_and_equal_seeds_are_equal(learner):
    before = learner.batch((3, 0), 4)[0]
    learner.look_for_false_alarms(Sees(), 1.0, silent)
    assert torch.equal(before, learner.batch((3, 0), 4)[0])  # none found: nothing changes

    learner.look_for_false_alarms(Sees((29, 39)), 1.0, silent)
    assert len(learner._alarms)
    again, corner = learner.batch((3, 0), 4), (30 - WINDOW_CELLS, 40 - WINDOW_CELLS)
    assert not torch.equal(before, again[0]) and torch.equal(again[0], learner.batch((3, 0), 4)[0])
    cut = []
    learner._cut_at = lambda frame, row, column, rng: cut.append((row, column))  # before it is kept inside
    for seed in range(20):
        learner._window(np.random.default_rng(seed))
    assert all(corner[0] <= row <= 29 and corner[1] <= column <= 39 for row, column in cut)


@pytest.mark.slow
def test_a_run_looks_for_them_when_it_is_told_to(tmp_path, monkeypatch):
    for part in ("train", "validation", "test"):
        write_rooms(tmp_path / "split" / part, rooms=1, frames=4)
    monkeypatch.setattr("perception.dataset.refuse_leaks", lambda parts: None)  # painted rooms share their names
    asked = []
    monkeypatch.setattr(
        GridLearner, "look_for_false_alarms", lambda self, model, share, progress: asked.append(share) or 0
    )

    for name, share in (("with", 0.2), ("without", 0.0)):
        settings = TrainSettings(seed=1, steps=1, batch=2, threads=1, validations=1, false_alarm_share=share)
        training_job.run(
            "obstacles", tmp_path / "split", tmp_path / name, settings, progress=silent, on_epoch=lambda e: None
        )

    assert asked == [0.2]
