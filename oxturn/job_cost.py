"""What a model is worth: coverage, hits and time of the same unseen rooms driven with it, without it, or with noise.

In: rooms' seeds and a way of driving one. Out: one row a room and their sums. What can fail is a run, and then its
error is the answer: a missing run is never left out of a mean.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foundation.progress import ProgressFactory
from oxturn.verdict import JobFigures


@dataclass(frozen=True, slots=True)
class JobCost:
    """The same job done in several rooms; the order is the rooms'."""

    name: str
    runs: tuple[JobFigures, ...]

    @property
    def mean_coverage_ratio(self) -> float:
        return sum(run.coverage_ratio for run in self.runs) / len(self.runs)

    @property
    def worst_coverage_ratio(self) -> float:
        return min(run.coverage_ratio for run in self.runs)

    @property
    def hits(self) -> int:
        return sum(run.small_objects_hit for run in self.runs)

    @property
    def objects(self) -> int:
        return sum(run.small_objects for run in self.runs)

    @property
    def collisions(self) -> int:
        return sum(run.collisions for run in self.runs)

    @property
    def duration_s(self) -> float:
        return sum(run.duration_s for run in self.runs)

    @property
    def worst_localisation_error_m(self) -> float:
        return max(run.localisation_error_m for run in self.runs)

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "rooms": len(self.runs),
            "coverage_ratio_mean": self.mean_coverage_ratio,
            "coverage_ratio_worst": self.worst_coverage_ratio,
            "small_objects": self.objects,
            "small_objects_hit": self.hits,
            "collisions": self.collisions,
            "duration_s": self.duration_s,
            "localisation_error_m_worst": self.worst_localisation_error_m,
        }


def job_cost(
    name: str,
    seeds: Sequence[int],
    drive: Callable[[int, Path], JobFigures],
    out: Path,
    *,
    side_by_side: int,
    progress: ProgressFactory,
) -> JobCost:
    """Drives every room once, `side_by_side` at a time (each run is processes of its own), and adds up."""
    with progress(f"drive: {name}", total=len(seeds), unit="rooms") as advance:

        def one(seed: int) -> JobFigures:
            figures = drive(seed, out / f"room-{seed}")
            advance(1)
            return figures

        with ThreadPoolExecutor(max_workers=side_by_side) as pool:
            return JobCost(name, tuple(pool.map(one, seeds)))
