"""The verbs of `monitoring`; heavy imports stay inside them."""

from pathlib import Path
from typing import Annotated

import typer

from monitoring.errors import MonitoringError

metrics = typer.Typer(name="metrics", help="Alert rules and dashboards as code.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Adds this folder's verbs to the `oxturn` command."""
    app.add_typer(metrics)
    app.command("record")(record)


def record(
    log: Annotated[Path, typer.Argument(help="CARMEN log, .clf or .clf.gz")],
    trajectory: Annotated[Path, typer.Option(help="What `oxturn slam LOG --out` wrote (TUM).")],
    out: Annotated[Path, typer.Option(help="Folder for the MCAP files.")],
    map_yaml: Annotated[Path | None, typer.Option("--map", help="map.yaml of `oxturn slam --map-out`.")] = None,
) -> None:
    """A LIDAR log with its trajectory and map as MCAP, for Foxglove."""
    from foundation.progress import bars
    from monitoring import log_recording

    count = log_recording.record(log, trajectory, out, map_yaml=map_yaml, progress=bars)
    print(f"{count} scans -> {out}")


@metrics.command("build")
def build(
    out: Annotated[Path | None, typer.Option(help="Folder to write into; the repository's monitoring/.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail when a file is out of date.")] = False,
) -> None:
    """Write Prometheus rules and Grafana dashboards from code."""
    from monitoring import generated_files

    folder = out if out is not None else generated_files.FOLDER
    if check:
        if names := generated_files.stale(folder):
            raise MonitoringError(f"{folder}: out of date: {', '.join(names)}; run `oxturn metrics build`")
        print("up to date")
        return
    for name in generated_files.write(folder):
        print(folder / name)
