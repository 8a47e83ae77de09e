"""Numbers that tell one camera frame's look: what drift is measured on, in training data and on the robot alike.

Cheap (every second pixel), without a model, the same code on both sides; reference statistics travel in the bundle.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

FRAME_FEATURES: Final = ("brightness", "contrast", "sharpness", "saturation", "warmth")


def frame_features(image_bgr: NDArray[np.uint8]) -> dict[str, float]:
    """Of an image (H, W, 3), each about 0..1 whatever the resolution; `warmth` is red minus blue, -1..1."""
    small = image_bgr[::2, ::2].astype(np.float32) / 255  # (H/2, W/2, 3)
    blue, green, red = small[..., 0], small[..., 1], small[..., 2]
    luma = 0.114 * blue + 0.587 * green + 0.299 * red
    highest, lowest = small.max(axis=2), small.min(axis=2)
    edges = np.abs(4 * luma[1:-1, 1:-1] - luma[:-2, 1:-1] - luma[2:, 1:-1] - luma[1:-1, :-2] - luma[1:-1, 2:])
    return {
        "brightness": float(luma.mean()),
        "contrast": float(luma.std()),
        "sharpness": float(edges.mean()) if edges.size else 0.0,
        "saturation": float(((highest - lowest) / np.maximum(highest, 1 / 255)).mean()),
        "warmth": float(red.mean() - blue.mean()),
    }
