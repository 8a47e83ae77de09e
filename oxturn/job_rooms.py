"""The job with a bundle and without: the same unseen rooms driven twice, each with ten to twelve small objects.

In: an obstacle bundle, how many rooms, the first seed. Out: one `JobCost` for LIDAR only and one for the bundle. Rooms,
shapes and textures are the test ones, which no training draws from. A finished run is kept in `out` under a key of the
code, the bundle and the kind of room, so an interrupted comparison goes on and no figure is another bundle's or another
program's. Fails with RunError when a robot's process does, with BundleError before anything is driven when the bundle
is none that the job can use.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict

from foundation.progress import ProgressFactory
from oxturn.job_cost import JobCost, job_cost
from oxturn.verdict import JobFigures
from perception import model_bundle
from perception.errors import BundleError
from perception.tasks.obstacles import OBSTACLES
from simulation.run_key import run_key

if TYPE_CHECKING:
    from simulation.room_spec import Room

SMALL_OBJECTS: Final = (10, 12)
FIRST_SEED: Final = 5000
LIDAR, MODEL = "lidar", "model"

Drive = Callable[[int, Path, Path | None, int | None], JobFigures]  # seed, folder, bundle, rooms of each flat


def compare(
    bundle_dir: Path,
    seeds: Sequence[int],
    out: Path,
    *,
    flat_rooms: int | None,
    side_by_side: int,
    progress: ProgressFactory,
    drive: Drive | None = None,
) -> dict[str, JobCost]:
    """Costs by name: `lidar`, then `model`. `flat_rooms` None lets each seed draw one to four.

    Raises:
        BundleError: no bundle, or one of another task.
    """
    bundle = model_bundle.load(bundle_dir)
    if bundle.task != OBSTACLES.name:
        raise BundleError(f"{bundle_dir}: a bundle of {bundle.task}; the job is driven with one of {OBSTACLES.name}")
    how: _How = {"flat_rooms": flat_rooms, "side_by_side": side_by_side, "progress": progress, "drive": drive}
    return {LIDAR: cost(LIDAR, None, seeds, out, **how), MODEL: cost(MODEL, bundle_dir, seeds, out, **how)}


def of_model(
    bundle_dir: Path, seeds: Sequence[int], out: Path, *, side_by_side: int, progress: ProgressFactory
) -> JobCost:
    """The job with a bundle of the obstacle task alone, in single rooms."""
    return cost(MODEL, bundle_dir, seeds, out, flat_rooms=1, side_by_side=side_by_side, progress=progress)


class _How(TypedDict):
    flat_rooms: int | None
    side_by_side: int
    progress: ProgressFactory
    drive: Drive | None


def cost(
    name: str,
    bundle_dir: Path | None,
    seeds: Sequence[int],
    out: Path,
    *,
    flat_rooms: int | None,
    side_by_side: int,
    progress: ProgressFactory,
    drive: Drive | None = None,
) -> JobCost:
    """With one bundle or with none, kept in `out` under `name` and the key of what the figures depend on."""
    drive = drive or driven
    return job_cost(
        name,
        seeds,
        lambda seed, to: drive(seed, to, bundle_dir, flat_rooms),
        runs_folder(out, name, bundle_dir, flat_rooms),
        side_by_side=side_by_side,
        progress=progress,
    )


def driven(seed: int, to: Path, bundle: Path | None, flat_rooms: int | None) -> JobFigures:
    """One scored run in folder `to`, or what an earlier call left of it there.

    Raises:
        RunError: the robot's process failed, or never said where it is: there is no figure then.
    """
    from simulation.errors import RunError
    from simulation.run_room import run_room

    if (to / "run.json").exists():
        score = json.loads((to / "run.json").read_text(encoding="utf-8"))
    else:
        score = run_room(room_of(seed, flat_rooms), seed=seed, out=to, bundle=bundle).to_json()
    if score["localisation_error_m"] is None:
        raise RunError(f"room {seed}: the robot published no pose; see {to}/robot.log")
    return JobFigures.of(score)


def room_of(seed: int, flat_rooms: int | None) -> "Room":
    """An unseen room, or flat, with small things in it."""
    from simulation.room_simulator import draw_room

    return draw_room(seed, rooms=flat_rooms, purpose="test", small_objects=SMALL_OBJECTS)


def runs_folder(out: Path, name: str, bundle_dir: Path | None, flat_rooms: int | None) -> Path:
    """Where `out` holds the runs of `name`, a folder a room."""
    return out / f"{name}-{run_key(bundle_dir, flat_rooms)}"


def table(costs: dict[str, JobCost], seeds: Sequence[int]) -> list[str]:
    """Lines to print: a row a run, and their sums."""
    lines = [f"{'run':<8}{'room':>6}{'covered':>9}{'hit':>8}{'coll.':>7}{'time s':>8}{'path m':>8}{'pose p95 cm':>13}"]
    for name, cost in costs.items():
        for seed, run in zip(seeds, cost.runs, strict=True):
            hit = f"{run.small_objects_hit}/{run.small_objects}"
            lines.append(
                f"{name:<8}{seed:>6}{100 * run.coverage_ratio:>8.2f}%{hit:>8}{run.collisions:>7}{run.duration_s:>8.0f}"
                f"{run.path_length_m:>8.1f}{100 * run.localisation_error_m:>13.2f}"
            )
        lines.append(
            f"{name:<8}{'all':>6}{100 * cost.mean_coverage_ratio:>8.2f}%{f'{cost.hits}/{cost.objects}':>8}"
            f"{cost.collisions:>7}{cost.duration_s:>8.0f}"
        )
    return lines
