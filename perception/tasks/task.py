"""What a perception task is, as plain values: what goes in, what is answered, what may be split, what is measured.

A new task is one file of such a value and one line in `registry.TASKS`. Nothing here runs; training, evaluation,
serving and drift read it.
"""

from dataclasses import dataclass
from typing import Literal

View = Literal["grid", "image", "dense", "rows"]
Loss = Literal["focal", "softmax", "smooth_l1"]


@dataclass(frozen=True, slots=True)
class ImageInput:
    """Decoded images, uint8 (H, W, bands); three bands are BGR. `standardised`: each frame's own gain and offset go."""

    height_px: int
    width_px: int
    bands: int = 3
    standardised: bool = False


@dataclass(frozen=True, slots=True)
class RowInput:
    """One row of sensor values, float32 (columns,)."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """One answer of the network. `classes` names its channels where they are classes."""

    name: str
    channels: int
    loss: Loss
    weight: float
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelSource:
    """Where labels come from, and which provenances may be trained on."""

    column: str
    provenances: tuple[str, ...] = ("simulator", "truth", "human")


@dataclass(frozen=True, slots=True)
class Task:
    """`view` says how samples become batches: a grid over the camera's floor, whole images, dense masks, rows."""

    name: str
    view: View
    input: ImageInput | RowInput
    heads: tuple[Head, ...]
    labels: LabelSource
    group_key: str
    metrics: tuple[str, ...]
    drift_features: tuple[str, ...]
    width: float = 1.0  # of the network

    def head(self, name: str) -> Head:
        return next(head for head in self.heads if head.name == name)
