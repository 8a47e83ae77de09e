"""A bundle's way over the wire: zstd, whole or as a patch against the archive that the robot has.

Neither form is signed: what comes out is checked against the signed target. Output is bounded by the signed length.
"""

import io
from typing import Final

import zstandard

from deploy.update_errors import ArchiveError

LEVEL: Final = 19
MAX_WINDOW_BYTES: Final = 2**27


def compress(archive: bytes, base: bytes | None = None, *, level: int = LEVEL) -> bytes:
    """`archive` compressed, against `base` when the other side has it."""
    window_log = min(27, max(10, (len(archive) + len(base or b"")).bit_length()))
    parameters = zstandard.ZstdCompressionParameters.from_level(
        level, window_log=window_log, enable_ldm=base is not None
    )
    dictionary = _dictionary(base)
    return zstandard.ZstdCompressor(dict_data=dictionary, compression_params=parameters).compress(archive)


def decompress(data: bytes, length: int, base: bytes | None = None) -> bytes:
    """Exactly `length` bytes. Raises ArchiveError for anything else, having read no more than that."""
    archive = decompress_up_to(data, length + 1, base)
    if len(archive) != length:
        raise ArchiveError(f"what was sent unpacks to {len(archive)} or more bytes, signed are {length}")
    return archive


def decompress_up_to(data: bytes, limit_bytes: int, base: bytes | None = None) -> bytes:
    """What was sent, no more than `limit_bytes` of it. Raises ArchiveError."""
    decompressor = zstandard.ZstdDecompressor(dict_data=_dictionary(base), max_window_size=MAX_WINDOW_BYTES)
    try:
        with decompressor.stream_reader(io.BytesIO(data)) as reader:
            return bytes(reader.read(limit_bytes))
    except zstandard.ZstdError as error:
        raise ArchiveError(f"what was sent cannot be unpacked: {error}") from error


def _dictionary(base: bytes | None) -> zstandard.ZstdCompressionDict | None:
    return None if base is None else zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
