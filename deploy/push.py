"""Sends the newest published target to one robot and has it installed: patch first, whole when the patch does not fit.

Needs the repository alone: no key of TUF is opened here.
"""

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from deploy import member_patches, patches
from deploy.bundle_archive import sha256
from deploy.offered_archive import patch_name, whole_name
from deploy.transport import RobotAddress, Transport, connected
from deploy.trust import Kind
from deploy.update_errors import KeysError, TransportError
from foundation.progress import ProgressFactory, silent

Connect = Callable[[RobotAddress], AbstractContextManager[Transport]]
INSTALLED: Final = ("confirmed", "already_installed")
TAKEN: Final = (*INSTALLED, "on_trial")  # a robot that stands still tries its software at its next start
INSTALL: Final[dict[Kind, str]] = {"model": "install", "software": "install-software"}
_COMPRESS: Final = {"model": patches.compress, "software": member_patches.compress}


@dataclass(frozen=True, slots=True)
class PushReport:
    """How one robot took it; `result` as in UpdateReport. `archive_bytes` went over the wire besides metadata."""

    robot: str
    result: str
    version: int | None
    code: str
    message: str
    how: Literal["patch", "whole", "nothing"]
    archive_bytes: int
    metadata_bytes: int
    resumed_bytes: int
    duration_s: float

    @property
    def installed(self) -> bool:
        return self.result in INSTALLED

    @property
    def taken(self) -> bool:
        return self.result in TAKEN


def push(
    repo_dir: Path,
    target: RobotAddress,
    *,
    kind: Kind = "model",
    progress: ProgressFactory = silent,
    connect: Connect = connected,
) -> PushReport:
    """Raises TransportError (what was sent is kept and resumed by the next push), HostKeyError, KeysError."""
    began_s = time.monotonic()
    with connect(target) as line:
        status = _answered(line, "status")
        offered = _newest(repo_dir, kind)
        sent = _Sender(line, progress, kind)
        installed = installed_sha256(status, kind)
        if kind == "software" and offered.sha256 == installed and status["software"]["on_trial"]:
            took_s = time.monotonic() - began_s
            return PushReport(
                str(target), "on_trial", None, "", "until a run has been well", "nothing", 0, 0, 0, took_s
            )
        if offered.sha256 != installed:
            base = _archive(repo_dir, str(installed), kind)
            sent.archive(offered, base)
        for name in _metadata_names(repo_dir, int(status.get("root_version") or 0)):
            sent.metadata(name, (repo_dir / name).read_bytes())
        answer = _answered(line, INSTALL[kind])
        if answer["code"] == "bad_patch":
            sent.archive(offered, None)
            answer = _answered(line, INSTALL[kind])
    return PushReport(
        str(target),
        str(answer["result"]),
        answer["version"],
        str(answer["code"]),
        str(answer["message"]),
        sent.how,
        sent.archive_bytes,
        sent.metadata_bytes,
        sent.resumed_bytes,
        time.monotonic() - began_s,
    )


def ask(target: RobotAddress, verb: str, connect: Connect = connected) -> dict[str, Any]:
    """A verb's answer. Raises TransportError, HostKeyError."""
    with connect(target) as line:
        return _answered(line, verb)


def offered_sha256(repo_dir: Path, kind: Kind = "model") -> str:
    """Which archive a push would install now."""
    return _newest(repo_dir, kind).sha256


def installed_sha256(status: dict[str, Any], kind: Kind) -> str | None:
    """Which archive a robot says that it runs; None of one that knows no software updates yet."""
    told = status if kind == "model" else status.get("software") or {}
    value = told.get("installed_sha256")
    return None if value is None else str(value)


@dataclass(frozen=True, slots=True)
class _Offered:
    sha256: str
    data: bytes


class _Sender:
    """Counts what goes over the line."""

    def __init__(self, line: Transport, progress: ProgressFactory, kind: Kind) -> None:
        self._line = line
        self._kind: Kind = kind
        self._progress = progress
        self.how: Literal["patch", "whole", "nothing"] = "nothing"
        self.archive_bytes = self.metadata_bytes = self.resumed_bytes = 0

    def archive(self, offered: _Offered, base: bytes | None) -> None:
        data = _COMPRESS[self._kind](offered.data, base)
        if base is None:
            name = whole_name(offered.sha256, data, self._kind)
        else:
            name = patch_name(offered.sha256, sha256(base), data, self._kind)
        with self._progress("push", total=len(data), unit="bytes") as advance:
            resumed = self._line.send(name, data, advance)
        self.how = "whole" if base is None else "patch"
        self.archive_bytes += len(data) - resumed
        self.resumed_bytes += resumed

    def metadata(self, name: str, data: bytes) -> None:
        self._line.send(name, data, lambda count: None)
        self.metadata_bytes += len(data)


def _answered(line: Transport, verb: str) -> dict[str, Any]:
    answer = line.run(verb)
    try:
        value = json.loads(answer.output)
    except ValueError as error:
        said = answer.complaint or answer.output[:200].decode(errors="replace")
        raise TransportError(f"the robot's {verb} ended with {answer.exit_code} and no answer: {said}") from error
    return dict(value)


def _newest(repo_dir: Path, kind: Kind) -> _Offered:
    try:
        version = json.loads((repo_dir / "timestamp.json").read_bytes())["signed"]["version"]
        targets = json.loads((repo_dir / f"{version}.targets.json").read_bytes())["signed"]["targets"]
        digest = targets[f"{kind}.tar"]["hashes"]["sha256"]
        data = _archive(repo_dir, digest, kind)
    except (OSError, ValueError, KeyError) as error:
        raise KeysError(f"{repo_dir} offers no {kind} of `oxturn ota publish`: {error}") from error
    if data is None:
        raise KeysError(f"{repo_dir} lacks the archive {digest[:12]}; publish again")
    return _Offered(digest, data)


def _archive(repo_dir: Path, digest: str, kind: Kind) -> bytes | None:
    path = repo_dir / f"{digest}.{kind}.tar"
    return path.read_bytes() if path.exists() else None


def _metadata_names(repo_dir: Path, root_version: int) -> list[str]:
    """Roots that the robot lacks, then the rest of the newest version, `timestamp.json` last."""
    version = json.loads((repo_dir / "timestamp.json").read_bytes())["signed"]["version"]
    roots = sorted(int(path.name.split(".")[0]) for path in repo_dir.glob("*.root.json"))
    newer = [f"{number}.root.json" for number in roots if number > root_version]
    return [*newer, f"{version}.targets.json", f"{version}.snapshot.json", "timestamp.json"]
