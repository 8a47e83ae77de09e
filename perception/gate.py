"""May a challenger replace the champion? One verdict in one line, from paired judgements of the same frames.

Accepted only when, by paired bootstrap over frames (one-sided, 95 %), it is not worse by more than `margin` on the
whole test set, better on the slice it was trained for when there is one, no worse in the job where that was driven
(floor covered, things hit, walls touched, time), and within size and latency.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from perception.errors import EvaluationError
from perception.evaluate import FrameVerdict, Judged

DRAWS: Final = 2000
CONFIDENCE: Final = 0.95

Slice = Callable[[Judged], bool]


@dataclass(frozen=True, slots=True)
class JobWorth:
    """Simulated runs with a model: means of coverage and time, sums of the rest."""

    coverage_ratio: float
    objects_hit: int
    collisions: int
    duration_s: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """One model's judgements and costs."""

    version: str
    verdicts: Sequence[FrameVerdict]
    size_bytes: int
    latency_ms_p99: float
    job: JobWorth | None = None  # of the same rooms for both


@dataclass(frozen=True, slots=True)
class Limits:
    margin: float = 0.005  # of F1
    size_bytes: int = 500_000
    latency_ms_p99: float = 3.0
    coverage_margin: float = 0.005  # of the job
    duration_ratio: float = 1.1


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """`reason` names the figure that decided."""

    accepted: bool
    reason: str


def decide(
    champion: Candidate | None,
    challenger: Candidate,
    *,
    limits: Limits,
    trained_for: Slice | None = None,
    seed: int = 0,
) -> GateVerdict:
    """Without a champion only size and latency count.

    Raises:
        EvaluationError: the two were not judged on the same frames.
    """
    if challenger.size_bytes > limits.size_bytes:
        return GateVerdict(False, f"size {challenger.size_bytes} bytes, limit {limits.size_bytes}")
    if challenger.latency_ms_p99 > limits.latency_ms_p99:
        return GateVerdict(False, f"latency p99 {challenger.latency_ms_p99:.2f} ms, limit {limits.latency_ms_p99:g}")
    if champion is None:
        return GateVerdict(True, "no champion yet, and within size and latency")
    old, new = _counts(champion, challenger, lambda item: True, alarms=True)
    gain, lower = _bootstrap(old, new, seed)
    if lower < -limits.margin:
        return GateVerdict(
            False, f"F1 changes by {gain:+.4f}, surely only {lower:+.4f}: may be worse by over {limits.margin}"
        )
    if trained_for is not None:
        old, new = _counts(champion, challenger, trained_for, alarms=False)
        slice_gain, lower = _bootstrap(old, new, seed)
        if lower <= 0:
            return GateVerdict(
                False, f"its own slice changes by {slice_gain:+.4f}, surely only {lower:+.4f}: not better"
            )
    if champion.job is not None and challenger.job is not None:
        worse = _worse_in_job(champion.job, challenger.job, limits)
        if worse:
            return GateVerdict(False, f"in the job it {worse}")
    return GateVerdict(True, f"F1 {gain:+.4f} (at least {lower:+.4f}), {challenger.size_bytes} bytes")


def _worse_in_job(before: JobWorth, after: JobWorth, limits: Limits) -> str:
    """What it does worse, or nothing."""
    if after.objects_hit > before.objects_hit:
        return f"hits {after.objects_hit} small objects, the champion {before.objects_hit}"
    if after.collisions > before.collisions:
        return f"touches walls or furniture {after.collisions} times, the champion {before.collisions}"
    if after.coverage_ratio < before.coverage_ratio - limits.coverage_margin:
        return f"covers {after.coverage_ratio:.1%}, the champion {before.coverage_ratio:.1%}"
    if after.duration_s > before.duration_s * limits.duration_ratio:
        return f"takes {after.duration_s:.0f} s, the champion {before.duration_s:.0f} s"
    return ""


def _counts(
    champion: Candidate, challenger: Candidate, chosen: Slice, *, alarms: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(N, 3) each: found, missed, false alarms of each frame."""
    if [v.sample_id for v in champion.verdicts] != [v.sample_id for v in challenger.verdicts]:
        raise EvaluationError(f"{champion.version} and {challenger.version} were judged on different frames")

    def of(verdict: FrameVerdict) -> tuple[int, int, int]:
        items = [item for item in verdict.objects if chosen(item)]
        found = sum(item.found_as is not None for item in items)
        return found, len(items) - found, len(verdict.false_alarms) if alarms else 0

    old, new = (np.array([of(verdict) for verdict in one.verdicts], np.int64) for one in (champion, challenger))
    return old, new


def _bootstrap(old: NDArray[np.int64], new: NDArray[np.int64], seed: int) -> tuple[float, float]:
    """Gain in F1, and what it is at least with CONFIDENCE; the same frames are drawn for both."""
    picks = np.random.default_rng(seed).integers(len(old), size=(DRAWS, len(old)))
    gains = _f1(new[picks].sum(axis=1)) - _f1(old[picks].sum(axis=1))
    gain = float(_f1(new.sum(axis=0, keepdims=True))[0] - _f1(old.sum(axis=0, keepdims=True))[0])
    return gain, float(np.quantile(gains, 1 - CONFIDENCE))


def _f1(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    found, missed, alarms = counts[:, 0], counts[:, 1], counts[:, 2]
    return np.asarray(2 * found / np.maximum(2 * found + missed + alarms, 1), dtype=np.float64)
