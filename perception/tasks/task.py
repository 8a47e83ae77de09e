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
class Augmentation:
    """How a task of whole images varies its lessons. What is left at its default takes no draw."""

    crop_ratio: float = 0.8  # of each side, in training
    turn_rad: float = 0.35  # either way
    zoom: tuple[float, float] = (0.7, 1.3)  # of the crop
    quarter_turns: bool = False  # any of four, where nothing in the image has an upright
    hues: bool = True  # any hue may appear on any thing; else only what lamps and cameras do to one and the same
    mixed: float = 0.0  # share of the batches whose images are each blended with another


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how a task is learnt, where nobody says otherwise."""

    steps: int
    batch: int
    learning_rate: float
    weight_decay: float
    validations: int = 1


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
    looks: Literal[1, 4, 8] = (
        1  # at each whole image, mirrored, then turned too: their mean is the answer, in one graph
    )
    augmentation: Augmentation = Augmentation()
    schedule: Schedule | None = None  # None: the robot's own, planned by minutes
    trunk_of: str = ""  # the task whose shipped weights its trunk begins from, where it has none of its own

    def head(self, name: str) -> Head:
        return next(head for head in self.heads if head.name == name)
