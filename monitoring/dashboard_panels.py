"""What the dashboards show, as values: panels with their queries, in rows. `grafana_dashboards` makes Grafana's JSON.

`expressions()` lists every query, so that a test can run each against a real Prometheus.
"""

from dataclasses import dataclass
from typing import Final, Literal

from monitoring.alert_rules import DETECTION_AGE_LIMIT_S, TICK_P99_LIMIT_S

ROBOT: Final = 'instance=~"$robot"'
TICK: Final = 'stage="tick"'
Kind = Literal["number", "name", "time", "states"]  # a name is a series' legend


@dataclass(frozen=True, slots=True)
class Query:
    """One expression and how its series are called."""

    expression: str
    legend: str = "{{instance}}"


@dataclass(frozen=True, slots=True)
class Panel:
    """`width` of 24 columns; `limit` draws a red line and colours above it."""

    title: str
    about: str
    kind: Kind
    unit: str  # Grafana's unit id
    queries: tuple[Query, ...]
    width: int = 8
    limit: float | None = None


def _p(quantile: float, metric: str, by: str, where: str = ROBOT) -> str:
    return f"histogram_quantile({quantile}, sum by ({by}, le) (rate({metric}_bucket{{{where}}}[$__rate_interval])))"


def _sum(metric: str, by: str) -> str:
    return f"sum by ({by}) (increase({metric}{{{ROBOT}}}[$__rate_interval]))"


