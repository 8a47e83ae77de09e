"""The few things that updates ask of a file system, as a seam: a test can lose whatever was not fsynced.

`write` and `rename` promise nothing after a power cut until `fsync` of the file and of its folder returned.
"""

import os
import shutil
from pathlib import Path
from typing import Protocol

from foundation.atomic_files import fsync_folder


class Disk(Protocol):
    """Missing files raise FileNotFoundError, a full disk OSError; everything else is as POSIX has it."""

    def read(self, path: Path) -> bytes: ...
    def exists(self, path: Path) -> bool: ...
    def is_folder(self, path: Path) -> bool: ...
    def names(self, folder: Path) -> list[str]: ...
    def read_link(self, path: Path) -> str | None: ...
    def write(self, path: Path, data: bytes) -> None: ...
    def fsync(self, path: Path) -> None: ...
    def fsync_folder(self, folder: Path) -> None: ...
    def rename(self, source: Path, target: Path) -> None: ...
    def symlink(self, points_to: str, path: Path) -> None: ...
    def make_folder(self, path: Path) -> None: ...
    def remove(self, path: Path) -> None: ...
    def remove_tree(self, path: Path) -> None: ...
    def sync(self) -> None: ...
    def free_bytes(self, folder: Path) -> int: ...


class PosixDisk:
    """The real one."""

    def read(self, path: Path) -> bytes:
        return path.read_bytes()

    def exists(self, path: Path) -> bool:
        return os.path.lexists(path)

    def is_folder(self, path: Path) -> bool:
        return path.is_dir() and not path.is_symlink()

    def names(self, folder: Path) -> list[str]:
        try:
            return sorted(os.listdir(folder))
        except FileNotFoundError:
            return []

    def read_link(self, path: Path) -> str | None:
        try:
            return os.readlink(path)
        except OSError:
            return None

    def write(self, path: Path, data: bytes) -> None:
        path.write_bytes(data)

    def fsync(self, path: Path) -> None:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def fsync_folder(self, folder: Path) -> None:
        fsync_folder(folder)

    def rename(self, source: Path, target: Path) -> None:
        os.rename(source, target)

    def symlink(self, points_to: str, path: Path) -> None:
        os.symlink(points_to, path)

    def make_folder(self, path: Path) -> None:
        path.mkdir(exist_ok=True)

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def remove_tree(self, path: Path) -> None:
        if path.exists():
            shutil.rmtree(path)

    def sync(self) -> None:
        """Everything that any program wrote: an environment's ten thousand files at once. Linux waits for the disk."""
        os.sync()

    def free_bytes(self, folder: Path) -> int:
        return shutil.disk_usage(folder).free


def replace_file(disk: Disk, path: Path, data: bytes) -> None:
    """After a power cut at any moment `path` holds the old or the new bytes, whole; on return the new ones for good."""
    staged = path.with_name(f".{path.name}.new")
    disk.write(staged, data)
    disk.fsync(staged)
    disk.rename(staged, path)
    disk.fsync_folder(path.parent)


def replace_link(disk: Disk, path: Path, points_to: str) -> None:
    """Swap a symbolic link in one step: no moment without it, none with a half one."""
    staged = path.with_name(f".{path.name}.new")
    disk.remove(staged)
    disk.symlink(points_to, staged)
    disk.rename(staged, path)
    disk.fsync_folder(path.parent)


def write_folder(disk: Disk, folder: Path, files: dict[str, bytes]) -> None:
    """Fill `folder` (made here) with `files` by relative path; on return every byte and every name is on the disk."""
    folders = {folder}
    disk.make_folder(folder)
    for name in sorted(files):
        path = folder / name
        for parent in reversed([parent for parent in path.parents if folder in parent.parents]):
            if parent not in folders:
                disk.make_folder(parent)
                folders.add(parent)
        disk.write(path, files[name])
        disk.fsync(path)
    for parent in sorted(folders, key=lambda one: len(one.parts), reverse=True):
        disk.fsync_folder(parent)


def read_folder(disk: Disk, folder: Path) -> dict[str, bytes]:
    """Every file below `folder` by relative POSIX path; a link raises OSError (no publisher of ours makes one)."""
    files: dict[str, bytes] = {}
    for name in disk.names(folder):
        path = folder / name
        if disk.read_link(path) is not None:
            raise OSError(f"{path} is a link")
        if disk.is_folder(path):
            files.update({f"{name}/{inner}": data for inner, data in read_folder(disk, path).items()})
        else:
            files[name] = disk.read(path)
    return files
