"""Labelled samples as files: Parquet shards and their manifest. The specification is docs/data_format.md.

A folder of samples holds `shard-00000.parquet`, ... and `manifest.json` with each shard's hash and the draw's seed.
Rows are `Sample` values; images stay encoded until somebody looks at them. Imports pyarrow lazily.
"""

import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foundation import atomic_files
from foundation.camera_geometry import PinholeCamera
from foundation.geometry import FloatArray, Pose2D
from perception.errors import SampleError
from perception.labels import FLOORS, SMALL_OBJECTS

if TYPE_CHECKING:
    import pyarrow

VERSION = 1
MANIFEST = "manifest.json"
LATER_COLUMNS = frozenset({"beam_classes"})  # that shards of before lack
PROVENANCES = ("simulator", "truth", "weak", "cluster", "human")


@dataclass(frozen=True, slots=True)
class LabelledObject:
    """One small object visible in a sample."""

    instance: int  # number in the sample's `instances` image, from 1
    class_name: str  # one of labels.SMALL_OBJECTS
    box_px: tuple[int, int, int, int]  # x0, y0, x1, y1 of the visible mask; x1 and y1 are exclusive
    pixels: int  # of the visible mask
    contact_base_m: tuple[float, float]  # point of the floor footprint nearest to the robot's centre
    centre_base_m: tuple[float, float]
    radius_m: float  # of the circle about the centre that holds the footprint
    distance_m: float  # from the robot's centre to the contact


@dataclass(frozen=True, slots=True)
class Sample:
    """One tick with its truth. Images are encoded bytes; ranges are counter-clockwise as in observation.Scan."""

    sample_id: str
    group: str  # room; splits never cut through a group
    stamp_s: float
    image: bytes  # PNG or JPEG, colour
    ranges_m: FloatArray  # (N,), inf where nothing came back, NaN where invalid
    first_bearing_rad: float
    step_rad: float
    segmentation: bytes  # PNG, uint8 (H, W) of labels' numbers; empty when unknown
    instances: bytes  # PNG, uint16 (H, W), 0 = none; empty when unknown
    objects: tuple[LabelledObject, ...]
    floor_under: str  # one of labels.FLOORS, or "" when unknown
    pose: Pose2D  # map_from_base
    camera: PinholeCamera  # as it truly was at this tick, mounting errors included
    draws: str  # JSON: what was randomised for this frame
    provenance: str  # of the labels, one of PROVENANCES
    beam_classes: bytes = b""  # of each of `ranges_m` a number of labels.py: what the beam met; empty when unknown


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a shard as it lies there, and the sample that it is, if it is one."""

    values: Mapping[str, Any]
    sample: Sample | None
    fault: str = ""  # why it is none

    @property
    def named(self) -> str:
        """Its `sample_id`; empty where it has none."""
        return self.values["sample_id"] or ""


@dataclass(frozen=True, slots=True)
class ShardInfo:
    """One line of the manifest."""

    name: str
    sha256: str
    samples: int
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a folder of samples says of itself."""

    shards: tuple[ShardInfo, ...]
    seed: int | None
    origin: Mapping[str, Any]  # how the samples came to be: renderer, processor type, settings

    @property
    def samples(self) -> int:
        return sum(shard.samples for shard in self.shards)

    @property
    def dataset_hash(self) -> str:
        """Of the shards' hashes in order: equal data, equal hash."""
        return hashlib.sha256("".join(shard.sha256 for shard in self.shards).encode()).hexdigest()


@cache
def schema() -> "pyarrow.Schema":
    """The columns of a shard."""
    import pyarrow as pa

    point = pa.list_(pa.float64(), 2)
    labelled = pa.struct(
        [
            ("instance", pa.int32()),
            ("class", pa.string()),
            ("box", pa.list_(pa.int32(), 4)),
            ("pixels", pa.int32()),
            ("contact_base_m", point),
            ("centre_base_m", point),
            ("radius_m", pa.float64()),
            ("distance_m", pa.float64()),
        ]
    )
    pose = pa.struct([("x_m", pa.float64()), ("y_m", pa.float64()), ("heading_rad", pa.float64())])
    camera = pa.struct(
        [("width_px", pa.int32()), ("height_px", pa.int32())]
        + [(name, pa.float64()) for name in ("horizontal_fov_rad", "x_m", "z_m", "pitch_down_rad", "roll_rad")]
    )
    return pa.schema(
        [
            ("sample_id", pa.string()),
            ("group", pa.string()),
            ("stamp_s", pa.float64()),
            ("image", pa.binary()),
            ("ranges_m", pa.list_(pa.float32())),
            ("first_bearing_rad", pa.float64()),
            ("step_rad", pa.float64()),
            ("segmentation", pa.binary()),
            ("instances", pa.binary()),
            ("objects", pa.list_(labelled)),
            ("floor_under", pa.string()),
            ("pose", pose),
            ("camera", camera),
            ("draws", pa.string()),
            ("provenance", pa.string()),
            ("beam_classes", pa.binary()),
        ]
    )


