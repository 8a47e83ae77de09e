"""The verbs that run services on this machine: Airflow with our DAGs. All on loopback, ended by Ctrl-C."""

import time
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds these verbs to the `oxturn` command."""
    app.command()(airflow)


def airflow(
    home: Annotated[Path, typer.Option(help="Airflow's own files and the lake.")] = Path("out/airflow"),
    port: Annotated[int, typer.Option(min=1024, max=65535, help="Of the web page, on 127.0.0.1.")] = 8080,
    lake: Annotated[str, typer.Option(help="URI for results; a folder beside Airflow's files by default.")] = "",
) -> None:
    """Run Airflow with the data and training DAGs unpaused, and print address and login."""
    from oxturn import airflow_home

    home = home.resolve()
    variables = {
        "lake": lake or (home / "lake").as_uri(),
        "source": (home / "captures").as_uri(),
        "partition": "default",
        "seed": "1",
        "copies": "1",
        "task": "obstacles",
        "minutes": "3",
        "registry": f"sqlite:///{home / 'mlflow.db'}",
        "rooms": "60",
        "frames": "50",
        "prometheus": "http://127.0.0.1:9090",
        "window": "1d",
        "feedback": (home / "feedback").as_uri(),
        "keys": str(home / "keys"),
        "repository": str(home / "repository"),
        "inventory": str(home / "robots.toml"),
    }
    typer.echo(f"starting Airflow in {home} ...", err=True)
    with airflow_home.running(home, port, variables) as held:
        typer.echo(f"{held.url}  user {held.user}  password {held.password}")
        while (ended := held.ended()) is None:
            time.sleep(1)
    raise airflow_home.AirflowError(f"{ended} ended: see the logs in {home}")
