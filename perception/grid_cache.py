"""Decoded samples and their grid targets as arrays on disk: an epoch costs no decoding and memory stays flat."""

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from foundation.progress import ProgressFactory
from perception import data_processor, invented_patterns, obstacle_targets, sample_format
from perception.errors import TrainingError
from perception.letterbox import letterbox, network_camera
from perception.sample_format import LabelledObject, Sample
from perception.tasks.obstacles import BOX_CHANNELS, STRIDE_PX
from perception.tasks.task import ImageInput


@dataclass(frozen=True, slots=True)
class GridArrays:
    """N samples; memory-mapped."""

    images: NDArray[np.uint8]  # (N, H, W, 3) BGR
    thing: NDArray[np.uint8]  # (N, R, C)
    kind: NDArray[np.uint8]  # (N, R, C)
    box: NDArray[np.float32]  # (N, 5, R, C)
    floor: NDArray[np.uint8]  # (N, R, C)
    mask: NDArray[np.uint8]  # (N, R, C)

    def __len__(self) -> int:
        return len(self.images)


_MARK = "dataset_hash"
_FIELDS = ("images", "thing", "kind", "box", "floor", "mask")


def build(
    data_dir: Path, cache_dir: Path, size: ImageInput, *, progress: ProgressFactory, painted: bool = False
) -> GridArrays:
    """Decodes a folder of samples once; a finished cache of the same data is taken as it is.

    `painted`: floors, walls and things carry invented patterns (for training, never for measuring).
    """
    manifest = sample_format.load_manifest(data_dir)
    mark = cache_dir / _MARK
    if not mark.exists() or mark.read_text() != _mark(manifest, painted):
        if not manifest.samples:
            raise TrainingError(f"{data_dir}: has no samples")
        cache_dir.mkdir(parents=True, exist_ok=True)
        mark.unlink(missing_ok=True)
        _create(cache_dir, manifest.samples, size)
        starts = np.cumsum([0] + [shard.samples for shard in manifest.shards]).tolist()
        jobs = [(data_dir / shard.name, cache_dir, at, size, painted) for shard, at in zip(manifest.shards, starts)]
        workers = min(os.cpu_count() or 1, len(jobs))
        with progress("decode", total=manifest.samples, unit="samples") as advance:
            if workers <= 1:
                for job in jobs:
                    advance(_fill(*job))
            else:
                try:
                    with ProcessPoolExecutor(workers) as pool:
                        for count in pool.map(_fill, *zip(*jobs)):
                            advance(count)
                except BrokenProcessPool as error:
                    raise TrainingError(
                        f"{cache_dir}: a worker was killed while decoding; is memory or disk full?"
                    ) from error
        mark.write_text(_mark(manifest, painted))
    return opened(cache_dir)


def _mark(manifest: sample_format.Manifest, painted: bool) -> str:
    """Of what a cache was made: the data, and the meaning of the numbers in it."""
    looks = f"painted {invented_patterns.VERSION}" if painted else "plain"
    return f"{manifest.dataset_hash} {looks}, targets {obstacle_targets.VERSION}"


def mark_of(cache_dir: Path) -> str:
    """What tells a finished cache from one of other data, or of numbers with another meaning."""
    return (cache_dir / _MARK).read_text()


def _create(cache_dir: Path, count: int, size: ImageInput) -> None:
    rows, columns = size.height_px // STRIDE_PX, size.width_px // STRIDE_PX
    shapes: dict[str, tuple[tuple[int, ...], type]] = {
        "images": ((count, size.height_px, size.width_px, 3), np.uint8),
        "thing": ((count, rows, columns), np.uint8),
        "kind": ((count, rows, columns), np.uint8),
        "box": ((count, len(BOX_CHANNELS), rows, columns), np.float32),
        "floor": ((count, rows, columns), np.uint8),
        "mask": ((count, rows, columns), np.uint8),
    }
    for name, (shape, kind) in shapes.items():
        open_memmap(cache_dir / f"{name}.npy", mode="w+", dtype=kind, shape=shape).flush()


def opened(cache_dir: Path, mode: str = "r") -> GridArrays:
    """A finished cache."""
    return GridArrays(*(np.load(cache_dir / f"{name}.npy", mmap_mode=mode) for name in _FIELDS))  # type: ignore[arg-type]


def _fill(shard: Path, cache_dir: Path, start: int, size: ImageInput, painted: bool) -> int:
    arrays = opened(cache_dir, "r+")
    count = 0
    for at, sample in enumerate(sample_format.read_shard(shard), start):
        image, targets = learned(sample, size)
        if painted:
            image, targets = _painted(sample, image, targets)
        arrays.images[at] = image
        arrays.thing[at], arrays.kind[at] = targets.thing, targets.kind
        arrays.box[at], arrays.floor[at], arrays.mask[at] = targets.box, targets.floor, targets.mask
        count += 1
    return count


def _painted(
    sample: Sample, image: data_processor.Image, targets: obstacle_targets.GridTargets
) -> tuple[data_processor.Image, obstacle_targets.GridTargets]:
    """Drawn from the sample's name: the same whatever the order of work. A painted floor's kind is not learnt."""
    rng = np.random.default_rng(list(sample.sample_id.encode()))
    height, width = image.shape[:2]
    fit = letterbox(sample.camera.width_px, sample.camera.height_px, width, height)
    numbers, instances = (
        data_processor.fitted_labels(data_processor.decode_labels(held, sample.sample_id), fit)
        for held in (sample.segmentation, sample.instances)
    )
    segmentation = numbers.astype(np.uint8, copy=False)
    if rng.random() < invented_patterns.FLOOR_SHARE:
        camera = network_camera(sample.camera, fit)
        image, changed = invented_patterns.painted_floor(image, segmentation, camera, rng)
        covered = changed.reshape(height // STRIDE_PX, STRIDE_PX, width // STRIDE_PX, STRIDE_PX).mean(axis=(1, 3))
        targets = replace(targets, floor=np.where(covered > 0.5, obstacle_targets.IGNORED, targets.floor))
    return invented_patterns.painted_surfaces(image, segmentation, instances, rng), targets


def learned(sample: Sample, size: ImageInput) -> tuple[data_processor.Image, obstacle_targets.GridTargets]:
    """Image and truth of one sample at the network's size."""
    image = data_processor.decode(sample.image, sample.sample_id)
    segmentation = data_processor.decode_labels(sample.segmentation, sample.sample_id)
    instances = data_processor.decode_labels(sample.instances, sample.sample_id)
    objects: Sequence[LabelledObject] = sample.objects
    height, width = image.shape[:2]
    fit = letterbox(width, height, size.width_px, size.height_px)
    if (height, width) != (size.height_px, size.width_px):
        image = data_processor.fitted(image, size.width_px, size.height_px)
        segmentation, instances = (data_processor.fitted_labels(held, fit) for held in (segmentation, instances))
        objects = [found for item in objects if (found := _measured(item, instances)) is not None]
    return image, obstacle_targets.encode(
        segmentation.astype(np.uint8), instances, objects, network_camera(sample.camera, fit), fit.inside
    )


def _measured(item: LabelledObject, instances: NDArray[np.integer]) -> LabelledObject | None:
    """The same object, its box measured anew in a resized instance image."""
    rows, columns = np.nonzero(instances == item.instance)
    if not len(rows):
        return None
    box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
    return replace(item, box_px=box, pixels=len(rows))
