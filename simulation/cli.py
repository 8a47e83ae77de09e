"""The verbs of `simulation`; heavy imports stay inside them."""

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

DoorsChoice = Literal["gaps", "open", "shut"]
TimeLimit = Annotated[
    float | None, typer.Option(help="Simulated seconds after which a run ends; 1800, or 200 a square metre.")
]
DOORS_HELP = "Doorways without leaves, with open ones, or one of them shut."
SEED_HELP = "Everything is drawn from it; equal seeds give equal bytes."


def register(app: typer.Typer) -> None:
    """Adds this folder's verbs to the `oxturn` command."""
    sim = typer.Typer(help="Rooms from seeds: worlds, labelled samples, scored runs.", no_args_is_help=True)
    sim.command()(world)
    sim.command()(capture)
    for verb in (run, sweep, view, compare):
        sim.command()(verb)
    app.add_typer(sim, name="sim")


def world(
    seed: Annotated[int, typer.Option(help=SEED_HELP)],
    out: Annotated[Path, typer.Option(help="Folder for world.wbt, world.xml and room.json.")],
    rooms: Annotated[int | None, typer.Option(help="Rooms of the flat; drawn from the seed when left out.")] = None,
    train: Annotated[bool, typer.Option("--train", help="Draw shapes and textures of training.")] = False,
    doors: Annotated[
        DoorsChoice, typer.Option(help="Doorways without leaves, with open ones, or one of them shut.")
    ] = ("gaps"),
    movers: Annotated[int, typer.Option(help="People, pets and pushed chairs.")] = 0,
    plan: Annotated[
        Path | None, typer.Option(help="A floor plan's picture: its walls, furniture from the seed.")
    ] = None,
    plan_cell_m: Annotated[float, typer.Option(help="Metres a pixel of the plan.")] = 0.05,
) -> None:
    """One room as a Webots world, as MJCF and as JSON."""
    from simulation.room_simulator import draw_room
    from simulation.room_spec import Purpose
    from simulation.world_files import write_world

    purpose: Purpose = "train" if train else "test"
    if plan is not None:
        from simulation.plan_room import room_from_plan

        room = room_from_plan(plan, cell_m=plan_cell_m, seed=seed, purpose=purpose)
    else:
        room = draw_room(seed, rooms=rooms, purpose=purpose, doors=doors, movers=movers)
    write_world(room, out)
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
    doors: Annotated[
        DoorsChoice, typer.Option(help="Doorways without leaves, with open ones, or one of them shut.")
    ] = ("gaps"),
    movers: Annotated[int, typer.Option(help="People, pets and pushed chairs.")] = 0,
    time_limit_s: TimeLimit = None,
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
    if room is not None:
        drawn = Room.load(room)
    else:
        drawn = draw_room(seed or 0, rooms=rooms, purpose="test", doors=doors, movers=movers)
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


def sweep(
    seeds: Annotated[str, typer.Option(help="First and last seed, as 100:109.")],
    out: Annotated[
        Path,
        typer.Option(help="table.csv, and runs by code, bundle and settings; run again to resume."),
    ],
    rooms: Annotated[int | None, typer.Option(help="Rooms of each flat; drawn when left out.")] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="Model bundle; without it the robot drives by LIDAR only.")
    ] = None,
    side_by_side: Annotated[int, typer.Option(min=1, help="Runs at a time.")] = 2,
    time_limit_s: TimeLimit = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document, no bar.")] = False,
) -> None:
    """Coverage runs over a range of seeds, one table."""
    from foundation.progress import bars, silent
    from simulation.errors import RoomError
    from simulation.sweep import COLUMNS, sweep_seeds

    first, _, last = seeds.partition(":")
    if not first.isdigit() or (last and not last.isdigit()) or int(last or first) < int(first):
        raise RoomError(f"--seeds {seeds}: must be two whole numbers with a colon, the first no larger: 100:109")
    rows = sweep_seeds(
        range(int(first), int(last or first) + 1),
        out,
        rooms=rooms,
        bundle=bundle,
        side_by_side=side_by_side,
        time_limit_s=time_limit_s,
        progress=silent if as_json else bars,
    )
    if as_json:
        print(json.dumps(rows))
        return
    print("  ".join(f"{name:>20}" for name in COLUMNS))
    for row in rows:
        print(
            "  ".join(
                f"{row[name]:>20.4g}" if isinstance(row[name], float) else f"{row[name]!s:>20}" for name in COLUMNS
            )
        )


def view(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    out: Annotated[Path, typer.Option(help="Folder for strip.png and run.mp4.")],
    seconds: Annotated[float, typer.Option(min=0.1, help="Length of the film.")] = 12.0,
) -> None:
    """A run as a strip of pictures and a film."""
    from simulation.run_view import view as draw

    for path in draw(run, out, seconds=seconds):
        print(path)


def compare(
    seed: Annotated[int, typer.Option(help=SEED_HELP)],
    out: Annotated[Path, typer.Option(help="Folder for the Webots project and difference.json.")],
    frames: Annotated[int, typer.Option(help="Poses to compare.")] = 20,
    rooms: Annotated[int, typer.Option(help="Rooms of the flat.")] = 1,
) -> None:
    """One world in Webots and on paper: a report of the differences; needs an installed Webots."""
    from simulation.engine_compare import compare as compare_engines
    from simulation.room_simulator import draw_room

    difference = compare_engines(draw_room(seed, rooms=rooms, purpose="test"), out.resolve(), frames=frames, seed=seed)
    print(json.dumps(difference.to_json()))
