"""Runs every check in turn and stops at none of them: the last line says which failed. Used by `make test`."""

import subprocess
import sys
import time
from pathlib import Path

BIN = Path(sys.executable).parent
CHECKS = {
    "style": ("ruff", "check", "."),
    "format": ("ruff", "format", "--check", "."),
    "types": ("mypy",),
    "imports": ("lint-imports", "--no-logo"),
    "spelling": ("codespell",),
}


def main() -> int:
    failed = [name for name, command in CHECKS.items() if not passes(name, command)]
    tests = ["pytest", "--numprocesses=auto", "--maxprocesses=4", "--dist=worksteal"]
    tests += ["--cov", "--cov-report=term:skip-covered", "--durations=15"]
    if "--slow" in sys.argv[1:]:
        tests += ["-m", "not webots and not gpu and not hardware", "--timeout=1800"]
    if not passes("tests", tuple(tests)):
        failed.append("tests")
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def passes(name: str, command: tuple[str, ...]) -> bool:
    started = time.monotonic()
    code = subprocess.run([BIN / command[0], *command[1:]], check=False).returncode
    print(f"== {name}: {'ok' if code == 0 else f'exit {code}'} in {time.monotonic() - started:.1f} s", flush=True)
    return code == 0


if __name__ == "__main__":
    sys.exit(main())