JOB: Final = (
    Panel(
        "Covered",
        "Of the known coverable floor",
        "number",
        "percentunit",
        (Query(f"oxturn_coverage_ratio{{{ROBOT}}}"),),
        4,
    ),
    Panel("Area", "Swept by the tool", "number", "areaM2", (Query(f"oxturn_covered_square_metres{{{ROBOT}}}"),), 4),
    Panel(
        "Driven",
        "Since the process started",
        "number",
        "lengthm",
        (Query(f"oxturn_driven_metres_total{{{ROBOT}}}"),),
        4,
    ),
    Panel("Bumps", "Bumper presses", "number", "none", (Query(f"oxturn_bumper_presses_total{{{ROBOT}}}"),), 4),
    Panel("Battery", "Charge left", "number", "percentunit", (Query(f"oxturn_battery_ratio{{{ROBOT}}}"),), 4),
    Panel("Model", "Version in use", "name", "none", (Query(f"oxturn_model_info{{{ROBOT}}}", "{{version}}"),), 4),
    Panel(
        "Coverage over time",
        "Flat while driving: see runbook CoverageStalled",
        "time",
        "percentunit",
        (Query(f"oxturn_coverage_ratio{{{ROBOT}}}"),),
        12,
    ),
    Panel(
        "Floor per minute",
        "Square metres newly covered in the last minute",
        "time",
        "areaM2",
        (Query(f"clamp_min(delta(oxturn_covered_square_metres{{{ROBOT}}}[1m]), 0)"),),
        12,
    ),
)
LOOP: Final = (
    Panel(
        "Tick time",
        "Observation in hand to command: half of all, and 99 of 100",
        "time",
        "s",
        (
            Query(_p(0.5, "oxturn_stage_seconds", "instance", f"{ROBOT}, {TICK}"), "{{instance}} p50"),
            Query(_p(0.99, "oxturn_stage_seconds", "instance", f"{ROBOT}, {TICK}"), "{{instance}} p99"),
        ),
        limit=TICK_P99_LIMIT_S,
    ),
    Panel(
        "Stages, p99",
        "Which stage takes the time",
        "time",
        "s",
        (Query(_p(0.99, "oxturn_stage_seconds", "stage"), "{{stage}}"),),
    ),
    Panel(
        "Tick period, p99",
        "10 Hz is 0.1 s",
        "time",
        "s",
        (Query(_p(0.99, "oxturn_tick_period_seconds", "instance")),),
    ),
    Panel(
        "Localisation",
        "How far the pose may be trusted",
        "states",
        "none",
        (Query(f"oxturn_tracking{{{ROBOT}}} == 1", "{{oxturn_tracking}}"),),
    ),
    Panel(
        "Safety",
        "Commands the limiter changed, bumps, cliffs, map corrections",
        "time",
        "none",
        (
            Query(_sum("oxturn_limited_commands_total", "instance"), "limited"),
            Query(_sum("oxturn_bumper_presses_total", "instance"), "bumps"),
            Query(_sum("oxturn_cliffs_seen_total", "instance"), "cliffs"),
            Query(_sum("oxturn_map_corrections_total", "instance"), "map corrections"),
        ),
    ),
    Panel(
        "Sensors silent",
        "Share of ticks without a new value",
        "time",
        "percentunit",
        (
            Query(
                f"rate(oxturn_sensor_missing_ticks_total{{{ROBOT}}}[$__rate_interval])"
                f" / on(instance) group_left rate(oxturn_ticks_total{{{ROBOT}}}[$__rate_interval])",
                "{{sensor}}",
            ),
        ),
        limit=0.5,
    ),
)
MODEL: Final = (
    Panel(
        "Seen by class",
        "Detections in frames",
        "time",
        "none",
        (Query(_sum("oxturn_detections_total", "class"), "{{class}}"),),
    ),
    Panel(
        "Score, median",
        "Sinks when the model is unsure",
        "time",
        "percentunit",
        (Query(_p(0.5, "oxturn_detection_score", "instance")),),
    ),
    Panel(
        "Age of detections, p90",
        "Frame to answer",
        "time",
        "s",
        (Query(_p(0.9, "oxturn_detection_age_seconds", "instance")),),
        limit=DETECTION_AGE_LIMIT_S,
    ),
    Panel(
        "Drift",
        "Distance from the training data, 1 is an alarm",
        "time",
        "none",
        (Query(f"oxturn_drift_score{{{ROBOT}}}", "{{feature}}"),),
        limit=1.0,
    ),
    Panel(
        "Camera against LIDAR",
        "Floor the camera claims behind LIDAR returns",
        "time",
        "percentunit",
        (Query(f"oxturn_camera_lidar_disagreement_ratio{{{ROBOT}}}"),),
        limit=0.1,
    ),
    Panel(
        "Kept for labelling",
        "Frames by reason",
        "time",
        "none",
        (Query(_sum("oxturn_feedback_frames_total", "reason"), "{{reason}}"),),
    ),
    Panel(
        "Updates", "Finished, by result", "time", "none", (Query(f"oxturn_updates_total{{{ROBOT}}}", "{{result}}"),), 12
    ),
    Panel(
        "Update time",
        "Mean over the last hour",
        "time",
        "s",
        (Query(f"rate(oxturn_update_seconds_sum{{{ROBOT}}}[1h]) / rate(oxturn_update_seconds_count{{{ROBOT}}}[1h])"),),
        12,
    ),
)
FLEET: Final = (
    Panel("Robots up", "Answering Prometheus", "number", "none", (Query('sum(up{job="oxturn-robots"})', "up"),), 6),
    Panel("At work", "With an active job", "number", "none", (Query("sum(oxturn_job_active)", "at work"),), 6),
    Panel(
        "Floor covered",
        "By all robots in their jobs",
        "number",
        "areaM2",
        (Query("sum(oxturn_covered_square_metres)", "covered"),),
        6,
    ),
    Panel(
        "Alerts",
        "Firing now",
        "number",
        "none",
        (Query('count(ALERTS{alertstate="firing"}) or vector(0)', "firing"),),
        6,
    ),
    Panel("Coverage", "By robot", "time", "percentunit", (Query("oxturn_coverage_ratio"),), 12),
    Panel(
        "Tick p99",
        "By robot",
        "time",
        "s",
        (Query(_p(0.99, "oxturn_stage_seconds", "instance", TICK)),),
        12,
        TICK_P99_LIMIT_S,
    ),
    Panel(
        "Models in use",
        "Robots by version",
        "time",
        "none",
        (Query("count by (version) (oxturn_model_info)", "{{version}}"),),
    ),
    Panel(
        "Programs in use",
        "Robots by version and slot; none: no update delivered it",
        "time",
        "none",
        (Query("count by (version, slot) (oxturn_software_info)", "{{version}} {{slot}}"),),
    ),
    Panel(
        "Drift, worst feature", "By robot", "time", "none", (Query("max by (instance) (oxturn_drift_score)"),), 8, 1.0
    ),
)
ROWS: Final[dict[str, dict[str, tuple[Panel, ...]]]] = {
    "oxturn-robot": {"Job": JOB, "Loop": LOOP, "Model and updates": MODEL},
    "oxturn-fleet": {"Fleet": FLEET},
}
TITLES: Final = {"oxturn-robot": "Oxturn robot", "oxturn-fleet": "Oxturn fleet"}


def panels() -> tuple[Panel, ...]:
    """Of all dashboards."""
    return tuple(panel for rows in ROWS.values() for row in rows.values() for panel in row)


def expressions() -> tuple[str, ...]:
    """Every query of every panel, as written (with Grafana's variables)."""
    return tuple(query.expression for panel in panels() for query in panel.queries)
