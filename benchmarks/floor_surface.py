"""What the floor_surface network is worth on photos of real floors: folds of the training part, then validation once.

    python benchmarks/floor_surface.py folds [--folds 5 --only 1] [--steps N]   to choose by; validation is not read
    python benchmarks/floor_surface.py validation [--seeds 5 --jobs 1]          the figure

Two kinds of folds: of pictures (copies stay together), as the set's author parted training and validation: the same
floors lie in both; and of looks (`perception.look_groups`), where a floor that is tested was hardly ever seen. How the
network is trained is the task's (`perception/tasks/floor_surface.py`). Needs `surface_indoor` below
OXTURN_REFERENCE_DATA; skipped without it.
"""

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats

from foundation.progress import silent
from perception import base_weights, classical_baseline, export_onnx, labelled_arrays, look_groups, train, training_data
from perception.array_learner import ArrayLearner
from perception.label_evaluation import interval
from perception.labelled_arrays import LabelledArrays
from perception.tasks.floor_surface import FLOOR_SURFACE
from perception.train import TrainSettings

MIB = 1e6


@dataclass(frozen=True, slots=True)
class Run:
    """One network on what it has not seen."""

    right_float: NDArray[np.bool_]  # (N,)
    right_int8: NDArray[np.bool_]
    bytes_float: int
    bytes_int8: int
    latency_ms: float  # of INT8, one thread, median
    busy_s: float  # processor time of the training
    wall_s: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("folds", "validation"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--only", type=int, help="so many of the folds")
    parser.add_argument("--kind", choices=("pictures", "looks", "both"), default="both")
    parser.add_argument("--steps", type=int, help="instead of the task's")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=1, help="so many networks are trained at a time")
    given = parser.parse_args()
    data = Path(os.environ.get("OXTURN_REFERENCE_DATA", "../shared/data"), "surface_indoor")
    if not data.is_dir():
        print(f"skipped: no {data}; OXTURN_REFERENCE_DATA names the folder that holds it")
        return 0
    lesson = labelled_arrays.load(data, FLOOR_SURFACE, "train")
    if given.what == "folds":
        for kind in ("pictures", "looks") if given.kind == "both" else (given.kind,):
            of_folds(kind, lesson, given.folds, given.only or given.folds, given)
    else:
        held_out = labelled_arrays.load(data, FLOOR_SURFACE, "validation")
        lesson = labelled_arrays.without_repeats(lesson, held_out)
        labelled_arrays.refuse_shared_groups({"train": lesson, "validation": held_out})
        seeds = [train.settings_of(FLOOR_SURFACE, seed=seed, steps=given.steps, threads=given.threads)
                 for seed in range(given.seeds)]  # fmt: skip
        of_validation(lesson, held_out, seeds, given.jobs)
    return 0


def of_folds(kind: str, lesson: LabelledArrays, count: int, only: int, given: argparse.Namespace) -> None:
    by_look = kind == "looks"
    groups = look_groups.groups(lesson.inputs, lesson.targets) if by_look else look_groups.same_pictures(lesson.inputs)
    fold_of = look_groups.folds(groups, lesson.targets, count, seed=0)
    print(f"\nfolds of {kind}: {len(np.unique(groups))} groups, {only} of {count} folds", flush=True)
    pairs = [(part(lesson, fold_of != fold, groups), part(lesson, fold_of == fold, groups)) for fold in range(only)]
    wanted = [
        train.settings_of(FLOOR_SURFACE, seed=fold, steps=given.steps, threads=given.threads) for fold in range(only)
    ]
    runs, classical = [], []
    for fold, run in enumerate(each(pairs, wanted, given.jobs)):
        taught, asked = pairs[fold]
        guesses = classical_baseline.probabilities(taught, asked, len(FLOOR_SURFACE.heads[0].classes)).argmax(axis=1)
        labelled_arrays.refuse_shared_groups({"taught": taught, "asked": asked})
        runs.append(run)
        classical.append(guesses == asked.targets)
        print(f"  fold {fold}: {len(asked)} photos, {line(run)}, classical {percent(classical[-1])}", flush=True)
    plain, int8 = (np.concatenate(rights) for rights in zip(*((run.right_float, run.right_int8) for run in runs)))
    print(f"  all: float {percent(plain)}, INT8 {percent(int8)}, classical {percent(np.concatenate(classical))}")


