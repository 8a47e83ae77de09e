"""The localiser on analytic rooms: how far it is off, where it puts walls, and what it does with broken sensors."""

from dataclasses import replace

import numpy as np
import pytest
from drive_scans import ROOM, WHEEL_RADIUS_M, WHEEL_TRACK_M, drive, scan_at

from foundation.geometry import IDENTITY, Pose2D, wrap_angle
from navigation.background import SteppedBackground
from navigation.pose_estimate import Tracking
from navigation.slam import Slam, SlamSettings
from navigation.static_map import FREE, OCCUPIED
from perception.observation import Observation, WheelAngles


def new_slam(start=IDENTITY, laser=IDENTITY):
    return Slam(
        SlamSettings(),
        laser=laser,
        wheel_radius_m=WHEEL_RADIUS_M,
        wheel_track_m=WHEEL_TRACK_M,
        background=SteppedBackground(3),
        start=start,
    )


def follow(ticks, change=lambda number, observation: observation):
    """(slam, errors (N, 2) of metres and radians, estimates); `change` may break an observation."""
    slam, errors, estimates = None, [], []
    for number, (true, observation) in enumerate(ticks):
        slam = slam or new_slam(start=true)
        estimate = slam.update(change(number, observation))
        found = estimate.map_from_base
        errors.append((found.distance_m(true), abs(wrap_angle(found.heading_rad - true.heading_rad))))
        estimates.append(estimate)
    return slam, np.array(errors), estimates


def distances_to_walls(points, walls=ROOM):
    """(N,) from points (N, 2) to the nearest of the walls (W, 4)."""
    start, along = walls[:, :2], walls[:, 2:] - walls[:, :2]
    share = np.clip(((points[:, None] - start) * along).sum(-1) / (along**2).sum(-1), 0, 1)
    return np.linalg.norm(points[:, None] - start - share[..., None] * along, axis=-1).min(axis=1)


@pytest.fixture(scope="module")
def driven():
    return follow(drive(seed=4))


def test_pose_stays_within_a_centimetre_in_a_room(driven):
    _, errors, estimates = driven
    assert np.percentile(errors[:, 0], 95) < 0.01
    assert np.degrees(np.percentile(errors[:, 1], 95)) < 0.2
    assert {estimate.tracking for estimate in estimates} == {Tracking.TRACKING}


def test_walls_lie_within_a_cell_of_where_they_are(driven):
    slam, _, _ = driven
    cells, geometry = slam.static_map.cells, slam.static_map.geometry
    occupied = geometry.centres(np.argwhere(cells == OCCUPIED))
    off = distances_to_walls(occupied)
    assert np.percentile(off, 95) <= 0.02
    assert np.mean(off > 0.0375) < 0.02


def test_free_floor_is_not_eaten_and_walls_have_no_holes(driven):
    slam, _, _ = driven
    cells, geometry = slam.static_map.cells, slam.static_map.geometry
    xs, ys = np.meshgrid(np.arange(0.05, 5.95, 0.05), np.arange(0.05, 4.45, 0.05))
    floor = np.stack([xs.ravel(), ys.ravel()], axis=1)
    floor = floor[distances_to_walls(floor) > 0.05]
    solid = ((floor > (2, 1.5)) & (floor < (2.8, 2.1))).all(axis=1) | ((floor > (4.6, 3.4)) & (floor < (6, 3.8))).all(
        axis=1
    )
    alcove = (floor[:, 0] > 4.6) & (floor[:, 1] > 3.8)
    legs = (np.abs(floor[:, 1] - 1.02) < 0.05) & (np.abs(floor[:, 0] - 4.62) < 0.45)
    rows, cols = geometry.cells(floor[~solid & ~alcove & ~legs]).T
    assert np.mean(cells[rows, cols] == FREE) > 0.999
    wall = np.stack([np.arange(0.3, 4.5, 0.02), np.zeros(210)], axis=1)
    rows, cols = geometry.cells(wall).T
    assert np.mean((cells[rows, cols] == OCCUPIED) | (cells[rows - 1, cols] == OCCUPIED)) > 0.98


def test_the_estimate_told_from_its_keyframe_is_the_same_pose(driven):
    slam, _, estimates = driven
    last = estimates[-1]
    told = slam.static_map.keyframe_pose(last.keyframe) @ last.keyframe_from_base
    assert told.distance_m(last.map_from_base) < 1e-9


def broken(observation, ranges):
    return replace(observation, scan=replace(observation.scan, ranges_m=ranges))


@pytest.mark.parametrize("fault", ["nan", "inf", "max", "empty", "none"])
def test_useless_scans_degrade_and_recover(fault):
    def change(number, observation):
        if not 100 <= number < 120:
            return observation
        if fault == "none":
            return replace(observation, scan=None)
        if fault == "empty":
            scan = replace(observation.scan, ranges_m=np.zeros(0), beam_offsets_s=np.zeros(0))
            return replace(observation, scan=scan)
        return broken(observation, np.full(450, {"nan": np.nan, "inf": np.inf, "max": 12.0}[fault]))

    ticks = [tick for tick, _ in zip(drive(seed=1), range(160))]
    _, errors, estimates = follow(ticks, change)
    assert estimates[119].tracking is Tracking.DEGRADED
    assert estimates[-1].tracking is Tracking.TRACKING
    assert errors[110:120, 0].max() < 0.1
    assert errors[-1, 0] < 0.01


