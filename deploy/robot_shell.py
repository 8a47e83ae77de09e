"""The robot's SSH account can do few things, and this is all of them: SFTP into `incoming`, install, status, rollback.

OpenSSH starts it as the key's forced command with the client's wish in SSH_ORIGINAL_COMMAND:

    restrict,command="sh /opt/oxturn/lib/robot_shell.sh /var/lib/oxturn" ssh-ed25519 AAAA...
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

VERBS: Final = ("install", "status", "rollback", "install-software", "rollback-software")
DONE: Final = (None, "confirmed", "already_installed", "on_trial", "rolled_back_as_asked")
HEALTH_TIMEOUT_S: Final = 20.0
SOFTWARE_WITHIN_S: Final = 600.0  # more than the unit gives one start


@dataclass(frozen=True, slots=True)
class Settings:
    """What the administrator put into the forced command; the client has no say in it."""

    health_timeout_s: float = HEALTH_TIMEOUT_S
    confirm_within_s: float | None = None  # the daemon's own
    health_command: tuple[str, ...] = HEALTH_COMMAND
    software_within_s: float = SOFTWARE_WITHIN_S
    system_packages: bool = True


DEFAULTS: Final = Settings()


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 done, 1 refused or failed (the JSON line says why), 2 not allowed."""
    parser = argparse.ArgumentParser(prog="robot_shell")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--health-timeout-s", type=float, default=HEALTH_TIMEOUT_S)
    parser.add_argument("--confirm-within-s", type=float, help="instead of the daemon's own")
    parser.add_argument("--health-command", nargs="*", default=HEALTH_COMMAND, help="gets the bundle as last argument")
    parser.add_argument("--software-within-s", type=float, default=SOFTWARE_WITHIN_S)
    parser.add_argument("--no-system-packages", action="store_true", help="environments without Debian's packages")
    options = parser.parse_args(arguments)
    wish = os.environ.get("SSH_ORIGINAL_COMMAND", "").strip()
    if wish == "internal-sftp" or wish.endswith("/sftp-server"):
        from deploy.incoming_sftp import serve

        serve(options.home / "incoming")
        return 0
    if wish not in VERBS:
        sys.stderr.write(f"not allowed: {wish[:80]!r}; this account knows sftp, {', '.join(VERBS)}\n")
        return 2
    settings = Settings(
        options.health_timeout_s,
        options.confirm_within_s,
        tuple(options.health_command),
        options.software_within_s,
        not options.no_system_packages,
    )
    said = answer(wish, options.home, settings)
    sys.stdout.write(json.dumps(said) + "\n")
    return 0 if said.get("result") in DONE else 1


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
    if verb.endswith("-software"):
        return _software(verb, home_path, settings)
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


def _software(verb: str, home_path: Path, settings: Settings) -> dict[str, Any]:
    """Two locks: installing takes minutes, and models are kept out only while a link moves."""
    from deploy import software_update
    from deploy.clock import MachineClock
    from deploy.environments import AsksItself, PipEnvironments
    from deploy.robot_home import exclusive, on_this_machine
    from deploy.software_watch import WaitForDaemon

    home = on_this_machine(home_path.resolve(), "software")
    if verb == "rollback-software":
        with exclusive(home.path):
            return {**asdict(software_update.rollback(home)), "result": "rolled_back_as_asked"}
    home.prepare()
    with exclusive(home.root):
        clock = MachineClock()
        return asdict(
            software_update.update(
                home,
                software_update.this_machine(),
                PipEnvironments(settings.system_packages),
                AsksItself(home.path),
                WaitForDaemon(clock, settings.software_within_s),
                clock,
                lambda: exclusive(home.path),
            )
        )


if __name__ == "__main__":
    sys.exit(main())
