import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import fsspec
import pytest

from oxturn import lake
from oxturn.lake import LakeError, find, local_copy, produce


@pytest.fixture(params=["local", "memory"])
def root(request, tmp_path):
    if request.param == "local":
        yield tmp_path.as_uri()
    else:
        fsspec.filesystem("memory").store.clear()
        yield "memory://lake"


def writes(text, calls):
    def work(folder):
        calls.append(text)
        (folder / "sub").mkdir()
        (folder / "sub" / "file.txt").write_text(text)

    return work


def test_a_result_is_made_once_from_the_same_inputs(root):
    calls = []

    first = produce(f"{root}/a", ["seed 1"], writes("one", calls))
    second = produce(f"{root}/a", ["seed 1"], writes("one", calls))

    assert (first, second, calls) == (f"{root}/a", f"{root}/a", ["one"])
    with local_copy(first) as folder:
        assert (folder / "sub" / "file.txt").read_text() == "one"


def test_other_settings_make_it_again_and_leave_nothing_of_the_old(root):
    calls = []

    produce(f"{root}/a", ["seed 1"], writes("one", calls))
    produce(f"{root}/a", ["seed 2"], lambda folder: (folder / "other.txt").write_text("two"))

    with local_copy(f"{root}/a") as folder:
        assert sorted(p.name for p in folder.rglob("*") if p.is_file()) == ["_made.json", "other.txt"]


def test_what_was_made_from_a_result_is_made_again_only_when_the_result_changed(root):
    calls = []

    def chain(text):
        source = produce(f"{root}/source", [text], lambda folder: (folder / "f").write_text(text.strip()))
        produce(f"{root}/after", [source], writes(text, calls))

    chain("same")
    chain("same ")  # made anew, holds the same bytes
    chain("changed")

    assert calls == ["same", "changed"]


def test_work_that_fails_leaves_no_result_and_the_old_one_in_place(root):
    produce(f"{root}/a", ["1"], lambda folder: (folder / "f").write_text("old"))

    def breaks(folder):
        (folder / "f").write_text("half")
        raise RuntimeError("disk")

    with pytest.raises(RuntimeError):
        produce(f"{root}/a", ["2"], breaks)
    with pytest.raises(RuntimeError):
        produce(f"{root}/b", ["2"], breaks)

    assert find(f"{root}/b") is None
    with local_copy(f"{root}/a") as folder:
        assert (folder / "f").read_text() == "old"


def test_a_killed_worker_leaves_nothing_and_its_work_is_done_again(tmp_path):
    script = f"""
import os, signal
from oxturn.lake import produce
def work(folder):
    (folder / "f").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
produce({(tmp_path / "a").as_uri()!r}, ["1"], work)
"""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    killed = subprocess.run([sys.executable, "-c", script], env=env, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "a").exists()

    produce((tmp_path / "a").as_uri(), ["1"], lambda folder: (folder / "f").write_text("whole"))

    assert (tmp_path / "a" / "f").read_text() == "whole"


def test_a_result_whose_files_were_changed_is_refused():
    uri = produce("memory://lake/tampered", ["1"], lambda folder: (folder / "f").write_text("true"))
    fsspec.filesystem("memory").pipe_file("/lake/tampered/f", b"false")

    with pytest.raises(LakeError, match="marker says"), local_copy(uri):
        pass


@pytest.mark.parametrize("marker", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"key": "k"}'])
def test_a_torn_marker_is_no_result(tmp_path, marker):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "_made.json").write_bytes(marker)

    assert find((tmp_path / "a").as_uri()) is None


def test_what_is_not_there_is_one_clear_line(tmp_path):
    with pytest.raises(LakeError, match="no finished result"), local_copy((tmp_path / "a").as_uri()):
        pass
    with pytest.raises(LakeError, match="no such folder"):
        lake.listed((tmp_path / "a").as_uri(), ".parquet")
    with pytest.raises(LakeError, match="not found"):
        lake.fetch((tmp_path / "a").as_uri(), tmp_path / "b")
    with pytest.raises(LakeError, match="carrier-pigeon"):
        find("carrier-pigeon://lake/a")


def test_files_are_listed_by_ending_and_fetched(root, tmp_path):
    produce(f"{root}/a", [], lambda folder: [(folder / n).write_text(n) for n in ("b.parquet", "a.parquet", "c.json")])

    found = lake.listed(f"{root}/a", ".parquet")
    lake.fetch(found[0], tmp_path / "copy")

    assert [uri.rsplit("/", 1)[1] for uri in found] == ["a.parquet", "b.parquet"]
    assert (tmp_path / "copy").read_text() == "a.parquet"
    assert lake.fingerprint(found[0]) != lake.fingerprint(found[1])


def test_the_digest_knows_names_and_bytes(tmp_path):
    def of(files):
        folder = tmp_path / json.dumps(files).translate(str.maketrans('{}": ,', "______"))
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
        return lake.digest(folder)

    assert len({of({"a": "1"}), of({"a": "2"}), of({"b": "1"}), of({"a": "1", "b": ""}), of({})}) == 5
    assert of({"a": "1", "_made.json": "x"}) == of({"a": "1", "_made.json": "y"})
