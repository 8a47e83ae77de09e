"""The `oxturn` command: mounts each folder's verbs; errors become one line and an exit code.

0 done, 1 refused or failed, 2 wrong usage, 130 interrupted.
"""

import errno
import sys
from typing import Final

import typer

from foundation.errors import OxturnError

_OF_THE_PLACE: Final = (  # that a user gave to write to or read from
    errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT, errno.ENOTDIR, errno.EPERM, errno.EEXIST, errno.EBUSY,
    errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTEMPTY,
)  # fmt: skip

app = typer.Typer(
    name="oxturn",
    help="Perception and coverage for a floor robot: simulate, train, deliver, cover.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def mount() -> None:
    """Adds every folder's verbs; each `cli.py` imports nothing heavy before its verb runs."""
    import deploy.cli
    import monitoring.cli
    import navigation.cli
    import oxturn.service_verbs
    import oxturn.verbs
    import perception.cli
    import simulation.cli

    for folder in (
        oxturn.verbs,
        simulation.cli,
        perception.cli,
        navigation.cli,
        deploy.cli,
        monitoring.cli,
        oxturn.service_verbs,
    ):
        folder.register(app)


def main() -> None:
    """Entry point: no traceback ever reaches a user for bad input."""
    mount()
    try:
        app()
    except OxturnError as error:
        sys.exit(_failed(str(error)))
    except KeyboardInterrupt:
        print("oxturn: interrupted; finished stages are kept, run the same command to go on", file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        if error.errno not in _OF_THE_PLACE:
            raise
        sys.exit(_failed(f"{error.filename or 'output'}: {error.strerror}"))


def _failed(line: str) -> int:
    print(f"oxturn: {line}", file=sys.stderr)
    return 1