def shard_name(index: int) -> str:
    return f"shard-{index:05d}.parquet"


def write_shard(path: Path, rows: Iterable[Sample]) -> None:
    """Writes one shard atomically; equal rows give equal bytes."""
    _write(path, [_row(sample) for sample in rows])


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """As `write_shard`, but what is no sample too: for quarantine."""
    _write(path, [dict(row.values) for row in rows])


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist(rows, schema=schema())
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", row_group_size=64, use_dictionary=["group", "provenance"])
    atomic_files.write_bytes(path, sink.getvalue())


def read_shard(path: Path) -> Iterator[Sample]:
    """Samples of one shard, a row group in memory at a time.

    Raises:
        SampleError: the file is no Parquet, lacks a column, or holds a row that is no sample.
    """
    for row in read_rows(path):
        if row.sample is None:
            raise SampleError(f"{path}: sample {row.named!r}: {row.fault}")
        yield row.sample


def read_rows(path: Path) -> Iterator[Row]:
    """All rows of one shard, also those that are no samples.

    Raises:
        SampleError: the file is no Parquet, or lacks a column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = set(file.schema_arrow.names)
            wanted = pa.schema([field for field in schema() if field.name in names or field.name not in LATER_COLUMNS])
            if missing := [name for name in wanted.names if name not in names]:
                raise SampleError(f"{path}: lacks the columns {', '.join(missing)}")
            for batch in file.iter_batches(batch_size=64, columns=wanted.names):
                for values in pa.Table.from_batches([batch]).cast(wanted).to_pylist():
                    yield _read(values)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> SampleError:
    return SampleError(f"{path}: cannot be read as a Parquet shard: {_first_line(error)}")


def iter_samples(folder: Path) -> Iterator[Sample]:
    """Samples of a folder in the manifest's order."""
    for shard in load_manifest(folder).shards:
        yield from read_shard(folder / shard.name)


