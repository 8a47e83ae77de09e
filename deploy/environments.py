"""Virtual environments for the robot's software: built from pushed wheels alone, at the place where they run.

In: a folder of wheels. Out: an environment, not yet on the disk for good. Raises UpdateFailed with pip's last line.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from deploy.health import HealthReport, ProcessHealthCheck
from deploy.update_errors import UpdateFailed

BUILD_WITHIN_S: Final = 900.0  # a slow card
CHECK_WITHIN_S: Final = 120.0  # of which importing everything takes most
SELF_CHECK: Final = ("bin/oxturn", "pi", "software-check")


class Environments(Protocol):
    """Makes an environment in `venv` of wheels that lie in `folder`."""

    def build(self, venv: Path, folder: Path, wheels: Sequence[str]) -> None: ...


class SoftwareCheck(Protocol):
    """Asks the new environment whether it works, in a process of its own."""

    def examine(self, venv: Path) -> HealthReport: ...


@dataclass(frozen=True, slots=True)
class PipEnvironments:
    """`python -m venv` and pip, which gets no index, no cache, no configuration: nothing but the named files.

    `system_packages`: the Pi's camera comes from Debian's packages, not from a wheel.
    """

    system_packages: bool = True
    within_s: float = BUILD_WITHIN_S

    def build(self, venv: Path, folder: Path, wheels: Sequence[str]) -> None:
        options = ["--system-site-packages"] if self.system_packages else []
        self._run("venv", [sys.executable, "-m", "venv", *options, str(venv)])
        pip = [str(venv / "bin" / "python"), "-m", "pip", "--isolated", "--disable-pip-version-check", "install"]
        pip += ["--quiet", "--no-index", "--no-deps", "--no-cache-dir", "--ignore-installed", "--only-binary=:all:"]
        self._run("pip", [*pip, "--find-links", str(folder), *(str(folder / name) for name in wheels)])

    def _run(self, what: str, command: Sequence[str]) -> None:
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                timeout=self.within_s,
                env=clean_environment(),
                preexec_fn=_step_back,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise UpdateFailed(f"{what}: not done within {self.within_s:g} s") from error
        if done.returncode != 0:
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            raise UpdateFailed(f"{what} ended with {done.returncode}: {lines[-1][:200] if lines else 'no message'}")


@dataclass(frozen=True, slots=True)
class AsksItself:
    """The new software's own self check: imports, the robot's folder, its configuration, the model that runs."""

    home: Path
    within_s: float = CHECK_WITHIN_S

    def examine(self, venv: Path) -> HealthReport:
        program, *arguments = SELF_CHECK
        command = (str(venv / program), *arguments)
        try:
            return ProcessHealthCheck(self.within_s, command, clean_environment()).examine(self.home)
        except OSError as error:
            return HealthReport(False, f"{program} cannot be started: {error.strerror}")


def _step_back() -> None:
    """The daemon may be driving meanwhile, with a watchdog of three seconds."""
    os.nice(10)


def clean_environment() -> dict[str, str]:
    """What an environment's program starts with: no path, proxy or setting of whoever runs the updater."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "NUMBA_CACHE_DIR")
    return {name: os.environ[name] for name in kept if name in os.environ}
