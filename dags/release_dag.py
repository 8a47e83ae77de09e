"""A registered model onto the robots: sign it, then roll it out, canaries first; a bad one halts by itself."""

# mypy: disable-error-code="untyped-decorator"

from typing import Any

from airflow.sdk import dag, task

from dags.assets import DEFAULTS, MODEL, requested, text_param
from oxturn.jobs import release as jobs

PARAMS = {
    "lake": text_param("URI under which results are kept"),
    "bundle": text_param("URI of the registered bundle"),
    "keys": text_param("folder of the signing keys on the machine that signs"),
    "repository": text_param("folder of signed releases on that machine"),
    "inventory": text_param("TOML file of robots, canaries first"),
}


@dag(schedule=[MODEL], params=PARAMS, default_args=DEFAULTS, catchup=False, tags=["oxturn"], doc_md=__doc__)
def release() -> None:
    @task
    def sign(asked: dict[str, Any]) -> dict[str, Any]:
        return jobs.sign(asked["bundle"], asked["lake"], asked["keys"], asked["repository"])

    @task
    def roll_out(signed: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
        return jobs.roll_out(signed, asked["repository"], asked["inventory"])

    asked = requested()
    roll_out(sign(asked), asked)


release()