def of_validation(lesson: LabelledArrays, held_out: LabelledArrays, wanted: Sequence[TrainSettings], jobs: int) -> None:
    seeds, runs = len(wanted), []
    print(
        f"trained on {len(lesson)} photos for {wanted[0].planned_steps} steps, asked about {len(held_out)}", flush=True
    )
    for settings, run in zip(wanted, each([(lesson, held_out)] * seeds, wanted, jobs)):
        runs.append(run)
        print(f"  seed {settings.seed}: {line(run)}", flush=True)
    for name, rights in (("float", [run.right_float for run in runs]), ("INT8", [run.right_int8 for run in runs])):
        shares = np.array([right.mean() for right in rights])
        low, high = interval(np.mean(rights, axis=0), held_out.groups)
        print(f"{name}: mean of {seeds} seeds {100 * shares.mean():.2f} %, {by_seeds(shares)};"
              f" 95 % over photos {100 * low:.2f} to {100 * high:.2f} %")  # fmt: skip
    missed = np.mean([~run.right_int8 for run in runs], axis=0)
    for index in np.argsort(-missed, kind="stable")[:8]:
        if missed[index]:
            told = FLOOR_SURFACE.heads[0].classes[held_out.targets[index]]
            print(f"  {held_out.groups[index]} ({told}): missed by {missed[index]:.0%} of the INT8 networks")


def each(
    pairs: Sequence[tuple[LabelledArrays, LabelledArrays]], wanted: Sequence[TrainSettings], jobs: int
) -> Iterator[Run]:
    """A run for each, in their order; never two at a time in one process, as torch has one number of threads."""
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        lessons, asked = zip(*pairs)
        yield from pool.map(trained, lessons, asked, wanted)


def part(arrays: LabelledArrays, chosen: NDArray[np.bool_], groups: NDArray[np.int64]) -> LabelledArrays:
    return LabelledArrays(
        arrays.inputs[chosen], arrays.targets[chosen], tuple(str(group) for group in groups[chosen]), arrays.digest
    )


def trained(lesson: LabelledArrays, asked: LabelledArrays, settings: TrainSettings) -> Run:
    """As `oxturn train` does it, but that nothing is chosen by what the network is asked about in the end."""
    learner = ArrayLearner(FLOOR_SURFACE, lesson, asked)
    learner.begin_from(base_weights.trunk(settings.base, FLOOR_SURFACE))
    began_s, busy_s = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory(prefix="oxturn-") as work:
        model = train.fit(learner, Path(work), settings, progress=silent, on_epoch=lambda epoch: None).model
    wall_s, busy_s = time.perf_counter() - began_s, time.process_time() - busy_s
    plain = export_onnx.float_onnx(model, FLOOR_SURFACE)
    raw = lesson.inputs[
        np.sort(np.random.default_rng(settings.seed).permutation(len(lesson))[: training_data.RAW_INPUTS])
    ]
    int8 = export_onnx.int8_onnx(plain, raw, ("label",))
    rights = right(plain, asked), right(int8, asked)
    return Run(*rights, len(plain), len(int8), latency_ms(int8, asked.inputs[:8]), busy_s, wall_s)


def right(onnx: bytes, asked: LabelledArrays) -> NDArray[np.bool_]:
    answers = export_onnx.answers_of(onnx)(torch.from_numpy(asked.inputs))["label"]
    return np.asarray(answers.argmax(1).numpy() == asked.targets)


def latency_ms(onnx: bytes, inputs: NDArray[np.uint8]) -> float:
    model, times_ms = export_onnx.loaded(onnx), []
    for index in range(120):
        began_s = time.perf_counter()
        model.run(inputs[index % len(inputs)])
        times_ms.append((time.perf_counter() - began_s) * 1e3)
    return float(np.median(times_ms[20:]))


def line(run: Run) -> str:
    return (
        f"float {percent(run.right_float)} ({run.bytes_float / MIB:.2f} MB), INT8 {percent(run.right_int8)}"
        f" ({run.bytes_int8 / MIB:.2f} MB, {run.latency_ms:.2f} ms), trained in {run.wall_s:.0f} s"
        f" ({run.busy_s:.0f} s of processor time)"
    )


def by_seeds(shares: NDArray[np.float64]) -> str:
    if len(shares) < 2:
        return "one seed has no spread"
    half = stats.t.ppf(0.975, len(shares) - 1) * shares.std(ddof=1) / np.sqrt(len(shares))
    return f"95 % over seeds {100 * (shares.mean() - half):.2f} to {100 * min(shares.mean() + half, 1):.2f} %"


def percent(right_ones: NDArray[np.bool_]) -> str:
    return f"{100 * right_ones.mean():.2f} %"


if __name__ == "__main__":
    sys.exit(main())
