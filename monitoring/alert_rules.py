"""Prometheus alerting rules of a robot, as values; `documents()` makes the YAML files under `monitoring/prometheus/`.

Every rule says who must act: `page` now, `ticket` within days. Every rule has a runbook of its own name in
`docs/runbooks.md`, and a unit test in `tests/monitoring/alert_rules_test.yml` that promtool runs.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

RUNBOOKS_URL: Final = "https://github.com/oxturn/oxturn/blob/main/docs/runbooks.md"
TICK_P99_LIMIT_S: Final = 0.03
DETECTION_AGE_LIMIT_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One condition; `hold` is how long it must last (Prometheus duration)."""

    name: str
    expression: str
    hold: str
    severity: Literal["page", "ticket"]
    summary: str
    description: str

    def document(self) -> dict[str, Any]:
        return {
            "alert": self.name,
            "expr": self.expression,
            "for": self.hold,
            "labels": {"severity": self.severity},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url": f"{RUNBOOKS_URL}#{self.name.lower()}",
            },
        }


GROUPS: Final[dict[str, tuple[AlertRule, ...]]] = {
    "robot": (
        AlertRule(
            "RobotUnreachable",
            'up{job="oxturn-robots"} == 0 and on(instance) last_over_time(oxturn_job_active[7d]) == 1',
            "2m",
            "page",
            "{{ $labels.instance }} does not answer",
            "It was last seen in the middle of a job, and for two minutes it has not answered.",
        ),
        AlertRule(
            "LoopStopped",
            "oxturn_job_active == 1 and rate(oxturn_ticks_total[1m]) == 0",
            "30s",
            "page",
            "{{ $labels.instance }} stands still in the middle of a job",
            "A job is active, yet its loop has not ticked for a minute.",
        ),
        AlertRule(
            "LoopSlow",
            'histogram_quantile(0.99, sum by (instance, le) (rate(oxturn_stage_seconds_bucket{stage="tick"}[5m])))'
            f" > {TICK_P99_LIMIT_S}",
            "5m",
            "ticket",
            "{{ $labels.instance }} needs {{ $value | humanizeDuration }} for a tick",
            f"The 99th percentile of a tick is above {TICK_P99_LIMIT_S * 1e3:.0f} ms: the robot reacts late.",
        ),
        AlertRule(
            "RobotLost",
            'oxturn_tracking{oxturn_tracking="lost"} == 1',
            "30s",
            "page",
            "{{ $labels.instance }} does not know where it is",
            "Localisation is lost and relocalisation has not helped for 30 seconds.",
        ),
        AlertRule(
            "BumpsOften",
            "increase(oxturn_bumper_presses_total[10m]) > 5",
            "0s",
            "ticket",
            "{{ $labels.instance }} bumped {{ $value | humanize }} times in ten minutes",
            "Something the sensors do not see stands in its way.",
        ),
        AlertRule(
            "SensorSilent",
            'rate(oxturn_sensor_missing_ticks_total{sensor!="frame"}[1m])'
            " > on(instance) group_left 0.5 * rate(oxturn_ticks_total[1m])",
            "1m",
            "page",
            "{{ $labels.sensor }} of {{ $labels.instance }} is silent",
            "More than half of the last minute's ticks had no new value of this sensor.",
        ),
        AlertRule(
            "BatteryLow",
            "oxturn_battery_ratio < 0.1",
            "1m",
            "ticket",
            "{{ $labels.instance }} has {{ $value | humanizePercentage }} of charge left",
            "It should have gone to its dock below 20 %.",
        ),
        AlertRule(
            "CoverageStalled",
            "oxturn_job_active == 1 and delta(oxturn_covered_square_metres[10m]) < 0.05"
            " and increase(oxturn_driven_metres_total[10m]) > 20",
            "0s",
            "ticket",
            "{{ $labels.instance }} drives but covers nothing",
            "In ten minutes it drove more than 20 m and covered less than 0.05 square metres.",
        ),
    ),
    "model": (
        AlertRule(
            "CameraSilent",
            'rate(oxturn_sensor_missing_ticks_total{sensor="frame"}[1m])'
            " > on(instance) group_left 0.5 * rate(oxturn_ticks_total[1m])",
            "1m",
            "ticket",
            "The camera of {{ $labels.instance }} is silent: LIDAR only",
            "More than half of the last minute's ticks had no frame; small objects are not seen.",
        ),
        AlertRule(
            "DetectorLate",
            "histogram_quantile(0.9, sum by (instance, le) (rate(oxturn_detection_age_seconds_bucket[5m])))"
            f" > {DETECTION_AGE_LIMIT_S}",
            "5m",
            "ticket",
            "Detections of {{ $labels.instance }} are {{ $value | humanizeDuration }} old",
            "At cruise speed the robot needs 17 cm to stop; answers this old come after the object.",
        ),
        AlertRule(
            "DetectorFloods",
            "rate(oxturn_crowded_frames_total[5m]) > 0.5 * rate(oxturn_detected_frames_total[5m])",
            "5m",
            "page",
            "The detector of {{ $labels.instance }} sees objects everywhere",
            "More than half of the frames hold more than eight objects: dirty lens, or a bad model.",
        ),
        AlertRule(
            "InputDrifted",
            "increase(oxturn_drift_alarms_total[1h]) > 0",
            "0s",
            "ticket",
            "{{ $labels.feature }} of {{ $labels.instance }} left what the model was trained on",
            "Frames kept for labelling tell why; drift_retrain_dag takes them up.",
        ),
        AlertRule(
            "CameraAgainstLidar",
            "avg_over_time(oxturn_camera_lidar_disagreement_ratio[10m]) > 0.1",
            "10m",
            "ticket",
            "Camera and LIDAR of {{ $labels.instance }} disagree",
            "More than a tenth of the floor the camera claims lies behind what the LIDAR hits: a moved camera?",
        ),
    ),
    "updates": (
        AlertRule(
            "UpdateFailed",
            'increase(oxturn_updates_total{result=~"failed|rolled_back"}[1h]) > 0',
            "0s",
            "ticket",
            "An update of {{ $labels.instance }} ended as {{ $labels.result }}",
            "The robot works on with the model it had.",
        ),
        AlertRule(
            "RollbackFailed",
            'increase(oxturn_updates_total{result="rollback_failed"}[1h]) > 0',
            "0s",
            "page",
            "{{ $labels.instance }} could not go back to its last good model",
            "It covers by LIDAR alone until somebody looks.",
        ),
    ),
}


