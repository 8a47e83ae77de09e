"""From one raw scan to points in `base_link` as they lay at the observation's stamp: bad beams out, motion undone."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foundation.geometry import FloatArray, Pose2D
from perception.observation import Scan

MAX_LAG_S = 0.5  # beams older than this are placed as if they were this old


@dataclass(frozen=True, slots=True)
class ScanPoints:
    """What one scan says about surfaces, and from where it looked."""

    points_base: FloatArray  # (N, 2): where beams ended
    origins_base: FloatArray  # (N, 2): where the laser was when it looked
    valid_ratio: float  # of all beams
    full_turn: bool  # the scan looks all around


def points_of(
    scan: Scan,
    base_from_laser: Pose2D,
    stamp_s: float,
    speed_mps: float,
    turn_radps: float,
    range_min_m: float,
    range_max_m: float,
) -> ScanPoints:
    """Points (N, 2) in base_link at `stamp_s`; the robot moved by the given velocities while the scan was taken.

    Beams without a return (NaN, inf, zero, at or beyond the least of scan's and given maximum) are left out.
    """
    ranges_m = scan.ranges_m
    limit_m = min(scan.range_max_m, range_max_m) if math.isfinite(scan.range_max_m) else range_max_m
    with np.errstate(invalid="ignore"):
        good: NDArray[np.bool_] = (ranges_m > range_min_m) & (ranges_m < limit_m)
    bearings_rad = scan.bearings_rad()[good]
    ends = np.stack([ranges_m[good] * np.cos(bearings_rad), ranges_m[good] * np.sin(bearings_rad)], axis=1)
    points_base = base_from_laser.transform(ends)
    origins_base = np.broadcast_to((base_from_laser.x_m, base_from_laser.y_m), points_base.shape)
    lags_s = scan.beam_offsets_s[good] + (scan.stamp_s - stamp_s)
    lags_s = np.clip(np.nan_to_num(lags_s), -MAX_LAG_S, MAX_LAG_S)
    if np.any(lags_s != 0.0) and (speed_mps != 0.0 or turn_radps != 0.0):
        points_base = _moved(points_base, lags_s, speed_mps, turn_radps)
        origins_base = _moved(origins_base, lags_s, speed_mps, turn_radps)
    span_rad = abs(scan.step_rad) * max(len(ranges_m), 1)
    return ScanPoints(
        np.ascontiguousarray(points_base),
        np.ascontiguousarray(origins_base),
        float(np.mean(good)) if len(ranges_m) else 0.0,
        span_rad > 1.8 * math.pi,
    )


def _moved(points_then: FloatArray, lags_s: FloatArray, speed_mps: float, turn_radps: float) -> FloatArray:
    """Points (N, 2) of base_link as it was `lags_s` (N,) from now (negative: earlier), in base_link now."""
    turned = turn_radps * lags_s
    half = 0.5 * turned
    chord = speed_mps * lags_s * np.sinc(half / np.pi)
    cos, sin = np.cos(turned), np.sin(turned)
    x = cos * points_then[:, 0] - sin * points_then[:, 1] + chord * np.cos(half)
    y = sin * points_then[:, 0] + cos * points_then[:, 1] + chord * np.sin(half)
    return np.stack([x, y], axis=1)
