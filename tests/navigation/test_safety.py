import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.geometry import IDENTITY
from foundation.robot_config import RobotConfig
from navigation.path_follower import ahead
from navigation.robot_io import STOP, DriveCommand
from navigation.safety import Safety, SafetySettings, free_arc_m, limited, scan_points
from perception.observation import Observation, Scan

SETTINGS = SafetySettings.of(RobotConfig())
NOTHING = np.zeros((0, 2))
CRUISE = DriveCommand(0.25, 0.0)
SLOWLY = DriveCommand(0.1, 0.0)


def scan_of(ranges_m, stamp_s=0.0):
    ranges_m = np.asarray(ranges_m, dtype=float)
    return Scan(stamp_s, ranges_m, -math.pi, 2 * math.pi / len(ranges_m), 12.0, np.zeros(len(ranges_m)))


def nearest_m(ranges):
    return np.hypot(*scan_points(scan_of(ranges), IDENTITY).T).min()


def seen(scan, stamp_s=0.0, **more):
    return Observation(stamp_s, scan, None, None, **more)


def limit(wanted, points=NOTHING, age_s=0.0, bumper=False, cliff=False):
    return limited(wanted, np.array(points, dtype=float).reshape(-1, 2), age_s, bumper, cliff, SETTINGS)


def test_an_open_floor_changes_nothing():
    assert limit(DriveCommand(0.2, 0.5)) == DriveCommand(0.2, 0.5)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_a_stop(bad):
    assert limit(DriveCommand(bad, 0.0)) == STOP
    assert limit(DriveCommand(0.0, bad)) == STOP


@pytest.mark.parametrize("age_s", [0.7, math.inf, math.nan, -1.0])
def test_a_scan_too_old_or_from_the_future_is_a_stop(age_s):
    assert limit(CRUISE, age_s=age_s) == STOP


def test_an_ageing_scan_makes_it_slow():
    assert limit(CRUISE, age_s=0.4).speed_mps == pytest.approx(SETTINGS.slow_mps)


def test_things_that_the_drive_nears_or_brushes_make_it_slow():
    assert limit(CRUISE, [[0.17 + 0.28, 0.0]]).speed_mps == pytest.approx(SETTINGS.slow_mps)
    assert limit(CRUISE, [[0.0, 0.17 + 0.04]]).speed_mps == pytest.approx(SETTINGS.slow_mps)
    assert limit(CRUISE, [[0.17 + 0.32, 0.0]]) == CRUISE
    assert limit(CRUISE, [[0.0, 0.17 + 0.06]]) == CRUISE
    assert limit(CRUISE, [[-(0.17 + 0.1), 0.0]]) == CRUISE
    assert limit(DriveCommand(-0.25, 0.0), [[-(0.17 + 0.1), 0.0]]).speed_mps > -0.13


def test_the_bumper_forbids_forward_and_allows_turning_and_backing():
    assert limit(DriveCommand(0.1, 0.4), bumper=True) == DriveCommand(0.0, 0.4)
    assert limit(DriveCommand(-0.1, 0.0), bumper=True) == DriveCommand(-0.1, 0.0)
    assert limit(DriveCommand(0.0, 0.4), bumper=True) == DriveCommand(0.0, 0.4)


def test_a_cliff_ahead_allows_only_backing():
    assert limit(DriveCommand(0.1, 0.4), cliff=True) == DriveCommand(0.0, 0.0)
    assert limit(DriveCommand(-0.1, 0.2), cliff=True) == DriveCommand(-0.1, 0.2)


def test_speeds_beyond_the_limits_are_cut():
    assert limit(DriveCommand(3.0, 9.0)) == DriveCommand(0.25, 1.0 * 1.0)
    assert limit(DriveCommand(-3.0, -9.0)) == DriveCommand(-0.25, -1.0)


def test_a_wall_ahead_stops_it_before_the_body_touches():
    pose, command = IDENTITY, CRUISE
    wall_x_m = 0.6
    for _ in range(100):
        points = np.array([[wall_x_m - pose.x_m, y] for y in np.linspace(-0.3, 0.3, 31)])
        pose = ahead(pose, command, 0.1)  # one tick of latency: the command before is still driving
        command = limit(CRUISE, points)

    assert 0 <= wall_x_m - pose.x_m - 0.17 < 0.03


def test_turning_in_place_is_always_allowed():
    ring = [[0.16 * math.cos(a), 0.16 * math.sin(a)] for a in np.linspace(0, 6, 40)]

    assert limit(DriveCommand(0.0, 0.8), ring) == DriveCommand(0.0, 0.8)


def test_a_wall_alongside_does_not_stop_it():
    wall = [[x, 0.175] for x in np.linspace(-0.5, 0.5, 101)]

    assert limit(DriveCommand(0.1, 0.0), wall).speed_mps == pytest.approx(0.1)


