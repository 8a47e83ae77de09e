"""The line to one robot: files by SFTP with resume by offset, verbs by exec. Host keys are pinned, never accepted."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import paramiko
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from deploy.update_errors import HostKeyError, TransportError
from foundation import atomic_files

CHUNK_BYTES: Final = 32 * 1024
CONNECT_TIMEOUT_S: Final = 10.0
VERB_TIMEOUT_S: Final = 120.0
SOFTWARE_TIMEOUT_S: Final = 1800.0  # building an environment on a slow card, then its trial
MAX_ANSWER_BYTES: Final = 2**20


@dataclass(frozen=True, slots=True)
class RobotAddress:
    """Where a robot is and what its host key must be (`ssh-ed25519 AAAA...`, as in a known_hosts file)."""

    host: str
    port: int
    user: str
    host_key: str | None
    key_file: Path | None = None  # without one, the SSH agent is asked
    name: str = ""

    def __str__(self) -> str:
        return self.name or f"{self.user}@{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a verb printed, and its exit code."""

    exit_code: int
    output: bytes
    complaint: str


class Transport(Protocol):
    """One open line."""

    def send(self, name: str, data: bytes, on_bytes: Callable[[int], None]) -> int:
        """Put `data` into `incoming` under `name`, going on where an earlier try was cut; returns that offset."""
        ...

    def run(self, verb: str) -> Answer: ...


class SshTransport:
    """Transport over an open paramiko client; `rate_limit_bytes_per_s` None is as fast as the line goes."""

    def __init__(self, client: paramiko.SSHClient, host: str, rate_limit_bytes_per_s: float | None) -> None:
        self._client = client
        self._host = host
        self._rate_limit_bytes_per_s = rate_limit_bytes_per_s
        self._sftp: paramiko.SFTPClient | None = None

    def send(self, name: str, data: bytes, on_bytes: Callable[[int], None]) -> int:
        part = f"{name}.part"
        with _translated(self._host):
            if self._sftp is None:
                self._sftp = self._client.open_sftp()
            have = self._size(part)
            start = have if have <= len(data) else 0
            on_bytes(start)
            with self._sftp.open(part, "r+b" if start else "wb") as file:
                file.set_pipelined(True)
                file.seek(start)
                for offset in range(start, len(data), CHUNK_BYTES):
                    chunk = data[offset : offset + CHUNK_BYTES]
                    file.write(chunk)
                    on_bytes(len(chunk))
                    if self._rate_limit_bytes_per_s is not None:
                        time.sleep(len(chunk) / self._rate_limit_bytes_per_s)
            self._sftp.posix_rename(part, name)
        return start

    def run(self, verb: str) -> Answer:
        with _translated(self._host):
            timeout_s = SOFTWARE_TIMEOUT_S if verb.endswith("-software") else VERB_TIMEOUT_S
            _, output, complaint = self._client.exec_command(verb, timeout=timeout_s)
            text, line = output.read(MAX_ANSWER_BYTES), complaint.read(4096)
            return Answer(output.channel.recv_exit_status(), text, line.decode(errors="replace").strip())

    def _size(self, name: str) -> int:
        assert self._sftp is not None
        try:
            return self._sftp.stat(name).st_size or 0
        except FileNotFoundError:
            return 0


@contextmanager
def connected(address: RobotAddress, *, rate_limit_bytes_per_s: float | None = None) -> Iterator[SshTransport]:
    """Raises HostKeyError before anything is sent when the robot's key is not the pinned one; else TransportError."""
    with open_client(address) as client:
        yield SshTransport(client, str(address), rate_limit_bytes_per_s)


@contextmanager
def open_client(address: RobotAddress) -> Iterator[paramiko.SSHClient]:
    """As `connected`, for whoever needs the client itself."""
    if address.host_key is None:
        raise HostKeyError(f"{address}: no host key is pinned; give the line of its ssh_host_ed25519_key.pub")
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    kind, key = parse_public_key(address.host_key)
    named = address.host if address.port == 22 else f"[{address.host}]:{address.port}"
    client.get_host_keys().add(named, kind, key)
    try:
        with _translated(str(address)):
            client.connect(
                address.host,
                address.port,
                address.user,
                key_filename=None if address.key_file is None else str(address.key_file),
                allow_agent=address.key_file is None,
                look_for_keys=False,
                timeout=CONNECT_TIMEOUT_S,
                banner_timeout=CONNECT_TIMEOUT_S,
                auth_timeout=CONNECT_TIMEOUT_S,
            )
        yield client
    finally:
        client.close()


def create_client_key(path: Path) -> str:
    """A new ed25519 key file for pushing, readable by its owner alone; returns its public line."""
    key = Ed25519PrivateKey.generate()
    atomic_files.write_bytes(path, key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    path.chmod(0o600)
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def parse_public_key(line: str) -> tuple[str, paramiko.PKey]:
    """(type, key) of an OpenSSH public line; HostKeyError for anything else."""
    parts = line.split()
    try:
        import base64

        return parts[0], paramiko.PKey.from_type_string(parts[0], base64.b64decode(parts[1], validate=True))
    except (IndexError, ValueError, paramiko.SSHException, paramiko.pkey.UnknownKeyType) as error:
        raise HostKeyError(f"{line[:60]!r} is no OpenSSH public key: {error}") from error


@contextmanager
def _translated(host: str) -> Iterator[None]:
    try:
        yield
    except paramiko.BadHostKeyException as error:
        raise HostKeyError(
            f"{host}: the host key has CHANGED: pinned {error.expected_key.get_base64()[-16:]}, "
            f"got {error.key.get_base64()[-16:]}; nothing was sent"
        ) from error
    except paramiko.AuthenticationException as error:
        raise TransportError(f"{host}: the robot does not take this key: {error}") from error
    except paramiko.SSHException as error:
        if "not found in known_hosts" in str(error):
            raise HostKeyError(
                f"{host}: its host key is of another type than the pinned one; nothing was sent"
            ) from error
        raise TransportError(f"{host}: {error}") from error
    except (OSError, EOFError) as error:
        raise TransportError(
            f"{host}: {str(error) or 'the connection was lost'}; push again, it goes on where it ended"
        ) from error
