"""A LIDAR that turns while the robot does: each beam is measured at its own moment, and its offset says which."""

import numpy as np
import pytest

from foundation.geometry import Pose2D
from foundation.robot_config import RobotConfig
from simulation.ground_truth import scan_slice, true_ranges
from simulation.mujoco_world import build
from simulation.room_simulator import draw_room
from simulation.standin.engine import Engine

CONFIG = RobotConfig()


def _pose(engine: Engine) -> Pose2D:
    position, rotation = engine.robot_pose()
    return Pose2D(float(position[0]), float(position[1]), float(np.arctan2(rotation[1, 0], rotation[0, 0])))


@pytest.fixture(scope="module")
def spun() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Bearings and ranges counter-clockwise after a second of turning, and the truth with and without the offsets."""
    room = draw_room(5, rooms=1, small_objects=(0, 0))
    engine = Engine(build(room, CONFIG).model, CONFIG, seed=0, lidar_turn_s=0.1)
    engine.set_wheel_velocities(-3.7, 3.7)
    for _ in range(50):
        engine.basic_step()
    before = _pose(engine)
    for _ in range(5):
        engine.basic_step()
    after = _pose(engine)
    measured = engine.ranges(noise=False)[::-1].astype(np.float64)
    bearings = -np.pi + (np.arange(450) + 0.5) * 2 * np.pi / 450
    offsets = -np.arange(450) / 450 * 0.1
    rate = (after.heading_rad - before.heading_rad) / 0.1
    prints = scan_slice(room, CONFIG.lidar.z_m)
    deskewed = true_ranges(prints, after, bearings + rate * offsets, 12.0)
    naive = true_ranges(prints, after, bearings, 12.0)
    return measured, deskewed, naive, np.array([rate])


def test_beams_fit_the_truth_of_their_own_moment(spun):
    measured, deskewed, naive, rate = spun

    assert rate[0] == pytest.approx(1.0, abs=0.15)
    assert np.median(np.abs(measured - deskewed)) < 0.002
    assert np.median(np.abs(measured - naive)) > 5 * np.median(np.abs(measured - deskewed))


def test_a_robot_at_rest_reads_the_same_either_way():
    room = draw_room(5, rooms=1, small_objects=(0, 0))
    model = build(room, CONFIG).model
    turning, at_once = (Engine(model, CONFIG, seed=0, lidar_turn_s=turn_s) for turn_s in (0.1, 0.0))
    for engine in (turning, at_once):
        for _ in range(25):
            engine.basic_step()

    a, b = turning.ranges(noise=False), at_once.ranges(noise=False)

    assert np.median(np.abs(a - b)) < 1e-4