def test_a_frozen_lidar_does_not_stop_the_pose():
    frozen = []

    def change(number, observation):
        if number < 100:
            return observation
        frozen.append(observation.scan.ranges_m)
        return broken(observation, frozen[0])

    ticks = [tick for tick, _ in zip(drive(seed=1), range(140))]
    _, errors, estimates = follow(ticks, change)
    assert estimates[-1].tracking is not Tracking.TRACKING
    assert errors[:, 0].max() < 0.15


def to_and_fro(speed_mps, ticks, scan_of_tick):
    """The robot drives a metre ahead and back again, before the same walls; tracking after each tick."""
    slam, tracking, x_m, way = new_slam(), [], 0.0, 1.0
    for tick in range(ticks):
        stamp_s = 0.1 * tick
        x_m += 0.1 * way * speed_mps
        way = -way if abs(x_m) > 1.0 else way
        angle_rad = x_m / WHEEL_RADIUS_M
        observation = Observation(stamp_s, scan_of_tick(tick, stamp_s), None, WheelAngles(angle_rad, angle_rad))
        tracking.append(slam.update(observation).tracking)
    return tracking


def test_a_frozen_lidar_is_noticed_on_a_slow_robot_too():
    frozen = scan_at(ROOM, Pose2D(3.0, 3.0, 0.0), 0.0, np.random.default_rng(1))

    tracking = to_and_fro(0.05, 20, lambda tick, stamp_s: replace(frozen, stamp_s=stamp_s))

    assert tracking[0] is Tracking.TRACKING
    assert all(state is Tracking.DEGRADED for state in tracking[8:])


def test_driving_to_and_fro_unseen_loses_the_place_like_driving_away():
    first = scan_at(ROOM, Pose2D(3.0, 3.0, 0.0), 0.0, np.random.default_rng(1))

    tracking = to_and_fro(0.25, 200, lambda tick, stamp_s: first if tick == 0 else None)

    assert tracking[60] is Tracking.DEGRADED
    assert tracking[-1] is Tracking.LOST


def test_wheels_spinning_in_place_do_not_move_the_pose():
    ticks = [tick for tick, _ in zip(drive(seed=2), range(60))]
    true, last = ticks[-1]
    spinning = []
    for k in range(1, 30):
        wheels = replace(last.wheels, left_rad=last.wheels.left_rad + k, right_rad=last.wheels.right_rad + k)
        spinning.append((true, replace(last, stamp_s=last.stamp_s + 0.1 * k, wheels=wheels, turn_rate_radps=0.0)))
    rng = np.random.default_rng(0)

    def change(number, observation):
        noisy = observation.scan.ranges_m + rng.normal(0, 0.005, 450)
        scan = replace(observation.scan, ranges_m=noisy, stamp_s=observation.stamp_s)
        return replace(observation, scan=scan) if number >= 60 else observation

    _, errors, _ = follow(ticks + spinning, change)
    assert errors[60:, 0].max() < 0.03


def test_time_going_backwards_and_gaps_do_no_harm():
    def change(number, observation):
        shift = -5.0 if 80 <= number < 90 else 0.0
        scan = replace(observation.scan, stamp_s=observation.stamp_s + shift)
        return replace(observation, stamp_s=observation.stamp_s + shift, scan=scan)

    ticks = [tick for tick, _ in zip(drive(seed=3), range(150))]
    del ticks[110:130]  # two seconds are missing
    _, errors, estimates = follow(ticks, change)
    assert errors[:, 0].max() < 0.05
    assert estimates[-1].tracking is Tracking.TRACKING


def two_looks(second_room):
    """Keyframes after a look at a room of 4 x 3 m and, 15 cm on, another at `second_room`."""
    slam, rng = new_slam(), np.random.default_rng(0)
    for tick, (x_m, walls) in enumerate(((0.0, CLOSED), (0.15, second_room))):
        pose = Pose2D(x_m, 0.0, 0.0)
        slam.step(0.1 * tick, pose, scan_at(walls, pose, 0.1 * tick, rng))
    return len(slam.snapshot().keyframes), slam.tracking


CLOSED = np.array([(-2, -1.5, 2, -1.5), (2, -1.5, 2, 1.5), (2, 1.5, -2, 1.5), (-2, 1.5, -2, -1.5)], float)
OPENED = np.array(
    [(-2, -1.5, 2, -1.5), (2, -1.5, 5, -2.5), (5, -2.5, 5, 2.5), (5, 2.5, 2, 1.5), (2, 1.5, -2, 1.5),
     (-2, 1.5, -2, -1.5)],
    float,
)  # fmt: skip


def test_a_scan_that_sees_much_new_ground_becomes_a_keyframe_early():
    assert two_looks(CLOSED) == (1, Tracking.TRACKING)
    assert two_looks(OPENED) == (2, Tracking.TRACKING)
