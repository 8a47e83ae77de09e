"""Matching a scan against the ground it came from."""

import numpy as np
from drive_scans import ROOM, ranges_to
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.geometry import IDENTITY, Pose2D, wrap_angle
from navigation.local_map import MapShape, build_local_map
from navigation.scan_matcher import MatchSettings, match

PRIOR = np.diag([1e2, 1e2, 1e2])


def room_points(x_m=3.2, y_m=2.6, heading_rad=0.3, beams=360):
    bearings = np.linspace(-np.pi, np.pi, beams, endpoint=False)
    ranges = ranges_to(ROOM, x_m, y_m, bearings + heading_rad)
    return np.stack([ranges * np.cos(bearings), ranges * np.sin(bearings)], axis=1)


def ground_of(points):
    return build_local_map(points, np.zeros_like(points), MapShape())


def apart(a: Pose2D, b: Pose2D) -> tuple[float, float]:
    return a.distance_m(b), abs(wrap_angle(a.heading_rad - b.heading_rad))


def test_a_scan_matched_against_itself_moves_nothing():
    points = room_points()
    found = match(points, ground_of(points), IDENTITY, PRIOR, MatchSettings())
    metres, radians = apart(found.anchor_from_base, IDENTITY)
    assert metres < 5e-4
    assert radians < 2e-4
    assert found.score > 0.8


@settings(max_examples=40, deadline=None)
@given(st.floats(-0.12, 0.12), st.floats(-0.12, 0.12), st.floats(-0.09, 0.09))
def test_a_wrong_prediction_is_put_right(dx_m, dy_m, turn_rad):
    points = room_points()
    found = match(points, ground_of(points), Pose2D(dx_m, dy_m, turn_rad), PRIOR, MatchSettings())
    metres, radians = apart(found.anchor_from_base, IDENTITY)
    assert metres < 0.005
    assert radians < 0.003


@settings(max_examples=25, deadline=None)
@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-3.1, 3.1))
def test_matching_is_equivariant_under_rigid_motion(x_m, y_m, heading_rad):
    """Ground, prediction and answer move together."""
    moved = Pose2D(x_m, y_m, heading_rad)
    points = room_points()
    off = Pose2D(0.05, -0.04, 0.03)
    here = match(points, ground_of(points), off, PRIOR, MatchSettings())
    ground = build_local_map(moved.transform(points), moved.transform(np.zeros_like(points)), MapShape())
    there = match(points, ground, moved @ off, PRIOR, MatchSettings())
    metres, radians = apart(there.anchor_from_base, moved @ here.anchor_from_base)
    assert metres < 0.004
    assert radians < 0.002


def test_along_a_bare_corridor_the_prediction_stands():
    """Walls left and right say nothing about the way forward."""
    along = np.linspace(-8, 8, 400)
    points = np.concatenate([np.stack([along, np.full(400, side)], axis=1) for side in (-1.0, 1.0)])
    seen = points[np.abs(points[:, 0]) < 5]
    prior = np.diag([1e4, 1e4, 1e4])
    found = match(seen, ground_of(points), Pose2D(0.06, 0.08, 0.02), prior, MatchSettings(search_m=0.05))
    assert abs(found.anchor_from_base.x_m - 0.06) < 0.06
    assert abs(found.anchor_from_base.y_m) < 0.005
    assert found.information[1, 1] > 20 * found.information[0, 0]


def test_nothing_to_match_leaves_the_prediction():
    predicted = Pose2D(1, 2, 0.5)
    empty = ground_of(np.zeros((0, 2)))
    assert match(room_points(), empty, predicted, PRIOR, MatchSettings()).anchor_from_base == predicted
    ground = ground_of(room_points())
    assert match(np.zeros((0, 2)), ground, predicted, PRIOR, MatchSettings()).score == 0.0


def test_a_bare_corridor_tells_nothing_along_itself():
    along_m = np.arange(-3.0, 3.0, 0.03)
    points = np.concatenate([np.stack([along_m, np.full_like(along_m, side)], axis=1) for side in (-0.8, 0.8)])

    found = match(points, ground_of(points), IDENTITY, PRIOR, MatchSettings())

    sigma_along_m, sigma_across_m = np.sqrt(np.diag(np.linalg.inv(found.information)))[:2]
    assert sigma_along_m > 0.03  # the prior's .1, and a little by the ends of the walls
    assert sigma_across_m < 0.002
