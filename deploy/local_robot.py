"""A robot's SSH end on this machine: OpenSSH's sshd on a loopback port when it is installed, else one made of paramiko.

Both start the same forced command for everything, so that a push to either goes the whole way of a push to a Pi.
"""

import getpass
import logging
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from deploy.ssh_server import EmbeddedServer
from deploy.transport import create_client_key
from deploy.update_errors import TransportError

logger = logging.getLogger(__name__)

HOST: Final = "127.0.0.1"
START_WITHIN_S: Final = 10.0
SSHD_CONFIG: Final = """\
Port {port}
ListenAddress {host}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
AuthenticationMethods publickey
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UsePAM no
StrictModes no
PidFile none
Subsystem sftp internal-sftp
LogLevel ERROR
"""


@dataclass(frozen=True, slots=True)
class RobotEnd:
    """Where to push; `host_key` is what to pin."""

    host: str
    port: int
    user: str
    host_key: str
    kind: Literal["openssh", "embedded"]


def forced_command(home: Path, shell_arguments: Sequence[str] = ()) -> list[str]:
    return [sys.executable, "-m", "deploy.robot_shell", "--home", str(home.resolve()), *shell_arguments]


@contextmanager
def local_robot_end(
    home: Path, authorized_key: str, *, prefer_openssh: bool = True, shell_arguments: Sequence[str] = ()
) -> Iterator[RobotEnd]:
    """An SSH end for the robot home `home` that takes the public key `authorized_key`, until the block ends."""
    command = forced_command(home, shell_arguments)
    with tempfile.TemporaryDirectory(prefix="oxturn-ssh-") as name:
        folder = Path(name)
        host_key = create_client_key(folder / "host_key")
        sshd = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/sbin") if prefer_openssh else None
        if sshd is not None:
            process, port = _start_sshd(sshd, folder, command, authorized_key)
            if process is not None:
                try:
                    yield RobotEnd(HOST, port, getpass.getuser(), host_key, "openssh")
                finally:
                    process.terminate()
                    process.wait(timeout=10)
                return
        with EmbeddedServer(HOST, folder / "host_key", authorized_key, command) as server:
            yield RobotEnd(HOST, server.port, getpass.getuser(), host_key, "embedded")


def _start_sshd(
    sshd: str, folder: Path, command: Sequence[str], authorized_key: str
) -> tuple[subprocess.Popen[bytes] | None, int]:
    """(process, port), or (None, 0) where this machine's sshd does not come up for this user."""
    port = _free_port()
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, parents=True, exist_ok=True)  # sshd's own, lacking where no service runs
    quoted = shlex.join(command).replace("\\", "\\\\").replace('"', '\\"')
    (folder / "authorized_keys").write_text(f'restrict,command="{quoted}" {authorized_key}\n')
    (folder / "sshd_config").write_text(SSHD_CONFIG.format(port=port, host=HOST, folder=folder))
    log = folder / "sshd.log"
    process = subprocess.Popen(
        [sshd, "-D", "-E", str(log), "-f", str(folder / "sshd_config")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline_s = time.monotonic() + START_WITHIN_S
    while process.poll() is None and time.monotonic() < deadline_s:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
            return process, port
        except OSError:
            time.sleep(0.02)
    process.kill()
    process.wait()
    complaint = log.read_text().strip()[-200:] if log.exists() else "no message"
    logger.warning("sshd does not come up, going on with the embedded server: %s", complaint)
    return None, 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    if not 0 < port < 65536:
        raise TransportError(f"no free port on {HOST}")
    return port
