"""How labels of images, pixels and rows are learnt: augmented batches, class-weighted loss, accuracy as score."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from perception import augment
from perception.labelled_arrays import LabelledArrays
from perception.preprocessing import floats, preprocessed
from perception.tasks.task import ImageInput, Task
from perception.view_nets import RowNet, net_of

CROP_RATIO = 0.8  # of each side, in training
LABEL_SMOOTHING = 0.05


class ArrayLearner:
    """One head, softmax. Implements train.Learner."""

    def __init__(self, task: Task, train: LabelledArrays, validation: LabelledArrays) -> None:
        self._task, self._train, self._validation = task, train, validation
        (self._head,) = task.heads
        counts = np.bincount(train.targets.ravel(), minlength=self._head.channels)
        weights = np.sqrt(counts.sum() / np.maximum(counts, 1))
        self._weights = torch.from_numpy(weights / weights.mean()).float()

    @property
    def size(self) -> int:
        return len(self._train)

    def model(self) -> nn.Module:
        model = net_of(self._task)
        if isinstance(model, RowNet):
            model.mean.copy_(torch.from_numpy(self._train.inputs.mean(axis=0)))
            model.spread.copy_(torch.from_numpy(self._train.inputs.std(axis=0) + 1e-6))
        return model

    def batch(self, step_seed: tuple[int, int], size: int) -> tuple[Tensor, dict[str, Tensor]]:
        rng = np.random.default_rng(step_seed)
        chosen = rng.integers(len(self._train), size=size)
        inputs = torch.from_numpy(self._train.inputs[chosen])
        targets = torch.from_numpy(self._train.targets[chosen])
        if isinstance(self._task.input, ImageInput):
            generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
            inputs = floats(inputs)
            if self._task.view == "image":
                inputs = turned_and_scaled(inputs, generator)
            else:
                inputs, targets = mirrored(inputs, targets, rng)
            if self._task.input.bands == 3:
                inputs = augment.photometric(inputs, generator)
        return inputs, {self._head.name: targets}

    def loss(self, answers: dict[str, Tensor], targets: dict[str, Tensor]) -> Tensor:
        return functional.cross_entropy(
            answers[self._head.name], targets[self._head.name], weight=self._weights, label_smoothing=LABEL_SMOOTHING
        )

    def preprocess(self, raw: Tensor) -> Tensor:
        return preprocessed(raw, self._task.input)

    def score(self, answers: Callable[[Tensor], dict[str, Tensor]]) -> dict[str, float]:
        """Accuracy on the validation part, whole images; ties between equal accuracies go to the surer network."""
        told, sure = [], []
        for start in range(0, len(self._validation), 32):
            inputs = torch.from_numpy(self._validation.inputs[start : start + 32])
            logits = answers(inputs)[self._head.name]
            told.append(logits.argmax(1).numpy())
            targets = torch.from_numpy(self._validation.targets[start : start + 32])
            sure.append(functional.cross_entropy(logits, targets, reduction="none").numpy().ravel())
        accuracy = float((np.concatenate(told) == self._validation.targets).mean())
        log_loss = float(np.concatenate(sure).mean())
        return {"score": accuracy - 1e-4 * min(log_loss, 1.0), "accuracy": accuracy, "log_loss": log_loss}


def mirrored(images: Tensor, targets: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Half of the batches, left to right and top to bottom, with their masks."""
    axes = [axis for axis in (-1, -2) if rng.random() < 0.5]
    return (images.flip(axes), targets.flip(axes)) if axes else (images, targets)


def turned_and_scaled(images: Tensor, generator: torch.Generator) -> Tensor:
    """Crops of CROP_RATIO with a turn, a scale, a shift and mirrors drawn for each: a floor has no upright."""
    count, channels, height, width = images.shape
    turn = (torch.rand(count, generator=generator) - 0.5) * 0.7
    scale = CROP_RATIO * (0.7 + 0.6 * torch.rand(count, generator=generator))
    stretch = torch.exp((torch.rand(count, generator=generator) - 0.5) * 0.3)
    flips = torch.randint(0, 2, (count, 2), generator=generator) * 2.0 - 1
    shift = (torch.rand(count, 2, generator=generator) - 0.5) * 0.4
    cos, sin = torch.cos(turn) * scale, torch.sin(turn) * scale
    matrix = torch.stack(
        [
            torch.stack([cos * flips[:, 0] * stretch, -sin * flips[:, 1], shift[:, 0]], dim=1),
            torch.stack([sin * flips[:, 0], cos * flips[:, 1] / stretch, shift[:, 1]], dim=1),
        ],
        dim=1,
    )  # (B, 2, 3)
    size = [count, channels, int(height * CROP_RATIO) // 16 * 16, int(width * CROP_RATIO) // 16 * 16]
    grid = functional.affine_grid(matrix, size, align_corners=False)
    moved = functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    return moved.contiguous(memory_format=torch.channels_last)
