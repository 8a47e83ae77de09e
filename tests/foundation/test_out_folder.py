"""A place to write is new, empty or ours: whatever else lies there stays."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation import out_folder
from foundation.atomic_files import names_in
from foundation.errors import OutFolderError


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "captures" / "cap"
    folder.mkdir(parents=True)
    return folder


def test_a_new_folder_an_empty_one_and_an_earlier_one_of_the_verb_are_taken(tmp_path, source):
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    out_folder.require_marked(earlier, "data split", source=source)
    (earlier / "train").mkdir()
    out_folder.mark(earlier, "data split")

    out_folder.require_marked(earlier, "data split", source=source)
    out_folder.require_marked(tmp_path / "new", "data split", source=source)
    assert names_in(earlier) == [out_folder.MARK, "train"] and not (tmp_path / "new").exists()


@pytest.mark.parametrize("added", ["notes.txt", ".git", "captures"])
def test_a_name_that_the_verb_did_not_write_is_somebody_elses(tmp_path, source, added):
    out = tmp_path / "out"
    out.mkdir()
    out_folder.mark(out, "data split")
    (out / added).mkdir()

    with pytest.raises(OutFolderError, match=f"holds {added}, which is not of an earlier data split"):
        out_folder.require_marked(out, "data split", source=source)


def test_another_verbs_folder_is_refused(tmp_path, source):
    out = tmp_path / "out"
    out.mkdir()
    out_folder.mark(out, "data clean")

    with pytest.raises(OutFolderError, match="not of an earlier data split"):
        out_folder.require_marked(out, "data split", source=source)


@settings(deadline=None)  # it writes files
@given(
    st.binary(max_size=40)
    | st.sampled_from([b"[]", b"{}", b'{"kind": "data split"}', b'{"kind": "data split", "holds": 3}'])
)
def test_a_mark_that_is_none_makes_nothing_ours(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("marked")
    (folder / out_folder.MARK).write_bytes(text)

    with pytest.raises(OutFolderError):
        out_folder.require_marked(folder, "data split", source=folder / "elsewhere" / "cap")


@pytest.mark.parametrize("out", ["captures", "captures/cap", ".", "captures/../captures", "link"])
def test_a_folder_that_holds_the_source_is_refused(tmp_path, source, out):
    (tmp_path / "link").symlink_to(source.parent)

    with pytest.raises(OutFolderError, match="which is to be read"):
        out_folder.require_marked(tmp_path / out, "data clean", source=source)


def test_a_folder_inside_of_the_source_is_taken(source):
    out_folder.require_marked(source / "clean", "data clean", source=source)
    assert not (source / "clean").exists()


def test_a_file_is_refused(tmp_path, source):
    (tmp_path / "file").write_text("mine")

    with pytest.raises(OutFolderError, match="is a file"):
        out_folder.require_marked(tmp_path / "file", "data clean", source=source)


def test_what_a_killed_work_left_inside_is_nobodys_file(tmp_path):
    (tmp_path / f".{tmp_path.name}.ab12cd_3.tmp").mkdir()
    (tmp_path / ".mine.tmp").mkdir()

    assert names_in(tmp_path) == [".mine.tmp"]
