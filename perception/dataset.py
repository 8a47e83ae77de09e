"""Splits by group, and the detector of leaks between them: a promise not to leak is not enough.

OUT/{train,validation,test}/   folders of samples, each with its manifest
OUT/split.json                 which group went where
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foundation import atomic_files
from foundation.progress import ProgressFactory
from perception import data_processor, quality, sample_format
from perception.errors import EvaluationError, SampleError
from perception.sample_format import Sample

PARTS = ("train", "validation", "test")
ROWS_PER_SHARD = 250
LEAK_BITS = 3  # of 256: closer pictures are one picture


@dataclass(frozen=True, slots=True)
class Split:
    """Groups of each part, and samples."""

    groups: Mapping[str, tuple[str, ...]]
    samples: Mapping[str, int]


def split(
    data_dir: Path,
    out_dir: Path,
    *,
    seed: int,
    fractions: Sequence[float] = (0.8, 0.1, 0.1),
    progress: ProgressFactory,
) -> Split:
    """Cuts a folder of samples in three by group; equal seeds give equal bytes.

    Raises:
        SampleError: too few groups for the parts asked for.
    """
    manifest = sample_format.load_manifest(data_dir)
    part_of = assign(_group_sizes(data_dir, manifest), fractions, seed)
    with atomic_files.staged_folder(out_dir) as staging:
        writers = {part: _Writer(staging / part) for part, share in zip(PARTS, fractions) if share > 0}
        with progress("split", total=manifest.samples, unit="samples") as advance:
            for sample in sample_format.iter_samples(data_dir):
                writers[part_of[sample.group]].add(sample)
                advance(1)
        origin = {**manifest.origin, "split_from": manifest.dataset_hash, "split_seed": seed}
        counts = {part: writer.finish(manifest.seed, {**origin, "part": part}) for part, writer in writers.items()}
        groups = {part: tuple(sorted(g for g, home in part_of.items() if home == part)) for part in writers}
        atomic_files.write_json(staging / "split.json", {"seed": seed, "groups": groups, "samples": counts})
    return Split(groups, counts)


def assign(sizes: Mapping[str, int], fractions: Sequence[float], seed: int) -> dict[str, str]:
    """Part of each group: in an order drawn from the seed, each goes where most is still missing."""
    if len(fractions) != len(PARTS) or min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-6:
        raise SampleError(f"fractions {tuple(fractions)}: want three of 0 or more that add up to 1")
    wanted = {part: share for part, share in zip(PARTS, fractions) if share > 0}
    if len(sizes) < len(wanted):
        raise SampleError(
            f"{len(sizes)} groups cannot fill {len(wanted)} parts; a group is never cut: capture more rooms"
        )
    order = sorted(sizes, key=lambda group: hashlib.sha256(f"{seed}/{group}".encode()).digest())
    total = sum(sizes.values())
    filled = dict.fromkeys(wanted, 0)
    part_of: dict[str, str] = {}
    for left, group in zip(range(len(order), 0, -1), order):
        empty = [part for part in wanted if not filled[part]]
        pool = empty if left <= len(empty) else list(wanted)
        part = max(pool, key=lambda part: wanted[part] * total - filled[part])
        part_of[group] = part
        filled[part] += sizes[group]
    return part_of


def leaks(train: Iterable[Sample], held_out: Iterable[Sample]) -> list[str]:
    """Why these two parts are not independent; empty when nothing was found."""
    groups, hashes, ids = set(), [], []
    for sample in train:
        groups.add(sample.group)
        hashes.append(quality.perceptual_hash(data_processor.decode(sample.image, sample.sample_id)))
        ids.append(sample.sample_id)
    table = np.array(hashes, dtype=np.uint8).reshape(-1, 32)
    found = []
    for sample in held_out:
        if sample.group in groups:
            found.append(f"group {sample.group} is in both (sample {sample.sample_id})")
        twin = _twin(table, quality.perceptual_hash(data_processor.decode(sample.image, sample.sample_id)))
        if twin is not None:
            found.append(f"sample {sample.sample_id} is the picture of {ids[twin]}")
    return found


def refuse_leaks(train_dir: Path, held_out_dir: Path) -> None:
    """Raises EvaluationError when a figure measured on `held_out_dir` would not be true."""
    found = leaks(sample_format.iter_samples(train_dir), sample_format.iter_samples(held_out_dir))
    if found:
        raise EvaluationError(f"{held_out_dir} leaks from {train_dir}: {found[0]} and {len(found) - 1} more")


_BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1).astype(np.uint16)


def _twin(table: NDArray[np.uint8], bits: NDArray[np.uint8]) -> int | None:
    if not len(table):
        return None
    apart = _BITS[table ^ bits].sum(axis=1)
    nearest = int(apart.argmin())
    return nearest if apart[nearest] <= LEAK_BITS else None


def _group_sizes(data_dir: Path, manifest: sample_format.Manifest) -> dict[str, int]:
    import pyarrow.parquet as pq

    sizes: dict[str, int] = {}
    for shard in manifest.shards:
        for group in pq.read_table(data_dir / shard.name, columns=["group"]).column("group").to_pylist():
            sizes[group] = sizes.get(group, 0) + 1
    return sizes


class _Writer:
    """Collects samples and writes a shard whenever one is full."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: list[Sample] = []
        self._shards = 0
        self._count = 0

    def add(self, sample: Sample) -> None:
        self._rows.append(sample)
        self._count += 1
        if len(self._rows) == ROWS_PER_SHARD:
            self._flush()

    def finish(self, seed: int | None, origin: dict[str, object]) -> int:
        if self._rows:
            self._flush()
        sample_format.write_manifest(self._folder, seed=seed, origin=origin)
        return self._count

    def _flush(self) -> None:
        sample_format.write_shard(self._folder / sample_format.shard_name(self._shards), self._rows)
        self._rows = []
        self._shards += 1


def parts(split_dir: Path) -> Iterator[tuple[str, Path]]:
    """The parts that a split folder holds."""
    for part in PARTS:
        if (split_dir / part / sample_format.MANIFEST).exists():
            yield part, split_dir / part
