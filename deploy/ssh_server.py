"""An SSH server of paramiko for machines without OpenSSH: one key, and the forced command for whatever is asked.

It keeps sshd's contract with the command: the client's wish in SSH_ORIGINAL_COMMAND, the channel on standard streams.
"""

import contextlib
import logging
import os
import socket
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)

from deploy.transport import parse_public_key

_LOG: Final = f"{__name__}.paramiko"  # paramiko calls a client that hangs up an error, and tells it on the console
logging.getLogger(_LOG).setLevel(logging.CRITICAL)


class EmbeddedServer:
    """`with EmbeddedServer(...) as server: server.port`; a thread a connection, a process a channel."""

    def __init__(self, host: str, host_key_file: Path, authorized_key: str, command: Sequence[str]) -> None:
        self._host = host
        self._host_key = paramiko.Ed25519Key.from_private_key_file(str(host_key_file))
        self._authorized = parse_public_key(authorized_key)[1]
        self._command = list(command)
        self._transports: list[paramiko.Transport] = []
        self.port = 0

    def __enter__(self) -> "EmbeddedServer":
        self._listener = socket.create_server((self._host, 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, name="ssh-accept", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(timeout=5)
        for transport in self._transports:
            transport.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # closed
            transport = paramiko.Transport(connection)
            transport.set_log_channel(_LOG)
            transport.add_server_key(self._host_key)
            self._transports.append(transport)
            with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
                transport.start_server(event=threading.Event(), server=_Gate(self._authorized, self._command))


class _Gate(paramiko.ServerInterface):
    """Lets one public key in, to session channels alone."""

    def __init__(self, authorized: paramiko.PKey, command: list[str]) -> None:
        self._authorized = authorized
        self._command = command

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return AUTH_SUCCESSFUL if key == self._authorized else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        return self._start(channel, command.decode(errors="replace"))

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        return name == "sftp" and self._start(channel, "internal-sftp")

    def _start(self, channel: paramiko.Channel, wish: str) -> bool:
        environment = {"PATH": os.environ.get("PATH", ""), "SSH_ORIGINAL_COMMAND": wish}
        threading.Thread(target=_bridge, args=(channel, self._command, environment), daemon=True).start()
        return True


def _bridge(channel: paramiko.Channel, command: list[str], environment: dict[str, str]) -> None:
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, bufsize=0
    )
    assert process.stdin and process.stdout and process.stderr
    threading.Thread(target=_feed, args=(channel, process.stdin), daemon=True).start()
    errors = threading.Thread(target=_drain, args=(process.stderr, channel.sendall_stderr), daemon=True)
    errors.start()
    _drain(process.stdout, channel.sendall)
    errors.join()
    status = process.wait()
    with contextlib.suppress(OSError, EOFError):
        channel.send_exit_status(status)
        channel.close()


def _feed(channel: paramiko.Channel, stdin: IO[bytes]) -> None:
    with contextlib.suppress(OSError), stdin:
        while data := channel.recv(65536):
            view = memoryview(data)
            while view:
                view = view[stdin.write(view) or 0 :]


def _drain(stream: IO[bytes], send: Any) -> None:
    """Until the program ends or the peer is gone; paramiko raises EOFError when a socket breaks mid-send."""
    with contextlib.suppress(OSError, EOFError), stream:
        while data := stream.read(65536):
            send(data)
