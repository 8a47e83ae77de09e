import contextlib
import itertools
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navigation.grid_geometry import GridGeometry
from navigation.map_image import MapImageError, grey_pixels
from navigation.ros_map import RosMapError, read_map, write_map
from navigation.static_map import FREE, OCCUPIED, UNKNOWN

PIXELS = np.array([[0, 205, 254], [255, 100, 0]], np.uint8)


def pgm(pixels: np.ndarray) -> bytes:
    return f"P5\n# made by a test\n{pixels.shape[1]} {pixels.shape[0]}\n255\n".encode() + pixels.tobytes()


def png(pixels: np.ndarray, filters: list[int]) -> bytes:
    """Greyscale, row by row with the given filters."""
    rows, above = [], np.zeros(pixels.shape[1], int)
    for kind, row in zip(itertools.cycle(filters), pixels.astype(int)):
        if len(rows) == len(pixels):
            break
        left, corner = np.append(0, row[:-1]), np.append(0, above[:-1])
        guess = left + above - corner
        a, b, c = abs(guess - left), abs(guess - above), abs(guess - corner)
        paeth = np.where((a <= b) & (a <= c), left, np.where(b <= c, above, corner))
        minus = [0 * row, left, above, (left + above) // 2, paeth][kind]
        rows.append(bytes([kind]) + ((row - minus) % 256).astype(np.uint8).tobytes())
        above = row
    head = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b"")]
    body = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + body


def written(folder: Path, data: bytes, **keys: str) -> Path:
    (folder / "image.pgm").write_bytes(data)
    lines = {"image": "image.pgm", "resolution": "0.05", "origin": "[1.0, -2.0, 0.0]", **keys}
    (folder / "map.yaml").write_text("".join(f"{key}: {value}\n" for key, value in lines.items() if value))
    return folder / "map.yaml"


def test_thresholds_make_free_occupied_and_unknown_and_the_last_row_lies_at_the_origin(tmp_path: Path):
    found = read_map(written(tmp_path, pgm(PIXELS), occupied_thresh="0.65", free_thresh="0.196"))

    assert found.cells.tolist() == [[FREE, UNKNOWN, OCCUPIED], [OCCUPIED, UNKNOWN, FREE]]
    assert found.geometry == GridGeometry(1.0, -2.0, 0.05, 2, 3)


def test_negate_turns_black_into_free(tmp_path: Path):
    found = read_map(written(tmp_path, pgm(PIXELS), negate="1"))

    assert found.cells[0].tolist() == [OCCUPIED, UNKNOWN, FREE]


def test_what_is_written_is_read_again(tmp_path: Path):
    cells = np.random.default_rng(0).choice([FREE, OCCUPIED, UNKNOWN], (7, 5)).astype(np.int8)

    write_map(tmp_path, "map", cells, GridGeometry(0.5, 0.25, 0.025, 7, 5))

    assert np.array_equal(read_map(tmp_path / "map.yaml").cells, cells)


def test_a_turned_map_takes_points_there_and_back(tmp_path: Path):
    found = read_map(written(tmp_path, pgm(PIXELS), origin="[1.0, -2.0, 1.5707963]"))
    points = np.array([[1.0, -1.0], [3.0, 4.0]])

    assert np.allclose(found.to_map(found.to_grid(points)), points)
    assert np.allclose(found.to_grid(points)[0], [2.0, -2.0], atol=1e-6)


@settings(deadline=None)
@given(st.integers(0, 1000), st.lists(st.integers(0, 4), min_size=1, max_size=5))
def test_png_rows_of_every_filter_are_read(seed: int, filters: list[int]):
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 9)).astype(np.uint8)

    assert np.array_equal(grey_pixels(png(pixels, filters)), pixels)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"resolution": "0"}, "resolution is 0.0 m a cell"),
        ({"resolution": "nan"}, "must be finite"),
        ({"image": "gone.pgm"}, "gone.pgm cannot be read"),
        ({"image": ""}, "key image is missing"),
        ({"origin": "[a, b]"}, "must be numbers"),
        ({"mode": "sideways"}, "mode is sideways"),
    ],
)
def test_a_bad_yaml_is_refused_with_its_key(tmp_path: Path, keys: dict[str, str], told: str):
    with pytest.raises(RosMapError, match=told):
        read_map(written(tmp_path, pgm(PIXELS), **keys))


def test_a_huge_image_is_refused_before_its_pixels_are_touched():
    with pytest.raises(MapImageError, match=r"20000 x 20000 pixels, limit 64,000,000"):
        grey_pixels(b"P5\n20000 20000\n255\n")


@given(st.integers() | st.sampled_from([2**63 - 1, 2**63, -(2**63) - 1, 10**30, -1, 256]))
def test_a_pgm_in_words_holds_numbers_up_to_its_largest_or_is_one_error(value: int):
    data = f"P2\n2 1\n255\n7 {value}\n".encode()

    if 0 <= value <= 255:
        assert grey_pixels(data).tolist() == [[7, value]]
    else:
        with pytest.raises(MapImageError, match=r"(limits|from) 0 (and|to) 255"):
            grey_pixels(data)


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"P5\n3 2\n255\n", b"P2\n3 2\n255\n", b"\x89PNG\r\n\x1a\n", b""]))
def test_any_bytes_are_an_image_or_one_error(data: bytes, head: bytes):
    with contextlib.suppress(MapImageError):
        assert grey_pixels(head + data).ndim == 2
