import errno
import os
from pathlib import Path

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


def fill(folder, text="new"):
    with atomic_files.staged_folder(folder) as staging:
        (staging / "sub").mkdir()
        (staging / "sub" / "work").write_text(text)


def test_the_working_folder_is_filled_and_stays_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    number = os.stat(".").st_ino

    for text in ("first", "second"):
        fill(Path("."), text)

    assert os.stat(".").st_ino == tmp_path.stat().st_ino == number
    assert names(tmp_path) == ["sub"]
    assert Path("sub/work").read_text() == "second"


def test_a_folder_that_can_only_be_filled_keeps_what_is_not_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "thesis.tex").write_text("years of work")

    with pytest.raises(OSError, match="not empty"):
        fill(Path("."))

    assert names(tmp_path) == ["thesis.tex"]


def test_a_work_that_fails_in_the_working_folder_leaves_it_as_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old").write_text("old")

    with pytest.raises(ValueError, match="half way"), atomic_files.staged_folder(Path(".")) as staging:
        (staging / "new").write_text("new")
        raise ValueError("half way")

    assert names(tmp_path) == ["old"]


def test_a_mount_point_is_filled_and_the_file_systems_own_folder_stays(tmp_path, monkeypatch):
    disk = tmp_path / "disk"
    (disk / "lost+found").mkdir(parents=True)
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == disk)
    number = disk.stat().st_ino

    assert atomic_files.names_in(disk) == []
    fill(disk)

    assert disk.stat().st_ino == number
    assert names(disk) == ["lost+found", "sub"]
    assert names(tmp_path) == ["disk"]


def test_a_folder_of_the_same_disk_mounted_there_is_filled(tmp_path, monkeypatch):
    bound, rename = tmp_path / "bound", os.rename
    fill(bound, "old")

    def busy(old, new):
        if Path(old) == bound or Path(new) == bound:
            raise OSError(errno.EBUSY, "Device or resource busy", str(old))
        rename(old, new)

    monkeypatch.setattr(os, "rename", busy)
    fill(bound)

    assert names(bound) == ["sub"] and (bound / "sub" / "work").read_text() == "new"
    assert names(tmp_path) == ["bound"]


def test_a_link_to_a_folder_stays_a_link(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to("far")

    fill(tmp_path / "link")

    assert (tmp_path / "link").is_symlink()
    assert names(tmp_path / "far") == ["sub"]
    assert names(tmp_path) == ["far", "link"]


def test_a_file_is_not_replaced_by_a_folder(tmp_path):
    (tmp_path / "file").write_text("mine")

    with pytest.raises(NotADirectoryError):
        fill(tmp_path / "file")

    assert (tmp_path / "file").read_text() == "mine"
    assert names(tmp_path) == ["file"]
