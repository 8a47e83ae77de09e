"""The verbs of `monitoring`; heavy imports stay inside them."""

from pathlib import Path
from typing import Annotated

import typer

from monitoring.errors import MonitoringError

metrics = typer.Typer(name="metrics", help="Alert rules and dashboards as code.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Adds this folder's verbs to the `oxturn` command."""
    app.add_typer(metrics)


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
