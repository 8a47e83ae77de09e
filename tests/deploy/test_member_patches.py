"""Patches between archives of wheels: what both have is not sent; any bytes are a patch or refused."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.bundle_archive import pack
from deploy.member_patches import SENT, compress, decompress
from deploy.patches import compress as zstd
from deploy.update_errors import ArchiveError

CONTENTS = st.dictionaries(st.sampled_from("abcdef"), st.binary(max_size=1500), min_size=1)


@given(CONTENTS, CONTENTS)
def test_a_patch_gives_the_archive_again(base, archive):
    old, new = pack(base), pack(archive)

    assert decompress(compress(new, old), len(new), old) == new
    assert decompress(compress(new), len(new)) == new


def test_wheels_that_did_not_change_are_not_sent():
    rng = random.Random(1)
    same = {f"same{number}.whl": rng.randbytes(50_000) for number in range(5)}
    old, new = pack({**same, "oxturn.whl": rng.randbytes(9_000)}), pack({**same, "oxturn.whl": rng.randbytes(9_000)})

    assert len(compress(new)) > 250_000
    assert len(compress(new, old)) < 12_000


def patch_of(pieces: str, sent: bytes = b"") -> bytes:
    return zstd(len(pieces).to_bytes(4, "big") + pieces.encode() + sent)


@pytest.mark.parametrize(
    "patch",
    [
        patch_of("[[0, 11]]"),  # beyond the base
        patch_of("[[5, 10]]"),
        patch_of("[[-2, 3]]"),
        patch_of("[[0, -3]]"),
        patch_of(f"[[{SENT}, 4]]", b"abc"),
        patch_of("[[0, 3]]"),  # too short
        patch_of("[[0, 10], [0, 10]]"),  # too long
        patch_of("[3]"),
        patch_of("{"),
        b"no zstd",
    ],
)
def test_a_patch_that_does_not_fit_is_refused(patch):
    with pytest.raises(ArchiveError):
        decompress(patch, 10, b"0123456789")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_patch_or_refused(data):
    with pytest.raises(ArchiveError):
        decompress(data, 10**6 + len(data), b"base")


def test_what_is_no_archive_has_no_members():
    with pytest.raises(ArchiveError, match="not an archive"):
        compress(pack({"a": b"b"}), b"x" * 600)