def test_leaving_a_wall_that_is_too_near_is_allowed_and_nearing_it_is_not():
    wall = [[0.165, y] for y in np.linspace(-0.2, 0.2, 41)]

    assert limit(DriveCommand(-0.1, 0.0), wall).speed_mps == pytest.approx(-0.1)
    assert limit(DriveCommand(0.1, 0.0), wall).speed_mps == 0.0


def test_slowing_keeps_the_arc():
    wall = [[0.19, y] for y in np.linspace(-0.3, 0.3, 61)]

    command = limit(DriveCommand(0.12, 0.24), wall)

    assert 0 < command.speed_mps < 0.12
    assert command.turn_radps / command.speed_mps == pytest.approx(2.0)


def test_an_arc_that_curves_away_has_more_room_than_a_straight_line():
    wall = np.array([[0.3, y] for y in np.linspace(-0.3, 0.1, 41)])

    assert free_arc_m(1.0, 6.0, 0.3, wall, SETTINGS) > free_arc_m(1.0, 0.0, 0.3, wall, SETTINGS)


def test_reverse_arcs_look_backwards():
    wall = np.array([[-0.22, y] for y in np.linspace(-0.3, 0.3, 61)])

    assert free_arc_m(-1.0, 1.0, 0.2, wall, SETTINGS) < 0.06
    assert free_arc_m(1.0, 1.0, 0.2, wall, SETTINGS) == 0.2


def test_one_speck_in_the_scan_is_no_wall_but_two_beams_are():
    ranges = np.full(450, 2.0)
    ranges[225] = 0.2
    assert nearest_m(ranges) > 1.5

    ranges[226] = 0.21
    assert nearest_m(ranges) == pytest.approx(0.205)


def test_a_point_that_nearly_touches_may_not_be_crept_up_to():
    nearly = [[0.05, math.sqrt((SETTINGS.body_radius_m + 0.0012) ** 2 - 0.05**2)]]

    assert limit(DriveCommand(0.05, 0.0), nearly).speed_mps == 0
    assert limit(DriveCommand(-0.05, 0.0), nearly).speed_mps < 0


def test_beams_without_echo_leave_no_points():
    ranges = np.array([np.nan, np.inf, 12.0, 0.0, -1.0, 13.0])

    assert len(scan_points(scan_of(ranges), IDENTITY)) == 0


def test_a_silent_lidar_stops_the_robot_and_a_new_scan_lets_it_go():
    safety = Safety(SETTINGS)
    assert safety(CRUISE, seen(None)) == STOP  # never saw anything

    free = np.full(90, 5.0)
    assert safety(CRUISE, seen(scan_of(free, 1.0), 1.0)) == CRUISE
    assert safety(CRUISE, seen(None, 1.2)) == CRUISE
    assert safety(CRUISE, seen(None, 1.4)).speed_mps == pytest.approx(SETTINGS.slow_mps)
    assert safety(CRUISE, seen(None, 1.7)) == STOP


@pytest.mark.parametrize("nothing", [0.0, math.inf, math.nan, 12.0])
def test_a_covered_lidar_is_a_silent_one(nothing):
    safety = Safety(SETTINGS)
    assert safety(CRUISE, seen(scan_of(np.full(90, nothing)))) == STOP  # never saw anything

    free = np.full(90, 5.0)
    assert safety(CRUISE, seen(scan_of(free, 1.0), 1.0)) == CRUISE
    for tick in range(1, 10):
        stamp_s = 1.0 + 0.1 * tick
        command = safety(CRUISE, seen(scan_of(np.full(90, nothing), stamp_s), stamp_s))
    assert command == STOP


def test_a_lidar_that_repeats_itself_while_the_robot_moves_is_a_silent_one():
    safety, ranges = Safety(SETTINGS), np.full(90, 5.0)
    commands = [safety(CRUISE, seen(scan_of(ranges, 0.1 * tick), 0.1 * tick)) for tick in range(12)]

    assert commands[0] == CRUISE and commands[-1] == STOP
    slowly = Safety(SETTINGS)
    commands = [slowly(SLOWLY, seen(scan_of(ranges, 0.1 * tick), 0.1 * tick)) for tick in range(16)]
    assert commands[-1] == STOP
    assert slowly(SLOWLY, seen(scan_of(ranges + 1e-3, 1.6), 1.6)) == SLOWLY


def test_a_robot_that_stands_may_see_the_same_for_ever_and_then_drive():
    safety, ranges = Safety(SETTINGS), np.full(90, 5.0)
    for tick in range(30):
        safety(STOP, seen(scan_of(ranges, 0.1 * tick), 0.1 * tick))

    assert safety(CRUISE, seen(scan_of(ranges, 3.0), 3.0)) == CRUISE


