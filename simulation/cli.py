"""The verbs of `simulation`; heavy imports stay inside them."""

import json
from pathlib import Path
from typing import Annotated

import typer

SEED_HELP = "Everything is drawn from it; equal seeds give equal bytes."


def register(app: typer.Typer) -> None:
    """Adds this folder's verbs to the `oxturn` command."""
    sim = typer.Typer(help="Rooms from seeds: worlds, labelled samples, scored runs.", no_args_is_help=True)
    sim.command()(world)
    sim.command()(capture)
    sim.command()(run)
    app.add_typer(sim, name="sim")


def world(
    seed: Annotated[int, typer.Option(help=SEED_HELP)],
    out: Annotated[Path, typer.Option(help="Folder for world.wbt, world.xml and room.json.")],
    rooms: Annotated[int | None, typer.Option(help="Rooms of the flat; drawn from the seed when left out.")] = None,
    train: Annotated[bool, typer.Option("--train", help="Draw shapes and textures of training.")] = False,
) -> None:
    """One room as a Webots world, as MJCF and as JSON."""
    from simulation.room_simulator import draw_room
    from simulation.world_files import write_world

    write_world(draw_room(seed, rooms=rooms, purpose="train" if train else "test"), out)
    print(f"world.wbt, world.xml and room.json in {out}")


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


def run(
    out: Annotated[Path, typer.Option(help="Folder for run.json, run.npz, room.json and the robot's own notes.")],
    seed: Annotated[int | None, typer.Option(help=SEED_HELP)] = None,
    rooms: Annotated[int | None, typer.Option(help="Rooms of the flat; drawn from the seed when left out.")] = None,
    room: Annotated[Path | None, typer.Option(help="A room.json instead of a seed.")] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="Model bundle; without it the robot drives by LIDAR only.")
    ] = None,
    time_limit_s: Annotated[float, typer.Option(help="Simulated seconds after which the run ends.")] = 1800,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document, no bar.")] = False,
) -> None:
    """One coverage run of an unseen room, scored by the truth."""
    from foundation.progress import bars, silent
    from simulation.errors import RoomError
    from simulation.room_simulator import draw_room
    from simulation.room_spec import Room
    from simulation.run_room import run_room

    if (seed is None) == (room is None):
        raise RoomError("give either --seed or --room")
    drawn = Room.load(room) if room is not None else draw_room(seed or 0, rooms=rooms, purpose="test")
    score = run_room(
        drawn,
        seed=drawn.seed if seed is None else seed,
        out=out,
        bundle=bundle,
        time_limit_s=time_limit_s,
        progress=silent if as_json else bars,
    )
    if as_json:
        print(json.dumps(score.to_json()))
    else:
        for name, value in score.to_json().items():
            print(f"{name:<36} {value}")
