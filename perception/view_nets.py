"""Networks for tasks that are not the robot's grid: one label an image, one label a pixel, one label a row of numbers.

All built from the trunk of `cnn_model`, so that what holds for the robot's network (INT8, speed) holds for them.
"""

import torch
from torch import Tensor, nn

from perception.cnn_model import GridNet, Trunk
from perception.tasks.task import Head, ImageInput, RowInput, Task


class ImageNet(nn.Module):
    """(B, bands, H, W) -> (B, channels) a head: features averaged over the image, and over `looks` at it."""

    def __init__(self, bands: int, heads: tuple[Head, ...], width: float, looks: int = 1) -> None:
        super().__init__()
        self.looks = looks
        self.trunk = Trunk(bands, width)
        channels = self.trunk.channels[-1]
        self.mix = nn.Sequential(
            nn.Conv2d(channels, 2 * channels, 1, bias=False), nn.BatchNorm2d(2 * channels), nn.ReLU()
        )
        self.drop = nn.Dropout(0.2)
        self.heads = nn.ModuleDict({head.name: nn.Linear(2 * channels, head.channels) for head in heads})

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        looks = 1 if self.training else self.looks  # a lesson is one look, drawn
        features = self.mix(self.trunk(seen(images, looks))[-1]).mean(dim=(2, 3))
        features = self.drop(features.reshape(looks, -1, features.shape[1]).mean(dim=0) if looks > 1 else features)
        return {name: head(features) for name, head in self.heads.items()}


def seen(images: Tensor, looks: int) -> Tensor:
    """(looks * B, bands, H, W): as they are, mirrored one way, the other, both; 8: also with axes swapped."""
    if looks == 1:
        return images
    given = [images, images.transpose(2, 3)] if looks == 8 else [images]
    return torch.cat([one.flip(axes) if axes else one for one in given for axes in ((), (3,), (2,), (2, 3))])


class DenseNet(nn.Module):
    """(B, bands, H, W) -> (B, channels, H, W) a head; H and W are multiples of 16."""

    def __init__(self, bands: int, heads: tuple[Head, ...], width: float) -> None:
        super().__init__()
        self.grid = GridNet(bands, {head.name: head.channels for head in heads}, width)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        coarse = self.grid(images)
        return {
            name: nn.functional.interpolate(answer, scale_factor=8.0, mode="bilinear", align_corners=False)
            for name, answer in coarse.items()
        }


class RowNet(nn.Module):
    """(B, columns) -> (B, channels) a head; columns are brought to mean 0 and spread 1 by what training saw."""

    mean: Tensor
    spread: Tensor

    def __init__(self, columns: int, heads: tuple[Head, ...], width: float) -> None:
        super().__init__()
        inner = max(8, int(64 * width))
        self.register_buffer("mean", torch.zeros(columns))
        self.register_buffer("spread", torch.ones(columns))
        self.body = nn.Sequential(nn.Linear(columns, inner), nn.ReLU(), nn.Linear(inner, inner), nn.ReLU())
        self.heads = nn.ModuleDict({head.name: nn.Linear(inner, head.channels) for head in heads})

    def forward(self, rows: Tensor) -> dict[str, Tensor]:
        features = self.body((rows - self.mean) / self.spread)
        return {name: head(features) for name, head in self.heads.items()}


def net_of(task: Task) -> nn.Module:
    """By the task's view."""
    if isinstance(task.input, RowInput):
        return RowNet(len(task.input.columns), task.heads, task.width)
    assert isinstance(task.input, ImageInput)
    if task.view == "dense":
        return DenseNet(task.input.bands, task.heads, task.width)
    return ImageNet(task.input.bands, task.heads, task.width, task.looks)
