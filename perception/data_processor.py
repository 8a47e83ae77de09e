"""Bytes to pixels: decoding, BGRA to BGR, the one resize, and the one way to fit a picture of any shape into a network
whose answers are places. Training, `predict` and robot share it."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.errors import SampleError
from perception.letterbox import Letterbox, letterbox

Image = NDArray[np.uint8]  # (H, W, 3) BGR

cv2.setNumThreads(1)  # small images: its threads cost more than they bring, and the robot has other work


def decode(data: bytes, what: str = "image") -> Image:
    """BGR image (H, W, 3) of PNG or JPEG bytes.

    Raises:
        SampleError: these bytes are no image; `what` names them in the message.
    """
    image = _decoded(data, cv2.IMREAD_COLOR, what)
    return image.astype(np.uint8, copy=False)


def decode_labels(data: bytes, what: str = "label image") -> NDArray[np.integer]:
    """One-channel PNG (H, W) with the numbers as written: uint8 or uint16."""
    labels = _decoded(data, cv2.IMREAD_UNCHANGED, what)
    if labels.ndim != 2:
        raise SampleError(f"{what}: has {labels.shape[2]} channels, want one")
    return labels


def bgr_from_bgra(image: NDArray[np.uint8]) -> Image:
    """The first three of four channels; BGR passes through."""
    return np.ascontiguousarray(image[..., :3])


def resized(image: Image, width_px: int, height_px: int) -> Image:
    """Area average when shrinking, linear when growing; an image of the right size passes through untouched."""
    height, width = image.shape[:2]
    if (width, height) == (width_px, height_px):
        return image
    shrinks = width_px <= width and height_px <= height
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width_px, height_px), interpolation=how), dtype=np.uint8)


def fitted(image: Image, width_px: int, height_px: int) -> Image:
    """The whole picture in (`height_px`, `width_px`, 3), borders in its mean colour; `resized` where it needs none.

    The mean, because networks are given a frame by its own mean and spread.
    """
    box = letterbox(image.shape[1], image.shape[0], width_px, height_px)
    inner = resized(image, box.inner_width_px, box.inner_height_px)
    if not box.bordered:
        return inner
    mean = np.rint(inner.mean(axis=(0, 1))).tolist()
    return np.asarray(_bordered(inner, box, mean), dtype=np.uint8)


def fitted_labels(labels: NDArray[np.integer], box: Letterbox) -> NDArray[np.integer]:
    """As `fitted`, but each pixel keeps a number that was written; 0, which is nothing, in the borders."""
    if labels.shape == (box.height_px, box.width_px):
        return labels
    inner = cv2.resize(labels, (box.inner_width_px, box.inner_height_px), interpolation=cv2.INTER_NEAREST)
    return np.asarray(_bordered(inner, box, 0) if box.bordered else inner)


def _bordered(inner: NDArray[np.integer], box: Letterbox, value: int | list[float]) -> NDArray[np.integer]:
    top, left = box.top_px, box.left_px
    return np.asarray(cv2.copyMakeBorder(inner, top, top, left, left, cv2.BORDER_CONSTANT, value=value))


def read_photo(path: Path) -> Image:
    """A user's file, in its own size.

    Raises:
        SampleError: there is no such file, or it is no image.
    """
    try:
        return decode(path.read_bytes(), str(path))
    except OSError as error:
        raise SampleError(f"{path}: cannot be read: {error.strerror or error}") from error


def _decoded(data: bytes, how: int, what: str) -> NDArray[np.uint8]:
    image = None
    if data:
        try:
            image = cv2.imdecode(np.frombuffer(data, np.uint8), how)
        except cv2.error as error:
            raise SampleError(f"{what}: cannot be decoded: {error}") from error
    if image is None:
        head = bytes(data[:12])
        raise SampleError(f"{what}: {len(data)} bytes beginning {head!r} are neither PNG nor JPEG")
    return np.asarray(image)