@given(st.floats(0.005, 0.4), st.floats(-0.3, 0.3), st.floats(-1.0, 1.0), st.integers(0, 3))
def test_while_the_lidar_is_silent_nothing_is_driven_into(gap_m, speed_mps, turn_radps, ticks_seen):
    safety, wanted = Safety(SETTINGS), DriveCommand(speed_mps, turn_radps)
    radius_m, pose, command = SETTINGS.body_radius_m, IDENTITY, STOP
    bearings = -math.pi + 2 * math.pi / 720 * np.arange(720)
    with np.errstate(divide="ignore"):  # a wall before it and one behind
        ranges = (radius_m + gap_m) / np.abs(np.cos(bearings))
    for tick in range(16):
        pose = ahead(pose, command, 0.1)  # one tick of latency
        if tick <= ticks_seen:
            wall_m = radius_m + gap_m - pose.x_m * np.sign(np.cos(bearings + pose.heading_rad))
            ranges = np.abs(wall_m / np.cos(bearings + pose.heading_rad)) + 1e-9 * tick
        scan = scan_of(ranges, 0.1 * tick) if tick <= ticks_seen else None
        command = safety(wanted, seen(scan, 0.1 * tick))
        assert abs(pose.x_m) < gap_m
    assert command == STOP


def test_bumper_and_cliff_of_the_observation_are_heard():
    safety = Safety(SETTINGS)
    free = scan_of(np.full(90, 5.0))

    assert safety(CRUISE, seen(free, bumper_pressed=True)).speed_mps == 0
    assert safety(CRUISE, seen(free, cliffs=(False, False, True, False))).speed_mps == 0


@given(
    st.floats(-1, 1),
    st.floats(-3, 3),
    st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), max_size=30),
    st.floats(0, 0.6),
    st.booleans(),
    st.booleans(),
)
def test_the_limiter_only_takes_away(speed, turn, points, age_s, bumper, cliff):
    command = limit(DriveCommand(speed, turn), points, age_s, bumper, cliff)

    assert abs(command.speed_mps) <= abs(speed) and command.speed_mps * speed >= 0
    assert abs(command.turn_radps) <= abs(turn) + 1e-9 and command.turn_radps * turn >= 0


def post(distance_m, bearing_rad=1.4):
    """One post, seen by seven beams."""
    ranges = np.full(720, 5.0)
    middle = round((bearing_rad + math.pi) / (2 * math.pi) * 720)
    ranges[middle - 3 : middle + 4] = distance_m
    return scan_of(ranges)


def stopped_beside(distance_m=0.1735):
    """A limiter that has just stopped the robot beside a post."""
    safety = Safety(SETTINGS)
    assert safety(SLOWLY, seen(post(distance_m))).speed_mps == 0
    return safety


def test_a_stopped_robot_does_not_creep_on_by_the_noise_of_a_scan():
    assert Safety(SETTINGS)(SLOWLY, seen(post(0.179))).speed_mps > 0  # room enough for one that comes along

    safety = stopped_beside()
    for _ in range(5):
        assert safety(SLOWLY, seen(post(0.179))).speed_mps == 0  # too little for one that was stopped


def test_several_scans_in_a_row_must_agree_before_a_stopped_robot_goes_on_beside_something():
    safety = stopped_beside()
    for distance_m in (0.19, 0.19, 0.1735, 0.19, 0.19):
        assert safety(SLOWLY, seen(post(distance_m))).speed_mps == 0
    assert safety(SLOWLY, seen(None)).speed_mps == 0  # no scan is no third one
    assert safety(SLOWLY, seen(post(0.19))).speed_mps > 0
    assert safety(SLOWLY, seen(post(0.179))).speed_mps > 0


def test_scans_before_a_turn_do_not_count_after_it():
    safety = stopped_beside()
    for wanted in (SLOWLY, SLOWLY, DriveCommand(0.0, 0.5), SLOWLY, SLOWLY):
        assert safety(wanted, seen(post(0.19))).speed_mps == 0
    assert safety(SLOWLY, seen(post(0.19))).speed_mps > 0


def test_one_scan_is_enough_where_nothing_is_near():
    assert stopped_beside()(SLOWLY, seen(post(0.205))).speed_mps > 0
    assert stopped_beside()(SLOWLY, seen(post(0.195))).speed_mps == 0


def test_a_stopped_robot_may_back_off_or_turn_away_and_try_again():
    back, turn = DriveCommand(-0.1, 0.0), DriveCommand(0.0, 1.0)
    safety = Safety(SETTINGS)
    assert safety(SLOWLY, seen(post(0.1735))).speed_mps == 0
    assert safety(back, seen(post(0.1735))).speed_mps < 0
    assert safety(SLOWLY, seen(post(0.179))).speed_mps > 0

    assert safety(SLOWLY, seen(post(0.1735))).speed_mps == 0
    assert safety(turn, seen(post(0.1735))).turn_radps == 1.0
    assert safety(SLOWLY, seen(post(0.179))).speed_mps == 0  # six degrees are not away
    safety(turn, seen(post(0.1735)))
    safety(turn, seen(post(0.1735)))
    assert safety(SLOWLY, seen(post(0.179))).speed_mps > 0
