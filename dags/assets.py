"""What ties the DAGs together: assets, and what a run was asked to do. Schedule and calls only, no work at import.

A run started by hand takes its parameters; a run started by an asset takes what the producer said in the event's extra;
a run that comes again and again takes partition and seed from its date, or the second would find its work done.
Whatever none of them names comes from the Airflow variable `oxturn` (JSON; environment: AIRFLOW_VAR_OXTURN).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from airflow.sdk import Asset, Param, Variable, task

CAPTURES: Final = Asset(name="oxturn-captures", uri="oxturn://captures")
DATASET: Final = Asset(name="oxturn-dataset", uri="oxturn://dataset")
MODEL: Final = Asset(name="oxturn-model", uri="oxturn://model")

DEFAULTS: Final[Mapping[str, Any]] = {"retries": 2, "retry_delay": timedelta(seconds=10)}


def text_param(about: str) -> Param:
    """An empty text means: as the asset or the variable says."""
    return Param("", type="string", description=about)


@task
def requested(params: Any = None, triggering_asset_events: Any = None) -> dict[str, Any]:
    """What this run is about."""
    return merged(dict(params), _extras(triggering_asset_events), Variable.get("oxturn", {}, deserialize_json=True))


@task
def requested_by_date(params: Any = None, dag_run: Any = None) -> dict[str, Any]:
    """What this run is about, under names of its own; one by hand has no logical date, but a time it was asked for."""
    moment = dag_run.logical_date or dag_run.run_after
    return merged(dict(params), dated(moment), Variable.get("oxturn", {}, deserialize_json=True))


def dated(moment: datetime) -> dict[str, str]:
    """Partition and seed of the run of that moment: its own, and the same for each of its tasks and tries."""
    utc = moment.astimezone(UTC)
    return {"partition": f"drift-{utc:%Y%m%dT%H%M%S}", "seed": str(int(utc.timestamp()))}


def merged(params: Mapping[str, Any], extra: Mapping[str, Any], variable: Mapping[str, Any]) -> dict[str, Any]:
    """For each parameter: by hand, else by the asset, else by the variable; ValueError names what none of them says."""
    found = {
        name: value if value not in ("", None) else extra.get(name, variable.get(name))
        for name, value in params.items()
    }
    if lacking := sorted(name for name, value in found.items() if value is None):
        raise ValueError(f"nothing says {', '.join(lacking)}: give it as parameter, or in the variable `oxturn`")
    return found


def _extras(events: Any) -> dict[str, Any]:
    """Of the newest event; later assets override earlier ones."""
    extra: dict[str, Any] = {}
    for of_asset in (events or {}).values():
        for event in of_asset:
            extra |= event.extra
    return extra
