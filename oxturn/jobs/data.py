"""From captured shards to a published dataset, a shard at a time: what `dags/data_cleaning_dag.py` calls.

Every job takes and returns URIs and small values and is made once from its inputs (`oxturn.lake`), so that it can run
on any worker, twice, or after a crash. Results lie at `<lake>/<partition>/<stage>/<shard>`; each holds `samples/`, a
folder as docs/data_format.md says.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from foundation.atomic_files import write_json
from foundation.progress import silent
from oxturn.lake import LakeError, digest, fetch, local_copy, produce
from perception import sample_format
from perception.errors import SampleError

SAMPLES: Final = "samples"
AUGMENTED: Final = "augmented"
FRACTIONS: Final = (0.8, 0.1, 0.1)


def ingest(source: str, lake: str, partition: str) -> list[str]:
    """Takes over the shards of the sample folder at `source`, byte by byte; the URIs of the raw shards.

    Bytes that differ from the source's manifest were torn on the way: LakeError, and the job is tried again.
    """
    manifest = _read_manifest(source)
    return [_ingest_shard(source, shard, manifest, f"{lake}/{partition}") for shard in manifest.shards]


def validate(raw: str) -> str:
    """The shard if every row is what docs/data_format.md says; else no samples, and the shard kept in quarantine."""

    def work(folder: Path) -> None:
        with local_copy(raw) as source:
            samples = folder / SAMPLES
            samples.mkdir()
            [shard] = source.glob("*.parquet")
            told = json.loads((source / "source.json").read_text())
            try:
                for _ in sample_format.read_shard(shard):
                    pass
            except SampleError as error:
                quarantine = folder / "quarantine"
                quarantine.mkdir()
                (quarantine / shard.name).write_bytes(shard.read_bytes())
                write_json(quarantine / "reason.json", {"shard": shard.name, "reason": str(error)})
            else:
                (samples / shard.name).write_bytes(shard.read_bytes())
            sample_format.write_manifest(samples, seed=told["seed"], origin=told["origin"])

    return produce(_stage(raw, "valid"), [raw], work)


def clean(valid: str) -> str:
    """The shard without its bad samples; they go to `samples/quarantine/` with their reasons."""
    from perception import quality

    def work(folder: Path) -> None:
        with local_copy(valid) as source:
            manifest = sample_format.load_manifest(source / SAMPLES)
            out = folder / SAMPLES
            out.mkdir()
            reports = [quality.clean_shard(source / SAMPLES / shard.name, out) for shard in manifest.shards]
        reasons = {sample: why for report in reports for sample, why in report.reasons.items()}
        write_json(out / "quarantine" / "reasons.json", reasons)
        write_json(out / "report.json", asdict(quality.summed(reports)))
        sample_format.write_manifest(out, seed=manifest.seed, origin=manifest.origin)

    return produce(_stage(valid, "clean"), [valid], work)


def augment(cleaned: str, seed: int, copies: int) -> str:
    """The shard, and beside it in `augmented/` each frame `copies` times under other light, colour, noise and blur."""
    from oxturn.jobs.augmentation import augmented

    def work(folder: Path) -> None:
        with local_copy(cleaned) as source:
            shutil.copytree(source / SAMPLES, folder / SAMPLES)
        manifest = sample_format.load_manifest(folder / SAMPLES)
        out = folder / AUGMENTED
        out.mkdir()
        for shard in manifest.shards:
            rows = augmented(sample_format.read_shard(folder / SAMPLES / shard.name), seed, copies)
            sample_format.write_shard(out / shard.name, rows)
        sample_format.write_manifest(out, seed=manifest.seed, origin={**manifest.origin, "augmented": copies})

    return produce(_stage(cleaned, "augmented"), [cleaned, f"seed {seed}", f"copies {copies}"], work)


def split(shards: Sequence[str], lake: str, partition: str, seed: int) -> str:
    """All shards as one dataset, cut by group into train, validation and test; augmented frames go to train alone."""
    from perception import dataset

    def work(folder: Path) -> None:
        whole = folder / "whole"
        gather(shards, whole)
        dataset.split(whole, folder / SAMPLES, seed=seed, fractions=FRACTIONS, progress=silent)
        shutil.rmtree(whole)
        _add_augmented(shards, folder / SAMPLES / "train")

    return produce(f"{lake}/{partition}/dataset", [*shards, f"seed {seed}", f"fractions {FRACTIONS}"], work)


def publish(dataset_uri: str, lake: str, partition: str) -> dict[str, Any]:
    """Refuses a dataset whose parts leak into each other; else what the world may know of it."""
    from perception import dataset

    with local_copy(dataset_uri) as folder:
        parts = {part: folder / SAMPLES / part for part in dataset.PARTS}
        dataset.refuse_leaks(parts)
        counts = {part: sample_format.load_manifest(path).samples for part, path in parts.items()}
        held = digest(folder)
    return {"dataset": dataset_uri, "lake": lake, "partition": partition, "samples": counts, "digest": held}


def gather(shards: Sequence[str], out: Path) -> sample_format.Manifest:
    """The samples of many finished shards in one folder, numbered in the order of their URIs."""
    out.mkdir(parents=True)
    index = 0
    seed: int | None = None
    origin: dict[str, Any] = {}
    for uri in sorted(shards):
        with local_copy(uri) as source:
            manifest = sample_format.load_manifest(source / SAMPLES)
            seed, origin = manifest.seed, dict(manifest.origin)
            for shard in manifest.shards:
                (out / sample_format.shard_name(index)).write_bytes((source / SAMPLES / shard.name).read_bytes())
                index += 1
    if not index:
        raise LakeError(f"{len(shards)} shards hold no sample that is fit for use; see their quarantine")
    return sample_format.write_manifest(out, seed=seed, origin=origin)


def _add_augmented(shards: Sequence[str], train: Path) -> None:
    """The augmented frames of the training groups, as further shards of `train`."""
    manifest = sample_format.load_manifest(train)
    groups = {group for shard in manifest.shards for group in shard.groups}
    index = len(manifest.shards)
    for uri in sorted(shards):
        with local_copy(uri) as source:
            if not (source / AUGMENTED).is_dir():
                continue
            rows = [sample for sample in sample_format.iter_samples(source / AUGMENTED) if sample.group in groups]
        if rows:
            sample_format.write_shard(train / sample_format.shard_name(index), rows)
            index += 1
    sample_format.write_manifest(train, seed=manifest.seed, origin=manifest.origin)


def _read_manifest(source: str) -> sample_format.Manifest:
    with tempfile.TemporaryDirectory(prefix="oxturn-") as name:
        fetch(f"{source}/{sample_format.MANIFEST}", Path(name, sample_format.MANIFEST))
        return sample_format.load_manifest(Path(name))


def _ingest_shard(source: str, shard: sample_format.ShardInfo, manifest: sample_format.Manifest, root: str) -> str:
    def work(folder: Path) -> None:
        path = folder / shard.name
        fetch(f"{source}/{shard.name}", path)
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != shard.sha256:
            raise LakeError(f"{source}/{shard.name}: bytes have hash {found[:12]}, manifest says {shard.sha256[:12]}")
        write_json(folder / "source.json", {"seed": manifest.seed, "origin": dict(manifest.origin)})

    return produce(f"{root}/raw/{Path(shard.name).stem}", [shard.sha256], work)


def _stage(uri: str, stage: str) -> str:
    """The same shard's place in another stage."""
    root, _, name = uri.rpartition("/")
    return f"{root.rpartition('/')[0]}/{stage}/{name}"
