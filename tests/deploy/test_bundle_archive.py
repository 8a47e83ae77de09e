"""Archives: equal files give equal bytes, hostile ones are refused."""

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.bundle_archive import MAX_ARCHIVE_BYTES, MAX_FILES, pack, unpack
from deploy.patches import compress, decompress
from deploy.update_errors import ArchiveError

names = st.from_regex(r"[a-z][a-z0-9_]{0,8}(/[a-z][a-z0-9.]{0,6})?", fullmatch=True)


def tar(*members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for member, data in members:
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def member(name, data=b"x", kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(data) if kind == tarfile.REGTYPE else 0, kind, link
    return info, data


@given(st.dictionaries(names, st.binary(max_size=600), max_size=6))
def test_files_survive_the_archive(files):
    assert unpack(pack(files)) == files


@given(st.dictionaries(names, st.binary(max_size=50), max_size=6), st.randoms())
def test_the_order_of_files_changes_nothing(files, rng):
    shuffled = list(files.items())
    rng.shuffle(shuffled)

    assert pack(dict(shuffled)) == pack(files)


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", "./x", "a//b", ".ssh/x", "a/.b", "a\\b", ""])
def test_foreign_paths_are_refused(name):
    with pytest.raises(ArchiveError):
        unpack(tar(member(name)))
    with pytest.raises(ArchiveError, match="does not stay inside"):
        pack({name: b"x"})


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_anything_but_plain_files_is_refused(kind):
    with pytest.raises(ArchiveError, match="plain file"):
        unpack(tar(member("x", b"", kind, "/etc/passwd")))


def test_a_name_that_comes_twice_is_refused():
    with pytest.raises(ArchiveError, match="twice"):
        unpack(tar(member("x"), member("x")))


def test_too_many_files_are_refused():
    many = tar(*(member(f"f{number}", b"") for number in range(MAX_FILES + 1)))

    with pytest.raises(ArchiveError, match="more than"):
        unpack(many)


def test_too_large_an_archive_is_refused():
    with pytest.raises(ArchiveError, match="limit"):
        unpack(bytes(MAX_ARCHIVE_BYTES + 1))


def test_an_archive_that_ends_early_is_refused():
    with pytest.raises(ArchiveError):
        unpack(tar(member("x", b"y" * 2000))[:1500])


@given(st.binary(min_size=1, max_size=2000).filter(lambda data: any(data[:512])))
def test_bytes_that_are_no_archive_are_refused(data):
    with pytest.raises(ArchiveError):
        unpack(data)


@given(st.dictionaries(st.integers(0, 1100), st.integers(0, 255), min_size=1, max_size=4))
def test_a_damaged_archive_is_refused_or_holds_files_that_may_be_packed(damage):
    data = bytearray(pack({"a/model.onnx": b"weights", "manifest.json": b"{}"}))
    for at, value in damage.items():
        data[at] = value

    try:
        files = unpack(bytes(data))
    except ArchiveError:
        return

    assert unpack(pack(files)) == files  # names stay inside, none twice: `pack` refuses the rest


@given(st.binary(max_size=3000), st.binary(max_size=3000))
def test_a_patch_gives_the_archive_again(base, archive):
    assert decompress(compress(archive, base), len(archive), base) == archive


def test_a_small_change_is_a_small_patch():
    base = b"".join(number.to_bytes(4, "big") * 7 for number in range(20_000))
    archive = base[:1000] + b"changed" + base[1007:]

    assert len(compress(archive, base)) < 200


@given(st.binary(max_size=300))
def test_any_bytes_are_a_patch_or_refused(data):
    with pytest.raises(ArchiveError):
        decompress(data, 10**9 + len(data), b"base")
