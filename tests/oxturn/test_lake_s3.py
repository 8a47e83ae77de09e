"""The lake on S3: what holds on local disk holds there, seen by other clients too."""

import pytest
from s3_server import s3_server

from oxturn import lake
from oxturn.lake import LakeError, find, local_copy, produce

ROOT = "s3://oxturn-lake/run"


@pytest.fixture
def s3(monkeypatch):
    with s3_server(monkeypatch, "oxturn-lake") as client:
        yield client


def keys(s3) -> list[str]:
    return sorted(row["Key"] for row in s3.list_objects_v2(Bucket="oxturn-lake").get("Contents", ()))


def writes(text, calls=None):
    def work(folder):
        if calls is not None:
            calls.append(text)
        (folder / "sub").mkdir()
        (folder / "sub" / "file.txt").write_text(text)

    return work


def test_a_result_on_s3_is_made_once_read_back_whole_and_made_again_for_other_inputs(s3):
    calls = []

    first = produce(f"{ROOT}/a", ["seed 1"], writes("one", calls))
    produce(f"{ROOT}/a", ["seed 1"], writes("one", calls))
    with local_copy(first) as folder:
        held = (folder / "sub" / "file.txt").read_text()
    produce(f"{ROOT}/a", ["seed 2"], lambda folder: (folder / "other.txt").write_text("two"))

    assert (held, calls) == ("one", ["one"])
    assert keys(s3) == ["run/a/_made.json", "run/a/other.txt"]


def test_another_workers_result_is_seen_although_the_folder_was_listed_before(s3):
    produce(f"{ROOT}/a", ["1"], writes("one"))
    lake.listed(ROOT, "")
    assert find(f"{ROOT}/b") is None

    for key in ("_made.json", "sub/file.txt"):
        s3.copy_object(Bucket="oxturn-lake", Key=f"run/b/{key}", CopySource=f"oxturn-lake/run/a/{key}")

    assert find(f"{ROOT}/b") == find(f"{ROOT}/a")
    assert lake.listed(ROOT, "b") == [f"{ROOT}/b"]


def test_an_upload_without_its_marker_is_no_result_and_a_changed_object_is_refused(s3):
    produce(f"{ROOT}/a", ["1"], writes("one"))
    s3.put_object(Bucket="oxturn-lake", Key="run/torn/sub/file.txt", Body=b"half")
    s3.put_object(Bucket="oxturn-lake", Key="run/a/sub/file.txt", Body=b"false")

    assert find(f"{ROOT}/torn") is None
    with pytest.raises(LakeError, match="marker says"), local_copy(f"{ROOT}/a"):
        pass


def test_what_goes_wrong_on_s3_is_one_clear_line_and_no_bucket_is_made_of_a_typing_error(s3, tmp_path, monkeypatch):
    with pytest.raises(LakeError, match="no such folder"):
        lake.listed(f"{ROOT}/nothing", ".parquet")
    with pytest.raises(LakeError, match="not found"):
        lake.fetch(f"{ROOT}/nothing", tmp_path / "copy")
    with pytest.raises(LakeError, match="s3://oxturn-lakes/a"):
        produce("s3://oxturn-lakes/a", ["1"], writes("one"))

    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["oxturn-lake"]


def test_what_the_work_itself_fails_with_is_not_laid_on_s3(s3):
    def breaks(folder):
        raise FileNotFoundError(2, "No such file", "recipe.toml")

    with pytest.raises(FileNotFoundError, match=r"recipe\.toml"):
        produce(f"{ROOT}/a", ["1"], breaks)


def test_an_s3_that_is_gone_is_one_clear_line(monkeypatch):
    with s3_server(monkeypatch, "oxturn-lake"):
        pass
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    with pytest.raises(LakeError, match="s3://oxturn-lake/a"):
        find("s3://oxturn-lake/a")
