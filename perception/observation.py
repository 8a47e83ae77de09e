"""What the robot's sensors said in one tick: plain, checked, immutable values. They hold no pose and no belief.

Frames: scans in `laser`, detections in `base_link`, images as the camera gave them. Stamps are the host's clock in
seconds (simulated time in simulation): only differences mean anything.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foundation.errors import OxturnError
from foundation.geometry import FloatArray


class ObservationError(OxturnError):
    """A sensor value of a shape or type that no sensor of ours gives."""


@dataclass(frozen=True, slots=True)
class Scan:
    """One turn of a 2D LIDAR, bearings counter-clockwise in `laser`.

    `ranges_m` (N,): inf where nothing came back, NaN where the beam is invalid. Beam i looks at
    `first_bearing_rad + i * step_rad` and was measured at `stamp_s + beam_offsets_s[i]` (offsets are <= 0: `stamp_s`
    is the newest beam's). An instantaneous scan has offsets of zero.
    """

    stamp_s: float
    ranges_m: FloatArray  # (N,)
    first_bearing_rad: float
    step_rad: float
    range_max_m: float
    beam_offsets_s: FloatArray  # (N,)

    def __post_init__(self) -> None:
        if self.ranges_m.ndim != 1 or self.ranges_m.dtype != np.float64:
            raise ObservationError(f"scan ranges are {self.ranges_m.dtype}{self.ranges_m.shape}, want float64 (N,)")
        if self.beam_offsets_s.shape != self.ranges_m.shape:
            raise ObservationError(f"{self.beam_offsets_s.shape} beam offsets for {self.ranges_m.shape} ranges")

    def bearings_rad(self) -> FloatArray:
        """(N,) in `laser`, counter-clockwise."""
        return self.first_bearing_rad + self.step_rad * np.arange(len(self.ranges_m), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Frame:
    """One camera image, BGR, as decoded and not resized."""

    stamp_s: float
    image_bgr: NDArray[np.uint8]  # (H, W, 3)

    def __post_init__(self) -> None:
        if self.image_bgr.ndim != 3 or self.image_bgr.shape[2] != 3 or self.image_bgr.dtype != np.uint8:
            raise ObservationError(f"frame is {self.image_bgr.dtype}{self.image_bgr.shape}, want uint8 (H, W, 3)")


@dataclass(frozen=True, slots=True)
class WheelAngles:
    """Turned so far since the start of the run, unbounded, forward positive."""

    left_rad: float
    right_rad: float


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything of one tick; a sensor that gave nothing new is None."""

    stamp_s: float
    scan: Scan | None
    frame: Frame | None
    wheels: WheelAngles | None
    turn_rate_radps: float | None = None  # gyro about z
    bumper_pressed: bool = False
    cliffs: tuple[bool, ...] = (False, False, False, False)  # True where the floor is missing
    battery_ratio: float | None = None  # 0..1


@dataclass(frozen=True, slots=True)
class Detections:
    """Small objects seen in one frame; K of them, in no order.

    `stamp_s` is the frame's: results may come ticks later, and whoever uses them looks up the pose of that time.
    """

    stamp_s: float
    contacts_base_m: FloatArray  # (K, 2): where the object's nearest visible point meets the floor
    radii_m: FloatArray  # (K,): half of its width as seen
    scores: FloatArray  # (K,): 0..1
    class_ids: NDArray[np.int64]  # (K,): index into the model's class names
    boxes_px: FloatArray  # (K, 4): x0, y0, x1, y1 in the frame
    floor_seen: NDArray[np.float64] | None = None  # (M, 2) in base_link: floor looked at and found free
    edges: NDArray[np.float64] | None = None  # (E, 4): x, y in base_link, half width, index of the object it is part of
    floor_kinds: NDArray[np.uint8] | None = None  # (M,): of `floor_seen`, index into perception.labels.FLOORS

    def __post_init__(self) -> None:
        count = len(self.scores)
        shapes = (self.contacts_base_m.shape, self.radii_m.shape, self.class_ids.shape, self.boxes_px.shape)
        if shapes != ((count, 2), (count,), (count,), (count, 4)):
            raise ObservationError(f"{count} scores with arrays of shapes {shapes}")
