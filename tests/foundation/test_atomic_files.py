import os

import pytest

from foundation import atomic_files


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_written_file_holds_the_bytes_and_leaves_no_neighbour(tmp_path):
    atomic_files.write_bytes(tmp_path / "new" / "map.pgm", b"P5")

    assert (tmp_path / "new" / "map.pgm").read_bytes() == b"P5"
    assert names(tmp_path / "new") == ["map.pgm"]


def test_a_failing_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "state.json"
    atomic_files.write_json(path, {"a": 1})

    def full_disk(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        atomic_files.write_json(path, {"a": 2})

    assert path.read_text() == '{\n "a": 1\n}\n'
    assert names(tmp_path) == ["state.json"]


def test_equal_values_give_equal_bytes(tmp_path):
    atomic_files.write_json(tmp_path / "a", {"x": 1, "y": [1.5]})
    atomic_files.write_json(tmp_path / "b", {"y": [1.5], "x": 1})

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_staged_folder_appears_whole_and_replaces_the_old_one(tmp_path):
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "old").write_text("old")

    with atomic_files.staged_folder(folder) as staging:
        (staging / "new").write_text("new")
        assert names(folder) == ["old"]

    assert names(folder) == ["new"]
    assert names(tmp_path) == ["bundle"]


def test_a_staged_folder_that_fails_leaves_nothing_new(tmp_path):
    with pytest.raises(ValueError, match="half way"), atomic_files.staged_folder(tmp_path / "bundle") as staging:
        (staging / "new").write_text("new")
        raise ValueError("half way")

    assert names(tmp_path) == []
