"""Dead reckoning of a differential drive: wheel angles and, where there is one, a gyro, to a pose in `odom`.

The gyro has the say about turning when it disagrees with the wheels: wheels slip, gyros do not. Its bias is learnt
while both wheels stand. Nothing here raises on odd numbers: what is not finite is left out.
"""

import math

from foundation.geometry import IDENTITY, Pose2D
from perception.observation import Observation, WheelAngles

AGREE_RAD = 0.01  # in one tick
MAX_GAP_S = 1.0  # longer without a gyro reading: the wheels have the say
STILL_RAD = 1e-4


class WheelOdometry:
    """Feed it every observation once, in order."""

    def __init__(self, *, wheel_radius_m: float, wheel_track_m: float) -> None:
        self._wheel_radius_m = wheel_radius_m
        self._wheel_track_m = wheel_track_m
        self._wheels: WheelAngles | None = None
        self._stamp_s: float | None = None
        self._rate_radps: float | None = None
        self._bias_radps = 0.0
        self.odom_from_base = IDENTITY
        self.slip_rad = 0.0  # how far wheels and gyro disagreed in the last tick

    def update(self, observation: Observation) -> Pose2D:
        """odom_from_base at the observation's stamp."""
        forward_m, wheel_turn_rad, still = self._wheel_step(observation.wheels)
        turn_rad = self._turned(observation, wheel_turn_rad, still)
        half = 0.5 * turn_rad
        chord_m = forward_m * (math.sin(half) / half if abs(half) > 1e-9 else 1.0)
        step = Pose2D(chord_m * math.cos(half), chord_m * math.sin(half), turn_rad)
        self.odom_from_base = self.odom_from_base @ step
        return self.odom_from_base

    def _wheel_step(self, wheels: WheelAngles | None) -> tuple[float, float, bool]:
        """Metres forward, radians turned and whether both wheels stood, since the last call."""
        if wheels is None or not (math.isfinite(wheels.left_rad) and math.isfinite(wheels.right_rad)):
            return 0.0, 0.0, False
        last, self._wheels = self._wheels, wheels
        if last is None:
            return 0.0, 0.0, True
        left_rad, right_rad = wheels.left_rad - last.left_rad, wheels.right_rad - last.right_rad
        forward_m = 0.5 * (left_rad + right_rad) * self._wheel_radius_m
        turn_rad = (right_rad - left_rad) * self._wheel_radius_m / self._wheel_track_m
        return forward_m, turn_rad, max(abs(left_rad), abs(right_rad)) < STILL_RAD

    def _turned(self, observation: Observation, wheel_turn_rad: float, still: bool) -> float:
        last_stamp_s, self._stamp_s = self._stamp_s, observation.stamp_s
        rate_radps = observation.turn_rate_radps
        if rate_radps is not None and not math.isfinite(rate_radps):
            rate_radps = None
        last_rate_radps, self._rate_radps = self._rate_radps, rate_radps
        if rate_radps is None or last_rate_radps is None or last_stamp_s is None:
            return wheel_turn_rad
        gap_s = observation.stamp_s - last_stamp_s
        if not 0.0 < gap_s < MAX_GAP_S:
            return wheel_turn_rad
        if still and observation.wheels is not None and abs(rate_radps) < 0.05:
            self._bias_radps += 0.05 * (rate_radps - self._bias_radps)
        gyro_turn_rad = (0.5 * (rate_radps + last_rate_radps) - self._bias_radps) * gap_s
        if observation.wheels is None:
            return gyro_turn_rad
        self.slip_rad = gyro_turn_rad - wheel_turn_rad
        if abs(self.slip_rad) < AGREE_RAD + 0.1 * abs(gyro_turn_rad):
            return 0.5 * (gyro_turn_rad + wheel_turn_rad)
        return gyro_turn_rad
