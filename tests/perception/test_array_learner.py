"""What lessons of whole images are made of: crops, light, blends; and what a task asks of its training."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from perception import array_learner, augment, base_weights, export_onnx, train
from perception.array_learner import ArrayLearner
from perception.cnn_model import GridNet
from perception.errors import TrainingError
from perception.labelled_arrays import LabelledArrays
from perception.preprocessing import preprocessed
from perception.tasks.floor_surface import FLOOR_SURFACE
from perception.tasks.obstacles import OBSTACLES
from perception.tasks.task import Augmentation, ImageInput, Schedule
from perception.train import TrainSettings
from perception.view_nets import net_of

SMALL = dataclasses.replace(FLOOR_SURFACE, input=ImageInput(64, 64), width=0.5, augmentation=Augmentation())


def arrays(count: int = 12, side: int = 64) -> LabelledArrays:
    rng = np.random.default_rng(4)
    images = rng.integers(0, 255, (count, side, side, 3)).astype(np.uint8)
    return LabelledArrays(images, np.arange(count) % 3, tuple(map(str, range(count))), "")


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def test_a_blend_owes_each_class_its_share():
    images = torch.zeros(2, 3, 40, 40)
    images[1] = 1.0
    targets = torch.tensor([0, 2])
    rng = np.random.default_rng(0)

    for _ in range(20):
        blended, shares = array_learner.mixed(images, targets, 3, rng)

        np.testing.assert_allclose(shares.sum(dim=1), 1, atol=1e-6)
        np.testing.assert_allclose(blended[0].mean(), shares[0, 2], atol=1e-5)
        np.testing.assert_allclose(blended[1].mean(), shares[1, 2], atol=1e-5)


def test_blended_lessons_have_a_loss():
    learner = ArrayLearner(dataclasses.replace(SMALL, augmentation=Augmentation(mixed=1.0)), arrays(), arrays())

    inputs, targets = learner.batch((0, 0), 6)

    assert targets["label"].shape == (6, 3)
    assert math.isfinite(learner.loss(learner.model()(inputs), targets).item())


def test_quarter_turns_show_each_side_upwards():
    image = torch.zeros(1, 3, 32, 32)
    image[..., :8, :] = 1.0  # bright at the top
    how = Augmentation(crop_ratio=1.0, turn_rad=0.0, zoom=(1.0, 1.0), quarter_turns=True)
    crops = array_learner.turned_and_scaled(image.expand(64, -1, -1, -1), generator(), how)

    sides = {int(np.argmax([crop[:, :4].mean(), crop[:, -4:].mean(), crop[..., :4].mean(), crop[..., -4:].mean()]))
             for crop in crops}  # fmt: skip

    assert sides == {0, 1, 2, 3}


def test_lamps_swap_no_hues():
    brown = torch.tensor([0.2, 0.35, 0.5])[None, :, None, None].expand(200, 3, 4, 4)

    seen = augment.lit(brown, generator()).mean(dim=(2, 3))

    assert (seen[:, 2] > seen[:, 0]).all()
    assert seen.mean(dim=1).std() > 0.03


def test_what_is_standardised_for_scores_is_standardised_in_lessons():
    task = dataclasses.replace(SMALL, input=ImageInput(64, 64, standardised=True))
    dark = dataclasses.replace(arrays(), inputs=arrays().inputs // 8)

    inputs, _ = ArrayLearner(task, dark, dark).batch((0, 0), 12)

    assert float(inputs.mean()) == pytest.approx(0.5, abs=0.1)


def test_a_task_without_wishes_is_learnt_by_the_defaults():
    assert train.settings_of(OBSTACLES, seed=3, minutes=None) == TrainSettings(seed=3)


def test_a_tasks_schedule_gives_way_to_what_is_said():
    task = dataclasses.replace(
        FLOOR_SURFACE, schedule=Schedule(steps=700, batch=32, learning_rate=1e-3, weight_decay=0.1)
    )

    assert train.settings_of(task).planned_steps == 700
    assert train.settings_of(task, steps=9, learning_rate=2e-3).learning_rate == 2e-3
    assert train.settings_of(task, steps=9).planned_steps == 9
    assert train.settings_of(task, minutes=2.0).planned_steps == 2 * train.STEPS_PER_MINUTE * 8 // 32


def test_a_trunk_is_lent_by_the_shipped_weights_of_another_task():
    lent = base_weights.trunk(base_weights.SHIPPED, dataclasses.replace(FLOOR_SURFACE, trunk_of="obstacles"))
    assert lent is not None
    learner = ArrayLearner(FLOOR_SURFACE, arrays(), arrays())
    learner.begin_from(lent)

    model = learner.model()

    wanted = base_weights.read(lent)["trunk.stem.0.weight"]
    torch.testing.assert_close(model.trunk.stem[0].weight.detach(), wanted)
    assert base_weights.trunk(base_weights.SCRATCH, dataclasses.replace(FLOOR_SURFACE, trunk_of="obstacles")) is None
    assert base_weights.trunk(base_weights.SHIPPED, OBSTACLES) is None


def test_a_trunk_of_another_width_is_refused(tmp_path: Path):
    base_weights.write(tmp_path / "w.npz", GridNet(3, {"thing": 1}, 0.5))
    learner = ArrayLearner(dataclasses.replace(FLOOR_SURFACE, width=1.0), arrays(), arrays())
    learner.begin_from(tmp_path / "w.npz")

    with pytest.raises(TrainingError, match="this network wants"):
        learner.model()


@pytest.mark.parametrize(("looks", "turned"), [(4, False), (8, True)])
def test_an_answer_of_several_looks_does_not_depend_on_how_the_photo_lies(looks: int, turned: bool):
    torch.manual_seed(0)
    net = net_of(dataclasses.replace(SMALL, looks=looks)).eval()
    image = torch.rand(2, 3, 64, 64, generator=generator())
    with torch.inference_mode():
        upright, flipped, swapped = (net(one)["label"] for one in (image, image.flip(3), image.transpose(2, 3)))

    torch.testing.assert_close(upright, flipped)
    assert torch.allclose(upright, swapped, atol=1e-5) == turned


def test_several_looks_are_one_graph():
    task = dataclasses.replace(SMALL, looks=8)
    net = net_of(task).eval()
    images = arrays(3).inputs
    with torch.inference_mode():
        wanted = net(preprocessed(torch.from_numpy(images), task.input))["label"]

    told = export_onnx.answers_of(export_onnx.float_onnx(net, task))(torch.from_numpy(images))["label"]

    torch.testing.assert_close(told, wanted, atol=1e-4, rtol=1e-3)