def provenances(folder: Path) -> tuple[str, ...]:
    """Where the folder's labels come from: each that occurs, sorted. Raises SampleError for an unreadable shard."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    found: set[str] = set()
    for shard in load_manifest(folder).shards:
        path = folder / shard.name
        try:
            found.update(map(str, pq.read_table(path, columns=["provenance"])["provenance"].to_pylist()))
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(path, error) from error
    return tuple(sorted(found))


def write_manifest(folder: Path, *, seed: int | None, origin: Mapping[str, Any]) -> Manifest:
    """Writes `manifest.json` over the shards that lie in `folder`, last of all: without it a folder is unfinished."""
    shards = tuple(_describe(path) for path in sorted(folder.glob("shard-*.parquet")))
    value = {
        "format": "oxturn samples",
        "version": VERSION,
        "seed": seed,
        "origin": dict(origin),
        "labels": {"small_objects": list(SMALL_OBJECTS), "floors": list(FLOORS)},
        "samples": sum(shard.samples for shard in shards),
        "shards": [asdict(shard) for shard in shards],
    }
    atomic_files.write_json(folder / MANIFEST, value)
    return Manifest(shards, seed, dict(origin))


def load_manifest(folder: Path) -> Manifest:
    """Raises SampleError when there is none or it is not ours; hashes are checked by `check`, not here."""
    path = folder / MANIFEST
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value["format"] != "oxturn samples" or value["version"] != VERSION:
            raise SampleError(f"{path}: {value['format']!r} version {value['version']}, want {VERSION}")
        shards = tuple(
            ShardInfo(str(item["name"]), str(item["sha256"]), int(item["samples"]), tuple(item["groups"]))
            for item in value["shards"]
        )
        if outside := [shard.name for shard in shards if Path(shard.name).name != shard.name]:
            raise SampleError(f"{path}: shard {outside[0]!r} lies outside of the folder")
        return Manifest(shards, value["seed"], value["origin"])
    except OSError as error:
        raise SampleError(f"{folder}: no samples here ({error.strerror or error}); run oxturn sim capture") from error
    except (ValueError, KeyError, TypeError) as error:
        raise SampleError(f"{path}: not a manifest of samples: {error!r}") from error


def check(folder: Path) -> list[str]:
    """Everything that breaks docs/data_format.md, one line each; an empty list is a sound folder."""
    problems: list[str] = []
    manifest = load_manifest(folder)
    seen: set[str] = set()
    for shard in manifest.shards:
        path = folder / shard.name
        if not path.is_file():
            problems.append(f"{path}: is in the manifest but not in the folder")
            continue
        if hashlib.sha256(path.read_bytes()).hexdigest() != shard.sha256:
            problems.append(f"{path}: bytes differ from the manifest's hash")
        problems += _check_rows(path, shard, seen)
    listed = {shard.name for shard in manifest.shards}
    stray = [path for path in sorted(folder.glob("shard-*.parquet")) if path.name not in listed]
    return problems + [f"{path}: lies in the folder but not in the manifest" for path in stray]


def _check_rows(path: Path, shard: ShardInfo, seen: set[str]) -> list[str]:
    from perception import sample_faults  # decodes pictures: only here

    problems, count = [], 0
    try:
        for row in read_rows(path):
            count += 1
            if row.sample is None:
                problems.append(f"{path}: sample {row.named!r}: {row.fault}")
                continue
            sample = row.sample
            problems += [f"{path}: sample {sample.sample_id!r}: {fault}" for fault in sample_faults.faults(sample)]
            if sample.sample_id in seen:
                problems.append(f"{path}: sample {sample.sample_id} appears twice")
            seen.add(sample.sample_id)
            if sample.group not in shard.groups:
                problems.append(f"{path}: group {sample.group} is not in the manifest")
    except SampleError as error:
        problems.append(str(error))
    if count != shard.samples:
        problems.append(f"{path}: {count} samples, the manifest says {shard.samples}")
    return problems


def _describe(path: Path) -> ShardInfo:
    import pyarrow.parquet as pq

    groups = pq.read_table(path, columns=["group"]).column("group").to_pylist()
    return ShardInfo(
        path.name, hashlib.sha256(path.read_bytes()).hexdigest(), len(groups), tuple(dict.fromkeys(groups))
    )


def _row(sample: Sample) -> dict[str, Any]:
    row = {name: getattr(sample, name) for name in schema().names if name not in ("objects", "pose", "camera")}
    row["ranges_m"] = np.asarray(sample.ranges_m, dtype=np.float32)
    row["pose"], row["camera"] = asdict(sample.pose), asdict(sample.camera)
    row["objects"] = [
        {
            "instance": item.instance,
            "class": item.class_name,
            "box": list(item.box_px),
            "pixels": item.pixels,
            "contact_base_m": list(item.contact_base_m),
            "centre_base_m": list(item.centre_base_m),
            "radius_m": item.radius_m,
            "distance_m": item.distance_m,
        }
        for item in sample.objects
    ]
    return row


def _read(values: dict[str, Any]) -> Row:
    values.setdefault("beam_classes", b"")
    if empty := _nulls(values):
        return Row(values, None, f"null in {', '.join(empty)}")
    try:
        return Row(values, _sample(dict(values)))
    except (TypeError, ValueError) as error:
        return Row(values, None, str(error))


def _nulls(values: Mapping[str, Any]) -> list[str]:
    """Names of the columns, and of the fields in them, that hold no value; no sample may have any."""
    empty = [name for name, value in values.items() if value is None]
    if values["ranges_m"] is not None and None in values["ranges_m"]:
        empty.append("ranges_m")
    structs = {name: values[name] for name in ("pose", "camera")}
    structs |= {f"objects[{index}]": item for index, item in enumerate(values["objects"] or ())}
    for name, fields in structs.items():
        if fields is None:
            empty += [name] if name not in empty else []
            continue
        empty += [
            f"{name}.{key}"
            for key, value in fields.items()
            if value is None or (value.__class__ is list and None in value)
        ]
    return empty


def _sample(row: dict[str, Any]) -> Sample:
    objects = tuple(
        LabelledObject(
            item["instance"],
            _known(item["class"], SMALL_OBJECTS, "class"),
            tuple(item["box"]),
            item["pixels"],
            tuple(item["contact_base_m"]),
            tuple(item["centre_base_m"]),
            item["radius_m"],
            item["distance_m"],
        )
        for item in row.pop("objects")
    )
    if row["floor_under"]:
        _known(row["floor_under"], FLOORS, "floor")
    _known(row["provenance"], PROVENANCES, "provenance")
    pose, camera = Pose2D(**row.pop("pose")), PinholeCamera(**row.pop("camera"))
    ranges_m = np.asarray(row.pop("ranges_m"), dtype=np.float64)
    if len(row["beam_classes"]) not in (0, len(ranges_m)):
        raise ValueError(f"{len(row['beam_classes'])} beam_classes for {len(ranges_m)} ranges")
    return Sample(objects=objects, pose=pose, camera=camera, ranges_m=ranges_m, **row)


def _known(name: str, known: tuple[str, ...], what: str) -> str:
    if name not in known:
        raise ValueError(f"unknown {what} {name!r}; known: {', '.join(known)}")
    return name


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
