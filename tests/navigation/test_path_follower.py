import itertools
import math

import numpy as np
import pytest

from foundation.geometry import IDENTITY, Pose2D
from foundation.robot_config import RobotConfig
from navigation.path_follower import FollowerSettings, PathFollower, ahead
from navigation.robot_io import DriveCommand

SETTINGS = FollowerSettings.of(RobotConfig())


def drive(path, start=IDENTITY, *, top_mps=0.25, noise_m=0.0, ticks=2000, seed=0):
    """Poses (N, 3) of a robot that follows `path`, its commands one tick late."""
    rng = np.random.default_rng(seed)
    follower = PathFollower(SETTINGS)
    follower.follow(np.array(path, dtype=float))
    pose, coming, poses = start, DriveCommand(0, 0), []
    for _ in range(ticks):
        told = Pose2D(*(np.array([pose.x_m, pose.y_m]) + noise_m * rng.standard_normal(2)), pose.heading_rad)
        command = follower.command(told, coming, top_mps)
        pose = ahead(ahead(pose, coming, 0.05), command, 0.05)
        coming = command
        poses.append((pose.x_m, pose.y_m, pose.heading_rad))
        if follower.finished:
            break
    return np.array(poses), follower


def test_a_straight_swath_is_kept_within_a_centimetre():
    poses, follower = drive([[0, 0], [4, 0]], noise_m=0.003)

    assert follower.finished
    assert np.abs(poses[:, 1]).max() <= 0.01
    assert poses[-1, 0] == pytest.approx(4, abs=0.03)


def test_it_joins_the_line_from_beside():
    poses, _ = drive([[0, 0], [3, 0]], Pose2D(0, 0.05, 0.3))

    assert np.abs(poses[poses[:, 0] > 1.0, 1]).max() <= 0.01


def test_sharp_corners_are_turned_in_place():
    path = [[0, 0], [1, 0], [1, 0.23], [0, 0.23]]

    poses, follower = drive(path)

    assert follower.finished
    distance = np.min(
        [segment_distance(poses[:, :2], np.array(a), np.array(b)) for a, b in itertools.pairwise(path)], axis=0
    )
    assert distance.max() <= 0.02


def test_a_curve_around_an_obstacle_is_not_cut():
    angles = np.linspace(-math.pi / 2, math.pi, 60)
    circle = np.stack([0.25 * np.cos(angles), 0.25 + 0.25 * np.sin(angles)], axis=1)

    poses, follower = drive(circle, top_mps=0.12)

    assert follower.finished
    assert np.abs(np.hypot(poses[:, 0], poses[:, 1] - 0.25) - 0.25).max() <= 0.012


@pytest.mark.parametrize("top_mps", [0.12, 0.25])
@pytest.mark.parametrize("turn_deg", [-135, -60, 45, 90])
@pytest.mark.parametrize("radius_m", [0.06, 0.1, 0.2])
def test_an_arc_between_straight_legs_is_neither_cut_nor_overshot(radius_m, turn_deg, top_mps):
    turn = math.radians(turn_deg)
    angles = np.linspace(0, turn, 11)
    side = math.copysign(radius_m, turn)
    arc = np.stack([0.5 + side * np.sin(angles), side * (1 - np.cos(angles))], axis=1)
    end = arc[-1] + 0.5 * np.array([math.cos(turn), math.sin(turn)])
    path = np.vstack([[[0.0, 0.0]], arc, [end]])

    poses, follower = drive(path, top_mps=top_mps)

    assert follower.finished
    away = np.min([segment_distance(poses[:, :2], a, b) for a, b in itertools.pairwise(path)], axis=0)
    assert away.max() <= 0.006
    speeds = np.hypot(*np.diff(poses[:, :2], axis=0).T)[3:-6] / 0.1
    assert speeds.min() > 0.03  # nowhere does it stop and turn


def test_a_start_that_looks_away_turns_first():
    poses, follower = drive([[0, 0], [1, 0]], Pose2D(0, 0, math.pi - 0.01))

    assert follower.finished
    assert poses[:, 0].min() > -0.02


def test_speeds_stay_within_the_limits():
    rng = np.random.default_rng(3)
    path = np.cumsum(rng.uniform(-0.5, 0.5, (30, 2)), axis=0)
    follower = PathFollower(SETTINGS)
    follower.follow(path)
    pose, last = Pose2D(*path[0], 0.0), DriveCommand(0, 0)
    for _ in range(3000):
        command = follower.command(pose, last, 0.2)
        assert 0 <= command.speed_mps <= 0.2 + 1e-9
        assert abs(command.turn_radps) <= 1.0 + 1e-9
        pose, last = ahead(pose, command, 0.1), command

    assert follower.finished
    assert math.dist((pose.x_m, pose.y_m), path[-1]) < 0.03


@pytest.mark.parametrize("path", [np.zeros((0, 2)), np.zeros((1, 2)), np.zeros((5, 2))])
def test_a_path_without_length_is_finished_at_once(path):
    follower = PathFollower(SETTINGS)

    follower.follow(path)

    assert follower.finished
    assert follower.command(IDENTITY, DriveCommand(0, 0), 0.2) == DriveCommand(0, 0)
    assert follower.remaining_m == 0


def test_progress_grows_to_the_length():
    follower = PathFollower(SETTINGS)
    follower.follow(np.array([[0.0, 0], [1, 0]]))
    assert follower.remaining_m == 1.0

    poses, last = IDENTITY, DriveCommand(0, 0)
    before = 0.0
    while not follower.finished:
        last = follower.command(poses, last, 0.25)
        poses = ahead(poses, last, 0.1)
        assert follower.progress_m >= before
        before = follower.progress_m

    assert before == pytest.approx(1.0)


def segment_distance(points, a, b):
    along = b - a
    share = np.clip((points - a) @ along / (along @ along), 0, 1)
    return np.hypot(*(points - a - share[:, None] * along).T)


def test_a_new_path_that_goes_on_nearly_straight_is_joined_without_a_stop():
    follower, moving = PathFollower(SETTINGS), DriveCommand(0.2, 0.0)
    follower.follow(np.array([[0.0, 0.0], [1.0, 0.15]]))
    assert follower.command(IDENTITY, moving, 0.25).speed_mps > 0.15

    follower.follow(np.array([[0.0, 0.0], [1.0, 0.4]]))
    assert follower.command(IDENTITY, moving, 0.25).speed_mps == 0

    follower.follow(np.array([[0.0, 0.0], [1.0, 0.15]]))
    assert follower.command(IDENTITY, DriveCommand(0.0, 0.0), 0.25).speed_mps == 0
