"""Cleaning: every sample is judged; a bad one goes to quarantine with its reasons, none is lost.

    OUT/shard-*.parquet, manifest.json    what may be trained on
    OUT/quarantine/shard-*.parquet        the others, as they came, rows that are no samples too; `reasons.json` says
                                          why, by sample
    OUT/quarantine/corrupt-*              shards that could not be read at all, byte for byte
    OUT/report.json                       counts

One shard is one unit of work that knows nothing of the others, so shards spread over processes and machines.
"""

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from foundation import atomic_files, out_folder
from foundation.progress import ProgressFactory
from perception import data_processor, sample_faults, sample_format
from perception.errors import SampleError
from perception.sample_format import Row, Sample

MADE_BY: Final = "data clean"
DARK_BELOW = 10.0  # mean grey of 0..255
BRIGHT_ABOVE = 246.0
FLAT_BELOW = 1.2  # standard deviation of grey: nothing to see (a lens cap, a broken sensor)
BLURRED_BELOW = 4.5  # 99.5th percentile of |Laplacian|, even a plain floor has more
NEAR_BITS = 3  # of 256 hash bits


@dataclass(frozen=True, slots=True)
class ShardReport:
    """What became of one shard."""

    name: str
    kept: int
    reasons: dict[str, list[str]]  # sample id to reasons
    classes: dict[str, int]  # visible objects among the kept
    unreadable: str = ""

    @property
    def quarantined(self) -> int:
        return len(self.reasons)


@dataclass(frozen=True, slots=True)
class CleaningReport:
    """Counts over all shards; written as OUT/report.json."""

    samples: int
    kept: int
    quarantined: int
    unreadable_shards: tuple[str, ...]
    by_reason: dict[str, int] = field(default_factory=dict)
    classes: dict[str, int] = field(default_factory=dict)


def clean(data_dir: Path, out_dir: Path, *, progress: ProgressFactory, workers: int | None = None) -> CleaningReport:
    """Cleans a folder of samples; the result does not depend on the number of workers.

    Raises:
        SampleError: `data_dir` holds no samples, or not one of them is fit for use.
        OutFolderError: `out_dir` holds what no cleaning made, or the samples themselves.
    """
    out_folder.require_marked(out_dir, MADE_BY, source=data_dir)
    manifest = sample_format.load_manifest(data_dir)
    shards = [data_dir / shard.name for shard in manifest.shards]
    with atomic_files.staged_folder(out_dir) as staging:
        reports = []
        with progress("clean", total=manifest.samples, unit="samples") as advance:
            for report in _each_shard(shards, staging, workers):
                reports.append(report)
                advance(report.kept + report.quarantined)
        total = summed(reports)
        if not total.kept:
            raise SampleError(f"{data_dir}: none of {total.samples} samples is fit for use: {total.by_reason}")
        reasons = {name: why for report in reports for name, why in report.reasons.items()}
        atomic_files.write_json(staging / "quarantine" / "reasons.json", reasons)
        atomic_files.write_json(staging / "report.json", asdict(total))
        sample_format.write_manifest(
            staging, seed=manifest.seed, origin={**manifest.origin, "cleaned_from": manifest.dataset_hash}
        )
        out_folder.mark(staging, MADE_BY)
    return total


def _each_shard(shards: list[Path], out: Path, workers: int | None) -> Iterator[ShardReport]:
    count = min(workers or os.cpu_count() or 1, len(shards))
    if count <= 1:
        yield from (clean_shard(shard, out) for shard in shards)
        return
    with ProcessPoolExecutor(count) as pool:
        yield from pool.map(clean_shard, shards, [out] * len(shards))


def clean_shard(shard: Path, out_dir: Path) -> ShardReport:
    """Writes the kept samples under the shard's own name and the others into quarantine."""
    quarantine = out_dir / "quarantine"
    quarantine.mkdir(parents=True, exist_ok=True)
    judge = Judge()
    kept: list[Sample] = []
    bad: list[Row] = []
    reasons: dict[str, list[str]] = {}
    try:
        for number, row in enumerate(sample_format.read_rows(shard)):
            why = [f"format: {row.fault}"] if row.sample is None else judge.reasons(row.sample)
            if row.sample is not None and not why:
                kept.append(row.sample)
                continue
            bad.append(row)
            name = f"{row.named or shard.name}"
            reasons[f"{name}, row {number}" if name in reasons or not row.named else name] = why
    except SampleError as error:
        shutil.copyfile(shard, quarantine / f"corrupt-{shard.name}")
        return ShardReport(shard.name, 0, {}, {}, unreadable=str(error))
    if kept:
        sample_format.write_shard(out_dir / shard.name, kept)
    if bad:
        sample_format.write_rows(quarantine / shard.name, bad)
    classes = Counter(item.class_name for sample in kept for item in sample.objects)
    return ShardReport(shard.name, len(kept), reasons, dict(classes))


