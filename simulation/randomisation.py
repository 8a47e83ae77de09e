"""What varies per frame: the camera's mounting, exposure, colours, blur and noise. Every draw is a plain value, logged.

Drawing and applying are apart: `draw_frame` says what, `photographed` does it. Equal draws and seeds give equal bytes.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from foundation.robot_config import Camera
from simulation.shape_parts import Rng

_PLAIN_RATIO = 0.15  # frames as the renderer gives them
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

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def draw_frame(rng: Rng, camera: Camera) -> FrameDraws:
    """Mostly a camera as mounted, give or take 2 degrees; a minority leans by up to 10."""
    lean = math.radians(10) if rng.uniform() < 0.08 else math.radians(2)
    pitch, roll = rng.uniform(-lean, lean, 2)
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
    )


class Darkroom:
    """Turns rendered images into photographs; holds a bank of noise so that no frame pays for drawing it."""

    def __init__(self, seed: int) -> None:
        self._noise = np.random.default_rng([seed, 0xDA]).standard_normal(_NOISE_BANK).astype(np.float32)
        self._corners: dict[tuple[int, int], NDArray[np.float32]] = {}

    def photographed(self, image_bgr: NDArray[np.uint8], draws: FrameDraws, rng: Rng) -> NDArray[np.uint8]:
        """(H, W, 3) after exposure, colour, optics and sensor noise."""
        image = cv2.LUT(np.ascontiguousarray(image_bgr), _tone_curves(draws))
        if draws.blur_px > 0:
            image = cv2.GaussianBlur(image, (0, 0), draws.blur_px)
        if draws.smear_px > 1:
            image = cv2.blur(image, (draws.smear_px, 1))
        if draws.vignette > 0:
            image = (image * (1 - draws.vignette * self._corner(image.shape[:2]))[:, :, None]).astype(np.uint8)
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
        starts = rng.integers(0, _NOISE_BANK - count, 4)
        common, *own = (self._noise[start : start + count].reshape(height, width) for start in starts)
        noise = np.stack([common + channel for channel in own], axis=2) * np.float32(levels / math.sqrt(2))
        return cv2.add(image, noise, dtype=cv2.CV_8U)  # type: ignore[no-any-return]


def _tone_curves(draws: FrameDraws) -> NDArray[np.uint8]:
    """(256, 1, 3): blue, green, red."""
    level = np.arange(256) / 255
    curves = []
    for gain in (draws.blue_gain, 1.0, draws.red_gain):
        curve = np.clip(level * draws.exposure * gain, 0, 1) ** draws.gamma
        curves.append(draws.fog * 0.6 + (1 - draws.fog) * curve)
    table: NDArray[np.uint8] = (np.clip(np.stack(curves, axis=1), 0, 1) * 255 + 0.5).astype(np.uint8)
    return table[:, None, :]
