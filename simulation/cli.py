"""The verbs of `simulation`; heavy imports stay inside them."""

import typer


def register(app: typer.Typer) -> None:
    """Adds this folder's verbs to the `oxturn` command."""
