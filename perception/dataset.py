"""One cleaned folder of samples cut into train, validation and test by whole groups, and the proof that it is so.

A group (a room) never lies in two parts: a frame's neighbour in the test set would make any figure too good. `leaks`
looks for it afterwards, in groups and in the images' own bytes: a detector, not a promise.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from foundation import out_folder
from foundation.atomic_files import staged_folder
from foundation.progress import ProgressFactory
from perception import sample_format
from perception.errors import EvaluationError, SampleError
from perception.sample_format import Sample

PARTS: Final = ("train", "validation", "test")
MADE_BY: Final = "data split"
_SHARD_SAMPLES: Final = 256


@dataclass(frozen=True, slots=True)
class SplitReport:
    """Samples and groups of each part."""

    samples: Mapping[str, int]
    groups: Mapping[str, int]


def split(
    data_dir: Path, out_dir: Path, *, seed: int, fractions: tuple[float, float, float], progress: ProgressFactory
) -> SplitReport:
    """Writes `out_dir/{train,validation,test}`, each a sample folder; equal input and seed give equal bytes.

    Raises:
        SampleError: the fractions make no sense, or there are fewer groups than parts that want one.
        OutFolderError: `out_dir` holds what no split made, or the samples themselves.
    """
    out_folder.require_marked(out_dir, MADE_BY, source=data_dir)
    manifest = sample_format.load_manifest(data_dir)
    groups = sorted({group for shard in manifest.shards for group in shard.groups})
    part_of = assign(groups, seed=seed, fractions=fractions)
    counts = dict.fromkeys(PARTS, 0)
    with staged_folder(out_dir) as staging, progress("split", total=manifest.samples, unit="samples") as advance:
        writers = {part: _PartWriter(staging / part) for part in PARTS}
        for sample in sample_format.iter_samples(data_dir):
            part = part_of[sample.group]
            writers[part].add(sample)
            counts[part] += 1
            advance(1)
        for part, writer in writers.items():
            origin = {**manifest.origin, "part": part, "split_seed": seed}
            writer.close(seed=manifest.seed, origin=origin)
        out_folder.mark(staging, MADE_BY)
    return SplitReport(counts, {part: sum(1 for group in groups if part_of[group] == part) for part in PARTS})


def assign(groups: Sequence[str], *, seed: int, fractions: tuple[float, float, float]) -> dict[str, str]:
    """Part of each group, by a hash of seed and name: its place does not depend on the order of the others."""
    if len(fractions) != len(PARTS) or min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-9:
        raise SampleError(f"fractions {fractions}: want three of at least 0 that sum to 1")
    wanted = [part for part, fraction in zip(PARTS, fractions) if fraction > 0]
    if len(groups) < len(wanted):
        raise SampleError(f"{len(groups)} groups cannot fill {', '.join(wanted)}: capture at least {len(wanted)} rooms")
    order = sorted(groups, key=lambda group: hashlib.sha256(f"{seed}/{group}".encode()).digest())
    sizes = [max(1, round(fraction * len(groups))) if fraction > 0 else 0 for fraction in fractions]
    sizes[0] = len(groups) - sizes[1] - sizes[2]
    while sizes[0] < (fractions[0] > 0):  # tiny sets: validation and test give back
        largest = 1 if sizes[1] >= sizes[2] else 2
        sizes[largest] -= 1
        sizes[0] += 1
    parts = [part for part, size in zip(PARTS, sizes) for _ in range(size)]
    return dict(zip(order, parts, strict=True))


def leaks(parts: Mapping[str, Path]) -> list[str]:
    """One line for each group or image that lies in more than one of the folders."""
    seen_groups: dict[str, str] = {}
    seen_images: dict[bytes, str] = {}
    found = []
    for part, folder in parts.items():
        for sample in sample_format.iter_samples(folder):
            if seen_groups.setdefault(sample.group, part) != part:
                found.append(f"group {sample.group} lies in {seen_groups[sample.group]} and in {part}")
            image = hashlib.sha256(sample.image).digest()
            if seen_images.setdefault(image, part) != part:
                found.append(f"the image of {sample.sample_id} lies in {seen_images[image]} and in {part}")
    return sorted(set(found))


def refuse_leaks(parts: Mapping[str, Path]) -> None:
    """Raises EvaluationError when a figure over these parts would not be true."""
    if found := leaks(parts):
        raise EvaluationError(f"the split leaks, so its figures are refused: {found[0]} (and {len(found) - 1} more)")


def parts_here(data_dir: Path) -> dict[str, Path]:
    """The folders of those of PARTS that a split set has; none of a folder that was never split."""
    return {part: data_dir / part for part in PARTS if (data_dir / part).is_dir()}


def part_folder(data_dir: Path, part: str) -> Path:
    """`data_dir/part` of a split set; a folder that was never split is itself the part.

    Raises:
        SampleError: there are no samples here.
    """
    with suppress(SampleError):
        sample_format.load_manifest(data_dir / part)
        return data_dir / part
    sample_format.load_manifest(data_dir)
    return data_dir


class _PartWriter:
    """Collects samples and writes a shard when enough have come, so memory stays flat."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self._waiting: list[Sample] = []
        self._shards = 0

    def add(self, sample: Sample) -> None:
        self._waiting.append(sample)
        if len(self._waiting) >= _SHARD_SAMPLES:
            self._flush()

    def close(self, *, seed: int | None, origin: Mapping[str, object]) -> None:
        if self._waiting:
            self._flush()
        sample_format.write_manifest(self._folder, seed=seed, origin=origin)

    def _flush(self) -> None:
        sample_format.write_shard(self._folder / sample_format.shard_name(self._shards), self._waiting)
        self._waiting = []
        self._shards += 1
