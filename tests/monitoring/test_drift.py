import math

import numpy as np
import pytest
from fake_ticks import detections, frame, tick

from foundation.geometry import Pose2D
from monitoring.camera_against_lidar import floor_behind_obstacles
from monitoring.drift import DISAGREEMENT, DriftMonitor, DriftSettings, Reference, references
from monitoring.errors import MonitoringError
from navigation.robot_io import DriveCommand
from perception.frame_features import frame_features
from perception.observation import Detections, Scan

AHEAD = Pose2D(0.0, 0.0, 0.0)


def reference(grey=120, deviation=0.05):
    features = frame_features(frame(0.0, grey).image_bgr)
    return {name: Reference(value, deviation) for name, value in features.items()}


def monitor(told, **settings):
    return DriftMonitor(
        reference(), AHEAD, lambda *drift: told.append(drift), DriftSettings(**settings), lambda ratio: None
    )


def test_frames_like_the_training_data_raise_nothing():
    told = []
    watching = monitor(told)

    alarms = [watching.on_tick(tick(float(i))) for i in range(300)]

    assert not any(alarms)
    assert not any(alarm for _, _, alarm in told)


def test_a_dark_room_alarms_on_brightness_alone():
    told = []
    watching = monitor(told)

    alarms = [watching.on_tick(tick(float(i), grey=60)) for i in range(30)]

    assert {name for names in alarms for name in names} == {"brightness"}
    first = next(i for i, names in enumerate(alarms) if names)
    assert 3 <= first <= 15
    assert max(score for name, score, _ in told if name == "brightness") == 1.0


def test_a_room_one_deviation_off_is_still_a_room():
    watching = monitor([])

    assert not any(watching.on_tick(tick(float(i), grey=132)) for i in range(2000))


def test_only_one_frame_a_second_is_looked_at():
    told = []
    watching = monitor(told)
    told.clear()

    for i in range(100):
        watching.on_tick(tick(i * 0.1))

    assert len([1 for name, _, _ in told if name == "brightness"]) == 10


def test_every_feature_is_told_from_the_start():
    told = []
    monitor(told)

    assert (DISAGREEMENT, 0.0, False) in told and ("warmth", 0.0, False) in told


def test_camera_against_lidar_alarms_when_the_camera_begins_to_claim_walls_as_floor():
    told = []
    watching = monitor(told)

    def seen(stamp_s, distance_m):
        one = detections(stamp_s)
        floor = np.array([[distance_m, 0.05 * i] for i in range(-5, 6)])
        fields = {name: getattr(one, name) for name in Detections.__slots__ if name != "floor_seen"}
        return Detections(**fields, floor_seen=floor)

    good = [watching.on_tick(tick(float(i), seen=seen(float(i), 1.0))) for i in range(200)]
    bad = [watching.on_tick(tick(200.0 + i, seen=seen(200.0 + i, 2.6))) for i in range(60)]  # the wall is at 2 m

    assert not any(good)
    assert {name for names in bad for name in names} == {DISAGREEMENT}


def test_a_turning_robot_compares_nothing():
    told = []
    ratios = []
    watching = DriftMonitor({}, AHEAD, lambda *drift: told.append(drift), DriftSettings(), ratios.append)
    one = detections(0.0)
    fields = {name: getattr(one, name) for name in Detections.__slots__ if name != "floor_seen"}
    seen = Detections(**fields, floor_seen=np.array([[5.0, 0.0]]))

    watching.on_tick(tick(0.0, seen=seen, command=DriveCommand(0.0, 0.5)))
    assert ratios == []
    watching.on_tick(tick(1.0, seen=seen, command=DriveCommand(0.2, 0.0)))
    assert ratios == []  # a second old
    watching.on_tick(tick(2.0, seen=Detections(**{**fields, "stamp_s": 2.0}, floor_seen=np.array([[5.0, 0.0]]))))
    assert ratios == [1.0]


def test_floor_behind_a_wall_and_floor_before_it():
    scan = Scan(0.0, np.full(360, 2.0), -math.pi, 2 * math.pi / 360, 12.0, np.zeros(360))
    floor = np.array([[1.0, 0.0], [0.0, 1.9], [3.0, 0.0], [-2.0, -2.0]])

    assert floor_behind_obstacles(floor, scan, AHEAD) == 0.5


def test_a_chair_leg_hides_no_floor():
    ranges = np.full(360, 6.0)
    ranges[178:181] = 0.5  # a leg straight ahead
    scan = Scan(0.0, ranges, -math.pi, 2 * math.pi / 360, 12.0, np.zeros(360))

    assert floor_behind_obstacles(np.array([[1.0, 0.0]]), scan, AHEAD) == 0.0
    ranges[170:191] = 0.5  # a box
    assert floor_behind_obstacles(np.array([[1.0, 0.0]]), scan, AHEAD) == 1.0


def test_the_laser_pose_counts_and_no_return_is_far():
    ranges = np.full(360, np.inf)
    ranges[90] = np.nan
    scan = Scan(0.0, ranges, -math.pi, 2 * math.pi / 360, 12.0, np.zeros(360))
    assert floor_behind_obstacles(np.array([[11.0, 0.0]]), scan, AHEAD) == 0.0

    near = Scan(0.0, np.full(360, 1.0), -math.pi, 2 * math.pi / 360, 12.0, np.zeros(360))
    assert floor_behind_obstacles(np.array([[1.5, 0.0]]), near, AHEAD) == 1.0
    assert floor_behind_obstacles(np.array([[1.5, 0.0]]), near, Pose2D(0.5, 0.0, 1.0)) == 0.0


def test_a_scan_that_looks_elsewhere_tells_nothing():
    half = Scan(0.0, np.full(90, 1.0), -math.pi / 4, math.pi / 180, 12.0, np.zeros(90))

    assert floor_behind_obstacles(np.array([[-2.0, 0.0]]), half, AHEAD) is None
    assert floor_behind_obstacles(np.empty((0, 2)), half, AHEAD) is None
    assert floor_behind_obstacles(np.array([[-2.0, 0.0], [2.0, 0.0]]), half, AHEAD) == 1.0


def test_reference_statistics_come_from_the_manifest_or_are_refused():
    assert references({"brightness": {"mean": 0.4, "std": 0.1}}) == {"brightness": Reference(0.4, 0.1)}
    for broken in ({"b": {"mean": 0.4}}, {"b": {"mean": 0.4, "std": 0}}, {"b": {"mean": "x", "std": 1}}, {"b": 3}):
        with pytest.raises(MonitoringError, match="reference"):
            references(broken)
    with pytest.raises(MonitoringError, match="nan"):
        Reference(float("nan"), 1.0)
