"""Captured shards in, a published dataset out: ingest, validate, clean, augment, split, publish; mapped over shards."""

# mypy: disable-error-code="untyped-decorator"

from typing import Any

from airflow.sdk import Metadata, dag, task

from dags.assets import CAPTURES, DATASET, DEFAULTS, requested, text_param
from oxturn.jobs import data

PARAMS = {
    "lake": text_param("URI under which results are kept"),
    "source": text_param("URI of the sample folder to take over"),
    "partition": text_param("name under which its results are kept"),
    "seed": text_param("of augmentation and split"),
    "copies": text_param("augmented frames for each frame of the training rooms"),
}


@dag(schedule=[CAPTURES], params=PARAMS, default_args=DEFAULTS, catchup=False, tags=["oxturn"], doc_md=__doc__)
def data_cleaning() -> None:
    @task
    def ingest(asked: dict[str, Any]) -> list[str]:
        return data.ingest(asked["source"], asked["lake"], asked["partition"])

    @task
    def validate(shard: str) -> str:
        return data.validate(shard)

    @task
    def clean(shard: str) -> str:
        return data.clean(shard)

    @task
    def augment(shard: str, asked: dict[str, Any]) -> str:
        return data.augment(shard, int(asked["seed"]), int(asked["copies"]))

    @task
    def split(shards: list[str], asked: dict[str, Any]) -> str:
        return data.split(list(shards), asked["lake"], asked["partition"], int(asked["seed"]))

    @task(outlets=[DATASET])
    def publish(dataset: str, asked: dict[str, Any]) -> Any:
        yield Metadata(DATASET, extra=data.publish(dataset, asked["lake"], asked["partition"]))

    asked = requested()
    cleaned = clean.expand(shard=validate.expand(shard=ingest(asked)))
    publish(split(augment.partial(asked=asked).expand(shard=cleaned), asked), asked)


data_cleaning()
