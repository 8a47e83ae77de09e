import math
import re

import pytest
from fake_ticks import detections, tick
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from monitoring.prometheus_metrics import RobotMetrics
from navigation.pose_estimate import Tracking
from navigation.robot_io import STOP


@pytest.fixture
def registry():
    return CollectorRegistry()


def value(registry, name, **labels):
    return registry.get_sample_value(name, labels)


def test_distance_is_the_length_of_the_driven_line(registry):
    metrics = RobotMetrics(registry)

    for i in range(5):
        metrics.on_tick(tick(i * 0.1, x_m=0.03 * i, y_m=0.04 * i))

    assert value(registry, "oxturn_driven_metres_total") == pytest.approx(0.2)
    assert value(registry, "oxturn_ticks_total") == 5


def test_a_graph_correction_is_no_driven_distance(registry):
    metrics = RobotMetrics(registry)

    metrics.on_tick(tick(0.0))
    metrics.on_tick(tick(0.1, x_m=0.3, map_revision=1))

    assert value(registry, "oxturn_driven_metres_total") == 0
    assert value(registry, "oxturn_map_corrections_total") == 1


def test_a_jump_of_the_pose_is_no_driven_distance(registry):
    metrics = RobotMetrics(registry)

    metrics.on_tick(tick(0.0))
    metrics.on_tick(tick(0.1, x_m=2.0))

    assert value(registry, "oxturn_driven_metres_total") == 0


def test_turning_counts_either_way_and_across_the_wrap(registry):
    metrics = RobotMetrics(registry)

    metrics.on_tick(tick(0.0, heading_rad=math.pi - 0.05))
    metrics.on_tick(tick(0.1, heading_rad=-math.pi + 0.05))
    metrics.on_tick(tick(0.2, heading_rad=math.pi - 0.05))

    assert value(registry, "oxturn_turned_radians_total") == pytest.approx(0.2)


def test_a_held_bumper_is_one_press(registry):
    metrics = RobotMetrics(registry)

    for i, pressed in enumerate((False, True, True, False, True)):
        metrics.on_tick(tick(i * 0.1, bumper=pressed))

    assert value(registry, "oxturn_bumper_presses_total") == 2


def test_detections_count_by_class_with_their_age(registry):
    metrics = RobotMetrics(registry, ("cable", "sock"))

    metrics.on_tick(tick(1.0, seen=detections(0.8, (0.5, 0.0), (0.6, 0.1), class_id=1)))

    assert value(registry, "oxturn_detections_total", **{"class": "sock"}) == 2
    assert value(registry, "oxturn_detections_total", **{"class": "cable"}) == 0
    assert value(registry, "oxturn_detection_age_seconds_sum") == pytest.approx(0.2)


def test_a_class_number_the_model_does_not_name_is_unknown_not_an_error(registry):
    metrics = RobotMetrics(registry, ("cable",))

    metrics.on_tick(tick(1.0, seen=detections(1.0, (0.5, 0.0), class_id=7)))

    assert value(registry, "oxturn_detections_total", **{"class": "unknown"}) == 1


def test_a_changed_command_is_counted_as_limited(registry):
    metrics = RobotMetrics(registry)

    metrics.on_tick(tick(0.0))
    metrics.on_tick(tick(0.1, command=STOP))

    assert value(registry, "oxturn_limited_commands_total") == 1


def test_missing_sensors_and_tracking_are_told(registry):
    metrics = RobotMetrics(registry)

    metrics.on_tick(tick(0.0, with_scan=False, tracking=Tracking.LOST))

    assert value(registry, "oxturn_sensor_missing_ticks_total", sensor="scan") == 1
    assert value(registry, "oxturn_sensor_missing_ticks_total", sensor="frame") == 0
    assert value(registry, "oxturn_tracking", oxturn_tracking="lost") == 1
    assert value(registry, "oxturn_tracking", oxturn_tracking="tracking") == 0


def test_an_update_whose_time_nobody_knows_is_counted_all_the_same(registry):
    RobotMetrics(registry).on_update("failed")

    assert value(registry, "oxturn_updates_total", result="failed") == 1
    assert value(registry, "oxturn_update_seconds_count") == 0


def test_an_unknown_update_result_is_refused(registry):
    with pytest.raises(ValueError, match="rollback_failed"):
        RobotMetrics(registry).on_update("fine", 1.0)


def test_stage_times_land_in_log_spaced_buckets(registry):
    metrics = RobotMetrics(registry)

    metrics.on_stage("plan", 0.0021)

    assert value(registry, "oxturn_stage_seconds_bucket", stage="plan", le="0.001") == 0
    assert value(registry, "oxturn_stage_seconds_bucket", stage="plan", le="0.0022") == 1


def test_every_name_is_openmetrics_with_a_base_unit_and_help(registry):
    metrics = RobotMetrics(registry)
    metrics.on_tick(tick(0.0, seen=detections(0.0, (0.5, 0.0)), battery_ratio=0.5))
    metrics.on_drift("brightness", 0.2, alarm=False)

    families = list(text_string_to_metric_families(generate_latest(registry).decode()))

    assert len(families) >= 20
    for family in families:
        assert re.fullmatch(r"oxturn_[a-z_]+", family.name), family.name
        assert family.documentation, family.name
        assert not re.search(r"_(ms|cm|percent|minutes|degrees|mm)$", family.name), family.name


def test_a_drift_counter_stands_at_zero_before_its_first_alarm(registry):
    metrics = RobotMetrics(registry)

    metrics.on_drift("brightness", 0.2, alarm=False)
    before = value(registry, "oxturn_drift_alarms_total", feature="brightness")
    metrics.on_drift("brightness", 1.4, alarm=True)

    assert (before, value(registry, "oxturn_drift_alarms_total", feature="brightness")) == (0, 1)
