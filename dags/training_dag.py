"""A published dataset in, the registry's new champion out: train, evaluate, gate, quantise, register."""

# mypy: disable-error-code="untyped-decorator"

from typing import Any

from airflow.sdk import Metadata, dag, task

from dags.assets import DATASET, DEFAULTS, MODEL, requested, text_param
from oxturn.jobs import training as jobs

PARAMS = {
    "lake": text_param("URI under which results are kept"),
    "dataset": text_param("URI of the published dataset"),
    "task": text_param("what is learned: obstacles or floor_surface"),
    "seed": text_param("of the training"),
    "minutes": text_param("of training time"),
    "registry": text_param("MLflow's URI"),
    "job_rooms": text_param("simulated rooms that champion and challenger cover before they are compared; 0 for none"),
}


@dag(schedule=[DATASET], params=PARAMS, default_args=DEFAULTS, catchup=False, tags=["oxturn"], doc_md=__doc__)
def training() -> None:
    @task
    def train(asked: dict[str, Any]) -> str:
        return jobs.train(
            asked["dataset"],
            asked["lake"],
            asked["task"],
            int(asked["seed"]),
            float(asked["minutes"]),
            asked["registry"],
        )

    @task
    def evaluate(model: str, asked: dict[str, Any]) -> str:
        return jobs.evaluate(model, asked["dataset"])

    @task
    def gate(model: str, asked: dict[str, Any]) -> dict[str, Any]:
        return jobs.gate(model, asked["dataset"], asked["registry"], asked["task"], int(asked["job_rooms"]))

    @task.short_circuit
    def passed(verdict: dict[str, Any]) -> bool:
        return bool(verdict["promoted"])

    @task
    def quantise(model: str) -> str:
        return jobs.quantise(model)

    @task(outlets=[MODEL])
    def register(model: str, bundle: str, verdict: dict[str, Any], asked: dict[str, Any]) -> Any:
        yield Metadata(
            MODEL,
            {"lake": asked["lake"]} | jobs.register(model, bundle, verdict["why"], asked["registry"], asked["task"]),
        )

    asked = requested()
    model = train(asked)
    report = evaluate(model, asked)
    verdict = gate(model, asked)
    bundle = quantise(model)
    report >> verdict
    passed(verdict) >> bundle
    register(model, bundle, verdict, asked)


training()
