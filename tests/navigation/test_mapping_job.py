"""When the map is drawn anew: as soon as a keyframe lies elsewhere than it was drawn, however many solves that took."""

import numpy as np
import pytest

from foundation.geometry import IDENTITY, Pose2D
from navigation import mapping_job
from navigation.keyframes import Keyframe, KeyframeStore, Relation
from navigation.live_map import LiveMap
from navigation.local_map import MapShape
from navigation.mapping_job import MappingJob, MappingSettings
from navigation.scan_matcher import MatchSettings

STEP_M = 0.008  # of one solve: less than half a cell of 2.5 cm


@pytest.fixture
def creeping(monkeypatch):
    """Every job finds a loop, whose solve moves all keyframes a little."""
    loop = Relation(0, 1, IDENTITY, np.eye(3), loop=True)
    monkeypatch.setattr(mapping_job, "find_loops", lambda *_: [loop])
    monkeypatch.setattr(mapping_job, "loop_errors", lambda *_: np.array([100.0]))
    monkeypatch.setattr(mapping_job, "solve", lambda poses, *_: poses + (STEP_M, 0.0, 0.0))


def test_small_corrections_that_add_up_draw_the_map_anew(creeping):
    store, job = KeyframeStore(), MappingJob(MappingSettings(), MapShape(), MatchSettings())
    still = LiveMap(store, cell_m=0.025, occupied_ratio=0.4, ray_max_m=8.0)
    wall = np.array([[2.0, 0.01 * i] for i in range(40)], np.float32)
    for number in range(2):
        store.add(Keyframe(0.0, wall, np.zeros_like(wall), 0.0, True), Pose2D(float(number), 0.0, 0.0))
        still.add_keyframe(number)

    redrawn = []
    for _ in range(6):
        found = job.run(store.snapshot(), still.blank(), still.drawn_at_m())
        store.correct(found.poses)
        redrawn.append(found.occupancy is not None)
        if found.occupancy is not None:
            still.replace(found.occupancy, len(found.poses))
            assert still.drawn_at_m()[0, 0] == pytest.approx(store.pose(0).x_m)

    assert redrawn == [False, True, False, True, False, True]


def test_a_log_without_a_map_draws_none(creeping):
    store, job = KeyframeStore(), MappingJob(MappingSettings(), MapShape(), MatchSettings())
    for _ in range(2):
        store.add(Keyframe(0.0, np.zeros((1, 2), np.float32), np.zeros((1, 2), np.float32), 0.0, True), IDENTITY)

    assert job.run(store.snapshot(), None).occupancy is None
