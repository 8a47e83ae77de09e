"""The verbs that need several folders at once: demo, doctor, warm-up."""

import json
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds this folder's verbs to the `oxturn` command."""
    app.command()(doctor)
    app.command("warm-up")(warm_up)


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
    print("nothing to compile yet", Path.cwd())
