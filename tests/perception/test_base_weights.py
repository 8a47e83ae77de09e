import numpy as np
import pytest
import torch

from foundation.progress import silent
from perception import base_weights, train
from perception.cnn_model import GridNet
from perception.errors import TrainingError
from perception.tasks.obstacles import OBSTACLES
from tests.perception.test_train import SETTINGS, Line


def net(width=1.0):
    return GridNet(3, {head.name: head.channels for head in OBSTACLES.heads}, width)


def test_a_network_begins_as_the_written_one_to_half_precision(tmp_path):
    torch.manual_seed(0)
    first, second = net(), net()

    base_weights.write(tmp_path / "w.npz", first)
    base_weights.begin(second, base_weights.read(tmp_path / "w.npz"), "w.npz")

    for name, value in first.state_dict().items():
        if value.is_floating_point():
            assert torch.allclose(value, second.state_dict()[name], atol=1e-3), name


def test_another_networks_weights_are_refused_by_name_and_shape(tmp_path):
    base_weights.write(tmp_path / "w.npz", net())

    with pytest.raises(TrainingError, match=r"w\.npz: trunk\.stem.*this network wants"):
        base_weights.begin(net(2.0), base_weights.read(tmp_path / "w.npz"), "w.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"\x80\x04}"])
def test_a_file_that_is_no_archive_is_one_clear_line(tmp_path, content):
    (tmp_path / "w.npz").write_bytes(content)

    with pytest.raises(TrainingError, match="not a file of base weights"):
        base_weights.read(tmp_path / "w.npz")


def test_pickled_objects_are_never_loaded(tmp_path):
    np.savez(tmp_path / "w.npz", evil=np.array([{"a": 1}], dtype=object))

    with pytest.raises(TrainingError, match="not a file of base weights"):
        base_weights.read(tmp_path / "w.npz")


def test_what_the_words_mean(tmp_path):
    assert base_weights.find(base_weights.SCRATCH, "obstacles") is None
    assert base_weights.find(base_weights.SHIPPED, "no_such_task") is None
    assert base_weights.find(str(tmp_path), "obstacles") == tmp_path


def test_the_shipped_weights_fit_the_network_of_today():
    path = base_weights.find(base_weights.SHIPPED, OBSTACLES.name)

    assert path is not None
    base_weights.begin(net(OBSTACLES.width), base_weights.read(path), str(path))


def test_training_goes_on_from_them_at_a_lower_rate(tmp_path):
    learnt = train.fit(Line(), tmp_path / "a", SETTINGS, progress=silent, on_epoch=lambda epoch: None)
    base_weights.write(tmp_path / "w.npz", learnt.model)
    steps = train.TrainSettings(seed=5, steps=1, batch=8, validations=1, threads=1, learning_rate=0.05)

    again = train.fit(
        Line(), tmp_path / "b", steps, progress=silent, on_epoch=lambda epoch: None, base=tmp_path / "w.npz"
    )

    assert again.scores["score"] > learnt.scores["score"] - 0.05


def test_a_refinement_that_is_worse_is_not_delivered(tmp_path):
    learnt = train.fit(Line(), tmp_path / "a", SETTINGS, progress=silent, on_epoch=lambda epoch: None)
    base_weights.write(tmp_path / "w.npz", learnt.model)
    wild = train.TrainSettings(seed=5, steps=20, batch=8, validations=2, threads=1, learning_rate=500.0)
    epochs = []

    again = train.fit(Line(), tmp_path / "b", wild, progress=silent, on_epoch=epochs.append, base=tmp_path / "w.npz")

    assert [epoch.step for epoch in epochs] == [0, 10, 20]
    assert again.scores == epochs[0].scores and epochs[-1].scores["score"] < again.scores["score"]
