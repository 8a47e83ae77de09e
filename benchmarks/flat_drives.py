"""Drives of the reference robot through random flats for benchmarks/slam.py: exact scans with noise, wheels that slip.

Kinematic and fast (no engine): the robot follows shortest ways between random places of its reach.
"""

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from foundation.geometry import FloatArray, Pose2D, wrap_angle
from foundation.robot_config import RobotConfig
from perception.observation import Observation, Scan, WheelAngles
from simulation.ground_truth import floor_truth, scan_slice, true_ranges
from simulation.room_simulator import draw_room

TICK_S = 0.1


@dataclass(frozen=True)
class Flat:
    """A room's scan outline and where the robot's centre may be."""

    prints: object
    reach: np.ndarray  # (R, C) bool
    geometry: object
    start: Pose2D


def draw_flat(seed: int, config: RobotConfig) -> Flat:
    room = draw_room(seed, purpose="test")
    truth = floor_truth(
        room, body_radius_m=config.body.radius_m, tool_width_m=config.tool.width_m, cell_m=0.05,
        with_small_objects=False,
    )  # fmt: skip
    return Flat(scan_slice(room, config.lidar.z_m), truth.reach, truth.geometry, room.dock.start)


class Drive:
    """The robot in a flat: where it truly is, and what its sensors say."""

    def __init__(self, flat: Flat, config: RobotConfig, seed: int, pose: Pose2D | None = None) -> None:
        self.flat, self.config = flat, config
        self.rng = np.random.default_rng(seed)
        self.pose = pose or self.anywhere()
        self.stamp_s = 0.0
        self.wheels = np.zeros(2)
        self.scales = 1 + self.rng.normal(0, 0.015, 2)
        self.bias_radps = self.rng.normal(0, 0.003)
        self.spin_ticks = 0

    def anywhere(self) -> Pose2D:
        """A random pose of the reach."""
        cells = np.argwhere(self.flat.reach)
        x, y = self.flat.geometry.centres(cells[[self.rng.integers(len(cells))]])[0]
        return Pose2D(float(x), float(y), float(self.rng.uniform(-math.pi, math.pi)))

    def ticks(self, seconds: float) -> Iterator[tuple[Pose2D, Observation]]:
        """(true map_from_base, observation) every tick: to random places, one after the other."""
        end_s = self.stamp_s + seconds
        yield self._tick(0.0, 0.0)
        while self.stamp_s < end_s:
            for x, y in self._way(self.anywhere()):
                while self.stamp_s < end_s:
                    distance = math.hypot(x - self.pose.x_m, y - self.pose.y_m)
                    off = wrap_angle(math.atan2(y - self.pose.y_m, x - self.pose.x_m) - self.pose.heading_rad)
                    if distance < 0.05:
                        break
                    turn = float(np.clip(off, -0.1, 0.1))
                    forward = min(0.025, distance) if abs(off) < 0.3 else 0.0
                    yield self._tick(forward, turn)

    def _way(self, goal: Pose2D) -> FloatArray:
        """Points (N, 2) along a shortest way through the reach, every .4 m."""
        geometry, reach = self.flat.geometry, self.flat.reach
        cells = geometry.cells(np.array([[self.pose.x_m, self.pose.y_m], [goal.x_m, goal.y_m]]))
        first, last = tuple(cells[0]), tuple(cells[1])
        before = {last: last}
        line = deque([last])
        while line and first not in before:
            row, col = line.popleft()
            for step in ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)):
                cell = (row + step[0], col + step[1])
                if cell not in before and ((geometry.contains(np.array([cell]))[0] and reach[cell]) or cell == first):
                    before[cell] = (row, col)
                    line.append(cell)
        way = [first]
        while first in before and way[-1] != last:
            way.append(before[way[-1]])
        return geometry.centres(np.array([*way[8::8], way[-1]]))

    def _tick(self, forward_m: float, turn_rad: float) -> tuple[Pose2D, Observation]:
        body, lidar = self.config.body, self.config.lidar
        if self.spin_ticks == 0 and self.rng.random() < 0.004:
            self.spin_ticks = 4  # the wheels turn, the robot stands
        claimed_m, claimed_rad = forward_m, turn_rad
        if self.spin_ticks:
            self.spin_ticks -= 1
            forward_m, turn_rad = 0.0, 0.0
        self.pose = self.pose @ Pose2D(forward_m, 0.0, turn_rad)
        self.stamp_s += TICK_S
        half = claimed_rad * body.wheel_track_m / 2
        turned = np.array([claimed_m - half, claimed_m + half]) / body.wheel_radius_m
        self.wheels = self.wheels + turned * self.scales * (1 + self.rng.normal(0, 0.08, 2))
        step = 2 * math.pi / lidar.beams
        bearings = -math.pi + step * np.arange(lidar.beams)
        ranges = true_ranges(self.flat.prints, self.pose, bearings, lidar.range_max_m)
        ranges = ranges + self.rng.normal(0, lidar.noise_m, lidar.beams)
        ranges[self.rng.random(lidar.beams) < lidar.dropout_ratio] = np.inf
        scan = Scan(self.stamp_s, ranges, -math.pi, step, lidar.range_max_m, np.zeros(lidar.beams))
        rate = turn_rad / TICK_S + self.bias_radps + self.rng.normal(0, 0.01)
        wheels = WheelAngles(float(self.wheels[0]), float(self.wheels[1]))
        return self.pose, Observation(self.stamp_s, scan, None, wheels, rate)
