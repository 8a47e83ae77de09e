"""Does a model work on this machine: real inference, bounded in time and memory, judged before and after the switch.

The check runs in a process of its own, so that a model that hangs, crashes or eats memory cannot take the updater with
it. What is examined is always computed anew; no earlier result can pass for it.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

MAX_MEMORY_BYTES: Final = 4 * 2**30  # address space: onnxruntime maps far more than it uses
MAX_CPU_S: Final = 60
HEALTH_COMMAND: Final = (sys.executable, "-m", "deploy.golden_frames")


@dataclass(frozen=True, slots=True)
class HealthReport:
    """`reason` says which value missed which limit; empty when healthy."""

    healthy: bool
    reason: str = ""
    latency_ms_p50: float = 0.0


class HealthCheck(Protocol):
    """Examines a bundle at rest."""

    def examine(self, bundle_dir: Path) -> HealthReport: ...


@dataclass(frozen=True, slots=True)
class ProcessHealthCheck:
    """Runs `command BUNDLE`, which prints one JSON line of a HealthReport."""

    timeout_s: float
    command: Sequence[str] = HEALTH_COMMAND
    environment: Mapping[str, str] | None = None  # None: this process's

    def examine(self, bundle_dir: Path) -> HealthReport:
        try:
            done = subprocess.run(
                [*self.command, str(bundle_dir)],
                capture_output=True,
                timeout=self.timeout_s,
                preexec_fn=_bounded,
                env=self.environment,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return HealthReport(False, f"no answer within {self.timeout_s:g} s")
        if done.returncode != 0:
            return HealthReport(False, f"the check ended with {done.returncode}: {_last_line(done.stderr)}")
        try:
            value = json.loads(done.stdout)
            return HealthReport(bool(value["healthy"]), str(value["reason"]), float(value["latency_ms_p50"]))
        except (ValueError, KeyError, TypeError) as error:
            return HealthReport(False, f"the check answered nothing that can be read: {error}")


def _bounded() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_S, MAX_CPU_S))


def _last_line(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "no message"
