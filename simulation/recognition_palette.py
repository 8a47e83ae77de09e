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
    high = (image_bgra[..., 0].astype(np.uint16) << 8).astype(np.uint16)
    instances = image_bgra[..., 1].astype(np.uint16) | high
    return image_bgra[..., 2].copy(), instances


def encode(classes: NDArray[np.uint8], instances: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """The segmentation image (H, W, 4) BGRA that `decode` reads."""
    image = np.empty((*classes.shape, 4), np.uint8)
    image[..., 0] = instances >> 8
    image[..., 1] = instances & 255
    image[..., 2] = classes
    image[..., 3] = 255
    return image
