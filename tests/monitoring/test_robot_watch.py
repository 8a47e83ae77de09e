import json
import urllib.request
from dataclasses import replace

import numpy as np
import pytest
from fake_ticks import detections, tick
from prometheus_client import CollectorRegistry

from foundation.robot_config import RobotConfig
from monitoring.live_state import FloorObject
from monitoring.prometheus_metrics import RobotMetrics
from monitoring.robot_watch import watching
from navigation.background import SteppedBackground
from navigation.grid_geometry import GridGeometry
from perception.observation import Frame

DARKER = {"brightness": {"mean": 0.9, "std": 0.05}}


def pictured(report, seed):
    """The tick with another picture."""
    picture = np.random.default_rng(seed).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    observation = replace(report.observation, frame=Frame(report.observation.stamp_s, picture))
    return replace(report, observation=observation)


def watched(tmp_path, registry, reference, view_port):
    metrics = RobotMetrics(registry)
    return watching(
        RobotConfig(),
        metrics,
        tmp_path / "feedback",
        SteppedBackground(1),
        name="ox1",
        reference=reference,
        view_port=view_port,
    )


def test_drift_is_told_to_prometheus_and_the_frame_is_kept(tmp_path):
    registry = CollectorRegistry()
    with watched(tmp_path, registry, DARKER, None) as watch:
        watch.on_tick(pictured(tick(0.0), seed=1))
        for i in range(1, 40):
            watch.on_tick(tick(float(i)))

    assert watch.view_url is None
    assert registry.get_sample_value("oxturn_drift_alarms_total", {"feature": "brightness"}) >= 1
    kept = {path.name.split("-")[1] for path in (tmp_path / "feedback").glob("*.jpg")}
    assert kept == {"sample.jpg", "drifted.jpg"}
    assert registry.get_sample_value("oxturn_feedback_frames_total", {"reason": "drifted"}) == 1


def test_another_model_s_drift_is_held_against_its_own_reference(tmp_path):
    registry = CollectorRegistry()
    with watched(tmp_path, registry, {"brightness": {"mean": 0.0, "std": 1.0}}, None) as watch:
        for i in range(40):
            watch.on_tick(tick(float(i)))
        before = registry.get_sample_value("oxturn_drift_alarms_total", {"feature": "brightness"})
        watch.on_model(DARKER)
        for i in range(40, 80):
            watch.on_tick(tick(float(i)))

    assert before == 0
    assert registry.get_sample_value("oxturn_drift_alarms_total", {"feature": "brightness"}) >= 1


@pytest.mark.parametrize(
    "held", [{"mean": 0.0, "std": 0.0}, {"mean": 0.5}, {"mean": float("nan"), "std": 1.0}, 3, None]
)
def test_a_feature_without_a_usable_reference_is_not_watched_and_the_others_are(tmp_path, held):
    registry = CollectorRegistry()
    with watched(tmp_path, registry, {"saturation": held, **DARKER}, None) as watch:
        for i in range(40):
            watch.on_tick(tick(float(i)))

    assert registry.get_sample_value("oxturn_drift_alarms_total", {"feature": "brightness"}) >= 1
    assert registry.get_sample_value("oxturn_drift_alarms_total", {"feature": "saturation"}) is None


def test_the_page_shows_what_the_loop_tells(tmp_path):
    cells = np.zeros((4, 5), dtype=np.int8)
    with watched(tmp_path, CollectorRegistry(), {}, 0) as watch:
        watch.on_tick(tick(1.0, x_m=0.5, seen=detections(1.0, (0.4, 0.0))))
        watch.on_second(
            cells=cells,
            geometry=GridGeometry(0, 0, 0.1, 4, 5),
            covered=np.ones((2, 2), dtype=bool),  # of another size: the grid has just grown
            route=np.array([[0.0, 0.0], [1.0, 0.5]]),
            objects=[FloorObject(0.2, 0.3, 0.04, "sock")],
            coverage_ratio=0.25,
        )
        with urllib.request.urlopen(watch.view_url + "state.json", timeout=3) as response:
            state = json.load(response)

    assert state["words"] == {"coverage_ratio": 0.25}
    assert (state["plan"], state["objects"]) == ([[0, 0], [1, 0.5]], [[0.2, 0.3, 0.04, "sock"]])
    assert state["pose"][0] == 0.5