def summed(reports: list[ShardReport]) -> CleaningReport:
    """One report of many shards'."""
    by_reason: Counter[str] = Counter()
    classes: Counter[str] = Counter()
    for report in reports:
        by_reason.update(why.split(":")[0] for reasons in report.reasons.values() for why in reasons)
        classes.update(report.classes)
    kept, bad = sum(report.kept for report in reports), sum(report.quarantined for report in reports)
    unreadable = tuple(report.unreadable for report in reports if report.unreadable)
    return CleaningReport(kept + bad, kept, bad, unreadable, dict(by_reason), dict(classes))


class Judge:
    """Says what is wrong with samples, in the order they were taken: some faults show only against those before."""

    def __init__(self) -> None:
        self._hashes: dict[str, list[NDArray[np.uint8]]] = {}  # by group
        self._bytes: dict[str, str] = {}
        self._stamps_s: dict[str, float] = {}
        self._ids: set[str] = set()

    def reasons(self, sample: Sample) -> list[str]:
        """Empty for a good sample; each reason is `kind: figures`."""
        why = ["id: appears twice"] if sample.sample_id in self._ids else []
        self._ids.add(sample.sample_id)
        found, image = sample_faults.judged(sample)
        if image is None:
            return why + found
        return why + image_faults(image) + found + self._order_faults(sample) + self._repeats(sample, image)

    def _order_faults(self, sample: Sample) -> list[str]:
        before_s = self._stamps_s.get(sample.group, -np.inf)
        if not np.isfinite(sample.stamp_s):
            return []  # told already
        if sample.stamp_s < before_s:
            return [f"time: {sample.stamp_s} s comes after {before_s} s"]
        self._stamps_s[sample.group] = sample.stamp_s
        return []

    def _repeats(self, sample: Sample, image: data_processor.Image) -> list[str]:
        digest = hashlib.sha256(image.tobytes()).hexdigest()
        if digest in self._bytes:
            return [f"frozen: the very picture of {self._bytes[digest]}"]
        self._bytes[digest] = sample.sample_id
        bits = perceptual_hash(image)
        before = self._hashes.setdefault(sample.group, [])
        if before:
            apart = int(np.unpackbits(np.array(before) ^ bits, axis=1).sum(axis=1).min())
            if apart <= NEAR_BITS:
                return [f"duplicate: {apart} of 256 hash bits from an earlier frame of {sample.group}"]
        before.append(bits)
        return []


def perceptual_hash(image: data_processor.Image) -> NDArray[np.uint8]:
    """(32,) bytes: signs of horizontal grey differences on a 16 x 16 grid; alike images differ in few bits."""
    grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (17, 16), interpolation=cv2.INTER_AREA)
    return np.packbits(grey[:, 1:] > grey[:, :-1])


def image_faults(image: data_processor.Image) -> list[str]:
    """What is wrong with a picture by itself."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    mean, spread = float(grey.mean()), float(grey.std())
    if mean < DARK_BELOW:
        return [f"black: mean grey {mean:.1f}, limit {DARK_BELOW}"]
    if mean > BRIGHT_ABOVE:
        return [f"overexposed: mean grey {mean:.1f}, limit {BRIGHT_ABOVE}"]
    if spread < FLAT_BELOW:
        return [f"flat: grey spread {spread:.2f}, limit {FLAT_BELOW}"]
    edges = np.abs(cv2.Laplacian(grey, cv2.CV_16S))
    sharp = float(np.partition(edges, -len(edges.flat) // 200, axis=None)[-len(edges.flat) // 200])
    if sharp < BLURRED_BELOW:
        return [f"blurred: sharpest edges {sharp:.1f}, limit {BLURRED_BELOW}"]
    return []