def rules() -> tuple[AlertRule, ...]:
    """All of them, in the order of the groups."""
    return tuple(rule for group in GROUPS.values() for rule in group)


def documents() -> dict[str, Any]:
    """File name under `monitoring/prometheus/` -> content."""
    groups = [
        {"name": f"oxturn-{name}", "interval": "15s", "rules": [rule.document() for rule in group]}
        for name, group in GROUPS.items()
    ]
    return {"oxturn.rules.yml": {"groups": groups}, "prometheus.yml": prometheus_document()}


def prometheus_document() -> dict[str, Any]:
    """Scrapes the robots of `targets/*.yml` (one list of addresses; a change needs no restart) and itself."""
    return {
        "global": {"scrape_interval": "5s", "evaluation_interval": "15s"},
        "rule_files": ["oxturn.rules.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": ["127.0.0.1:9093"]}]}]},
        "scrape_configs": [
            {"job_name": "oxturn-robots", "file_sd_configs": [{"files": ["targets/*.yml"]}]},
            {"job_name": "prometheus", "static_configs": [{"targets": ["127.0.0.1:9090"]}]},
        ],
    }


def yaml_text(document: Any) -> str:
    """YAML with a line saying where it comes from."""
    import yaml

    body = yaml.safe_dump(document, sort_keys=False, width=120, allow_unicode=True)
    return f"# Written by `oxturn metrics build`; change the code it comes from, not this file.\n{body}"
