"""Makes a Raspberry Pi a robot, over SSH with the owner's own account: small steps, each checked before it is done.

Steps are values: what to check, what to do, what to write. `plan` is pure; `carry_out` runs it through a `RemoteShell`.
Run twice, the second time does nothing. `--check` only looks.
"""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, Protocol

from deploy.robot_toml import ROBOT_TOML
from deploy.software_trial import PACKAGED
from deploy.update_errors import DeployError

HOME: Final = PurePosixPath("/var/lib/oxturn")
OPT: Final = PurePosixPath("/opt/oxturn")
SOFTWARE: Final = HOME / "software"
PACKAGES: Final = ("python3-venv", "python3-picamera2", "gpiod", "rsync")


class SetupError(DeployError):
    """A step that did not work; what was done before it stays, and running setup again goes on there."""


class RemoteShell(Protocol):
    """The owner's shell on the Pi, with sudo."""

    def run(self, command: str, stdin: bytes = b"") -> tuple[int, str]:
        """(exit code, output)."""
        ...


@dataclass(frozen=True, slots=True)
class SetupStep:
    """`done_when` exits with 0 where nothing is left to do; `action` is then not run."""

    title: str
    done_when: str
    action: str
    stdin: bytes = b""


@dataclass(frozen=True, slots=True)
class SetupFiles:
    """What goes onto the Pi besides packages."""

    wheel_name: str
    wheel: bytes
    first_root: bytes
    push_key: str  # the public line of whoever may push
    unit: bytes
    scripts: dict[str, bytes]  # what runs without the robot's Python, by name
    robot_toml: bytes


def plan(files: SetupFiles) -> list[SetupStep]:
    """Everything, in order."""
    slot = f"{SOFTWARE}/slots/A"
    key_line = f'restrict,command="sh {OPT}/lib/robot_shell.sh {HOME}" {files.push_key}\n'.encode()
    wheel = f"{OPT}/wheels/{files.wheel_name}"
    return [
        SetupStep(
            "64-bit system", 'test "$(uname -m)" = aarch64', "echo 'a 64-bit Raspberry Pi OS is needed' >&2; exit 1"
        ),
        SetupStep(
            f"packages {', '.join(PACKAGES)}",
            f"dpkg -s {' '.join(PACKAGES)} >/dev/null 2>&1",
            f"sudo apt-get update -q && sudo apt-get install -yq {' '.join(PACKAGES)}",
        ),
        SetupStep(
            "account oxturn without a password",
            "id oxturn >/dev/null 2>&1",
            f"sudo useradd --system --create-home --home-dir {HOME} --shell /bin/sh oxturn"
            " && sudo usermod -aG dialout,video,gpio oxturn",
        ),
        _folder(OPT / "wheels", "root"),
        _folder(HOME / "trust", "oxturn"),
        _folder(HOME / "incoming", "oxturn"),
        _folder(HOME / "slots", "oxturn"),
        _folder(HOME / ".ssh", "oxturn"),
        _file("the program's wheel", PurePosixPath(wheel), files.wheel, "root"),
        _folder(SOFTWARE, "oxturn"),
        _folder(SOFTWARE / "slots", "oxturn"),
        _folder(PurePosixPath(slot), "oxturn"),
        SetupStep(
            "first software, in slot A (later ones come with `oxturn ota push --software`)",
            f"sudo test -e {SOFTWARE}/current/complete",
            f"cd / && sudo -u oxturn python3 -m venv --clear --system-site-packages {slot}/venv"
            f" && sudo -u oxturn {slot}/venv/bin/pip install -q --no-cache-dir '{wheel}[robot,ota]'"
            f" && sync && echo {PACKAGED} | sudo -u oxturn tee {slot}/complete >/dev/null && sync"
            f" && sudo -u oxturn ln -sfn slots/A {SOFTWARE}/current && sync",
        ),
        _file("trust root", HOME / "trust" / "first_root.json", files.first_root, "oxturn", keep=True),
        _file("push key with its forced command", HOME / ".ssh" / "authorized_keys", key_line, "oxturn", mode="600"),
        _folder(PurePosixPath(ROBOT_TOML.parent), "root"),
        _file("robot.toml", PurePosixPath(ROBOT_TOML), files.robot_toml, "root", keep=True),
        _folder(OPT / "lib", "root"),
        *(_file(name, OPT / "lib" / name, content, "root") for name, content in sorted(files.scripts.items())),
        _file("systemd unit", PurePosixPath("/etc/systemd/system/oxturn.service"), files.unit, "root"),
        SetupStep(
            "service enabled",
            "systemctl is-enabled -q oxturn",
            "sudo systemctl daemon-reload && sudo systemctl enable -q oxturn",
        ),
    ]


def carry_out(
    steps: list[SetupStep],
    shell: RemoteShell,
    *,
    check_only: bool,
    on_step: Callable[[SetupStep, str], None] = lambda step, state: None,
) -> int:
    """Runs what is not done; returns how many steps were (or, with `check_only`, would be) needed.

    Raises SetupError with the step and the last line the Pi said.
    """
    needed = 0
    for step in steps:
        if shell.run(step.done_when, step.stdin)[0] == 0:
            on_step(step, "done before")
            continue
        needed += 1
        if check_only:
            on_step(step, "missing")
            continue
        code, output = shell.run(step.action, step.stdin)
        if code != 0:
            last = output.strip().splitlines()[-1] if output.strip() else "no message"
            raise SetupError(f"{step.title}: the Pi said {last!r} (exit code {code})")
        on_step(step, "done")
    return needed


def _folder(path: PurePosixPath, owner: str) -> SetupStep:
    return SetupStep(
        f"folder {path}",
        f"test -d {path}",
        f"sudo install -d -o {owner} -g {owner} -m {'700' if path.name == '.ssh' else '755'} {path}",
    )


def _file(
    title: str, path: PurePosixPath, content: bytes, owner: str, *, mode: str = "644", keep: bool = False
) -> SetupStep:
    """`keep`: an existing file is the owner's, whatever is in it."""
    quoted = shlex.quote(str(path))
    same = f"sudo test -f {quoted}" if keep else f"sudo cmp -s - {quoted}"
    write = f"sudo install -o {owner} -g {owner} -m {mode} /dev/stdin {quoted}.new && sudo mv {quoted}.new {quoted}"
    return SetupStep(f"{title}: {path}", same, write, content)
