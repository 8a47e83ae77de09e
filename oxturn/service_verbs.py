"""The verbs that run services: the robot's daemon, Airflow with our DAGs. Ended by SIGTERM or Ctrl-C."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds these verbs to the `oxturn` command."""
    app.command()(airflow)
    app.command()(robotd)


def robotd(
    config: Annotated[Path | None, typer.Option(help="robot.toml; the reference robot without one.")] = None,
    home: Annotated[Path | None, typer.Option(help="The robot's folder of updates; by default robot.toml's.")] = None,
    job: Annotated[Path | None, typer.Option(help="What to cover, TOML or JSON; the whole floor without one.")] = None,
    simulated: Annotated[bool, typer.Option("--simulated", help="Drive in a simulated room; no hardware.")] = False,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Draws the simulated room.")] = 7,
    rooms: Annotated[int, typer.Option(min=1, max=8, help="Rooms of the simulated flat.")] = 1,
    speed: Annotated[float, typer.Option(min=0, help="Simulated seconds a second; 0 for as fast as it goes.")] = 1,
    out: Annotated[Path, typer.Option(help="What a simulated run leaves behind.")] = Path("out/robotd"),
) -> None:
    """Run the robot: loop, detector, metrics, run log; ends with SIGTERM, motors at zero first."""
    if not simulated:
        from deploy.robotd import main

        main(config, home, job)
        return
    from oxturn.simulated_robot import in_a_room

    score = in_a_room(config, home, job=job, seed=seed, rooms=rooms, speed=speed, out=out)
    typer.echo(json.dumps(score, sort_keys=True))


def airflow(
    home: Annotated[Path, typer.Option(help="Airflow's own files and the lake.")] = Path("out/airflow"),
    port: Annotated[int, typer.Option(min=1024, max=65535, help="Of the web page, on 127.0.0.1.")] = 8080,
    lake: Annotated[str, typer.Option(help="URI for results; a folder beside Airflow's files by default.")] = "",
) -> None:
    """Run Airflow with the data and training DAGs unpaused, and print address and login."""
    from oxturn import airflow_home

    home = home.resolve()
    typer.echo(f"starting Airflow in {home} ...", err=True)
    with airflow_home.running(home, port, local_variables(home, lake)) as held:
        typer.echo(f"{held.url}  user {held.user}  password {held.password}")
        while (ended := held.ended()) is None:
            time.sleep(1)
    raise airflow_home.AirflowError(f"{ended} ended: see the logs in {home}")


def local_variables(home: Path, lake: str) -> dict[str, str]:
    """What DAGs take where neither a person, nor an asset, nor the run's date says otherwise: folders of `home`."""
    return {
        "lake": lake or (home / "lake").as_uri(),
        "source": (home / "captures").as_uri(),
        "partition": "default",
        "seed": "1",
        "copies": "1",
        "task": "obstacles",
        "minutes": "3",
        "job_rooms": "2",
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
