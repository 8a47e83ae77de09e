"""Samples in the formats that other people's tools open: COCO and YOLO folders of images, CSV rows of LIDAR turns."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from foundation import atomic_files, out_folder
from foundation.progress import ProgressFactory
from perception import sample_format
from perception.labels import SMALL_OBJECTS
from perception.sample_format import Sample

Format = Literal["coco", "yolo", "csv"]
MADE_BY: Final = "data export"


def export(data_dir: Path, out_dir: Path, kind: Format, *, progress: ProgressFactory) -> int:
    """Writes the folder whole or not at all; the number of samples in it.

    Raises:
        SampleError: `data_dir` holds no samples, or a broken shard.
        OutFolderError: `out_dir` holds what no export made, or the samples themselves.
    """
    out_folder.require_marked(out_dir, MADE_BY, source=data_dir)
    manifest = sample_format.load_manifest(data_dir)
    write: dict[Format, Callable[[Iterator[Sample], Path], None]] = {"coco": coco, "yolo": yolo, "csv": lidar_csv}
    with (
        atomic_files.staged_folder(out_dir) as staging,
        progress("export", total=manifest.samples, unit="samples") as say,
    ):

        def samples() -> Iterator[Sample]:
            for sample in sample_format.iter_samples(data_dir):
                yield sample
                say(1)

        write[kind](samples(), staging)
        out_folder.mark(staging, MADE_BY)
    return manifest.samples


def coco(samples: Iterator[Sample], out: Path) -> None:
    """`images/` and `annotations.json`: boxes as x, y, width, height; the contact in metres goes along."""
    images: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    for number, sample in enumerate(samples, 1):
        name = _save_image(sample, out)
        size = {"width": sample.camera.width_px, "height": sample.camera.height_px}
        images.append({"id": number, "file_name": name, "group": sample.group, **size})
        for item in sample.objects:
            x0, y0, x1, y1 = item.box_px
            boxes.append(
                {
                    "id": len(boxes) + 1,
                    "image_id": number,
                    "category_id": SMALL_OBJECTS.index(item.class_name) + 1,
                    "bbox": [x0, y0, x1 - x0, y1 - y0],
                    "area": item.pixels,
                    "iscrowd": 0,
                    "contact_base_m": list(item.contact_base_m),
                }
            )
    categories = [{"id": index, "name": name} for index, name in enumerate(SMALL_OBJECTS, 1)]
    told = {"images": images, "annotations": boxes, "categories": categories}
    (out / "annotations.json").write_text(json.dumps(told), encoding="utf-8")


def yolo(samples: Iterator[Sample], out: Path) -> None:
    """`images/`, `labels/` (class, then middle and size as shares of the image) and `data.yaml`."""
    (out / "labels").mkdir()
    for sample in samples:
        name = Path(_save_image(sample, out)).stem
        width, height = sample.camera.width_px, sample.camera.height_px
        lines = []
        for item in sample.objects:
            x0, y0, x1, y1 = item.box_px
            shares = ((x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height)
            lines.append(f"{SMALL_OBJECTS.index(item.class_name)} " + " ".join(f"{share:.6f}" for share in shares))
        (out / "labels" / f"{name}.txt").write_text("\n".join(lines) + "\n" * bool(lines), encoding="utf-8")
    names = "\n".join(f"  {index}: {name}" for index, name in enumerate(SMALL_OBJECTS))
    (out / "data.yaml").write_text(f"path: .\ntrain: images\nval: images\nnames:\n{names}\n", encoding="utf-8")


def lidar_csv(samples: Iterator[Sample], out: Path) -> None:
    """`lidar.csv`: a row a turn; ranges in metres, `inf` where nothing came back, `nan` where invalid."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    head = ["sample_id", "group", "stamp_s", "x_m", "y_m", "heading_rad", "first_bearing_rad", "step_rad", "ranges_m"]
    writer.writerow(head)
    for sample in samples:
        pose = sample.pose
        ranges = " ".join(np.format_float_positional(value, precision=4, trim="-") for value in sample.ranges_m)
        place = [sample.sample_id, sample.group, sample.stamp_s, pose.x_m, pose.y_m, pose.heading_rad]
        writer.writerow([*place, sample.first_bearing_rad, sample.step_rad, ranges])
    (out / "lidar.csv").write_text(text.getvalue(), encoding="utf-8")


def _save_image(sample: Sample, out: Path) -> str:
    (out / "images").mkdir(exist_ok=True)
    ending = "png" if sample.image.startswith(b"\x89PNG") else "jpg"
    name = f"{sample.sample_id.replace('/', '_')}.{ending}"
    (out / "images" / name).write_bytes(sample.image)
    return f"images/{name}"
