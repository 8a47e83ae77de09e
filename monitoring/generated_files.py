"""The files under `monitoring/` that code writes: alert rules, Prometheus configuration, Grafana dashboards."""

import json
from pathlib import Path
from typing import Final

from foundation.atomic_files import write_text
from monitoring import alert_rules, grafana_dashboards

FOLDER: Final = Path(__file__).parent


def texts() -> dict[str, str]:
    """Path under `monitoring/` -> what it must hold."""
    written = {f"prometheus/{name}": alert_rules.yaml_text(value) for name, value in alert_rules.documents().items()}
    for name, value in grafana_dashboards.provisioning().items():
        written[f"grafana/provisioning/{name}"] = alert_rules.yaml_text(value)
    for name, value in grafana_dashboards.documents().items():
        written[f"grafana/dashboards/{name}"] = json.dumps(value, indent=1, sort_keys=True) + "\n"
    return written


def stale(folder: Path) -> list[str]:
    """Which files under `folder` differ from what the code builds, or are missing."""
    found = []
    for name, text in texts().items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            found.append(name)
    return sorted(found)


def write(folder: Path) -> list[str]:
    """Writes them all; the names that changed."""
    changed = stale(folder)
    for name, text in texts().items():
        if name in changed:
            write_text(folder / name, text)
    return changed
