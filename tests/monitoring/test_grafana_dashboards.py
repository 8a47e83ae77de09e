import re
from dataclasses import asdict

import pytest
from fake_ticks import detections, tick
from local_prometheus import INSTALLED, local_prometheus
from prometheus_client import CollectorRegistry

from monitoring import alert_rules, generated_files, grafana_dashboards
from monitoring.dashboard_panels import expressions, panels
from monitoring.errors import MonitoringError
from monitoring.prometheus_metrics import UPDATE_RESULTS, RobotMetrics, serve_metrics

KNOWN_UNITS = {"percentunit", "areaM2", "lengthm", "none", "s"}
RULES = generated_files.FOLDER / "prometheus" / "oxturn.rules.yml"


def busy_robot():
    """A registry in which every metric has a value."""
    registry = CollectorRegistry()
    metrics = RobotMetrics(registry)
    for i in range(3):
        metrics.on_tick(tick(i * 0.1, x_m=0.02 * i, seen=detections(i * 0.1, (0.5, 0.0)), battery_ratio=0.9))
        for stage in ("localise", "detect", "map", "plan", "limit", "tick"):
            metrics.on_stage(stage, 0.002)
    metrics.on_coverage(0.5, 4.0)
    metrics.on_job(True)
    metrics.on_model("7", "ab" * 32)
    metrics.on_drift("brightness", 0.2, alarm=False)
    metrics.disagreement.set(0.01)
    metrics.feedback.labels("unsure").inc()
    for result in UPDATE_RESULTS:
        metrics.on_update(result, 1.0)
    return registry


def for_prometheus(expression):
    """As Grafana would send it."""
    return expression.replace("$__rate_interval", "10s").replace("$robot", ".*")


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    if not INSTALLED:
        pytest.skip("prometheus is not installed: apt-get install prometheus")
    with serve_metrics(busy_robot(), "127.0.0.1", 0) as server:
        target = f"{server.host}:{server.port}"
        with local_prometheus(tmp_path_factory.mktemp("prometheus"), [target], RULES) as running:
            running.wait_for("count_over_time(oxturn_ticks_total[10s]) >= 3")
            yield running


def test_every_panel_shows_something_from_a_robot_at_work(prometheus):
    empty = [text for text in expressions() if not prometheus.query(for_prometheus(text))]

    assert empty == []


def test_every_alert_reads_only_metrics_that_the_robot_has(prometheus):
    for rule in alert_rules.rules():
        prometheus.query(rule.expression)
        for name in set(re.findall(r"(?:oxturn_\w+|up)\b(?=[{\[ ])", rule.expression)):
            assert prometheus.query(f"count({name})"), f"{rule.name}: {name} does not exist"


def test_a_wrong_expression_would_be_noticed(prometheus):
    with pytest.raises(ValueError, match="parse error"):
        prometheus.query("rate(oxturn_ticks_total")
    assert not prometheus.query("oxturn_tick_total")


def test_the_files_are_what_the_code_builds():
    assert generated_files.stale(generated_files.FOLDER) == []


def test_a_changed_file_is_noticed_and_only_it_is_written(tmp_path):
    generated_files.write(tmp_path)
    (tmp_path / "prometheus" / "oxturn.rules.yml").write_text("groups: []\n")

    assert generated_files.stale(tmp_path) == ["prometheus/oxturn.rules.yml"]
    assert generated_files.write(tmp_path) == ["prometheus/oxturn.rules.yml"]
    assert generated_files.stale(tmp_path) == []


def test_the_verb_says_which_file_is_out_of_date(tmp_path):
    from monitoring.cli import build

    with pytest.raises(MonitoringError, match=r"prometheus\.yml.*oxturn metrics build"):
        build(tmp_path, check=True)


def test_panels_fill_their_rows_and_have_known_units():
    for panel in panels():
        assert panel.unit in KNOWN_UNITS, panel
        assert panel.about and panel.queries, panel
    for document in grafana_dashboards.documents().values():
        boxes = [(p["gridPos"], p["title"]) for p in document["panels"]]
        for box, title in boxes:
            assert box["x"] + box["w"] <= 24, title
        cells = [
            (x, y)
            for box, _ in boxes
            for x in range(box["x"], box["x"] + box["w"])
            for y in range(box["y"], box["y"] + box["h"])
        ]
        assert len(cells) == len(set(cells)), "panels overlap"
        assert len(cells) == 24 * (1 + max(y for _, y in cells)), "a hole between panels"


def test_dashboards_draw_from_the_provisioned_source():
    source = grafana_dashboards.provisioning()["datasources/oxturn.yml"]["datasources"][0]

    for document in grafana_dashboards.documents().values():
        for panel in document["panels"]:
            if panel["type"] != "row":
                assert panel["datasource"]["uid"] == source["uid"]
    assert len({asdict(panel)["title"] for panel in panels()}) >= 25
