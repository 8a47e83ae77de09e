"""The verbs that need several folders at once: demo, doctor, warm-up."""

import json
from pathlib import Path
from typing import Annotated

import typer

from oxturn.report.page import shown


def register(app: typer.Typer) -> None:
    """Adds this folder's verbs to the `oxturn` command."""
    app.command()(demo)
    app.command()(doctor)
    app.command("warm-up")(warm_up)


def demo(
    out: Annotated[Path, typer.Option(help="Where stages and report go; the same folder again resumes.")] = Path(
        "out/demo"
    ),
    minutes: Annotated[float, typer.Option(min=1, max=240, help="For two cores; more minutes, a better model.")] = 8,
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
