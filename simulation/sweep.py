"""Many seeds, one table: runs of unseen rooms side by side, each in its own folder, resumable by the same bundle."""

import csv
import io
import json
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

from foundation import atomic_files
from foundation.out_folder import require_folder
from foundation.progress import ProgressFactory
from simulation.errors import RunError
from simulation.room_simulator import draw_room
from simulation.run_key import run_key
from simulation.run_room import run_room

COLUMNS: Final = (
    "seed", "coverage_ratio", "collisions", "small_objects", "small_objects_hit", "duration_s", "path_length_m",
    "localisation_error_m", "coverable_m2", "finished",
)  # fmt: skip


def sweep_seeds(
    seeds: Sequence[int],
    out: Path,
    *,
    rooms: int | None,
    bundle: Path | None,
    side_by_side: int,
    time_limit_s: float | None,
    progress: ProgressFactory,
) -> list[dict[str, Any]]:
    """Drives every seed's room and writes `table.csv`; a finished run of the same code, bundle and settings is kept.

    Raises BundleError before anything is driven when `bundle` is none, RunError when `out` is a file.
    """
    require_folder(out, RunError)
    kept = runs_folder(out, rooms=rooms, bundle=bundle, time_limit_s=time_limit_s)
    one = partial(_one, out=kept, rooms=rooms, bundle=bundle, time_limit_s=time_limit_s)
    rows: list[dict[str, Any]] = []
    processes = ProcessPoolExecutor(max_workers=side_by_side, mp_context=multiprocessing.get_context("spawn"))
    with progress("sweep", total=len(seeds), unit="runs") as advance, processes as pool:
        for row in pool.map(one, seeds):
            rows.append(row)
            advance(1)
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    atomic_files.write_text(out / "table.csv", text.getvalue())
    return rows


def runs_folder(out: Path, *, rooms: int | None, bundle: Path | None, time_limit_s: float | None) -> Path:
    """Where `out` holds such runs, a folder a seed."""
    return out / f"{'lidar' if bundle is None else 'model'}-{run_key(bundle, rooms, time_limit_s)}"


def _one(seed: int, *, out: Path, rooms: int | None, bundle: Path | None, time_limit_s: float | None) -> dict[str, Any]:
    folder = out / f"seed-{seed}"
    if not (folder / "run.json").exists():
        room = draw_room(seed, rooms=rooms, purpose="test")
        run_room(room, seed=seed, out=folder, bundle=bundle, time_limit_s=time_limit_s)
    score = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return {"seed": seed} | {name: score[name] for name in COLUMNS[1:]}
