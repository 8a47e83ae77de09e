"""The verbs that need several folders at once: demo, evaluate, doctor, warm-up."""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from foundation.out_folder import require_folder
from foundation.progress import ProgressFactory
from oxturn.loop_settings import MINUTES_MAX, MINUTES_MIN
from oxturn.report.page import shown


def register(app: typer.Typer) -> None:
    """Adds this folder's verbs to the `oxturn` command."""
    app.command()(demo)
    app.command()(evaluate)
    app.command()(doctor)
    app.command("warm-up")(warm_up)


def demo(
    out: Annotated[Path, typer.Option(help="Where stages and report go; the same folder again resumes.")] = Path(
        "out/demo"
    ),
    minutes: Annotated[
        float, typer.Option(min=MINUTES_MIN, max=MINUTES_MAX, help="For two cores; more minutes, a better model.")
    ] = 8,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Draws rooms, samples and the unseen room.")] = 7,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as one JSON document.")] = False,
) -> None:
    """The whole loop: simulate, train, sign, deliver, cover an unseen room; with a report and a verdict."""
    from foundation.progress import bars, silent
    from oxturn.full_loop import full_loop
    from oxturn.loop_settings import LoopSettings

    verdict = full_loop(out, LoopSettings.within(minutes, seed), silent if as_json else bars)
    if as_json:
        print(json.dumps(verdict.to_json()))
    else:
        for row in verdict.rows:
            mark = "ok    " if row.passed else "FAILED"
            print(f"{mark}  {row.name:<42} {shown(row.value, row.unit):>16}  {row.comparison} {shown(row.threshold)}")
        print(f"\n{'passed' if verdict.passed else 'FAILED'}; open {out / 'report.html'}")
    raise typer.Exit(0 if verdict.passed else 1)


def evaluate(
    data: Annotated[Path | None, typer.Option(help="Folder of labelled samples or arrays, split or not.")] = None,
    bundle: Annotated[Path | None, typer.Option(help="Folder of the trained bundle.")] = None,
    run: Annotated[Path | None, typer.Option(help="Folder that `train` wrote; its bundle is taken.")] = None,
    job: Annotated[int, typer.Option(min=0, help="Unseen rooms to drive with the bundle and by LIDAR only.")] = 0,
    min_score: Annotated[float | None, typer.Option(min=0, max=1)] = None,
    range_max_m: Annotated[float, typer.Option(min=0.2, help="Detections further away are not told.")] = 1.2,
    pictures: Annotated[Path | None, typer.Option(help="Folder for PNGs: confusion, curves, recall, scores.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Of the first room of the job.")] = 5000,
    flat_rooms: Annotated[int, typer.Option(min=0, max=12, help="Rooms of each flat; 0 lets the seed draw.")] = 1,
    out: Annotated[Path, typer.Option(help="Runs of the job; finished ones are kept.")] = Path("out/job"),
    side_by_side: Annotated[int, typer.Option(min=1, max=64, help="Runs at a time.")] = min(os.cpu_count() or 1, 8),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Judge a bundle beside its baselines: on labelled data (--data), and by the job in unseen rooms (--job N)."""
    from foundation import progress
    from oxturn import job_rooms

    if (bundle is None) == (run is None):
        raise typer.BadParameter("want either --bundle or --run")
    if data is None and not job:
        raise typer.BadParameter("want --data, --job or both")
    for written in (pictures, out if job else None):
        if written is not None:
            require_folder(written)
    folder = bundle if bundle is not None else run / "bundle"  # type: ignore[operator]
    bars = progress.silent if as_json else progress.bars
    told: dict[str, Any] = {"bundle": str(folder)}
    if data is not None:
        told |= _on_samples(folder, data, min_score, range_max_m, pictures, bars)
    seeds = [seed + index for index in range(job)]
    if job:
        rooms = flat_rooms or None
        costs = job_rooms.compare(folder, seeds, out, flat_rooms=rooms, side_by_side=side_by_side, progress=bars)
        told["job"] = {name: cost.to_json() for name, cost in costs.items()}
    if as_json:
        print(json.dumps(told))
        return
    _print_figures({name: value for name, value in told.items() if name not in ("bundle", "job")})
    if job:
        print("\n".join(job_rooms.table(costs, seeds)))


def _on_samples(
    folder: Path, data: Path, min_score: float | None, range_max_m: float, pictures: Path | None, bars: ProgressFactory
) -> dict[str, Any]:
    from perception import evaluation_report

    found = evaluation_report.of_bundle(folder, data, min_score=min_score, range_max_m=range_max_m, progress=bars)
    if pictures is not None:
        evaluation_report.draw(found, pictures)
    return found.figures


def _print_figures(figures: dict[str, Any]) -> None:
    for name, value in figures.items():
        if isinstance(value, dict):
            print(f"{name}:")
            for key, inner in value.items():
                print(f"  {key:<12} {json.dumps(inner)}")
        else:
            print(f"{name}: {json.dumps(value)}")


def doctor(as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False) -> None:
    """What this machine has and lacks, each with the command that mends it."""
    from oxturn.doctor import examine

    findings = examine()
    healthy = all(finding.state != "missing" for finding in findings)
    if as_json:
        print(json.dumps({"healthy": healthy, "findings": [finding.to_json() for finding in findings]}))
    else:
        for finding in findings:
            mark = {"ok": "ok     ", "missing": "MISSING", "absent": "absent "}[finding.state]
            print(f"{mark}  {finding.what:<18} {finding.detail}")
            if finding.state != "ok":
                print(f"{'':28}-> {finding.mend}")
    raise typer.Exit(0 if healthy else 1)


def warm_up() -> None:
    """Compile the number kernels once, so that the first run does not wait for them."""
    import time

    from foundation.robot_config import RobotConfig
    from oxturn.warm_up import compile_kernels

    began_s = time.monotonic()
    compile_kernels(RobotConfig())
    print(f"number kernels compiled in {time.monotonic() - began_s:.0f} s")
