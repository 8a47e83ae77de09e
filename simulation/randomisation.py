"""What varies per frame: the camera's mounting, exposure, colours, blur, noise, and the scan. Every draw is logged.

Drawing and applying are apart: `draw_frame` says what, `photographed` does it. Equal draws and seeds give equal bytes.
"""

import math
from dataclasses import dataclass, fields
from typing import Any, Literal

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from foundation.geometry import FloatArray
from foundation.robot_config import Camera
from simulation.shape_parts import Rng

_PLAIN_RATIO = 0.15  # frames as the renderer gives them
_LEANING_RATIO = 0.12
_LATE_RATIO, _LOST_RATIO = 0.03, 0.01  # of the scans
_NOISE_BANK = 1 << 20


@dataclass(frozen=True, slots=True)
class FrameDraws:
    """One frame's randomisation."""

    pitch_down_rad: float
    roll_rad: float
    horizontal_fov_rad: float
    exposure: float
    gamma: float
    blue_gain: float
    red_gain: float
    fog: float  # contrast lost to stray light, 0..1
    vignette: float  # light lost in the corners, 0..1
    blur_px: float
    smear_px: int  # motion blur across
    noise_levels: float
    jpeg_quality: int  # 0 is PNG
    range_bias_m: float
    range_noise_m: float  # on top of the LIDAR's own
    beam_dropout_ratio: float
    scan: Literal["fresh", "late", "lost"]  # late: of where the robot was a tick ago; lost: none came

    def to_json(self) -> dict[str, Any]:
        return {item.name: getattr(self, item.name) for item in fields(self)}


def draw_frame(rng: Rng, camera: Camera) -> FrameDraws:
    """Mostly a camera as mounted, give or take 2 degrees; a minority is pitched by up to 20 and rolled by up to 10."""
    leans = rng.uniform() < _LEANING_RATIO
    pitch, roll = rng.uniform(-1, 1, 2) * np.radians((20, 10) if leans else (2, 2))
    zoom = rng.normal(1, 0.01)
    plain = rng.uniform() < _PLAIN_RATIO
    strength = 0.0 if plain else 1.0
    return FrameDraws(
        pitch_down_rad=camera.pitch_down_rad + float(pitch),
        roll_rad=float(roll),
        horizontal_fov_rad=camera.horizontal_fov_rad * float(np.clip(zoom, 0.97, 1.03)),
        exposure=float(math.exp(strength * rng.normal(0, 0.3))),
        gamma=float(math.exp(strength * rng.normal(0, 0.15))),
        blue_gain=float(1 + strength * rng.normal(0, 0.07)),
        red_gain=float(1 + strength * rng.normal(0, 0.07)),
        fog=float(strength * max(rng.normal(-0.05, 0.1), 0.0)),
        vignette=float(strength * max(rng.normal(0.05, 0.12), 0.0)),
        blur_px=float(strength * (rng.uniform(0.3, 1.3) if rng.uniform() < 0.5 else 0.0)),
        smear_px=int(rng.integers(2, 7)) if not plain and rng.uniform() < 0.12 else 0,
        noise_levels=float(strength * rng.uniform(0, 1) ** 2 * 11),
        jpeg_quality=0 if rng.uniform() < 0.1 else int(rng.integers(70, 96)),
        range_bias_m=float(strength * rng.normal(0, 0.004)),
        range_noise_m=float(strength * rng.uniform(0, 1) ** 3 * 0.02),
        beam_dropout_ratio=float(strength * rng.uniform(0, 1) ** 3 * 0.1),
        scan=_fate(float(rng.uniform())),
    )


def _fate(draw: float) -> Literal["fresh", "late", "lost"]:
    if draw < _LOST_RATIO:
        return "lost"
    return "late" if draw < _LOST_RATIO + _LATE_RATIO else "fresh"


def measured(ranges_m: FloatArray, draws: FrameDraws, rng: Rng) -> FloatArray:
    """(N,) as this frame's LIDAR tells them, `inf` where a beam is lost; (0,) when no scan came."""
    if draws.scan == "lost":
        return np.zeros(0)
    told = ranges_m + draws.range_bias_m
    if draws.range_noise_m > 0:
        told = told + rng.normal(0, draws.range_noise_m, len(told))
    told = np.maximum(told, 0.0)
    told[rng.random(len(told)) < draws.beam_dropout_ratio] = np.inf
    return told


