"""An .npz comes back as it was written, and no bytes do more than be refused."""

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.array_file import read_arrays
from foundation.errors import ArrayFileError


def written(save=np.savez_compressed) -> bytes:
    data = io.BytesIO()
    save(data, inputs=np.arange(60, dtype=np.uint8).reshape(4, 5, 3), groups=np.array(["a", "b"]))
    return data.getvalue()


WHOLE = (written(), written(np.savez))


def test_arrays_come_back(tmp_path: Path):
    (tmp_path / "a.npz").write_bytes(WHOLE[0])

    arrays = read_arrays(tmp_path / "a.npz")

    assert list(arrays) == ["inputs", "groups"]
    assert np.array_equal(arrays["inputs"].ravel(), np.arange(60))


@pytest.mark.parametrize("data", [b"", b"PK", WHOLE[0][:-30], WHOLE[1][:100], b"text", b"\x80\x04N."])
def test_an_empty_or_torn_file_is_named_in_one_line(tmp_path: Path, data: bytes):
    (tmp_path / "a.npz").write_bytes(data)

    with pytest.raises(ArrayFileError, match=r"^\S*a\.npz: .+$") as error:
        read_arrays(tmp_path / "a.npz")

    assert "\n" not in str(error.value)


def test_no_file_a_folder_and_a_single_array_are_refused(tmp_path: Path):
    np.save(tmp_path / "one.npy", np.zeros(3))

    for name in ("missing.npz", ".", "one.npy"):
        with pytest.raises(ArrayFileError):
            read_arrays(tmp_path / name)


@pytest.mark.filterwarnings("ignore::UserWarning")  # of numpy, at a header that an older Python may have written
@given(st.sampled_from(WHOLE), st.lists(st.tuples(st.integers(0, 900), st.integers(0, 255)), min_size=1, max_size=6))
def test_no_flipped_bytes_raise_anything_else(tmp_path_factory, data: bytes, flips: list[tuple[int, int]]):
    path, spoilt = tmp_path_factory.getbasetemp() / "flipped.npz", bytearray(data)
    for place, value in flips:
        spoilt[place % len(spoilt)] = value
    path.write_bytes(spoilt)

    try:
        held, told = read_arrays(path), None
    except ArrayFileError as error:
        held, told = {}, str(error)

    assert all(isinstance(values, np.ndarray) for values in held.values())
    assert told is None or ("flipped.npz" in told and "\n" not in told)
