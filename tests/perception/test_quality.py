"""Bad samples go to quarantine with the reason; none is lost, none is spared."""

import dataclasses
import json
import re
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from room_samples import HEIGHT, WIDTH, capture, png, sample

from foundation.errors import OutFolderError
from foundation.geometry import Pose2D
from foundation.progress import silent
from perception import quality, sample_faults, sample_format
from perception.errors import SampleError

GOOD = sample("room-1", 0, seed=5)
THING = {
    "instance": 1, "class": "cable", "box": [4, 30, 18, 44], "pixels": 196, "contact_base_m": [0.5, 0.0],
    "centre_base_m": [0.55, 0.0], "radius_m": 0.05, "distance_m": 0.5,
}  # fmt: skip
BLUR = cv2.GaussianBlur(cv2.imdecode(np.frombuffer(GOOD.image, np.uint8), cv2.IMREAD_COLOR), (0, 0), 12)


def test_a_good_sample_has_no_faults():
    assert quality.Judge().reasons(GOOD) == []


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"image": b"<html>404</html>"}, "unreadable"),
        ({"image": b""}, "unreadable"),
        ({"image": png(np.zeros((HEIGHT, WIDTH, 3), np.uint8))}, "black"),
        ({"image": png(np.full((HEIGHT, WIDTH, 3), 253, np.uint8))}, "overexposed"),
        ({"image": png(np.full((HEIGHT, WIDTH, 3), 90, np.uint8))}, "flat"),
        ({"image": png(BLUR)}, "blurred"),
        ({"image": png(np.tile(np.arange(64, dtype=np.uint8)[:, None, None] * 3, (1, 64, 3)))}, "size"),
        ({"ranges_m": np.array([1.0, -0.5])}, "ranges"),
        ({"ranges_m": np.array([1.0, 900.0])}, "ranges"),
        ({"ranges_m": np.full(10, np.nan)}, "ranges"),
        ({"ranges_m": np.full(10, -np.inf)}, "ranges"),
        ({"pose": Pose2D(0.0, float("nan"), 0.0)}, "pose"),
        ({"camera": dataclasses.replace(GOOD.camera, pitch_down_rad=float("inf"))}, "camera"),
        ({"step_rad": float("nan")}, "bearings"),
        ({"stamp_s": float("nan")}, "time"),
        ({"segmentation": png(np.zeros((8, 8), np.uint8))}, "labels"),
        ({"segmentation": b"nonsense"}, "labels"),
        ({"instances": png(np.zeros((HEIGHT, WIDTH), np.uint16))}, "labels"),
        ({"segmentation": png(np.zeros((HEIGHT, WIDTH), np.uint8))}, "labels"),
        ({"objects": (dataclasses.replace(GOOD.objects[0], box_px=(90, 60, 200, 70)),)}, "labels"),
        ({"objects": (dataclasses.replace(GOOD.objects[0], class_name="sock"),)}, "labels"),
        ({"objects": (dataclasses.replace(GOOD.objects[0], instance=0),)}, "labels"),
        ({"objects": (dataclasses.replace(GOOD.objects[0], contact_base_m=(0.5, float("nan"))),)}, "labels"),
        ({"objects": (dataclasses.replace(GOOD.objects[0], distance_m=float("nan")),)}, "labels"),
        ({"objects": ()}, "labels"),
        ({"objects": GOOD.objects * 2}, "labels"),
    ],
)
def test_each_fault_is_named(change, kind):
    (reason,) = quality.Judge().reasons(dataclasses.replace(GOOD, **change))

    assert reason.split(":")[0] == kind


def test_labels_that_are_not_known_are_no_fault():
    unknown = dataclasses.replace(GOOD, segmentation=b"", instances=b"")

    assert quality.Judge().reasons(unknown) == []
    assert quality.Judge().reasons(dataclasses.replace(GOOD, segmentation=b"")) == []


def test_scans_without_any_beam_or_return_are_no_fault():
    assert sample_faults.range_faults(np.array([])) == []
    assert sample_faults.range_faults(np.full(5, np.inf)) == []


def test_faults_against_earlier_samples_are_seen():
    judge = quality.Judge()
    image = cv2.imdecode(np.frombuffer(GOOD.image, np.uint8), cv2.IMREAD_COLOR)
    nearly = png(np.clip(image.astype(int) + 1, 0, 255).astype(np.uint8))
    later = sample("room-1", 4, seed=5)
    assert judge.reasons(later) == []

    repeated = judge.reasons(later)
    frozen = judge.reasons(dataclasses.replace(later, sample_id="b", stamp_s=9.0))
    backwards = judge.reasons(sample("room-1", 2, seed=5))
    first = judge.reasons(dataclasses.replace(GOOD, group="room-2"))
    alike = judge.reasons(dataclasses.replace(GOOD, group="room-2", sample_id="c", image=nearly, stamp_s=9.5))

    assert [why.split(":")[0] for why in repeated] == ["id", "frozen"]
    assert [why.split(":")[0] for why in frozen] == ["frozen"]
    assert [why.split(":")[0] for why in backwards] == ["time"]
    assert first == []
    assert [why.split(":")[0] for why in alike] == ["duplicate"]


def test_cleaning_loses_nothing_and_does_not_depend_on_workers(tmp_path):
    capture(tmp_path / "in", rooms=3, frames=6, black_every=3)

    report = quality.clean(tmp_path / "in", tmp_path / "one", progress=silent, workers=1)
    quality.clean(tmp_path / "in", tmp_path / "two", progress=silent, workers=2)

    kept = {found.sample_id for found in sample_format.iter_samples(tmp_path / "one")}
    quarantine = tmp_path / "one" / "quarantine"
    bad = {found.sample_id for path in quarantine.glob("shard-*") for found in sample_format.read_shard(path)}
    reasons = json.loads((quarantine / "reasons.json").read_text())
    assert (report.samples, report.kept, report.by_reason) == (
        18,
        12,
        {"black": 6, "frozen": 3},
    )  # a black picture is also the very same one
    assert kept | bad == {found.sample_id for found in sample_format.iter_samples(tmp_path / "in")}
    assert bad == set(reasons)
    assert sample_format.check(tmp_path / "one") == []
    for path in (tmp_path / "one").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


