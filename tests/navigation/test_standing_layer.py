import math

import numpy as np
import pytest
from drawn_map import DrawnMap
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.geometry import Pose2D
from foundation.robot_config import RobotConfig
from navigation.map_handler import MapHandler
from navigation.pose_estimate import Tracking
from navigation.robot_io import STOP
from navigation.scan_points import ScanPoints
from navigation.standing_layer import FORGET_S, StandingLayer
from navigation.static_map import OCCUPIED
from perception.observation import Observation, Scan

CONFIG = RobotConfig()
HERE = Pose2D(1.01, 1.51, 0.0)  # in the middle of a cell
WALL_M = 2.96  # ahead of there
BEAMS = 45


def scan(thing_m=None, width_beams=5):
    """(BEAMS,) ranges over a quarter turn ahead; beams in the middle end on a thing."""
    bearings = np.linspace(-math.pi / 4, math.pi / 4, BEAMS)
    ranges = np.minimum(WALL_M / np.cos(bearings), 1.45 / np.maximum(np.abs(np.sin(bearings)), 1e-9))
    if thing_m is not None:
        middle = BEAMS // 2
        ranges[middle - width_beams // 2 : middle + width_beams // 2 + 1] = thing_m
    return bearings, ranges


def points(bearings, ranges):
    ends = np.stack([ranges * np.cos(bearings), ranges * np.sin(bearings)], axis=1)
    return ScanPoints(ends, np.zeros_like(ends), 1.0, False)


class Looking:
    def __init__(self):
        self.static = DrawnMap()
        self.layer = StandingLayer(self.static.geometry, CONFIG.lidar)
        self.now_s = 0.0

    def look(self, *of, times=1):
        for _ in range(times):
            self.now_s += 0.1
            changed = self.layer.look(HERE, points(*scan(*of)), self.static.cells, self.now_s)
        return changed

    def stands(self, x_m, y_m=1.51):
        row, col = self.static.geometry.cells(np.array([[x_m, y_m]]))[0]
        return bool(self.layer.blocked[row, col])


def test_what_stands_on_free_floor_blocks_after_three_scans():
    room = Looking()

    assert room.look(1.0, times=2).empty and not room.stands(2.01)

    assert not room.look(1.0).empty and room.stands(2.01)


def test_walls_block_nothing():
    room = Looking()

    assert all(room.look().empty for _ in range(20)) and not room.layer.blocked.any()


def test_a_hit_beside_a_wall_is_the_walls():
    room = Looking()
    room.static.draw(50, 84, 70, 86, OCCUPIED)  # from x 2.1

    room.look(1.03, times=20)

    assert not room.layer.blocked.any()


def test_what_has_gone_is_free_once_scans_pass_there():
    room = Looking()
    room.look(1.0, times=30)

    room.look(times=11)
    assert room.stands(2.01)

    assert not room.look().empty and not room.layer.blocked.any()


def test_what_is_not_looked_at_is_forgotten_in_time():
    room = Looking()
    room.look(1.0, times=5)
    room.now_s += FORGET_S / 2
    room.look(0.5, times=3)  # the first is hidden behind another
    assert room.stands(2.01) and room.stands(1.51)

    room.now_s += FORGET_S / 2
    room.look(0.5)

    assert not room.stands(2.01) and room.stands(1.51)


def test_what_moves_on_leaves_no_trail():
    room = Looking()

    for step in range(30):
        room.look(1.0 + 0.05 * step, times=4)

    columns = np.flatnonzero(room.layer.blocked.any(axis=0)) * 0.025
    assert columns.min() > 1.0 + 1.0 + 29 * 0.05 - 0.3


def test_the_layer_grows_with_the_map():
    room = Looking()
    room.look(1.0, times=5)

    room.static.grow(64)
    room.layer.resize(room.static.geometry)

    assert room.stands(2.01)
    room.look(times=12)
    assert not room.layer.blocked.any()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.2, 2.5) | st.none(), max_size=40))
def test_nothing_stands_after_enough_scans_that_pass(things: list[float | None]):
    room = Looking()
    for thing_m in things:
        room.look(thing_m)
        listed = np.zeros(room.layer.blocked.size, bool)
        listed[room.layer._cells] = True
        assert not (room.layer.blocked.ravel() & ~listed).any()

    room.look(times=12)

    assert not room.layer.blocked.any() and not len(room.layer._cells)


def observed(stamp_s, thing_m=None):
    bearings, ranges = scan(thing_m)
    step = float(bearings[1] - bearings[0])
    return Observation(stamp_s, Scan(stamp_s, ranges, float(bearings[0]), step, 12.0, np.zeros(BEAMS)), None, None)


def tick(room, static, number, thing_m=None, heading_rad=0.0, tracking=Tracking.TRACKING):
    stamp_s = 0.1 * number
    estimate = static.estimate(HERE.x_m, HERE.y_m, heading_rad, stamp_s, tracking=tracking)
    room.integrate(estimate, observed(stamp_s, thing_m), None, STOP)


def free_at(room, x_m, y_m):
    free, geometry = room.traversable()
    row, col = geometry.cells(np.array([[x_m, y_m]]))[0]
    return bool(free[row, col])


def test_what_comes_is_no_floor_to_plan_on_and_what_goes_is_again():
    static = DrawnMap()
    room = MapHandler(CONFIG, static)
    tick(room, static, 0)
    floor_m2, revision = room.free_floor_m2(), room.revision_of_plan_relevant_change

    for number in range(1, 5):
        tick(room, static, number, thing_m=1.0)
    assert not free_at(room, 2.01, 1.51) and room.revision_of_plan_relevant_change > revision
    assert room.stood_on_m2() == pytest.approx(0.14, abs=0.07)  # a disc of the body, and the thing's width

    for number in range(5, 20):
        tick(room, static, number)
    assert free_at(room, 2.01, 1.51) and room.free_floor_m2() == pytest.approx(floor_m2)
    assert room.stood_on_m2() == 0.0


def test_what_came_can_be_forgotten_at_once_and_is_seen_again():
    static = DrawnMap()
    room = MapHandler(CONFIG, static)
    assert not room.forget_what_came()
    for number in range(5):
        tick(room, static, number, thing_m=1.0)

    assert room.forget_what_came()
    tick(room, static, 5)
    assert free_at(room, 2.01, 1.51)

    for number in range(6, 10):
        tick(room, static, number, thing_m=1.0)
    assert not free_at(room, 2.01, 1.51)


@pytest.mark.parametrize("tracking", [Tracking.DEGRADED, Tracking.LOST])
def test_a_pose_that_is_not_sure_blocks_nothing(tracking: Tracking):
    static = DrawnMap()
    room = MapHandler(CONFIG, static)

    for number in range(10):
        tick(room, static, number, thing_m=1.0, tracking=tracking)

    assert free_at(room, 2.01, 1.51)


def test_scans_smeared_by_a_turn_that_changes_block_nothing():
    static = DrawnMap()
    room = MapHandler(CONFIG, static)

    for number in range(10):  # to and fro
        tick(room, static, number, thing_m=1.0, heading_rad=0.05 * (number % 2))

    assert free_at(room, 2.01, 1.51)
