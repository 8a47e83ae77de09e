"""A file system in memory that forgets: after a power cut only what was fsynced is sure, the rest is drawn by chance.

File content that was not fsynced may be the old, empty, a prefix, zeros or the new. Of the names that changed in a
folder since its fsync, none, all, the first few or any of them may have reached the disk. Harsher than ext4 is.
"""

import errno
import random
from dataclasses import dataclass, field
from pathlib import Path


class PowerCut(BaseException):
    """Nothing in the program under test may catch it."""


@dataclass
class _File:
    data: bytes
    durable: bytes | None = None


@dataclass
class _Link:
    points_to: str


@dataclass
class _Folder:
    entries: dict = field(default_factory=dict)
    durable: dict = field(default_factory=dict)
    changes: list = field(default_factory=list)  # since the last fsync: [(name, node or None), ...] a step


class FakeDisk:
    """`deploy.disk.Disk`. Boundary number `cut_at` (from 1) raises PowerCut; writes from `full_at` on find no room."""

    def __init__(self) -> None:
        self.root = _Folder()
        self.boundaries: list[tuple[str, str]] = []  # (operation, path)
        self.cut_at: int | None = None
        self.full_at: int | None = None
        self.free = 10**12

    # -- what updates ask for

    def read(self, path: Path) -> bytes:
        node = self._node(path)
        if not isinstance(node, _File):
            raise FileNotFoundError(errno.ENOENT, "no such file", str(path))
        return node.data

    def exists(self, path: Path) -> bool:
        return self._node(path) is not None

    def is_folder(self, path: Path) -> bool:
        return isinstance(self._node(path), _Folder)

    def names(self, folder: Path) -> list[str]:
        node = self._node(folder)
        return sorted(node.entries) if isinstance(node, _Folder) else []

    def read_link(self, path: Path) -> str | None:
        node = self._node(path)
        return node.points_to if isinstance(node, _Link) else None

    def write(self, path: Path, data: bytes) -> None:
        cut = self._reached("write", path)
        room = None if self.full_at is None or len(self.boundaries) < self.full_at else len(data) // 2
        node = self._node(path)
        written = data[: len(data) // 2] if cut else data[:room]
        if isinstance(node, _File):
            node.data = written
        else:
            self._change(path.parent, (path.name, _File(written)))
        self._end(cut)
        if room is not None:
            raise OSError(errno.ENOSPC, "no space left on device", str(path))

    def fsync(self, path: Path) -> None:
        cut = self._reached("fsync", path)
        node = self._node(path)
        assert isinstance(node, _File)
        if not cut:
            node.durable = node.data
        self._end(cut)

    def fsync_folder(self, folder: Path) -> None:
        cut = self._reached("fsync_folder", folder)
        node = self._node(folder)
        assert isinstance(node, _Folder), folder
        if not cut:
            node.durable, node.changes = dict(node.entries), []
        self._end(cut)

    def rename(self, source: Path, target: Path) -> None:
        assert source.parent == target.parent, "a rename across folders is not one step"
        cut = self._reached("rename", target)
        node = self._node(source)
        if node is None:
            raise FileNotFoundError(errno.ENOENT, "no such file", str(source))
        there = self._node(target)
        if isinstance(there, _Folder) and there.entries:
            raise OSError(errno.ENOTEMPTY, "folder not empty", str(target))
        self._change(target.parent, (source.name, None), (target.name, node))
        self._end(cut)

    def symlink(self, points_to: str, path: Path) -> None:
        cut = self._reached("symlink", path)
        if self._node(path) is not None:
            raise FileExistsError(errno.EEXIST, "exists", str(path))
        self._change(path.parent, (path.name, _Link(points_to)))
        self._end(cut)

    def make_folder(self, path: Path) -> None:
        cut = self._reached("make_folder", path)
        if self._node(path) is None:
            self._change(path.parent, (path.name, _Folder()))
        self._end(cut)

    def remove(self, path: Path) -> None:
        if self._node(path) is None:
            return
        cut = self._reached("remove", path)
        self._change(path.parent, (path.name, None))
        self._end(cut)

    def remove_tree(self, path: Path) -> None:
        node = self._node(path)
        if isinstance(node, _Folder):
            for name in list(node.entries):
                self.remove_tree(path / name)
        self.remove(path)

    def sync(self) -> None:
        cut = self._reached("sync", Path("/"))
        if not cut:
            self.root = _copy(self.root)
        self._end(cut)

    def free_bytes(self, folder: Path) -> int:
        return self.free

    # -- what tests ask for

    def after_power_cut(self, rng: random.Random) -> "FakeDisk":
        """The disk as the next boot finds it."""
        disk = FakeDisk()
        disk.root = _survivor(self.root, rng)
        return disk

    def after_kill(self) -> "FakeDisk":
        """The process is gone, the kernel is not: everything written is there."""
        disk = FakeDisk()
        disk.root = _copy(self.root)
        return disk

    def put(self, path: Path, data: bytes) -> None:
        """From outside the program: a pushed file. Its name and bytes are as unsure as any."""
        if self._node(path) is None:
            self._change(path.parent, (path.name, _File(data)))
        else:
            self._node(path).data = data

    # -- inside

    def _reached(self, operation: str, path: Path) -> bool:
        self.boundaries.append((operation, str(path)))
        return len(self.boundaries) == self.cut_at

    def _end(self, cut: bool) -> None:
        if cut:
            raise PowerCut

    def _node(self, path: Path):
        node = self.root
        for part in path.parts[1:]:
            if not isinstance(node, _Folder) or part not in node.entries:
                return None
            node = node.entries[part]
        return node

    def _change(self, folder: Path, *step) -> None:
        node = self._node(folder)
        if not isinstance(node, _Folder):
            raise FileNotFoundError(errno.ENOENT, "no such folder", str(folder))
        node.changes.append(step)
        _apply(node.entries, step)


def _apply(entries: dict, step) -> None:
    for name, node in step:
        if node is None:
            entries.pop(name, None)
        else:
            entries[name] = node


def _survivor(node, rng: random.Random):
    if isinstance(node, _Link):
        return node
    if isinstance(node, _File):
        data = node.data if node.durable == node.data else rng.choice(_possible(node, rng))
        return _File(data, data)
    kept = rng.choice(("none", "all", "first", "any"))
    count = rng.randint(0, len(node.changes))
    changes = {
        "none": [],
        "all": node.changes,
        "first": node.changes[:count],
        "any": [step for step in node.changes if rng.random() < 0.5],
    }[kept]
    entries = dict(node.durable)
    for step in changes:
        _apply(entries, step)
    survived = {name: _survivor(child, rng) for name, child in entries.items()}
    return _Folder(survived, dict(survived))


def _possible(file: _File, rng: random.Random) -> list[bytes]:
    cut = rng.randint(0, len(file.data))
    return [file.durable or b"", b"", file.data[:cut], bytes(len(file.data)), file.data]


def _copy(node):
    if isinstance(node, _Link):
        return node
    if isinstance(node, _File):
        return _File(node.data, node.data)
    entries = {name: _copy(child) for name, child in node.entries.items()}
    return _Folder(entries, dict(entries))
