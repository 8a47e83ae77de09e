"""How labels of images, pixels and rows are learnt: augmented batches, class-weighted loss, accuracy as score."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from perception import augment, base_weights, labelled_arrays
from perception.labelled_arrays import LabelledArrays
from perception.preprocessing import preprocessed
from perception.tasks.task import Augmentation, ImageInput, Task
from perception.view_nets import RowNet, net_of

LABEL_SMOOTHING = 0.05


class ArrayLearner:
    """One head, softmax. Implements train.Learner."""

    def __init__(self, task: Task, train: LabelledArrays, validation: LabelledArrays) -> None:
        self._task, self._train, self._validation = task, train, validation
        (self._head,) = task.heads
        counts = np.bincount(train.targets.ravel(), minlength=self._head.channels)
        weights = np.sqrt(counts.sum() / np.maximum(counts, 1))
        self._weights = torch.from_numpy(weights / weights.mean()).float()
        self._trunk: Path | None = None

    def begin_from(self, trunk: Path | None) -> None:
        """From now on a new model has the trunk of these weights, another task's."""
        self._trunk = trunk

    @property
    def size(self) -> int:
        return len(self._train)

    @property
    def fingerprint(self) -> str:
        """Of both parts' inputs and targets, and of the trunk."""
        parts = "; ".join(labelled_arrays.fingerprint(part) for part in (self._train, self._validation))
        return f"{parts}; trunk {base_weights.digest(self._trunk)}"

    def model(self) -> nn.Module:
        model = net_of(self._task)
        if isinstance(model, RowNet):
            model.mean.copy_(torch.from_numpy(self._train.inputs.mean(axis=0)))
            model.spread.copy_(torch.from_numpy(self._train.inputs.std(axis=0) + 1e-6))
        if self._trunk is not None:
            base_weights.begin_trunk(model, base_weights.read(self._trunk), str(self._trunk))
        return model

    def batch(self, step_seed: tuple[int, int], size: int) -> tuple[Tensor, dict[str, Tensor]]:
        rng = np.random.default_rng(step_seed)
        chosen = rng.integers(len(self._train), size=size)
        inputs = torch.from_numpy(self._train.inputs[chosen])
        targets = torch.from_numpy(self._train.targets[chosen])
        if isinstance(self._task.input, ImageInput):
            generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
            inputs = preprocessed(inputs, self._task.input)
            if self._task.view == "image":
                inputs = turned_and_scaled(inputs, generator, self._task.augmentation)
            else:
                inputs, targets = mirrored(inputs, targets, rng)
            if self._task.input.bands == 3:
                hues = self._task.augmentation.hues
                inputs = augment.photometric(inputs, generator) if hues else augment.lit(inputs, generator)
            if rng_share(rng, self._task.augmentation.mixed):
                inputs, targets = mixed(inputs, targets, self._head.channels, rng)
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


def rng_share(rng: np.random.Generator, share: float) -> bool:
    """True for this share of the calls; no draw is taken for none."""
    return share > 0 and bool(rng.random() < share)


def mixed(images: Tensor, targets: Tensor, classes: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Each image blended with the next, or a box of it put in; targets become shares (B, K) (mixup, CutMix)."""
    shares = functional.one_hot(targets, classes).to(images.dtype)
    keep = float(rng.beta(0.4, 0.4))
    others = images.roll(1, 0)
    if rng.random() < 0.5:
        images = images * keep + others * (1 - keep)
    else:
        height, width = images.shape[-2:]
        side = math.sqrt(1 - keep)
        rows, columns = int(height * side), int(width * side)
        top, left = int(rng.integers(height - rows + 1)), int(rng.integers(width - columns + 1))
        images = images.clone()
        images[..., top : top + rows, left : left + columns] = others[..., top : top + rows, left : left + columns]
        keep = 1 - rows * columns / (height * width)
    return images, shares * keep + shares.roll(1, 0) * (1 - keep)


def turned_and_scaled(images: Tensor, generator: torch.Generator, how: Augmentation) -> Tensor:
    """Crops of `how.crop_ratio` with a turn, a scale, a shift and mirrors drawn for each: a floor has no upright."""
    count, channels, height, width = images.shape
    turn = (torch.rand(count, generator=generator) - 0.5) * (2 * how.turn_rad)
    closest, widest = how.zoom
    scale = how.crop_ratio * (closest + (widest - closest) * torch.rand(count, generator=generator))
    stretch = torch.exp((torch.rand(count, generator=generator) - 0.5) * 0.3)
    flips = torch.randint(0, 2, (count, 2), generator=generator) * 2.0 - 1
    shift = (torch.rand(count, 2, generator=generator) - 0.5) * 0.4
    if how.quarter_turns:
        turn = turn + torch.randint(0, 4, (count,), generator=generator) * (math.pi / 2)
    cos, sin = torch.cos(turn) * scale, torch.sin(turn) * scale
    matrix = torch.stack(
        [
            torch.stack([cos * flips[:, 0] * stretch, -sin * flips[:, 1], shift[:, 0]], dim=1),
            torch.stack([sin * flips[:, 0], cos * flips[:, 1] / stretch, shift[:, 1]], dim=1),
        ],
        dim=1,
    )  # (B, 2, 3)
    size = [count, channels, int(height * how.crop_ratio) // 16 * 16, int(width * how.crop_ratio) // 16 * 16]
    grid = functional.affine_grid(matrix, size, align_corners=False)
    moved = functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    return moved.contiguous(memory_format=torch.channels_last)
