"""The robot's SSH account can do four things, and this is all of them: SFTP into `incoming`, install, status, rollback.

OpenSSH starts it as the key's forced command with the client's wish in SSH_ORIGINAL_COMMAND:

    restrict,command="/opt/oxturn/bin/python -m deploy.robot_shell --home /var/lib/oxturn" ssh-ed25519 AAAA...
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from deploy.health import HEALTH_COMMAND, ProcessHealthCheck
from foundation.errors import OxturnError

VERBS: Final = ("install", "status", "rollback")


CONFIRM_WITHIN_S: Final = 5.0
HEALTH_TIMEOUT_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What the administrator put into the forced command; the client has no say in it."""

    health_timeout_s: float = HEALTH_TIMEOUT_S
    confirm_within_s: float = CONFIRM_WITHIN_S
    health_command: tuple[str, ...] = HEALTH_COMMAND


DEFAULTS: Final = Settings()


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 done, 1 refused or failed (the JSON line says why), 2 not allowed."""
    parser = argparse.ArgumentParser(prog="robot_shell")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--health-timeout-s", type=float, default=HEALTH_TIMEOUT_S)
    parser.add_argument("--confirm-within-s", type=float, default=CONFIRM_WITHIN_S)
    parser.add_argument("--health-command", nargs="*", default=HEALTH_COMMAND, help="gets the bundle as last argument")
    options = parser.parse_args(arguments)
    wish = os.environ.get("SSH_ORIGINAL_COMMAND", "").strip()
    if wish == "internal-sftp" or wish.endswith("/sftp-server"):
        from deploy.incoming_sftp import serve

        serve(options.home / "incoming")
        return 0
    if wish not in VERBS:
        sys.stderr.write(f"not allowed: {wish[:80]!r}; this account knows sftp, {', '.join(VERBS)}\n")
        return 2
    settings = Settings(options.health_timeout_s, options.confirm_within_s, tuple(options.health_command))
    said = answer(wish, options.home, settings)
    sys.stdout.write(json.dumps(said) + "\n")
    return 0 if said.get("result") in (None, "confirmed", "already_installed", "rolled_back_as_asked") else 1


def answer(verb: str, home_path: Path, settings: Settings = DEFAULTS) -> dict[str, Any]:
    """One verb's answer; errors that a user can meet become `result: failed` with the line in `message`."""
    try:
        return _answer(verb, home_path, settings)
    except (OxturnError, OSError) as error:
        return {"result": "failed", "version": None, "code": type(error).__name__, "message": str(error)}


def _answer(verb: str, home_path: Path, settings: Settings) -> dict[str, Any]:
    from deploy.robot_home import exclusive, on_this_machine

    home = on_this_machine(home_path)
    if verb == "status":
        from deploy.robot_status import robot_status

        return asdict(robot_status(home))
    from deploy import ota_updater
    from deploy.clock import MachineClock
    from deploy.live_trial import watcher

    with exclusive(home_path):
        if verb == "rollback":
            return {**asdict(ota_updater.rollback(home)), "result": "rolled_back_as_asked"}
        clock, check = MachineClock(), ProcessHealthCheck(settings.health_timeout_s, settings.health_command)
        return asdict(
            ota_updater.update(home, check, watcher(home_path, check, clock, settings.confirm_within_s), clock)
        )


if __name__ == "__main__":
    sys.exit(main())
