import json

import pytest
from empty_bundles import obstacle_bundle
from room_samples import capture

from oxturn.jobs import data, training
from oxturn.jobs.training import ModelError
from oxturn.lake import local_copy, produce
from perception.gate import JobWorth


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("training")
    capture(folder / "source", rooms=4, frames=6, scale=3)
    root = (folder / "lake").as_uri()
    shards = [data.clean(data.validate(raw)) for raw in data.ingest((folder / "source").as_uri(), root, "p")]
    return root, data.split(shards, root, "p", 1), f"sqlite:///{folder / 'mlflow.db'}"


def test_an_evaluation_in_the_lake_stands_beside_its_baselines(dataset):
    root, uri, _ = dataset
    model = produce(f"{root}/models/empty", ["empty"], lambda folder: obstacle_bundle(folder))

    report = training.evaluate(model, uri)

    with local_copy(report) as folder:
        figures = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    assert list(figures["baselines"]) == ["classical", "majority"]
    assert figures["frames"] > 0
    assert figures["baselines"]["majority"]["recall"] in (0.0, None)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore")
def test_a_dataset_becomes_the_champion_once_and_is_what_a_robot_would_take(dataset, monkeypatch):
    root, uri, registry = dataset
    model = training.train(uri, root, "obstacles", 1, 0.02, registry)
    monkeypatch.setattr(training, "SIZE_MAX_BYTES", 10)
    refused = training.gate(model, uri, registry, "obstacles")
    with pytest.raises(ModelError, match=r"size_bytes is \d+, limit 10"):
        training.quantise(model)
    monkeypatch.setattr(training, "LATENCY_MAX_MS", 1000.0)  # this machine may be busy
    monkeypatch.setattr(training, "SIZE_MAX_BYTES", 5_000_000)  # three steps may make a network that INT8 does not keep

    first = training.gate(model, uri, registry, "obstacles")
    bundle = training.quantise(model)
    registered = training.register(model, bundle, first["why"], registry, "obstacles")
    again = training.register(model, bundle, first["why"], registry, "obstacles")

    assert not refused["promoted"] and "limit 10" in refused["why"]
    assert first["promoted"] and "no champion yet" in first["why"]
    assert registered == again == {"bundle": bundle, "version": "1"}
    assert training.champion_of(registry, "obstacles") == model
    assert training.gate(model, uri, registry, "obstacles")["promoted"]
    worths = iter([JobWorth(0.98, 1, 0, 600.0), JobWorth(0.98, 2, 0, 600.0)])
    monkeypatch.setattr(training, "_job_of", lambda bundle_dir, rooms: next(worths))
    hits_more = training.gate(model, uri, registry, "obstacles", job_rooms=2)
    assert not hits_more["promoted"] and "hits 2 small objects" in hits_more["why"]
    monkeypatch.setattr("perception.tracked_training.run", None)  # made once: would fail when called
    assert training.train(uri, root, "obstacles", 1, 0.02, registry) == model
