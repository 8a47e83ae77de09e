"""The verbs of `navigation`; heavy imports stay inside them."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds this folder's verbs to the `oxturn` command."""
    app.command("slam")(slam)
    app.command("plan")(plan)
    app.command("rooms")(rooms)


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


def plan(
    map_yaml: Annotated[Path, typer.Argument(metavar="MAP.yaml", help="a map as ROS map_server writes it")],
    out: Annotated[Path, typer.Option(help="path to write (CSV): x_m,y_m,heading_rad in the map's frame")],
    robot_radius: Annotated[float, typer.Option(min=0.0, help="clearance that the robot's centre keeps (m)")],
    tool_width: Annotated[float, typer.Option(min=0.0, help="width that one pass covers (m)")],
    start: Annotated[tuple[float, float] | None, typer.Option(help="X Y in map; without it anywhere")] = None,
    tool_offset_left: Annotated[float, typer.Option(help="the tool's middle, left of the robot's (m)")] = 0.0,
    edge_passes: Annotated[int, typer.Option(min=0, max=5, help="passes along walls planned before the swaths")] = 0,
    target: Annotated[float, typer.Option(min=0.5, max=1.0, help="share of the floor to cover")] = 0.9945,
    seconds: Annotated[float | None, typer.Option(min=0.0, help="time for better paths; default by area")] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on standard output")] = False,
) -> None:
    """Plan a drive over every reachable patch of a map; a first safe path is written at once, then better ones."""
    import dataclasses
    import json
    import sys

    from navigation.coverage_planner import CoveragePlan, CoverageSettings
    from navigation.plan_command import run_plan

    def tell(found: CoveragePlan, at_s: float) -> None:
        if not as_json:
            print(
                f"{at_s:6.1f} s: {found.length_m:.0f} m, {found.turns} turns, {found.coverage_ratio:.2%}",
                file=sys.stderr,
            )

    settings = CoverageSettings(
        robot_radius_m=robot_radius,
        tool_width_m=tool_width,
        tool_offset_left_m=tool_offset_left,
        edge_passes=edge_passes,
        seed=seed,
        escape=False,
        target_ratio=target,
    )
    report = run_plan(map_yaml, out, settings, start_map=start, seconds=seconds, on_plan=tell)
    if as_json:
        print(json.dumps(dataclasses.asdict(report)))
        return
    print(f"{report.coverage_ratio:.2%} in {report.length_m:.0f} m and {report.turns} turns -> {out}")
    for area in report.unreachable:
        print(f"left out: {area['area_m2']} m2, {area['reason']}")


def rooms(
    source: Annotated[Path, typer.Argument(help="MAP.yaml, or the folder where a robot keeps its jobs")],
    out: Annotated[Path | None, typer.Option(help="picture to write (PNG), one pixel a cell")] = None,
    config: Annotated[Path | None, typer.Option(help="robot.toml; the reference robot without one")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on standard output")] = False,
) -> None:
    """Number the rooms of a map, as jobs ask for them."""
    import json

    from foundation.robot_config import load
    from navigation.known_rooms import run_rooms

    rows = run_rooms(source, load(config), out)
    if as_json:
        print(json.dumps({"rooms": rows}))
        return
    for row in rows:
        print(f"room {row['number']}: {row['area_m2']} m2, around {row['place_map_m']}")
