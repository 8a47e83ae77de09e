"""The classical obstacle detector: learn the colour of the floor before the wheels, call a thing what differs from it.

Each frame on its own (Ulrich and Nourbakhsh, AAAI 2000, without their memory): the floor's colour is a normal
distribution in Lab fitted robustly to the patch nearest to the robot; pixels too far from it, joined and below the
horizon, are things. What reaches the horizon is no small thing: those lie lower than the camera. It tells no classes
(`other`). In: one BGR image and its camera. Out: Detections, judged as any detector's are. A frame that shows no floor
near the robot has no detections. Never on the robot: it is the yardstick beside the trained model.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from foundation.camera_geometry import PinholeCamera
from foundation.geometry import FloatArray
from perception import data_processor
from perception.labels import SMALL_OBJECTS
from perception.observation import Detections

WIDTH_PX: Final = 160
PATCH_M: Final = (0.45, 0.12)  # of floor from the image's lower border: to x, and |y|, in base_link
DISTANCE: Final = 6.0  # in standard deviations of the floor's colour
SPREAD_MIN: Final = 1.5  # in Lab: noise and shading of a floor all of one colour
PIXELS_MIN: Final = 8
ROUNDS: Final = 3  # of leaving out of the patch what is not floor


class FloorColourBaseline:
    """Implements evaluate.FrameDetector."""

    def __init__(self, range_max_m: float) -> None:
        self._range_max_m = range_max_m

    def __call__(self, image_bgr: NDArray[np.uint8], camera: PinholeCamera) -> Detections:
        scale = camera.width_px / WIDTH_PX
        small = data_processor.resized(image_bgr, WIDTH_PX, round(camera.height_px / scale))
        rows, columns = small.shape[:2]
        floor_m = _floor_of_pixels(camera.scaled(columns, rows), rows, columns)
        lab = cv2.cvtColor(small.astype(np.float32) / 255, cv2.COLOR_BGR2Lab)
        below = np.isfinite(floor_m[..., 0])
        patch = below & (floor_m[..., 0] <= PATCH_M[0]) & (np.abs(floor_m[..., 1]) <= PATCH_M[1])
        if patch.sum() < PIXELS_MIN:
            return _detections([])
        apart = _distances(lab, lab[patch])
        return _detections(self._things(apart, below, camera, scale))

    def _things(
        self, apart: FloatArray, below: NDArray[np.bool_], camera: PinholeCamera, scale: float
    ) -> list[tuple[FloatArray, float, float, FloatArray]]:
        """Contact, radius, score, box of each."""
        differs = ((apart > DISTANCE) & below).astype(np.uint8)
        differs = cv2.morphologyEx(differs, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
        at_horizon = cv2.dilate((~below).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        count, numbers, boxes, _ = cv2.connectedComponentsWithStats(differs, connectivity=8)
        standing = set(np.unique(numbers[at_horizon]).tolist())
        things = []
        for number in range(1, count):
            left, top, wide, tall, pixels = (int(value) for value in boxes[number])
            if pixels < PIXELS_MIN or number in standing:
                continue
            lowest = np.flatnonzero(numbers[top + tall - 1] == number)
            foot_px = np.array([[lowest.mean() + 0.5, top + tall]]) * scale
            contact = camera.floor_from_pixels(foot_px)[0]
            if not np.hypot(*contact) <= self._range_max_m:  # nor NaN
                continue
            radius_m = wide * scale / 2 * np.hypot(contact[0] - camera.x_m, camera.z_m) / camera.focal_px
            score = 1 - DISTANCE / (DISTANCE + float(apart[numbers == number].mean()))
            box = np.array([left, top, left + wide, top + tall], np.float64) * scale
            things.append((contact, float(radius_m), score, box))
        return things


def _floor_of_pixels(camera: PinholeCamera, rows: int, columns: int) -> FloatArray:
    """(rows, columns, 2) in base_link, NaN at and above the horizon."""
    v, u = np.mgrid[:rows, :columns] + 0.5
    return camera.floor_from_pixels(np.stack([u.ravel(), v.ravel()], axis=1)).reshape(rows, columns, 2)


def _distances(lab: NDArray[np.float32], patch: NDArray[np.float32]) -> FloatArray:
    """(H, W): Mahalanobis distance of each pixel from the patch (P, 3), what stands out in the patch left out of it."""
    kept = patch.astype(np.float64)
    strange = np.abs(kept - np.median(kept, axis=0)).max(axis=1)
    kept = kept[strange <= np.percentile(strange, 80)]
    for _ in range(ROUNDS):
        middle, inverse = _normal(kept)
        away = patch - middle
        near = np.einsum("pi,ij,pj->p", away, inverse, away) <= DISTANCE**2 / 4
        if near.sum() < 3:
            break
        kept = patch[near].astype(np.float64)
    middle, inverse = _normal(kept)
    away = lab.astype(np.float64) - middle
    return np.asarray(np.sqrt(np.einsum("hwi,ij,hwj->hw", away, inverse, away)))


def _normal(colours: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean (3,) and inverse covariance (3, 3) of colours (P, 3)."""
    covariance = np.atleast_2d(np.cov(colours, rowvar=False)) if len(colours) > 1 else np.zeros((3, 3))
    inverse = np.linalg.inv(covariance + SPREAD_MIN**2 * np.eye(3))
    return np.asarray(colours.mean(axis=0)), np.asarray(inverse, np.float64)


def _detections(things: list[tuple[FloatArray, float, float, FloatArray]]) -> Detections:
    return Detections(
        0.0,
        np.array([thing[0] for thing in things], np.float64).reshape(-1, 2),
        np.array([thing[1] for thing in things], np.float64),
        np.array([thing[2] for thing in things], np.float64),
        np.full(len(things), SMALL_OBJECTS.index("other"), np.int64),
        np.array([thing[3] for thing in things], np.float64).reshape(-1, 4),
    )