class Darkroom:
    """Turns rendered images into photographs; holds a bank of noise so that no frame pays for drawing it."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._noise = self._drawn(_NOISE_BANK)
        self._corners: dict[tuple[int, int], NDArray[np.float32]] = {}

    def photographed(self, image_bgr: NDArray[np.uint8], draws: FrameDraws, rng: Rng) -> NDArray[np.uint8]:
        """(H, W, 3) after exposure, colour, optics and sensor noise."""
        image: NDArray[Any] = _looked_up(np.ascontiguousarray(image_bgr), _tone_curves(draws))
        if draws.blur_px > 0:
            image = cv2.GaussianBlur(image, (0, 0), draws.blur_px)
        if draws.smear_px > 1:
            image = cv2.blur(image, (draws.smear_px, 1))
        if draws.vignette > 0:
            corner = self._corner((image.shape[0], image.shape[1]))
            image = _darkened(image, np.clip(1 - np.float32(draws.vignette) * corner, 0, 1).ravel())
        if draws.noise_levels > 0:
            image = self._noisy(image, draws.noise_levels, rng)
        return np.asarray(image, np.uint8)

    def _corner(self, shape: tuple[int, int]) -> NDArray[np.float32]:
        if shape not in self._corners:
            y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
            self._corners[shape] = ((x**2 + y**2) / 2).astype(np.float32)
        return self._corners[shape]

    def _noisy(self, image: NDArray[np.uint8], levels: float, rng: Rng) -> NDArray[np.uint8]:
        """Half of it is common to the three channels, as a demosaiced sensor gives it."""
        height, width = image.shape[:2]
        count = height * width
        numbers = _NOISE_BANK if count < _NOISE_BANK else 2 * count  # of the bank; by the size alone
        if numbers > len(self._noise):
            self._noise = self._drawn(numbers)
        starts = rng.integers(0, numbers - count, 4)
        noisy: NDArray[np.uint8] = _with_noise(image, self._noise, starts, np.float32(levels / math.sqrt(2)))
        return noisy

    def _drawn(self, numbers: int) -> NDArray[np.float32]:
        """A longer bank begins as a shorter one does."""
        return np.random.default_rng([self._seed, 0xDA]).standard_normal(numbers).astype(np.float32)


def _tone_curves(draws: FrameDraws) -> NDArray[np.uint8]:
    """(256, 3): blue, green, red."""
    level = np.arange(256) / 255
    curves = []
    for gain in (draws.blue_gain, 1.0, draws.red_gain):
        curve = np.clip(level * draws.exposure * gain, 0, 1) ** draws.gamma
        curves.append(draws.fog * 0.6 + (1 - draws.fog) * curve)
    table: NDArray[np.uint8] = (np.clip(np.stack(curves, axis=1), 0, 1) * 255 + 0.5).astype(np.uint8)
    return table


# The loops run over flat arrays of one float type, so that they compile to vector instructions: a fifth of the time.


@njit(cache=True)  # type: ignore[untyped-decorator]
def _looked_up(image: NDArray[np.uint8], curves: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3), each channel through its column of `curves` (256, 3)."""
    out = np.empty(image.shape, np.uint8)
    levels, result = image.reshape(-1), out.reshape(-1)
    first, second, third = curves[:, 0].copy(), curves[:, 1].copy(), curves[:, 2].copy()
    for i in range(0, len(levels), 3):
        result[i] = first[levels[i]]
        result[i + 1] = second[levels[i + 1]]
        result[i + 2] = third[levels[i + 2]]
    return out


@njit(cache=True, fastmath=True)  # type: ignore[untyped-decorator]
def _darkened(image: NDArray[np.uint8], light: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(H, W, 3) times `light` (H * W,) of 0..1, rounded down."""
    out = np.empty(image.shape, np.uint8)
    levels, result = image.reshape(-1), out.reshape(-1)
    for i in range(len(light)):
        for k in range(3):
            result[3 * i + k] = np.uint8(np.int32(np.float32(levels[3 * i + k]) * light[i]))
    return out


@njit(cache=True, fastmath=True)  # type: ignore[untyped-decorator]
def _with_noise(
    image: NDArray[np.uint8], bank: NDArray[np.float32], starts: NDArray[np.int64], levels: float
) -> NDArray[np.uint8]:
    """(H, W, 3) plus noise: the bank from `starts[0]` on for all three channels, from `starts[1:]` on for each."""
    out = np.empty(image.shape, np.uint8)
    before, result, count = image.reshape(-1), out.reshape(-1), image.shape[0] * image.shape[1]
    common, blue, green, red = bank[starts[0] :], bank[starts[1] :], bank[starts[2] :], bank[starts[3] :]
    half, most = np.float32(0.5), np.float32(255.5)
    for i in range(count):
        one = np.float32(before[3 * i]) + (common[i] + blue[i]) * levels + half
        two = np.float32(before[3 * i + 1]) + (common[i] + green[i]) * levels + half
        three = np.float32(before[3 * i + 2]) + (common[i] + red[i]) * levels + half
        result[3 * i] = np.uint8(np.int32(min(max(one, half), most)))
        result[3 * i + 1] = np.uint8(np.int32(min(max(two, half), most)))
        result[3 * i + 2] = np.uint8(np.int32(min(max(three, half), most)))
    return out
