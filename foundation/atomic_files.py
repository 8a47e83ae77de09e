"""Files and folders that appear whole or not at all: temporary neighbour, fsync, rename, fsync of the folder."""

import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

_SYSTEM: Final = "lost+found"  # a file system's own, in its uppermost folder


def fsync_folder(folder: Path) -> None:
    """Make renames and links inside `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, data: bytes) -> None:
    """Replace `path` by `data`; after a crash at any moment it holds either the old or the new bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    fsync_folder(path.parent)


def write_text(path: Path, text: str) -> None:
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """JSON with sorted keys and a final newline: equal values give equal bytes."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True) + "\n")


@contextmanager
def staged_folder(folder: Path) -> Iterator[Path]:
    """A temporary neighbour to fill; it takes the name `folder` only when the block ends without an error.

    An existing `folder` is replaced as a whole. On error the temporary folder is removed and `folder` stays as it was.
    One that cannot be renamed (a mount point, the working folder) is filled instead: it is staged inside, and a crash
    while the finished names move up leaves some of them there; it must hold nothing but names that are replaced.
    Raises NotADirectoryError when `folder` is a file, and OSError (ENOTEMPTY) when one to fill holds anything else.
    """
    folder = folder.resolve()
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    inside = _stays(folder)
    near = folder if inside else folder.parent
    staging = Path(tempfile.mkdtemp(dir=near, prefix=f".{folder.name}.", suffix=".tmp"))
    try:
        yield staging
        os.chmod(staging, 0o755)
        _fsync_tree(staging)
        if inside:
            _fill(folder, staging)
        else:
            _replace(folder, staging)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def names_in(folder: Path) -> list[str]:
    """Sorted; what a killed `staged_folder` left inside, or a file system keeps there, is not of them."""
    left = re.compile(rf"\.{re.escape(folder.resolve().name)}\.\w{{8}}\.tmp")
    return sorted(path.name for path in _held(folder) if not left.fullmatch(path.name))


def _held(folder: Path) -> list[Path]:
    mounted = os.path.ismount(folder)
    return [path for path in folder.iterdir() if not (mounted and path.name == _SYSTEM)]


def _stays(folder: Path) -> bool:
    """Is `folder` there, and one that cannot be renamed, or beside which nothing may be written?"""
    return folder.is_dir() and (
        os.path.ismount(folder) or folder.samefile(os.curdir) or not os.access(folder.parent, os.W_OK)
    )


def _replace(folder: Path, staging: Path) -> None:
    retired = None
    if folder.exists():
        retired = staging.with_suffix(".old")
        try:
            os.rename(folder, retired)
        except OSError as error:
            if error.errno != errno.EBUSY:  # a folder of the same disk is mounted there
                raise
            _fill(folder, staging)
            return
    os.rename(staging, folder)
    if retired is not None:
        shutil.rmtree(retired)
    fsync_folder(folder.parent)


def _fill(folder: Path, staging: Path) -> None:
    """What `staging` holds in place of the same names in `folder`, which itself stays."""
    if set(names_in(folder)) - set(os.listdir(staging)):
        raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), str(folder))
    for path in _held(folder):
        if path == staging:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    for path in list(staging.iterdir()):
        shutil.move(path, folder / path.name)
    staging.rmdir()
    fsync_folder(folder)


def _fsync_tree(folder: Path) -> None:
    for parent, _, names in os.walk(folder):
        for name in names:
            handle = os.open(Path(parent, name), os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        fsync_folder(Path(parent))
