"""A patch between two archives of wheels: members that both have are referred to, the rest is sent.

Wheels are compressed already, so that a quick byte-wise patch of a whole set finds nothing: 189 MB against 189 MB,
all but 0.3 MB of it equal, gave 189 MB. Between two versions most wheels are the same files. What comes out is checked
against the signed target.

    zstd( length of the list, 4 bytes | list as JSON: [offset in the base or -1, length] a piece | the sent pieces )
"""

import io
import json
import tarfile
from typing import Final

from deploy import patches
from deploy.bundle_archive import MAX_SOFTWARE_BYTES, sha256
from deploy.update_errors import ArchiveError

FAST_LEVEL: Final = 3
MAX_LIST_BYTES: Final = 256 * 1024
SENT: Final = -1


def compress(archive: bytes, base: bytes | None = None) -> bytes:
    """`archive` whole, or against the archive that the other side has."""
    if base is None:
        return patches.compress(archive, level=FAST_LEVEL)
    there = {sha256(base[start:end]): start for start, end in _members(base)}
    pieces: list[tuple[int, int]] = []
    sent = bytearray()
    done = 0
    for start, end in _members(archive):
        known = there.get(sha256(archive[start:end]))
        if known is not None:
            _send(pieces, sent, archive[done:start])
            pieces.append((known, end - start))
            done = end
    _send(pieces, sent, archive[done:])
    listed = json.dumps(pieces, separators=(",", ":")).encode()
    return patches.compress(len(listed).to_bytes(4, "big") + listed + bytes(sent), level=FAST_LEVEL)


def decompress(data: bytes, length: int, base: bytes | None = None) -> bytes:
    """Exactly `length` bytes. Raises ArchiveError for anything else."""
    if base is None:
        return patches.decompress(data, length)
    patch = patches.decompress_up_to(data, length + MAX_LIST_BYTES)
    end = 4 + int.from_bytes(patch[:4], "big")
    sent, there = memoryview(patch), memoryview(base)  # no second copy of a quarter of a gigabyte
    parts, sent_at, total = [], end, 0
    try:
        for offset, size in json.loads(patch[4:end]):
            source, start = (sent, sent_at) if offset == SENT else (there, int(offset))
            total += int(size)
            if size < 0 or start < 0 or start + size > len(source) or total > length:
                raise ArchiveError(f"the patch takes {size} bytes at {offset}: not there")
            parts.append(source[start : start + size])
            sent_at += size if offset == SENT else 0
    except (ValueError, TypeError) as error:
        raise ArchiveError(f"the patch's list cannot be read: {error}") from error
    if total != length:
        raise ArchiveError(f"the patch gives {total} bytes, signed are {length}")
    return b"".join(parts)


def _send(pieces: list[tuple[int, int]], sent: bytearray, data: bytes) -> None:
    if data:
        pieces.append((SENT, len(data)))
        sent += data


def _members(archive: bytes) -> list[tuple[int, int]]:
    """Where each member's content lies. Raises ArchiveError."""
    if len(archive) > MAX_SOFTWARE_BYTES:
        raise ArchiveError(f"archive is {len(archive)} bytes, limit {MAX_SOFTWARE_BYTES}")
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
            return [(member.offset_data, member.offset_data + member.size) for member in tar if member.size]
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise ArchiveError(f"not an archive of wheels: {error}") from error
