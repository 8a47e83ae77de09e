"""Other people's formats say what the samples say."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from room_samples import HEIGHT, WIDTH, capture

from foundation.errors import OutFolderError
from foundation.progress import silent
from perception import exports, sample_format
from perception.errors import SampleError
from perception.labels import SMALL_OBJECTS


@pytest.fixture
def data(tmp_path):
    capture(tmp_path / "data", rooms=2, frames=3)
    return tmp_path / "data"


def test_coco_boxes_are_the_samples_boxes(data, tmp_path):
    assert exports.export(data, tmp_path / "out", "coco", progress=silent) == 6

    told = json.loads((tmp_path / "out/annotations.json").read_text())
    samples = list(sample_format.iter_samples(data))
    names = {item["id"]: item["name"] for item in told["categories"]}
    for image, box, sample in zip(told["images"], told["annotations"], samples):
        x0, y0, x1, y1 = sample.objects[0].box_px
        assert box["bbox"] == [x0, y0, x1 - x0, y1 - y0]
        assert names[box["category_id"]] == sample.objects[0].class_name
        assert cv2.imread(str(tmp_path / "out" / image["file_name"])).shape == (image["height"], image["width"], 3)
    assert len(told["images"]) == len(told["annotations"]) == 6


def test_yolo_lines_lead_back_to_the_boxes(data, tmp_path):
    exports.export(data, tmp_path / "out", "yolo", progress=silent)

    labels = sorted((tmp_path / "out/labels").glob("*.txt"))
    for path, sample in zip(labels, sample_format.iter_samples(data)):
        index, x, y, wide, tall = (float(word) for word in path.read_text().split())
        corners = [(x - wide / 2) * WIDTH, (y - tall / 2) * HEIGHT, (x + wide / 2) * WIDTH, (y + tall / 2) * HEIGHT]
        np.testing.assert_allclose(corners, sample.objects[0].box_px, atol=1e-3)
        assert SMALL_OBJECTS[int(index)] == sample.objects[0].class_name
    assert [path.stem for path in labels] == [path.stem for path in sorted((tmp_path / "out/images").iterdir())]


def test_csv_rows_hold_the_ranges(data, tmp_path):
    exports.export(data, tmp_path / "out", "csv", progress=silent)

    with (tmp_path / "out/lidar.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row, sample in zip(rows, sample_format.iter_samples(data)):
        np.testing.assert_allclose([float(word) for word in row["ranges_m"].split()], sample.ranges_m, atol=1e-4)
        assert float(row["heading_rad"]) == sample.pose.heading_rad


def test_a_broken_shard_leaves_no_half_export(data, tmp_path):
    (data / "shard-00001.parquet").write_bytes(b"torn")

    with pytest.raises(SampleError):
        exports.export(data, tmp_path / "out", "coco", progress=silent)

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["coco", "yolo", "csv"])
def test_an_earlier_export_is_replaced_and_an_empty_folder_filled(data, tmp_path, kind):
    (tmp_path / "out").mkdir()

    for other in ("csv", kind):
        exports.export(data, tmp_path / "out", other, progress=silent)

    assert (tmp_path / "out/lidar.csv").exists() == (kind == "csv")


def test_nobodys_files_are_deleted_by_an_export(data, tmp_path):
    (tmp_path / "docs/sub").mkdir(parents=True)
    (tmp_path / "docs/thesis.txt").write_text("years of work")
    (tmp_path / "file").write_text("mine")

    for out in ("docs", "file", "data", "."):
        with pytest.raises(OutFolderError):
            exports.export(data, tmp_path / out, "csv", progress=silent)

    assert (tmp_path / "docs/thesis.txt").read_text() == "years of work"
    assert (tmp_path / "file").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "docs", "file"]
    assert sample_format.check(data) == []


def test_an_export_into_the_working_folder_is_there(data, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    exports.export(data, Path("."), "csv", progress=silent)

    assert Path("lidar.csv").exists()
