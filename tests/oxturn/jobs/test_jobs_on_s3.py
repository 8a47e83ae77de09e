"""Cleaning jobs on a lake in S3 give what they give on local disk, byte for byte."""

from room_samples import capture
from s3_server import s3_server

from oxturn.jobs import data
from oxturn.lake import find


def cleaned(source: str, root: str) -> str:
    shards = [data.clean(data.validate(raw)) for raw in data.ingest(source, root, "p")]
    return data.split(shards, root, "p", 1)


def test_a_dataset_made_on_s3_has_the_digest_of_the_local_one(tmp_path, monkeypatch):
    capture(tmp_path / "source", rooms=4, frames=3, black_every=3)
    source = (tmp_path / "source").as_uri()
    local = find(cleaned(source, (tmp_path / "lake").as_uri()))

    with s3_server(monkeypatch, "oxturn-lake"):
        remote = find(cleaned(source, "s3://oxturn-lake/lake"))

    assert local is not None and remote is not None
    assert remote.digest == local.digest
