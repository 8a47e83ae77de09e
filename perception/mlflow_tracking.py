"""One training run in MLflow: settings, figures by step, files. A server that is gone never ends a run.

Default is a sqlite database beside the output; any server by its URI. Files lie beside the database, or under any URI
that MLflow opens (`s3://bucket/folder`; keys and endpoint come from the environment, as boto3 reads it). What could not
be sent stays in `unsent.jsonl`.
"""

import json
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

logger = logging.getLogger(__name__)

# MLflow's own defaults wait many minutes for a server that is gone; training would wait with it.
IMPATIENCE: Final = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10"}


class Tracker:
    """Says what happens to the tracking server; keeps what it could not say."""

    def __init__(self, client: Any, run_id: str | None, unsent: Path) -> None:
        self._client = client
        self.run_id = run_id
        self._unsent = unsent

    def settings(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            self._say("param", {"key": name, "value": str(value)}, "log_param", name, str(value))

    def scores(self, values: Mapping[str, float], step: int) -> None:
        for name, value in values.items():
            told = {"key": name, "value": value, "step": step}
            self._say("metric", told, "log_metric", name, float(value), None, step)

    def file(self, path: Path, folder: str | None = None) -> None:
        """A file, or a folder with all that is in it."""
        verb = "log_artifacts" if path.is_dir() else "log_artifact"
        self._say("artifact", {"path": str(path)}, verb, str(path), folder)

    def _say(self, what: str, told: Mapping[str, Any], verb: str, *arguments: Any) -> None:
        if self._client is not None:
            try:
                getattr(self._client, verb)(self.run_id, *arguments)
                return
            except Exception as error:  # noqa: BLE001 a tracking server may fail in any way; training goes on
                logger.warning("tracking server lost (%s); the rest goes to %s", _first_line(error), self._unsent)
                self._client = None
        with self._unsent.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"what": what, **told}) + "\n")


@contextmanager
def tracking(
    uri: str | None, experiment: str, out_dir: Path, *, name: str, artifacts: str | None = None
) -> Iterator[Tracker]:
    """A run that ends FINISHED, or FAILED when the block raises. `uri` None is `out_dir/mlflow.db`.

    Args:
        artifacts: URI for the files of an experiment that begins here; one that is known keeps its own, with a warning.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    client, run_id = _begin(uri or f"sqlite:///{out_dir.resolve() / 'mlflow.db'}", experiment, name, artifacts)
    tracker = Tracker(client, run_id, out_dir / "unsent.jsonl")
    status = "FAILED"
    try:
        yield tracker
        status = "FINISHED"
    finally:
        if tracker._client is not None:
            try:
                client.set_terminated(run_id, status)
            except Exception as error:  # noqa: BLE001 as above
                logger.warning("tracking server lost at the end: %s", _first_line(error))


def _begin(uri: str, experiment: str, name: str, artifacts: str | None) -> tuple[Any, str | None]:
    for variable, value in IMPATIENCE.items():
        os.environ.setdefault(variable, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its dependencies' deprecations are not the user's business
        try:
            from mlflow import MlflowClient

            logging.getLogger("alembic").setLevel(logging.WARNING)
            logging.getLogger("mlflow").setLevel(logging.WARNING)
            client = MlflowClient(tracking_uri=uri)
            known = client.get_experiment_by_name(experiment)
            beside = Path(uri.removeprefix("sqlite:///")).resolve().parent / "mlartifacts"  # the database
            local = beside.as_uri() if uri.startswith("sqlite:") else None
            if known and artifacts is not None and known.artifact_location.rstrip("/") != artifacts.rstrip("/"):
                logger.warning("%s keeps its files in %s, not in %s", experiment, known.artifact_location, artifacts)
            place = artifacts if artifacts is not None else local
            number = known.experiment_id if known else client.create_experiment(experiment, artifact_location=place)
            return client, client.create_run(number, run_name=name).info.run_id
        except Exception as error:  # noqa: BLE001 no server, no database, no mlflow: training does not depend on it
            logger.warning("no tracking at %s: %s", uri, _first_line(error))
            return None, None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
