import json
import shutil

import fsspec
import pytest
from room_samples import capture

from oxturn import lake
from oxturn.jobs import data
from oxturn.lake import LakeError, local_copy
from perception import sample_format
from perception.errors import EvaluationError


@pytest.fixture
def source(tmp_path):
    capture(tmp_path / "source", rooms=4, frames=6, black_every=3)
    return (tmp_path / "source").as_uri()


@pytest.fixture
def root(tmp_path):
    return (tmp_path / "lake").as_uri()


def cleaned(source, root, partition="p"):
    return [data.clean(data.validate(raw)) for raw in data.ingest(source, root, partition)]


@pytest.mark.parametrize("where", ["local", "memory"])
def test_a_capture_becomes_a_dataset_on_any_file_system(source, root, where):
    if where == "memory":
        fsspec.filesystem("memory").store.clear()
        root = "memory://lake"
    shards = cleaned(source, root)
    published = data.publish(data.split(shards, root, "p", 1), root, "p")

    assert published["dataset"] == f"{root}/p/dataset"
    assert published["samples"].keys() == {"train", "validation", "test"}
    with local_copy(published["dataset"]) as folder:
        groups = [
            {s.group for s in sample_format.iter_samples(folder / "samples" / part)} for part in published["samples"]
        ]
    assert not set.intersection(*groups) and len(set.union(*groups)) == 4


def test_bad_samples_are_kept_apart_with_their_reasons(source, root):
    [shard, *_] = cleaned(source, root)

    with local_copy(shard) as folder:
        reasons = json.loads((folder / "samples" / "quarantine" / "reasons.json").read_text())
        report = json.loads((folder / "samples" / "report.json").read_text())
        bad = list(sample_format.read_shard(folder / "samples" / "quarantine" / "shard-00000.parquet"))
    assert {why[0].split(":")[0] for why in reasons.values()} == {"black"}
    assert (report["kept"], report["quarantined"], len(bad)) == (4, 2, 2)


def test_augmented_frames_go_to_training_alone_and_keep_their_labels(source, root):
    shards = [data.augment(shard, 1, 2) for shard in cleaned(source, root)]
    dataset = data.split(shards, root, "p", 1)

    with local_copy(dataset) as folder:
        train = list(sample_format.iter_samples(folder / "samples" / "train"))
        others = [s for part in ("validation", "test") for s in sample_format.iter_samples(folder / "samples" / part)]
        assert sample_format.check(folder / "samples" / "train") == []
    originals = {sample.sample_id: sample for sample in train if "~" not in sample.sample_id}
    copies = [sample for sample in train if "~" in sample.sample_id]
    assert len(copies) == 2 * len(originals)
    assert not [sample for sample in others if "~" in sample.sample_id]
    for copy in copies:
        original = originals[copy.sample_id.split("~")[0]]
        assert copy.segmentation == original.segmentation and copy.objects == original.objects
        assert copy.image != original.image
    assert data.publish(dataset, root, "p")["samples"]["train"] == len(train)


def test_augmentation_follows_the_seed_and_nothing_else(source, root):
    [shard, *_] = cleaned(source, root)

    def digest(partition, seed):
        other = shard.replace("/p/", f"/{partition}/")
        lake.produce(other, [shard], lambda folder: copied(shard, folder))
        return lake.find(data.augment(other, seed, 1)).digest

    assert digest("one", 1) == digest("two", 1) != digest("three", 2)


def copied(uri, folder):
    with local_copy(uri) as source:
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("_made.json"))


def test_doing_it_again_gives_the_same_bytes_and_redoes_nothing(source, root, monkeypatch):
    first = data.split(cleaned(source, root), root, "p", 1)
    before = lake.find(first)

    monkeypatch.setattr("perception.quality.clean_shard", None)  # would fail when called
    monkeypatch.setattr("perception.dataset.split", None)
    again = data.split(cleaned(source, root), root, "p", 1)

    assert (again, lake.find(again)) == (first, before)


def test_another_partition_of_the_same_source_holds_the_same_bytes(source, root):
    one = data.split(cleaned(source, root, "one"), root, "one", 1)
    two = data.split(cleaned(source, root, "two"), root, "two", 1)

    assert lake.find(one).digest == lake.find(two).digest


def test_a_shard_torn_on_the_way_is_refused_and_tried_again(source, root, tmp_path):
    shard = tmp_path / "source" / "shard-00001.parquet"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:500])
    with pytest.raises(LakeError, match=r"shard-00001\.parquet: bytes have hash"):
        data.ingest(source, root, "p")

    shard.write_bytes(whole)

    assert len(data.ingest(source, root, "p")) == 4


def test_a_shard_that_is_no_parquet_goes_to_quarantine_and_the_rest_goes_on(tmp_path, root):
    capture(tmp_path / "source", rooms=4)
    path = tmp_path / "source" / "shard-00002.parquet"
    manifest = json.loads((tmp_path / "source" / "manifest.json").read_text())
    path.write_bytes(b"<html>404</html>")
    manifest["shards"][2]["sha256"] = lake.fingerprint(path.as_uri())
    (tmp_path / "source" / "manifest.json").write_text(json.dumps(manifest))

    shards = cleaned((tmp_path / "source").as_uri(), root)
    with local_copy(shards[2].replace("/clean/", "/valid/")) as folder:
        reason = json.loads((folder / "quarantine" / "reason.json").read_text())
        kept = (folder / "quarantine" / "shard-00002.parquet").read_bytes()
    dataset = data.publish(data.split(shards, root, "p", 1), root, "p")

    assert "Parquet" in reason["reason"] and kept == b"<html>404</html>"
    assert sum(dataset["samples"].values()) == 18


def test_when_nothing_is_fit_for_use_it_says_so(tmp_path, root):
    capture(tmp_path / "source", rooms=2, black_every=1)

    with pytest.raises(LakeError, match="no sample that is fit"):
        data.split(cleaned((tmp_path / "source").as_uri(), root), root, "p", 1)


def test_a_leaking_dataset_is_not_published(source, root, tmp_path):
    dataset = data.split(cleaned(source, root), root, "p", 1)

    def leak(folder):
        with local_copy(dataset) as held:
            for part in ("train", "validation", "test"):
                (folder / "samples" / part).mkdir(parents=True)
                for path in (held / "samples" / "train").iterdir():
                    (folder / "samples" / part / path.name).write_bytes(path.read_bytes())

    lake.produce(f"{root}/p/leaking", [], leak)

    with pytest.raises(EvaluationError, match="leaks"):
        data.publish(f"{root}/p/leaking", root, "p")


def test_a_source_without_a_manifest_is_one_clear_line(tmp_path, root):
    with pytest.raises(LakeError, match=r"manifest\.json: not found"):
        data.ingest((tmp_path / "nothing").as_uri(), root, "p")
