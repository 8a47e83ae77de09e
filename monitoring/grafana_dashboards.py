"""Grafana dashboards as code: `documents()` builds the JSON under `monitoring/grafana/dashboards/`.

One for a robot at work, one for the fleet. A panel is a title, expressions and a unit; the layout follows from their
order in `dashboard_panels`.
"""

import json
from typing import Any, Final

from grafana_foundation_sdk.builders import dashboard as dashboards
from grafana_foundation_sdk.builders import prometheus, stat, statetimeline, timeseries
from grafana_foundation_sdk.builders.common import GraphThresholdsStyleConfig, ReduceDataOptions
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import BigValueTextMode, GraphThresholdsStyleMode
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DataSourceRef, Threshold, ThresholdsMode

from monitoring.dashboard_panels import ROWS, TITLES, Kind, Panel

DATASOURCE: Final = DataSourceRef(type_val="prometheus", uid="oxturn-prometheus")


def documents() -> dict[str, Any]:
    """File name under `monitoring/grafana/dashboards/` -> dashboard model."""
    return {f"{uid}.json": _dashboard(uid) for uid in ROWS}


def provisioning() -> dict[str, Any]:
    """File name under `monitoring/grafana/provisioning/` -> content: where Grafana finds Prometheus and dashboards."""
    source = {
        "name": "Oxturn Prometheus",
        "uid": DATASOURCE.uid,
        "type": "prometheus",
        "access": "proxy",
        "url": "$OXTURN_PROMETHEUS_URL",
        "isDefault": True,
    }
    provider = {"name": "oxturn", "type": "file", "options": {"path": "/etc/grafana/dashboards"}}
    return {
        "datasources/oxturn.yml": {"apiVersion": 1, "datasources": [source]},
        "dashboards/oxturn.yml": {"apiVersion": 1, "providers": [provider]},
    }


def _dashboard(uid: str) -> Any:
    builder = (
        dashboards.Dashboard(TITLES[uid])
        .uid(uid)
        .tags(["oxturn"])
        .refresh("5s")
        .time("now-30m", "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .editable()
    )
    if uid == "oxturn-robot":
        robot = (
            dashboards.QueryVariable("robot")
            .label("Robot")
            .query("label_values(oxturn_ticks_total, instance)")
            .datasource(DATASOURCE)
            .include_all(True)
            .multi(True)
        )
        builder = builder.with_variable(robot)
    for title, row in ROWS[uid].items():
        builder = builder.with_row(dashboards.Row(title))
        for panel in row:
            builder = builder.with_panel(_panel(panel))
    return json.loads(JSONEncoder(sort_keys=True).encode(builder.build()))


def _panel(panel: Panel) -> Any:
    builder = (
        _of_kind(panel.kind, panel.limit is not None)
        .title(panel.title)
        .description(panel.about)
        .unit(panel.unit)
        .span(panel.width)
        .height(4 if panel.kind in ("number", "name") else 8)
        .datasource(DATASOURCE)
        .thresholds(_thresholds(panel.limit))
    )
    for i, query in enumerate(panel.queries):
        target = prometheus.Dataquery().expr(query.expression).legend_format(query.legend).ref_id(chr(ord("A") + i))
        builder = builder.with_target(target)
    return builder


def _of_kind(kind: Kind, limited: bool) -> Any:
    if kind in ("number", "name"):
        mode = BigValueTextMode.NAME if kind == "name" else BigValueTextMode.AUTO
        return stat.Panel().reduce_options(ReduceDataOptions().calcs(["lastNotNull"])).text_mode(mode)
    if kind == "states":
        return statetimeline.Panel()
    style = GraphThresholdsStyleMode.LINE if limited else GraphThresholdsStyleMode.OFF
    return timeseries.Panel().line_width(1).fill_opacity(8).thresholds_style(GraphThresholdsStyleConfig().mode(style))


def _thresholds(limit: float | None) -> Any:
    steps = [Threshold(color="green", value=None)]
    if limit is not None:
        steps.append(Threshold(color="red", value=limit))
    return dashboards.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
