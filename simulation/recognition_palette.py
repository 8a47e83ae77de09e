"""Recognition colours that say what a pixel is: class in red, instance in green (low) and blue (high byte).

Webots paints segmentation images in each Solid's first recognition colour and black elsewhere; the stand-in does the
same. Colours are whole steps of 1/255, so the round trip through an image is exact. Class 0 (void) is black.
"""

import numpy as np
from numpy.typing import NDArray


def colour_of(class_number: int, instance: int) -> tuple[float, float, float]:
    """Red, green, blue in 0..1 for a Solid's `recognitionColors`."""
    if not 0 <= class_number < 256 or not 0 <= instance < 65536:
        raise ValueError(f"class {class_number}, instance {instance}: must be below 256 and 65,536")
    return class_number / 255, (instance & 255) / 255, (instance >> 8) / 255


def decode(image_bgra: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Class numbers (H, W) and instances (H, W) of a segmentation image (H, W, 4)."""
    colours = np.ascontiguousarray(image_bgra).view("<u4")[..., 0]  # alpha, red, green, blue from the top byte down
    classes = (colours >> 16).astype(np.uint8)
    return classes, _swapped(colours.astype(np.uint16))


def encode(classes: NDArray[np.uint8], instances: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """The segmentation image (H, W, 4) BGRA that `decode` reads."""
    colours = np.left_shift(classes, 16, dtype="<u4")
    colours |= _swapped(instances)
    colours |= 255 << 24
    return colours.view(np.uint8).reshape(*classes.shape, 4)


def _swapped(numbers: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """High byte low and low byte high."""
    return np.asarray((numbers >> 8) | (numbers << 8), np.uint16)
