"""The verbs of `navigation`; heavy imports stay inside them."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds this folder's verbs to the `oxturn` command."""
    app.command("slam")(slam)


def slam(
    log: Annotated[Path, typer.Argument(help="CARMEN log, .clf or .clf.gz")],
    out: Annotated[Path, typer.Option(help="trajectory to write (TUM): the laser in map, one row per scan")],
    online_out: Annotated[Path | None, typer.Option(help="the same poses as they were published at the time")] = None,
    map_out: Annotated[Path | None, typer.Option(help="folder for map.yaml + map.pgm, graph.g2o, map.png")] = None,
    max_range: Annotated[float | None, typer.Option(min=0.5, help="ranges from here on (m) count as no return")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on standard output")] = False,
) -> None:
    """Map a recorded LIDAR log and write its trajectory."""
    import dataclasses
    import json

    from foundation import progress
    from navigation.slam_command import run_slam

    report = run_slam(
        log,
        out,
        online_out=online_out,
        map_out=map_out,
        range_max_m=max_range,
        progress=progress.silent if as_json else progress.bars,
    )
    if as_json:
        print(json.dumps(dataclasses.asdict(report)))
        return
    print(f"{report.scans} scans, {report.keyframes} keyframes, {report.loops} places recognised -> {out}")
    print(
        f"scan match {report.scan_ms_p50:.2f} ms (p99 {report.scan_ms_p99:.2f}), longest update"
        f" {report.blocked_ms_max:.1f} ms, memory {report.rss_mb:.0f} MB"
    )
