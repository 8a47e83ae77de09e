"""A differential drive in a world of straight walls: exact scans with noise, wheels that slip, and the true poses."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from foundation.geometry import Pose2D, wrap_angle
from perception.observation import Observation, Scan, WheelAngles

WHEEL_RADIUS_M, WHEEL_TRACK_M = 0.035, 0.26
RANGE_MAX_M = 12.0

# a room of 6 x 4.5 m with a box, a bench and the four legs of a table: (x0, y0, x1, y1) each
ROOM = np.array(
    [
        (0, 0, 6, 0), (6, 0, 6, 4.5), (6, 4.5, 0, 4.5), (0, 4.5, 0, 0),
        (2, 1.5, 2.8, 1.5), (2.8, 1.5, 2.8, 2.1), (2.8, 2.1, 2, 2.1), (2, 2.1, 2, 1.5),
        (4.6, 3.4, 6, 3.4), (4.6, 3.4, 4.6, 3.8), (4.6, 3.8, 6, 3.8),
        (4.2, 1.0, 4.24, 1.0), (4.24, 1.0, 4.24, 1.04), (4.24, 1.04, 4.2, 1.04), (4.2, 1.04, 4.2, 1.0),
        (5.0, 1.0, 5.04, 1.0), (5.04, 1.0, 5.04, 1.04), (5.04, 1.04, 5.0, 1.04), (5.0, 1.04, 5.0, 1.0),
    ],
    dtype=float,
)  # fmt: skip


def ranges_to(walls: np.ndarray, x_m: float, y_m: float, bearings_map: np.ndarray) -> np.ndarray:
    """(N,) exact distances to the nearest of walls (W, 4); inf where a beam meets none."""
    dx, dy = np.cos(bearings_map)[:, None], np.sin(bearings_map)[:, None]
    ax, ay = walls[:, 0] - x_m, walls[:, 1] - y_m
    ex, ey = walls[:, 2] - walls[:, 0], walls[:, 3] - walls[:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        cross = dx * ey - dy * ex
        along = (ax * ey - ay * ex) / cross
        share = (ax * dy - ay * dx) / cross
    met = (along > 0) & (share >= -1e-9) & (share <= 1 + 1e-9)
    return np.where(met, along, np.inf).min(axis=1)


def scan_at(walls, pose: Pose2D, stamp_s: float, rng, *, beams=450, noise_m=0.01, dropouts=0.005) -> Scan:
    step_rad = 2 * np.pi / beams
    bearings = -np.pi + step_rad * np.arange(beams)
    ranges = ranges_to(walls, pose.x_m, pose.y_m, bearings + pose.heading_rad)
    ranges = ranges + rng.normal(0, noise_m, beams)
    ranges[(ranges > RANGE_MAX_M) | (rng.random(beams) < dropouts)] = np.inf
    return Scan(stamp_s, ranges, -np.pi, step_rad, RANGE_MAX_M, np.zeros(beams))


@dataclass
class Wheels:
    """Wheel angles from true motion, with a scale error each and slip."""

    left_scale: float = 1.01
    right_scale: float = 0.985
    left_rad: float = 0.0
    right_rad: float = 0.0

    def turn(self, forward_m: float, turn_rad: float, rng, slip: float) -> WheelAngles:
        left, right = forward_m - turn_rad * WHEEL_TRACK_M / 2, forward_m + turn_rad * WHEEL_TRACK_M / 2
        self.left_rad += left / WHEEL_RADIUS_M * self.left_scale * (1 + rng.normal(0, slip))
        self.right_rad += right / WHEEL_RADIUS_M * self.right_scale * (1 + rng.normal(0, slip))
        return WheelAngles(self.left_rad, self.right_rad)


def drive(
    walls=ROOM,
    waypoints=(
        (1.0, 0.8),
        (5.5, 0.6),
        (5.5, 2.8),
        (3.6, 2.8),
        (3.6, 3.9),
        (0.7, 3.8),
        (0.7, 0.7),
        (3.4, 1.0),
        (3.6, 2.9),
    ),
    *,
    seed=0,
    speed_mps=0.25,
    slip=0.1,
    gyro=True,
    scans=True,
) -> Iterator[tuple[Pose2D, Observation]]:
    """(true map_from_base, observation) every 0.1 s: turn on the spot towards each waypoint, then drive there."""
    rng = np.random.default_rng(seed)
    wheels, stamp_s = Wheels(), 0.0
    x_m, y_m = waypoints[0]
    heading = 0.0

    def tick(forward_m, turn_rad):
        nonlocal x_m, y_m, heading, stamp_s
        heading = wrap_angle(heading + turn_rad)
        x_m, y_m = x_m + forward_m * np.cos(heading), y_m + forward_m * np.sin(heading)
        stamp_s += 0.1
        pose = Pose2D(float(x_m), float(y_m), float(heading))
        rate = turn_rad / 0.1 + rng.normal(0, 0.005) if gyro else None
        scan = scan_at(walls, pose, stamp_s, rng) if scans else None
        return pose, Observation(stamp_s, scan, None, wheels.turn(forward_m, turn_rad, rng, slip), rate)

    yield tick(0.0, 0.0)
    for goal_x, goal_y in waypoints[1:]:
        turn = wrap_angle(float(np.arctan2(goal_y - y_m, goal_x - x_m)) - heading)
        steps = max(1, int(np.ceil(abs(turn) / 0.1)))
        for _ in range(steps):
            yield tick(0.0, turn / steps)
        distance = float(np.hypot(goal_x - x_m, goal_y - y_m))
        steps = max(1, int(np.ceil(distance / (0.1 * speed_mps))))
        for _ in range(steps):
            yield tick(distance / steps, 0.0)
