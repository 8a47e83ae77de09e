"""The verbs of `simulation`; heavy imports stay inside them."""

import json
from pathlib import Path
from typing import Annotated

import typer

SEED_HELP = "Everything is drawn from it; equal seeds give equal bytes."


def register(app: typer.Typer) -> None:
    """Adds this folder's verbs to the `oxturn` command."""
    sim = typer.Typer(help="Rooms from seeds: worlds, labelled samples, scored runs.", no_args_is_help=True)
    sim.command()(capture)
    app.add_typer(sim, name="sim")


def capture(
    rooms: Annotated[int, typer.Option(help="How many rooms to draw.")],
    frames: Annotated[int, typer.Option(help="Samples a room.")],
    seed: Annotated[int, typer.Option(help=SEED_HELP)],
    out: Annotated[Path, typer.Option(help="Folder for shards and manifest.json; run again to resume.")],
    width: Annotated[int, typer.Option(help="Image width in pixels.")] = 320,
    height: Annotated[int, typer.Option(help="Image height in pixels.")] = 240,
    workers: Annotated[int, typer.Option(help="Processes; 0 takes one a core.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document, no bar.")] = False,
) -> None:
    """Labelled LIDAR and camera samples of many rooms."""
    import os

    from foundation.progress import bars, silent
    from simulation.dataset_writer import capture as capture_rooms

    manifest = capture_rooms(
        rooms,
        frames,
        seed,
        out,
        width_px=width,
        height_px=height,
        workers=workers or min(len(os.sched_getaffinity(0)), rooms),
        progress=silent if as_json else bars,
    )
    if as_json:
        print(json.dumps({"samples": manifest.samples, "dataset_hash": manifest.dataset_hash, "out": str(out)}))
    else:
        print(f"{manifest.samples} samples in {out}")