def spoiled(folder, **columns):
    """A room of six whose second row has these values in the shard, whatever the format says of them."""
    capture(folder, rooms=1)
    path = folder / sample_format.shard_name(0)
    rows = pq.read_table(path).to_pylist()
    rows[1].update(columns)
    pq.write_table(pa.Table.from_pylist(rows, schema=sample_format.schema()), path)
    sample_format.write_manifest(folder, seed=1, origin={})


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"image": None}, "null in image"),
        ({"sample_id": None}, "null in sample_id"),
        ({"pose": None}, "null in pose"),
        ({"pose": {"x_m": 1.0, "y_m": None, "heading_rad": 0.0}}, "null in pose.y_m"),
        ({"ranges_m": [1.0, None]}, "null in ranges_m"),
        ({"objects": [{**THING, "class": None}]}, r"null in objects\[0\]\.class"),
        ({"objects": None, "draws": None}, "null in objects, draws"),
        ({"floor_under": "lava"}, "unknown floor 'lava'"),
        ({"image": b"garbage", "segmentation": b"xx"}, "unreadable"),
        ({"segmentation": b"xx"}, "labels: segmentation"),
    ],
)
def test_a_row_that_is_no_sample_is_named_by_check_and_set_apart_by_clean(tmp_path, columns, told):
    spoiled(tmp_path / "in", **columns)

    problems = sample_format.check(tmp_path / "in")
    report = quality.clean(tmp_path / "in", tmp_path / "out", progress=silent, workers=1)

    assert len(problems) == 1 and re.search(told, problems[0])
    assert (report.samples, report.kept, report.unreadable_shards) == (6, 5, ())
    quarantine = tmp_path / "out" / "quarantine"
    ((reason,),) = json.loads((quarantine / "reasons.json").read_text()).values()
    assert re.search(told, reason)
    (kept,) = pq.read_table(quarantine / sample_format.shard_name(0)).to_pylist()
    assert {name: kept[name] for name in columns} == columns
    assert sample_format.check(tmp_path / "out") == []


def test_every_repeated_or_nameless_row_is_counted(tmp_path):
    capture(tmp_path / "in", rooms=1)
    path = tmp_path / "in" / sample_format.shard_name(0)
    rows = pq.read_table(path).to_pylist()
    for number, row in enumerate(rows):
        row["sample_id"] = None if number > 3 else "same"
    pq.write_table(pa.Table.from_pylist(rows, schema=sample_format.schema()), path)

    report = quality.clean(tmp_path / "in", tmp_path / "out", progress=silent, workers=1)

    assert (report.samples, report.kept, report.quarantined) == (6, 1, 5)


@given(change=st.dictionaries(
    st.sampled_from(["image", "segmentation", "instances"]), st.one_of(st.none(), st.binary(max_size=40)), min_size=1
))  # fmt: skip
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_make_check_or_clean_fail_and_they_agree(tmp_path, change):
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
        spoiled(Path(folder) / "in", **change)

        problems = sample_format.check(Path(folder) / "in")
        report = quality.clean(Path(folder) / "in", Path(folder) / "out", progress=silent, workers=1)

    assert bool(problems) == bool(report.quarantined)


def test_a_corrupt_shard_is_kept_aside_and_the_others_are_cleaned(tmp_path):
    capture(tmp_path / "in", rooms=3)
    (tmp_path / "in" / "shard-00001.parquet").write_bytes(b"PAR1 torn by a power cut")

    report = quality.clean(tmp_path / "in", tmp_path / "out", progress=silent, workers=1)

    assert report.kept == 12
    assert "shard-00001.parquet" in report.unreadable_shards[0]
    assert (tmp_path / "out/quarantine/corrupt-shard-00001.parquet").read_bytes() == b"PAR1 torn by a power cut"


def test_data_without_one_good_sample_leaves_nothing_behind(tmp_path):
    capture(tmp_path / "in", rooms=1, black_every=1)

    with pytest.raises(SampleError, match="none of 6 samples"):
        quality.clean(tmp_path / "in", tmp_path / "out", progress=silent, workers=1)

    assert not (tmp_path / "out").exists()


def test_cleaning_into_a_folder_above_the_samples_deletes_nothing(tmp_path):
    capture(tmp_path / "parent/caps", rooms=1, frames=2)
    (tmp_path / "parent/sibling").mkdir()

    for out in ("parent", "parent/caps"):
        with pytest.raises(OutFolderError, match="which is to be read"):
            quality.clean(tmp_path / "parent/caps", tmp_path / out, progress=silent, workers=1)

    assert sorted(path.name for path in (tmp_path / "parent").iterdir()) == ["caps", "sibling"]
    assert sample_format.check(tmp_path / "parent/caps") == []


def test_an_earlier_cleaning_is_replaced_unless_something_was_put_there(tmp_path):
    capture(tmp_path / "in", rooms=1, frames=2)
    for _ in range(2):
        quality.clean(tmp_path / "in", tmp_path / "out", progress=silent, workers=1)
    (tmp_path / "out/run").mkdir()

    with pytest.raises(OutFolderError, match="holds run, which is not of an earlier data clean"):
        quality.clean(tmp_path / "in", tmp_path / "out", progress=silent, workers=1)
