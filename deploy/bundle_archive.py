"""A bundle's files as one archive and back: equal files give equal bytes, and nothing but plain files comes out.

The archive is an uncompressed tar with every variable field fixed, so that the robot can pack an installed bundle again
and compare it with the signed target, and so that a patch between two archives stays small. All in memory, no disk.
"""

import hashlib
import io
import tarfile
from pathlib import PurePosixPath
from typing import Final

from deploy.update_errors import ArchiveError

MAX_FILES: Final = 512
MAX_ARCHIVE_BYTES: Final = 64 * 2**20
MAX_SOFTWARE_BYTES: Final = 384 * 2**20  # a robot's wheels; see docs/ota.md


def pack(files: dict[str, bytes], *, limit_bytes: int = MAX_ARCHIVE_BYTES) -> bytes:
    """The archive of `files` by relative POSIX path; ArchiveError for names or sizes that `unpack` would refuse."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            member = tarfile.TarInfo(_checked_name(name))
            member.size = len(files[name])
            member.mode = 0o644
            archive.addfile(member, io.BytesIO(files[name]))
    data = buffer.getvalue()
    _check_limits(len(files), len(data), limit_bytes)
    return data


def unpack(data: bytes, *, limit_bytes: int = MAX_ARCHIVE_BYTES) -> dict[str, bytes]:
    """The files of an archive; ArchiveError for links, devices, foreign or repeated paths, too many or too large."""
    _check_limits(0, len(data), limit_bytes)
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for member in archive:
                name = _checked_name(member.name)
                if not member.isreg() or member.issparse():
                    raise ArchiveError(f"archive member {name!r} is not a plain file")
                if name in files:
                    raise ArchiveError(f"archive member {name!r} comes twice")
                _check_limits(len(files) + 1, len(data), limit_bytes)
                content = archive.extractfile(member)
                assert content is not None  # it is a regular file
                files[name] = content.read()  # raises ReadError where the archive ends early
    except (tarfile.TarError, EOFError, ValueError, UnicodeError) as error:
        raise ArchiveError(f"not a bundle archive: {error}") from error
    return files


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _checked_name(name: str) -> str:
    parts = PurePosixPath(name).parts
    plain = bool(parts) and "\\" not in name and "\0" not in name and str(PurePosixPath(name)) == name
    if not plain or name.startswith("/") or any(part in ("..", ".") or part.startswith(".") for part in parts):
        raise ArchiveError(f"archive member {name!r} does not stay inside the bundle")
    return name


def _check_limits(count: int, size_bytes: int, limit_bytes: int) -> None:
    if count > MAX_FILES:
        raise ArchiveError(f"archive has more than {MAX_FILES} files")
    if size_bytes > limit_bytes:
        raise ArchiveError(f"archive is {size_bytes} bytes, limit {limit_bytes}")
