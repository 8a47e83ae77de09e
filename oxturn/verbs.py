"""The verbs that need several folders at once: demo and doctor."""

import typer


def register(app: typer.Typer) -> None:
    """Adds this folder's verbs to the `oxturn` command."""
    app.command()(doctor)


def doctor() -> None:
    """What this machine has and lacks, each with the command that mends it."""
