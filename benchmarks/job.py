#!/usr/bin/env python3
"""What a model is worth: ten unseen rooms covered by LIDAR alone, with a bundle, and with random weights.

    python benchmarks/job.py --bundle out/demo/4-model/bundle [--rooms 10] [--seed 5000] [--out out/job]

Each room holds ten to twelve small objects of shapes and textures that training never draws. Prints one row a run,
sums, each room's time over that of the ideal plan of one who knows it and over this robot's own drive had it known the
room, and the bars. Finished runs in --out are kept and not driven again by the same code with the same bundle.
"""

import argparse
import json
import os
from pathlib import Path

from foundation.progress import bars
from foundation.robot_config import RobotConfig
from oxturn.ideal_drive import ideal_drive
from oxturn.job_cost import JobCost
from oxturn.job_rooms import FIRST_SEED, cost, room_of, runs_folder, table
from oxturn.known_drive import known_drive
from oxturn.missed_floor import mean, missed_floor
from oxturn.verdict import Row, Verdict
from simulation.run_key import run_key


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--rooms", type=int, default=10)
    parser.add_argument("--seed", type=int, default=FIRST_SEED)
    parser.add_argument("--flat-rooms", type=int, default=1, help="rooms of each flat; 0 lets the seed draw 1 to 4")
    parser.add_argument("--out", type=Path, default=Path("out/job"))
    parser.add_argument("--only", choices=("lidar", "model", "random"), nargs="*", default=("lidar", "model", "random"))
    parser.add_argument("--side-by-side", type=int, default=min(os.cpu_count() or 1, 8))
    told = parser.parse_args()
    random = told.out / f"random-bundle-{run_key(told.bundle, told.seed)}"
    bundles = {"lidar": None, "model": told.bundle, "random": random}
    if "random" in told.only and not random.exists():
        from perception import model_bundle

        model_bundle.randomised(told.bundle, random, seed=told.seed)
    seeds = [told.seed + index for index in range(told.rooms)]
    costs = {
        name: cost(
            name,
            bundles[name],
            seeds,
            told.out,
            flat_rooms=told.flat_rooms or None,
            side_by_side=told.side_by_side,
            progress=bars,
        )
        for name in told.only
    }
    print("\n".join(table(costs, seeds)))
    for name, done in costs.items():
        folder = runs_folder(told.out, name, bundles[name], told.flat_rooms or None)
        missed = mean(missed_floor(folder / f"room-{seed}") for seed in seeds)
        beside, false = 100 * missed.beside_things, 100 * missed.beside_false_marks
        print(
            f"{name}: of {missed.coverable_m2:.0f} m2 in {len(done.runs)} rooms missed {beside:.2f} % beside things,"
            f" {false:.2f} % beside marks where nothing lies ({missed.false_marks} of {missed.marks}),"
            f" {100 * missed.elsewhere:.2f} % elsewhere"
        )
    over_ideal = times_over_ideal(costs, seeds, told.flat_rooms or None)
    verdict = bars_of(costs, over_ideal)
    for row in verdict.rows:
        mark = "ok    " if row.passed else "FAILED"
        print(f"{mark} {row.name:<58} {row.value:.4g} {row.comparison} {row.threshold:.4g}")
    (told.out / "job.json").write_text(json.dumps({name: done.to_json() for name, done in costs.items()}, indent=1))
    return 0 if verdict.passed else 1


def times_over_ideal(costs: dict[str, JobCost], seeds: list[int], flat_rooms: int | None) -> dict[str, float]:
    """Mean by name, and a printed row a room: with the small things known, which LIDAR alone never sees.

    Beside it the time over that of this robot with its own planner and speeds, had it known the floor.
    """
    config = RobotConfig()
    ratios: dict[str, list[float]] = {name: [] for name in costs}
    known_ratios: dict[str, list[float]] = {name: [] for name in costs}
    for index, seed in enumerate(seeds):
        room = room_of(seed, flat_rooms)
        ideal, known = ideal_drive(room, config), known_drive(room, config)
        for name, done in costs.items():
            ratios[name].append(done.runs[index].duration_s / ideal.execution_s)
            known_ratios[name].append(done.runs[index].duration_s / known.duration_s)
        print(
            f"ideal   {seed:>6}{100 * ideal.coverage_ratio:>8.2f}%{ideal.execution_s:>23.0f}{ideal.length_m:>8.1f}"
            f"   time over it: {_last(ratios)}"
        )
        print(
            f"known   {seed:>6}{100 * known.coverage_ratio:>8.2f}%{known.duration_s:>23.0f}{known.length_m:>8.1f}"
            f"   time over it: {_last(known_ratios)}"
        )
    for name, told in known_ratios.items():
        print(f"{name}: time over that of this robot had it known the floor, mean {_mean(told):.2f}")
    return {name: _mean(told) for name, told in ratios.items()}


def _last(ratios: dict[str, list[float]]) -> str:
    return "  ".join(f"{name} {told[-1]:.2f}" for name, told in ratios.items())


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def bars_of(costs: dict[str, JobCost], over_ideal: dict[str, float]) -> Verdict:
    rows = []
    lidar, model, random = (costs.get(name) for name in ("lidar", "model", "random"))
    for name, done in costs.items():
        if name != "random":
            rows.append(Row(f"{name}: coverage, mean", done.mean_coverage_ratio, ">=", 0.97))
            if name == "model":  # by LIDAR alone the robot climbs on things, and may touch a bed from below
                rows.append(Row(f"{name}: collisions", done.collisions, "==", 0))
            rows.append(
                Row(f"{name}: localisation error p95, worst room (m)", done.worst_localisation_error_m, "<=", 0.05)
            )
            rows.append(Row(f"{name}: time over the ideal plan's, mean", over_ideal[name], "<=", 1.5))
    if model:
        rows.append(Row("model: share of small objects hit", model.hits / model.objects, "<=", 0.05))
    if lidar:
        rows.append(Row("lidar: share of small objects hit", lidar.hits / lidar.objects, ">=", 0.5))
    if lidar and model:
        rows.append(Row("model: small objects hit (1/5 of LIDAR alone)", model.hits, "<=", lidar.hits / 5))
    if model and random:
        rows.append(Row("random weights: small objects hit (3 x the model's)", random.hits, ">=", 3 * model.hits))
    return Verdict(tuple(rows))


if __name__ == "__main__":
    raise SystemExit(main())
