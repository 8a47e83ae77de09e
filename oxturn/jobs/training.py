"""From a published dataset to the registry's champion: what `dags/training_dag.py` calls.

A model's place is `<lake>/models/<task>-<key of what it is made from>`; it holds `bundle/` as the robot gets it.
"""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from foundation.atomic_files import write_json
from foundation.errors import OxturnError
from foundation.progress import silent
from foundation.robot_config import RobotConfig
from oxturn.jobs.data import SAMPLES
from oxturn.lake import find, local_copy, produce
from perception.tasks.obstacles import OBSTACLES

if TYPE_CHECKING:
    from perception.gate import Candidate, JobWorth

SIZE_MAX_BYTES: Final = 500_000
LATENCY_MAX_MS: Final = 30.0  # on a busy worker; the figure that counts is measured on the device


class ModelError(OxturnError):
    """A model that does not answer as its bundle says."""


def train(dataset: str, lake: str, task: str, seed: int, minutes: float, registry: str) -> str:
    """Trains on the dataset; a killed training goes on from its checkpoint when it is tried again on that machine."""
    from perception import tracked_training
    from perception.tasks.registry import task_named
    from perception.train import settings_of

    made = find(dataset)
    key = hashlib.sha256(f"{made.digest if made else ''} {task} {seed} {minutes}".encode()).hexdigest()[:12]
    scratch = Path(tempfile.gettempdir(), f"oxturn-train-{key}")

    def work(folder: Path) -> None:
        with local_copy(dataset) as source:
            settings = settings_of(task_named(task), seed=seed, minutes=minutes)
            tracked_training.run(
                task, source / SAMPLES, scratch, settings, tracking_uri=registry or None, progress=silent
            )
        shutil.copytree(scratch / "bundle", folder / "bundle")
        shutil.rmtree(scratch)

    return produce(f"{lake}/models/{task}-{key}", [dataset, task, f"seed {seed}", f"minutes {minutes}"], work)


def evaluate(model: str, dataset: str) -> str:
    """The figures of the model on the dataset's test part, beside its baselines, as `evaluation.json`."""

    def work(folder: Path) -> None:
        write_json(folder / "evaluation.json", _figures(model, dataset))

    return produce(f"{model}-on-{_digest(dataset)}", [model, dataset], work)


def gate(model: str, dataset: str, registry: str, task: str, job_rooms: int = 0) -> dict[str, Any]:
    """May it replace the champion, judged on the same frames? `{"promoted", "why"}`; `perception.gate` says how.

    Obstacle models are also driven, each in the same `job_rooms` unseen rooms; finished runs are kept on the machine.
    """
    from perception import gate as gates

    champion = champion_of(registry, task)
    rooms = job_rooms if task == OBSTACLES.name else 0
    held = None if champion is None or find(champion) is None else _candidate(champion, dataset, rooms)
    limits = gates.Limits(size_bytes=SIZE_MAX_BYTES, latency_ms_p99=LATENCY_MAX_MS)
    told = gates.decide(held, _candidate(model, dataset, rooms if held is not None else 0), limits=limits)
    return {"promoted": told.accepted, "why": told.reason}


def quantise(model: str) -> str:
    """The exported graph as a robot will run it: golden frames replayed, size and latency measured and bounded.

    Training exports INT8 or fp32 through its parity gates; this is the last look before it can be registered.
    """

    def work(folder: Path) -> None:
        with local_copy(model) as source:
            bench = _bench(source / "bundle")
            shutil.copytree(source / "bundle", folder / "bundle")
        write_json(folder / "bench.json", bench)
        for name, limit in (("size_bytes", SIZE_MAX_BYTES), ("latency_ms_p50", LATENCY_MAX_MS)):
            if bench[name] > limit:
                raise ModelError(f"{model}: {name} is {bench[name]:g}, limit {limit:g}")

    return produce(f"{model}-quantised", [model], work)


def register(model: str, bundle: str, why: str, registry: str, task: str) -> dict[str, Any]:
    """Makes the model the registry's champion; `{"bundle", "version"}` for whoever releases it."""
    client = _client(registry)
    name = _registered_name(task)
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    known = [version for version in client.search_model_versions(f"name = '{name}'") if version.source == model]
    version = known[0] if known else client.create_model_version(name, model, tags={"bundle": bundle, "why": why})
    client.set_registered_model_alias(name, "champion", version.version)
    return {"bundle": bundle, "version": str(version.version)}


def champion_of(registry: str, task: str) -> str | None:
    """URI of the model that is @champion."""
    from mlflow.exceptions import MlflowException

    try:
        return str(_client(registry).get_model_version_by_alias(_registered_name(task), "champion").source)
    except MlflowException:
        return None


def _bench(bundle_dir: Path) -> dict[str, float]:
    """By the very check that a robot runs before it takes the model."""
    from deploy import golden_frames
    from perception import model_bundle

    health = golden_frames.examine(bundle_dir)
    if not health.healthy:
        raise ModelError(f"{bundle_dir}: {health.reason}")
    size_bytes = model_bundle.load(bundle_dir).onnx_path.stat().st_size
    return {"size_bytes": size_bytes, "latency_ms_p50": health.latency_ms_p50}


def _candidate(model: str, dataset: str, job_rooms: int) -> "Candidate":
    """The model's judgements on the test frames, and its job; its time is the robot's own check's."""
    from perception import evaluate as evaluation
    from perception import sample_format
    from perception.dataset import part_folder
    from perception.gate import Candidate

    range_max_m = RobotConfig().detector.range_max_m
    with local_copy(model) as held, local_copy(dataset) as source:
        bench = _bench(held / "bundle")
        detector = evaluation.of_bundle(held / "bundle", min_score=None, range_max_m=range_max_m)
        frames = sample_format.iter_samples(part_folder(source / SAMPLES, "test"))
        verdicts = [evaluation.judge_sample(detector, sample, range_max_m, 0.0) for sample in frames]
        job = _job_of(held / "bundle", job_rooms) if job_rooms else None
    return Candidate(model, verdicts, int(bench["size_bytes"]), bench["latency_ms_p50"], job)


def _job_of(bundle_dir: Path, rooms: int) -> "JobWorth":
    from oxturn import job_rooms
    from perception.gate import JobWorth

    seeds = range(job_rooms.FIRST_SEED, job_rooms.FIRST_SEED + rooms)
    out = Path(tempfile.gettempdir(), "oxturn-gate-job")
    cost = job_rooms.of_model(bundle_dir, seeds, out, side_by_side=os.cpu_count() or 1, progress=silent)
    return JobWorth(cost.mean_coverage_ratio, cost.hits, cost.collisions, cost.duration_s / rooms)


def _figures(model: str, dataset: str) -> dict[str, Any]:
    from perception import evaluation_report

    with local_copy(model) as held, local_copy(dataset) as source:
        range_max_m = RobotConfig().detector.range_max_m
        return evaluation_report.of_bundle(
            held / "bundle", source / SAMPLES, min_score=None, range_max_m=range_max_m, progress=silent
        ).figures


def _client(registry: str) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=registry, registry_uri=registry)


def _registered_name(task: str) -> str:
    return f"oxturn-{task}"


def _digest(uri: str) -> str:
    made = find(uri)
    return made.digest[:12] if made is not None else "nothing"
