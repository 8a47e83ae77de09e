"""The robot's end of SFTP: one flat folder of plain files, a quota, and nothing else of the disk.

Served over standard input and output as OpenSSH's forced command, so that no other subsystem is reachable.
"""

import errno
import os
import re
import sys
from pathlib import Path
from typing import Any, Final

import paramiko
from paramiko import SFTPAttributes, SFTPHandle, SFTPServer, SFTPServerInterface
from paramiko.sftp import SFTP_FAILURE, SFTP_NO_SUCH_FILE, SFTP_OK, SFTP_PERMISSION_DENIED
from typing_extensions import Buffer

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,159}")
MAX_TOTAL_BYTES: Final = 512 * 2**20  # a model's archive and a whole set of wheels
MAX_FILES: Final = 200


class IncomingFolder(SFTPServerInterface):
    """Plain names only: no folders, links, devices or attributes; a write past the quota fails."""

    def __init__(self, server: paramiko.ServerInterface, folder: Path) -> None:
        super().__init__(server)
        self._folder = folder

    def used_bytes(self) -> int:
        return sum(entry.stat(follow_symlinks=False).st_size for entry in os.scandir(self._folder))

    def list_folder(self, path: str) -> list[SFTPAttributes] | int:
        if path.strip("/.") != "":
            return SFTP_PERMISSION_DENIED
        entries = sorted(os.scandir(self._folder), key=lambda entry: entry.name)
        return [SFTPAttributes.from_stat(entry.stat(follow_symlinks=False), entry.name) for entry in entries]

    def stat(self, path: str) -> SFTPAttributes | int:
        found = self._plain(path)
        if found is None:
            return SFTP_PERMISSION_DENIED
        try:
            return SFTPAttributes.from_stat(os.lstat(found))
        except OSError as error:
            return _code(error)

    def lstat(self, path: str) -> SFTPAttributes | int:
        return self.stat(path)

    def open(self, path: str, flags: int, attr: SFTPAttributes) -> SFTPHandle | int:
        found = self._plain(path)
        if found is None:
            return SFTP_PERMISSION_DENIED
        if flags & os.O_CREAT and len(os.listdir(self._folder)) >= MAX_FILES:
            return SFTP_FAILURE
        try:
            descriptor = os.open(found, flags & ~os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            return _code(error)
        return _IncomingFile(descriptor, flags, self)

    def remove(self, path: str) -> int:
        return self._act(lambda: os.remove(self._must(path)))

    def rename(self, oldpath: str, newpath: str) -> int:
        return SFTP_PERMISSION_DENIED  # posix_rename is what `transport` uses

    def posix_rename(self, oldpath: str, newpath: str) -> int:
        return self._act(lambda: os.replace(self._must(oldpath), self._must(newpath)))

    def mkdir(self, path: str, attr: SFTPAttributes) -> int:
        return SFTP_PERMISSION_DENIED

    def symlink(self, target_path: str, path: str) -> int:
        return SFTP_PERMISSION_DENIED

    def chattr(self, path: str, attr: SFTPAttributes) -> int:
        return SFTP_OK if self._plain(path) is not None else SFTP_PERMISSION_DENIED

    def _plain(self, path: str) -> Path | None:
        name = path.removeprefix("/")
        return self._folder / name if _NAME.fullmatch(name) else None

    def _must(self, path: str) -> Path:
        found = self._plain(path)
        if found is None:
            raise PermissionError(errno.EACCES, "outside the folder", path)
        return found

    @staticmethod
    def _act(action: Any) -> int:
        try:
            action()
        except OSError as error:
            return _code(error)
        return SFTP_OK


class _IncomingFile(SFTPHandle):
    """An open file that stops at the folder's quota."""

    def __init__(self, descriptor: int, flags: int, folder: IncomingFolder) -> None:
        super().__init__(flags)
        self._descriptor = descriptor
        self._folder = folder
        self._left = MAX_TOTAL_BYTES - folder.used_bytes()

    def read(self, offset: int, length: int) -> bytes | int:
        try:
            return os.pread(self._descriptor, min(length, 2**20), offset)
        except OSError as error:
            return _code(error)

    def write(self, offset: int, data: Buffer) -> int:
        view = memoryview(data)
        try:
            end = os.fstat(self._descriptor).st_size
            self._left -= max(0, offset + len(view) - end)
            if self._left < 0:
                return SFTP_FAILURE
            written = 0
            while written < len(view):
                written += os.pwrite(self._descriptor, view[written:], offset + written)
        except OSError as error:
            return _code(error)
        return SFTP_OK

    def stat(self) -> SFTPAttributes | int:
        return SFTPAttributes.from_stat(os.fstat(self._descriptor))

    def chattr(self, attr: SFTPAttributes) -> int:
        return SFTP_OK

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class _StandardStreams:
    """What paramiko's SFTP server needs of a channel, over this process's standard input and output."""

    def recv(self, count: int) -> bytes:
        return os.read(sys.stdin.fileno(), count)

    def send(self, data: bytes) -> int:
        return os.write(sys.stdout.fileno(), data)

    def get_name(self) -> str:
        return "stdio"

    def get_transport(self) -> "_StandardStreams":
        return self

    def get_log_channel(self) -> str:
        return "oxturn"

    def get_hexdump(self) -> bool:
        return False

    def close(self) -> None:
        pass


def serve(folder: Path) -> None:
    """Answer SFTP on standard input and output until the other side goes."""
    streams: Any = _StandardStreams()
    server = SFTPServer(streams, "sftp", paramiko.ServerInterface(), IncomingFolder, folder)
    server.start_subsystem("sftp", streams, streams)


def _code(error: OSError) -> int:
    if error.errno == errno.ENOENT:
        return SFTP_NO_SUCH_FILE
    return SFTP_PERMISSION_DENIED if error.errno in (errno.EACCES, errno.EPERM, errno.ELOOP) else SFTP_FAILURE
