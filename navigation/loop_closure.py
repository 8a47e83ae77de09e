"""Finds places seen before, and refuses false ones.

A keyframe is compared with a local map built around an old keyframe near it. How far to look follows how far the robot
has travelled since it last recognised anything. A find that moves the robot little is taken when the match is good;
one that moves it far must be told again by a second and third keyframe that were matched on their own (their
corrections of the map must agree), because a corridor looks like the next corridor.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from foundation.geometry import FloatArray, Pose2D, wrap_angle
from navigation.branch_and_bound import Window, pyramid, search
from navigation.keyframes import Relation, Snapshot, surfaces
from navigation.local_map import MapShape, build_local_map
from navigation.scan_matcher import Match, MatchSettings, crossed, refine


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """One set for every sensor and log."""

    neighbours: int = 3  # keyframes before and after an old one that make its local map
    apart_m: float = 6.0  # travelled between: nearer in time is the tracker's business
    window_m: float = 0.5  # look at least so far around the guess
    window_rad: float = 0.15
    drift_ratio: float = 0.02  # and so much farther per metre travelled since the last recognised place
    drift_rad_per_m: float = 0.003
    window_max_m: float = 12.0
    window_max_rad: float = 0.6
    candidates: int = 2  # old places a keyframe is compared with
    reach_m: float = 1.5  # an old keyframe must lie so near, plus the window
    search_points: int = 90
    min_score: float = 0.55  # of the lattice search
    good_score: float = 0.60  # of the refined match
    max_crossed: float = 0.2  # share of beams that pass through walls of the old place
    trusted_move_m: float = 0.6  # a find that moves the robot less needs no second witness
    trusted_move_rad: float = 0.12
    witnesses: int = 3  # keyframes that must tell the same, otherwise
    witness_m: float = 0.4
    witness_rad: float = 0.06
    floor_m: float = 0.01  # no relation is better than this
    floor_rad: float = 0.004


@dataclass(frozen=True, slots=True)
class Find:
    """Keyframe `new` recognised near keyframe `old`."""

    old: int
    new: int
    old_from_new: Pose2D
    information: FloatArray  # (3, 3)
    correction: Pose2D  # map_from_map: where this find would move the new keyframe


@dataclass(slots=True)
class LoopState:
    """What the search remembers between keyframes."""

    searched: int = 0  # keyframes looked at
    recognised_at_m: float = 0.0  # travelled when a place was last recognised
    waiting: list[Find] = field(default_factory=list)


def floored(information: FloatArray, floor_m: float, floor_rad: float) -> FloatArray:
    """Information (3, 3) of a match with errors added that no match knows of: curved shapes, moved chairs."""
    covariance = np.linalg.inv(information + np.eye(3) * 1e-3)
    result: FloatArray = np.linalg.inv(covariance + np.diag([floor_m**2, floor_m**2, floor_rad**2]))
    return result


def find_loops(
    snapshot: Snapshot, state: LoopState, settings: LoopSettings, shape: MapShape, matching: MatchSettings
) -> list[Relation]:
    """Relations of the keyframes not searched so far with old places; updates `state`."""
    accepted: list[Relation] = []
    places = {k: (pose[0], pose[1]) for k, pose in enumerate(snapshot.poses)}
    positions = np.array([places[k] for k in range(len(snapshot.keyframes))]).reshape(-1, 2)
    travelled = np.array([keyframe.travelled_m for keyframe in snapshot.keyframes])
    for new in range(state.searched, len(snapshot.keyframes)):
        drifted_m = snapshot.keyframes[new].travelled_m - state.recognised_at_m
        window = _window(drifted_m, settings)
        finds = [
            find
            for old in _candidates(new, positions, travelled, window, settings)
            if (find := _compare(snapshot, old, new, window, settings, shape, matching)) is not None
        ]
        told = [find for find in finds if _believed(find, state, settings)]
        if any(_small(find, settings) for find in told):  # a large one is to be solved first
            state.recognised_at_m = snapshot.keyframes[new].travelled_m
        accepted += [Relation(f.old, f.new, f.old_from_new, f.information, loop=True) for f in told]
        state.searched = new + 1
    return accepted


def _window(drifted_m: float, settings: LoopSettings) -> Window:
    return Window(
        min(settings.window_m + settings.drift_ratio * drifted_m, settings.window_max_m),
        min(settings.window_rad + settings.drift_rad_per_m * drifted_m, settings.window_max_rad),
    )


def _candidates(
    new: int, positions: FloatArray, travelled: FloatArray, window: Window, settings: LoopSettings
) -> list[int]:
    """The nearest old keyframes, far enough from each other in time to be different visits."""
    old = np.flatnonzero(travelled[:new] < travelled[new] - settings.apart_m)
    distance_m = np.linalg.norm(positions[old] - positions[new], axis=1)
    chosen: list[int] = []
    for n in np.argsort(distance_m):
        if distance_m[n] > settings.reach_m + window.half_m or len(chosen) == settings.candidates:
            break
        if all(abs(int(old[n]) - other) > 2 * settings.neighbours for other in chosen):
            chosen.append(int(old[n]))
    return chosen


def _compare(
    snapshot: Snapshot,
    old: int,
    new: int,
    window: Window,
    settings: LoopSettings,
    shape: MapShape,
    matching: MatchSettings,
) -> Find | None:
    """Matches keyframe `new` on the surroundings of keyframe `old`."""
    map_from_old, map_from_new = _pose(snapshot, old), _pose(snapshot, new)
    frames = snapshot.keyframes
    around = range(max(0, old - settings.neighbours), min(new, old + settings.neighbours + 1))
    members = [k for k in around if frames[k].travelled_m < frames[new].travelled_m - settings.apart_m]
    poses = {k: _pose(snapshot, k) for k in members}
    ground = build_local_map(*surfaces(snapshot.keyframes, poses, old, members), shape)
    points = snapshot.keyframes[new].points_base.astype(np.float64)
    stride = max(1, len(points) // settings.search_points)
    guess = map_from_old.inverse() @ map_from_new
    coarse = search(np.ascontiguousarray(points[::stride]), ground, pyramid(ground), guess, window, settings.min_score)
    if coarse is None:
        return None
    start = np.array([coarse.x_m, coarse.y_m, coarse.heading_rad])
    found: Match = refine(points, ground, start, coarse, np.diag([1.0, 1.0, 1.0]), matching)
    if found.score < settings.good_score or crossed(points, ground, found.anchor_from_base) > settings.max_crossed:
        return None
    correction = map_from_old @ found.anchor_from_base @ map_from_new.inverse()
    information = floored(found.information, settings.floor_m, settings.floor_rad)
    return Find(old, new, found.anchor_from_base, information, _about(correction, map_from_new))


def _about(correction: Pose2D, at: Pose2D) -> Pose2D:
    """The correction as a shift of the place `at` and a turn, which does not depend on where the map's origin lies."""
    moved = correction @ at
    return Pose2D(moved.x_m - at.x_m, moved.y_m - at.y_m, correction.heading_rad)


def _believed(find: Find, state: LoopState, settings: LoopSettings) -> bool:
    """Small corrections at once; large ones when enough other keyframes told the same."""
    if _small(find, settings):
        return True
    move = find.correction
    state.waiting = [other for other in state.waiting if find.new - other.new <= 12]
    agreeing = {
        other.new
        for other in state.waiting
        if other.new != find.new
        and math.hypot(other.correction.x_m - move.x_m, other.correction.y_m - move.y_m) < settings.witness_m
        and abs(wrap_angle(other.correction.heading_rad - move.heading_rad)) < settings.witness_rad
    }
    state.waiting.append(find)
    return len(agreeing) >= settings.witnesses - 1


def _small(find: Find, settings: LoopSettings) -> bool:
    move = find.correction
    return (
        math.hypot(move.x_m, move.y_m) < settings.trusted_move_m and abs(move.heading_rad) < settings.trusted_move_rad
    )


def _pose(snapshot: Snapshot, index: int) -> Pose2D:
    x_m, y_m, heading_rad = snapshot.poses[index]
    return Pose2D(float(x_m), float(y_m), float(heading_rad))
