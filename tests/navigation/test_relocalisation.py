"""A robot lost in a saved map: it finds its place, or says that it is lost; never a wrong place."""

import numpy as np
import pytest
from drive_scans import ROOM, WHEEL_RADIUS_M, WHEEL_TRACK_M, drive

from foundation.geometry import IDENTITY, Pose2D, wrap_angle
from navigation.background import SteppedBackground
from navigation.map_agreement import agreement
from navigation.pose_estimate import Tracking
from navigation.relocalisation import Look, RelocalisationSettings, Relocaliser, Sighting
from navigation.saved_map import SavedMapError, load, save
from navigation.slam import Slam, SlamSettings

TWINS = np.array(
    [(0, 0, 4, 0), (4, 0, 4, 3), (4, 3, 0, 3), (0, 3, 0, 0)], dtype=float
)  # a bare rectangle looks the same when turned by half a turn


def new_slam(**more):
    return Slam(
        SlamSettings(),
        laser=IDENTITY,
        wheel_radius_m=WHEEL_RADIUS_M,
        wheel_track_m=WHEEL_TRACK_M,
        background=SteppedBackground(2),
        **more,
    )


def mapped(walls=ROOM, **route):
    """(snapshot, ticks) of one drive."""
    ticks = list(drive(walls, seed=7, **route))
    slam = new_slam(start=ticks[0][0])
    for _, observation in ticks:
        slam.update(observation)
    return slam.snapshot(), ticks


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    snapshot, _ = mapped()
    path = tmp_path_factory.mktemp("saved") / "map.npz"
    save(path, snapshot)
    return load(path)


def off(estimate, true: Pose2D) -> tuple[float, float]:
    found = estimate.map_from_base
    return found.distance_m(true), abs(wrap_angle(found.heading_rad - true.heading_rad))


@pytest.mark.parametrize("begin", [60, 330, 560])
def test_a_robot_put_down_anywhere_finds_itself_in_five_seconds(saved, begin):
    slam = new_slam(saved=saved, start=None)
    assert slam.tracking is Tracking.LOST
    for true, observation in list(drive(seed=8))[begin : begin + 50]:
        estimate = slam.update(observation)
        if estimate.tracking is Tracking.TRACKING:
            assert off(estimate, true) < (0.05, 0.05)
    assert estimate.tracking is Tracking.TRACKING


def test_a_carried_robot_says_so_and_finds_itself_again(saved):
    ticks = list(drive(seed=9))
    slam = new_slam(saved=saved, start=ticks[0][0])
    for _, observation in ticks[:40]:
        slam.update(observation)
    states = []
    for true, observation in ticks[520:600]:  # elsewhere, of a sudden
        estimate = slam.update(observation)
        states.append(estimate.tracking)
        assert estimate.tracking is not Tracking.TRACKING or off(estimate, true)[0] < 0.05
    assert Tracking.LOST in states
    assert states[-1] is Tracking.TRACKING


def test_two_places_alike_keep_the_robot_lost():
    route = ((1.0, 1.0), (3.0, 1.0), (3.0, 2.0), (1.0, 2.0), (1.0, 1.0))
    snapshot, ticks = mapped(TWINS, waypoints=route)
    slam = new_slam(saved=snapshot, start=None)
    states = [slam.update(observation).tracking for _, observation in ticks[40:140]]
    assert Tracking.TRACKING not in states


def test_localising_in_a_saved_map_makes_no_keyframes_on_known_ground(saved):
    ticks = list(drive(seed=10))[:400]
    slam = new_slam(saved=saved, start=ticks[0][0])
    errors = [off(slam.update(observation), true)[0] for true, observation in ticks]
    assert np.percentile(errors, 95) < 0.015
    assert len(slam.snapshot().keyframes) <= len(saved.keyframes) + 2


def test_a_place_is_believed_after_three_looks_apart():
    relocaliser = Relocaliser(RelocalisationSettings())
    believed = []
    for step in range(3):
        at = Pose2D(0.2 * step, 0.0, 0.0)
        believed.append(relocaliser.consider(Look(at, [Sighting(Pose2D(5.0, 1.0, 0.0) @ at, 0.8, 0.98)])))
    assert believed[:2] == [None, None]
    assert believed[2].distance_m(Pose2D(5.0, 1.0, 0.0)) < 1e-9


def test_looks_from_one_pose_count_once():
    relocaliser = Relocaliser(RelocalisationSettings())
    same = Look(IDENTITY, [Sighting(Pose2D(5.0, 1.0, 0.0), 0.8, 0.98)])
    assert [relocaliser.consider(same) for _ in range(6)] == [None] * 6


def test_a_rival_place_withholds_belief():
    relocaliser = Relocaliser(RelocalisationSettings())
    for step in range(5):
        at = Pose2D(0.2 * step, 0.0, 0.0)
        places = [Sighting(base @ at, 0.8, 0.98) for base in (Pose2D(5, 1, 0), Pose2D(-3, 2, 1))]
        assert relocaliser.consider(Look(at, places)) is None


def test_agreement_tells_the_right_pose_from_a_wrong_one(saved):
    slam = new_slam(saved=saved, start=None)
    keyframe, (x_m, y_m, heading_rad) = saved.keyframes[10], saved.poses[10]
    points, origins = keyframe.points_base.astype(float), keyframe.origins_base.astype(float)
    there, grid = slam.static_map.cells, slam.static_map.geometry
    right = agreement(Pose2D(x_m, y_m, heading_rad), points, origins, there, grid)
    wrong = agreement(Pose2D(x_m + 0.7, y_m + 0.4, heading_rad + 0.6), points, origins, there, grid)
    assert right.ratio > 0.97
    assert wrong.ratio < 0.75


def test_saved_maps_come_back_as_they_were(tmp_path):
    snapshot, _ = mapped(TWINS, waypoints=((1.0, 1.0), (3.0, 1.0)))
    save(tmp_path / "map.npz", snapshot)
    back = load(tmp_path / "map.npz")
    assert np.array_equal(back.poses, snapshot.poses)
    assert [k.points_base.tobytes() for k in back.keyframes] == [k.points_base.tobytes() for k in snapshot.keyframes]
    assert [(r.first, r.second, r.first_from_second) for r in back.relations] == [
        (r.first, r.second, r.first_from_second) for r in snapshot.relations
    ]


@pytest.mark.parametrize("damage", ["empty", "cut", "flip", "other"])
def test_damaged_saved_maps_are_one_error(tmp_path, damage):
    snapshot, _ = mapped(TWINS, waypoints=((1.0, 1.0), (2.0, 1.0)))
    path = tmp_path / "map.npz"
    save(path, snapshot)
    data = bytearray(path.read_bytes())
    if damage == "other":
        np.savez(path, format=np.array(1), poses=np.zeros((2, 3)))
    else:
        if damage == "flip":
            data[len(data) // 2] ^= 0xFF
        path.write_bytes({"empty": b"", "cut": bytes(data[: len(data) // 2]), "flip": bytes(data)}[damage])
    with pytest.raises(SavedMapError, match="not a saved map"):
        load(path)
