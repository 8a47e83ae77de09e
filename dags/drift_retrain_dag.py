"""Once a day: did robots drift? If so, take in what they kept, simulate new rooms, and wake cleaning and training."""

# mypy: disable-error-code="untyped-decorator"

from typing import Any

from airflow.sdk import Metadata, dag, task

from dags.assets import CAPTURES, DEFAULTS, requested_by_date, text_param
from oxturn.jobs import feedback

PARAMS = {
    "lake": text_param("URI under which results are kept"),
    "partition": text_param("name under which this run's results are kept; its date without one"),
    "prometheus": text_param("address of Prometheus"),
    "window": text_param("how far back to look, as Prometheus writes it"),
    "feedback": text_param("URI of the frames that robots kept"),
    "rooms": text_param("new rooms to simulate"),
    "frames": text_param("frames a room"),
    "seed": text_param("of the new rooms; the run's date without one"),
}


@dag(schedule="@daily", params=PARAMS, default_args=DEFAULTS, catchup=False, tags=["oxturn"], doc_md=__doc__)
def drift_retrain() -> None:
    @task.short_circuit
    def drifted(asked: dict[str, Any]) -> list[dict[str, str]]:
        return feedback.drifted(asked["prometheus"], asked["window"])

    @task
    def collect(asked: dict[str, Any]) -> str:
        return feedback.collect(asked["feedback"], asked["lake"], asked["partition"])

    @task
    def capture(asked: dict[str, Any]) -> str:
        return feedback.capture(
            asked["lake"], asked["partition"], int(asked["rooms"]), int(asked["frames"]), int(asked["seed"])
        )

    @task(outlets=[CAPTURES])
    def announce(source: str, asked: dict[str, Any]) -> Any:
        yield Metadata(CAPTURES, extra={"source": source, "lake": asked["lake"], "partition": asked["partition"]})

    asked = requested_by_date()
    alarms = drifted(asked)
    captured = capture(asked)
    alarms >> [collect(asked), captured]
    announce(captured, asked)


drift_retrain()
