"""How fast samples are cleaned, split, decoded and augmented, and that memory does not grow with them.

    python benchmarks/data.py [SAMPLES]     without a folder, a small capture is drawn first

Each step runs in a process of its own, so that peak memory is the step's.
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import torch

from foundation.progress import silent
from perception import augment, dataset, grid_cache, quality, sample_format
from perception.tasks.obstacles import OBSTACLES
from perception.tasks.task import ImageInput

WORKERS = 2


Figures = tuple[float, float, float]  # samples a second, samples a second of processor time, peak MiB of a process


def measured(work: Callable[..., int], *arguments: Any) -> Figures:
    """Of `work` in a fresh process and its children."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_alone, work, arguments).result()


def _alone(work: Callable[..., int], arguments: tuple[Any, ...]) -> Figures:
    began_s, busy_s = time.perf_counter(), processor_s()
    count = work(*arguments)
    rate, busy_rate = count / (time.perf_counter() - began_s), count / (processor_s() - busy_s)
    peak_kib = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return rate, busy_rate, peak_kib / 1024


def processor_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def clean(data: Path, out: Path) -> int:
    return quality.clean(data, out, progress=silent, workers=WORKERS).samples


def split(data: Path, out: Path) -> int:
    return sum(dataset.split(data, out, seed=1, fractions=(0.8, 0.2, 0.0), progress=silent).samples.values())


def decode(data: Path, out: Path) -> int:
    assert isinstance(OBSTACLES.input, ImageInput)
    return len(grid_cache.build(data, out, OBSTACLES.input, progress=silent))


def augmented(cache: Path, frames: int) -> int:
    """Whole frames, 16 at a time."""
    torch.set_num_threads(1)  # batches are small; several processes scale, several threads wait for each other
    images = grid_cache.opened(cache).images
    generator = torch.Generator().manual_seed(1)
    for start in range(0, frames, 16):
        batch = torch.from_numpy(images[[at % len(images) for at in range(start, start + 16)]])
        augment.photometric(batch.permute(0, 3, 1, 2).float().mul_(1 / 255), generator)
    return frames


def half_of(data: Path, out: Path) -> Path:
    """The first half of the shards, for the question whether memory grows."""
    out.mkdir()
    names = [shard.name for shard in sample_format.load_manifest(data).shards]
    for name in names[: max(len(names) // 2, 1)]:
        (out / name).write_bytes((data / name).read_bytes())
    sample_format.write_manifest(out, seed=None, origin={})
    return out


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        data = Path(sys.argv[1]) if len(sys.argv) > 1 else captured(work / "captured")
        half = half_of(data, work / "half")
        rows = [
            ("clean, half the data", measured(clean, half, work / "clean-half")),
            ("clean", measured(clean, data, work / "clean")),
            ("split", measured(split, work / "clean", work / "split")),
            ("decode and make targets", measured(decode, work / "clean", work / "cache")),
            ("augment whole frames", measured(augmented, work / "cache", 640)),
        ]
        both = [1 / (1 / rows[1][1][which] + 1 / rows[4][1][which]) for which in (0, 1)]
        print(
            f"{sample_format.load_manifest(data).samples} samples, {WORKERS} workers; on a machine that does other work"
        )
        print(f"too, {WORKERS} x the rate by processor time is what {WORKERS} free cores would do")
        print(f"{'samples a second':<26} {'by the clock':>12} {'by processor time':>18} {'peak MiB a process':>19}")
        for name, (rate, busy_rate, peak) in rows:
            print(f"{name:<26} {rate:12.0f} {busy_rate:18.0f} {peak:19.0f}")
        print(f"{'clean + augment':<26} {both[0]:12.0f} {both[1]:18.0f}   bar: 300 by the clock on two free cores")


def captured(out: Path) -> Path:
    from simulation import dataset_writer

    dataset_writer.capture(8, 50, 1, out, workers=WORKERS, progress=silent)
    return out


if __name__ == "__main__":
    main()
