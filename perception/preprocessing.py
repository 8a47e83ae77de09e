"""From decoded input to what the networks take, the same in training, in scores and inside the ONNX graph.

Images come as uint8 (B, H, W, bands) and leave as float (B, bands, H, W) in 0..1. Where a task asks for it they are
standardised first: a camera's exposure, a lamp's strength and fog are one gain and one offset of the whole frame, and
no network has to learn them.
"""

from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from perception.tasks.task import ImageInput, RowInput

_MIDDLE: Final = 0.5
_SPREAD: Final = 0.18  # 0..1 then holds 2.8 standard deviations either way
_SPREAD_MIN: Final = 0.04  # of a frame: what is all one colour stays so
_EVERY: Final = 4  # every fourth pixel each way tells a frame's look


def preprocessed(given: Tensor, wanted: ImageInput | RowInput) -> Tensor:
    """A batch as a decoder gives it, ready for the network."""
    if isinstance(wanted, RowInput):
        return given
    if not wanted.standardised:
        return floats(given)
    looked_at = given[:, ::_EVERY, ::_EVERY].float() * (1 / 255)
    middle = looked_at.mean(dim=(1, 2, 3))
    spread = ((looked_at - middle[:, None, None, None]) ** 2).mean(dim=(1, 2, 3)).sqrt().clamp(min=_SPREAD_MIN)
    return standardised(floats(given), middle, spread).clamp(0, 1)


def floats(images: Tensor) -> Tensor:
    """uint8 (B, H, W, bands) -> float (B, bands, H, W) in 0..1."""
    return (images.permute(0, 3, 1, 2).float() * (1 / 255)).contiguous(memory_format=torch.channels_last)


def standardised(images: Tensor, middle: Tensor, spread: Tensor) -> Tensor:
    """(B, bands, H, W) in 0..1 with the whole frame's mean and spread, (B,), brought to fixed ones; not clipped."""
    gain = _SPREAD / spread
    return images * gain[:, None, None, None] + (_MIDDLE - gain * middle)[:, None, None, None]


def looks(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, 2): mean and spread of each of the frames (N, H, W, bands), as `preprocessed` takes them."""
    told: list[Any] = []
    for image in images:
        seen = image[::_EVERY, ::_EVERY].astype(np.float32) / 255
        told.append((seen.mean(), max(float(seen.std()), _SPREAD_MIN)))
    return np.array(told, dtype=np.float32).reshape(-1, 2)
