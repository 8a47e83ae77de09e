"""Samples survive the disk; whatever is not a sample is refused with its place."""

import dataclasses
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from room_samples import capture, sample

from perception import sample_format
from perception.errors import SampleError


def test_a_sample_reads_back_as_it_was_written(tmp_path):
    written = sample("room-1", 3, seed=5)
    written = dataclasses.replace(written, ranges_m=np.array([0.5, np.inf, np.nan]))
    path = tmp_path / sample_format.shard_name(0)

    sample_format.write_shard(path, [written])
    (read,) = sample_format.read_shard(path)

    np.testing.assert_array_equal(read.ranges_m, written.ranges_m)
    same = dataclasses.replace(read, ranges_m=written.ranges_m)
    assert same == written


def test_equal_rows_give_equal_bytes(tmp_path):
    rows = [sample("room-1", number, seed=5) for number in range(4)]

    for name in ("a", "b"):
        sample_format.write_shard(tmp_path / name, rows)

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_sound_folder_has_no_problems_and_a_hash_of_its_bytes(tmp_path):
    first = capture(tmp_path / "a", rooms=2)
    again = capture(tmp_path / "b", rooms=2)
    other = capture(tmp_path / "c", rooms=2, seed=2)

    assert sample_format.check(tmp_path / "a") == []
    assert first.dataset_hash == again.dataset_hash != other.dataset_hash
    assert first.samples == len(list(sample_format.iter_samples(tmp_path / "a"))) == 12


def test_check_names_what_was_changed_lost_and_added(tmp_path):
    capture(tmp_path, rooms=3)
    (tmp_path / "shard-00000.parquet").unlink()
    sample_format.write_shard(tmp_path / "shard-00001.parquet", [sample("elsewhere", 0, seed=9)])
    sample_format.write_shard(tmp_path / "shard-00007.parquet", [])

    problems = "\n".join(sample_format.check(tmp_path))

    assert "shard-00000.parquet: is in the manifest but not in the folder" in problems
    assert "shard-00001.parquet: bytes differ" in problems
    assert "group elsewhere is not in the manifest" in problems
    assert "1 samples, the manifest says 6" in problems
    assert "shard-00007.parquet: lies in the folder but not in the manifest" in problems


@pytest.mark.parametrize("data", [b"", b"<html>not found</html>", b"PAR1" + bytes(64)])
def test_a_shard_that_is_no_parquet_is_refused_by_name(tmp_path, data):
    path = tmp_path / "shard-00000.parquet"
    path.write_bytes(data)

    with pytest.raises(SampleError, match=r"shard-00000\.parquet"):
        list(sample_format.read_shard(path))


def test_missing_columns_are_named(tmp_path):
    pq.write_table(pa.table({"sample_id": ["a"], "image": [b"x"]}), tmp_path / "s.parquet")

    with pytest.raises(SampleError, match="lacks the columns group, stamp_s"):
        list(sample_format.read_shard(tmp_path / "s.parquet"))


def test_a_shard_of_before_lacks_the_beams_classes_and_is_read(tmp_path):
    path = tmp_path / "s.parquet"
    sample_format.write_shard(path, [sample("room-1", 0, seed=5)])
    pq.write_table(pq.read_table(path).drop_columns(["beam_classes"]), path)

    (held,) = sample_format.read_shard(path)

    assert held.beam_classes == b""
    assert held.sample_id == sample("room-1", 0, seed=5).sample_id


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"beam_classes": b"12"}, "2 beam_classes for"),
        ({"floor_under": "lava"}, "unknown floor 'lava'"),
        ({"provenance": "guess"}, "unknown provenance 'guess'"),
        ({"objects": "dragon"}, "unknown class 'dragon'"),
    ],
)
def test_words_that_the_format_does_not_know_are_refused(tmp_path, change, message):
    row = sample("room-1", 0, seed=5)
    if "objects" in change:
        change = {"objects": (dataclasses.replace(row.objects[0], class_name=change["objects"]),)}
    sample_format.write_shard(tmp_path / "s.parquet", [dataclasses.replace(row, **change)])

    with pytest.raises(SampleError, match=message):
        list(sample_format.read_shard(tmp_path / "s.parquet"))


def test_a_folder_without_a_manifest_says_what_to_do(tmp_path):
    with pytest.raises(SampleError, match="no samples here"):
        sample_format.load_manifest(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "oxturn samples", "version": 1}'])
def test_a_foreign_manifest_is_refused(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)

    with pytest.raises(SampleError, match=r"manifest\.json"):
        sample_format.load_manifest(tmp_path)


def test_a_manifest_cannot_point_outside_of_its_folder(tmp_path):
    capture(tmp_path, rooms=1)
    value = json.loads((tmp_path / "manifest.json").read_text())
    value["shards"][0]["name"] = "../../etc/passwd"
    (tmp_path / "manifest.json").write_text(json.dumps(value))

    with pytest.raises(SampleError, match="outside of the folder"):
        sample_format.load_manifest(tmp_path)
