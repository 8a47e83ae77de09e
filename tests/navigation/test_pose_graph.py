"""The graph's solution: exact where relations agree, deaf to a false loop."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.geometry import IDENTITY, Pose2D, wrap_angle
from navigation import pose_graph
from navigation.keyframes import Keyframe, Relation, Snapshot
from navigation.local_map import MapShape
from navigation.loop_closure import LoopSettings, LoopState, find_loops
from navigation.pose_graph import GraphSettings, loop_errors, solve
from navigation.scan_matcher import MatchSettings

SURE = np.diag([1e4, 1e4, 4e4])


def ring(count=24, radius_m=4.0):
    """Poses along a circle, the first at the origin."""
    angles = 2 * np.pi * np.arange(count) / count
    poses = [Pose2D(radius_m * np.sin(a), radius_m * (1 - np.cos(a)), wrap_angle(a)) for a in angles]
    return [poses[0].inverse() @ pose for pose in poses]


def chain(poses, bend_rad=0.0):
    bend = Pose2D(0, 0, bend_rad)
    return [Relation(k, k + 1, a.inverse() @ b @ bend, SURE, loop=False) for k, (a, b) in enumerate(pairwise(poses))]


def dead_reckoned(relations):
    poses = [IDENTITY]
    for relation in relations:
        poses.append(poses[-1] @ relation.first_from_second)
    return np.array([(p.x_m, p.y_m, p.heading_rad) for p in poses])


def as_array(poses):
    return np.array([(p.x_m, p.y_m, p.heading_rad) for p in poses])


def test_a_true_loop_takes_a_large_drift_out():
    true = ring(60, 10.0)
    bent = chain(true, bend_rad=0.003)
    start = dead_reckoned(bent)
    closing = [Relation(59 - k, k, true[59 - k].inverse() @ true[k], SURE, loop=True) for k in range(4)]
    solved = solve(start, [*bent, *closing], GraphSettings())
    before, after = (np.linalg.norm(p[:, :2] - as_array(true)[:, :2], axis=1).max() for p in (start, solved))
    assert before > 0.5
    assert after < 0.1 * before


def test_a_false_loop_is_ignored():
    true = ring()
    relations = chain(true)
    honest = [Relation(k, k + 12, true[k].inverse() @ true[k + 12], SURE, loop=True) for k in (0, 3, 6)]
    false = Relation(2, 14, Pose2D(0.5, 0.2, 2.0), SURE, loop=True)
    solved = solve(as_array(true), [*relations, *honest, false], GraphSettings())
    assert np.abs(solved - as_array(true))[:, :2].max() < 0.05
    errors = loop_errors(solved, [*honest, false])
    assert errors[-1] > 1000 * max(errors[:-1].max(), 1e-3)


def test_a_loop_that_was_refused_before_costs_no_second_descent(monkeypatch):
    true = ring()
    relations = [*chain(true), Relation(2, 14, Pose2D(0.5, 0.2, 2.0), SURE, loop=True)]
    descend, limits = pose_graph._descend, []

    def counted(poses, edges, how, limit):
        limits.append(limit)
        return descend(poses, edges, how, limit)

    monkeypatch.setattr(pose_graph, "_descend", counted)

    fresh = np.ones(len(relations), bool)
    solve(as_array(true), relations, GraphSettings(), fresh)
    assert len(limits) == 2 and limits[1] > limits[0]

    limits.clear()
    fresh[-1] = False
    solved = solve(as_array(true), relations, GraphSettings(), fresh)
    assert len(limits) == 1
    assert np.abs(solved - as_array(true))[:, :2].max() < 0.05


@settings(max_examples=30, deadline=None)
@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(-3, 3), st.integers(2, 12))
def test_agreeing_relations_are_met_exactly_from_any_start_of_the_map(x_m, y_m, heading_rad, count):
    true = [Pose2D(x_m, y_m, heading_rad) @ pose for pose in ring(count)]
    start = as_array(true)
    start[1:] += np.random.default_rng(count).normal(0, 0.05, start[1:].shape)
    solved = solve(start, chain(true), GraphSettings())
    off = solved - as_array(true)
    off[:, 2] = (off[:, 2] + np.pi) % (2 * np.pi) - np.pi
    assert np.abs(off).max() < 1e-3


def test_nothing_to_solve_changes_nothing():
    assert solve(np.zeros((1, 3)), [], GraphSettings()).tolist() == [[0, 0, 0]]


def box_scan(x_m, y_m, side_m):
    """Points (N, 2) of a square room seen from (x, y) without turning."""
    edge = np.linspace(0, side_m, 120)
    walls = [(edge, 0 * edge), (edge, 0 * edge + side_m), (0 * edge, edge), (0 * edge + side_m, edge * 0.6)]
    points = np.concatenate([np.stack(wall, axis=1) for wall in walls]) - (x_m, y_m)
    return points.astype(np.float32)


def keyframe(x_m, y_m, travelled_m, side_m=4.0):
    points = box_scan(x_m, y_m, side_m)
    return Keyframe(0.0, points, np.zeros_like(points), travelled_m, full_turn=True)


def rooms(drift_m, side_m=4.0):
    """Three old keyframes and six new ones of the same places that dead reckoning puts `drift_m` off."""
    places = [(1.5 + 0.3 * k, 1.5) for k in range(3)] + [(1.4 + 0.3 * k, 1.7) for k in range(6)]
    travelled = [0.3 * k for k in range(3)] + [40 + 0.3 * k for k in range(6)]
    sides = [4.0] * 3 + [side_m] * 6
    frames = tuple(keyframe(x, y, t, side) for (x, y), t, side in zip(places, travelled, sides))
    poses = np.array([(x + (drift_m if k > 2 else 0.0), y, 0.0) for k, (x, y) in enumerate(places)])
    return Snapshot(frames, poses, ())


@pytest.mark.parametrize(("drift_m", "least"), [(0.05, 6), (1.0, 3)])
def test_a_place_is_recognised_again_and_a_large_correction_waits_for_witnesses(drift_m, least):
    found = find_loops(rooms(drift_m), LoopState(), LoopSettings(), MapShape(), MatchSettings())
    assert least <= len(found) <= 6
    for relation in found:
        assert abs(relation.first_from_second.y_m - 0.2) < 0.01
    if drift_m > 0.6:
        assert min(relation.second for relation in found) >= 5  # the first two were only witnesses


def test_another_room_is_not_taken_for_the_old_one():
    found = find_loops(rooms(0.05, side_m=5.5), LoopState(), LoopSettings(), MapShape(), MatchSettings())
    assert found == []
