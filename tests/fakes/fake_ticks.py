"""Tick reports to order, for everything that listens to the loop."""

import math

import numpy as np

from foundation.geometry import Pose2D
from navigation.pose_estimate import PoseEstimate, Tracking
from navigation.robot_io import DriveCommand
from navigation.robot_loop import TickReport
from perception.observation import Detections, Frame, Observation, Scan, WheelAngles

CRUISE = DriveCommand(0.25, 0.0)


def scan(stamp_s: float, range_m: float = 2.0, beams: int = 360) -> Scan:
    """A robot in the middle of a round room."""
    return Scan(stamp_s, np.full(beams, range_m), -math.pi, 2 * math.pi / beams, 12.0, np.zeros(beams))


def frame(stamp_s: float, grey: int = 120, height_px: int = 24, width_px: int = 32) -> Frame:
    pattern = np.indices((height_px, width_px)).sum(axis=0)[..., None] % 7
    return Frame(stamp_s, (pattern + grey).clip(0, 255).repeat(3, axis=2).astype(np.uint8))


def detections(stamp_s: float, *contacts: tuple[float, float], score: float = 0.9, class_id: int = 0) -> Detections:
    count = len(contacts)
    return Detections(
        stamp_s,
        np.array(contacts, dtype=np.float64).reshape(count, 2),
        np.full(count, 0.04),
        np.full(count, score),
        np.full(count, class_id, dtype=np.int64),
        np.tile(np.array([4.0, 4.0, 12.0, 12.0]), (count, 1)),
    )


def tick(
    stamp_s: float = 0.0,
    *,
    x_m: float = 0.0,
    y_m: float = 0.0,
    heading_rad: float = 0.0,
    tracking: Tracking = Tracking.TRACKING,
    map_revision: int = 0,
    seen: Detections | None = None,
    bumper: bool = False,
    with_scan: bool = True,
    with_frame: bool = True,
    grey: int = 120,
    battery_ratio: float | None = None,
    wanted: DriveCommand = CRUISE,
    command: DriveCommand | None = None,
) -> TickReport:
    pose = Pose2D(x_m, y_m, heading_rad)
    observation = Observation(
        stamp_s,
        scan(stamp_s) if with_scan else None,
        frame(stamp_s, grey) if with_frame else None,
        WheelAngles(0.0, 0.0),
        bumper_pressed=bumper,
        battery_ratio=battery_ratio,
    )
    estimate = PoseEstimate(stamp_s, pose, tracking, 0, pose, map_revision)
    return TickReport(observation, estimate, seen, wanted, command or wanted)
