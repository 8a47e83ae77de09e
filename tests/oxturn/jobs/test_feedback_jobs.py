import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from oxturn.jobs import feedback
from oxturn.jobs.feedback import FeedbackError
from oxturn.lake import LakeError, find, local_copy


@contextmanager
def answering(body):
    """Something that answers every query with `body`; yields its address and the queries it was asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_drifted_robots_are_named_in_order():
    result = [
        {"metric": {"instance": "ox2", "feature": "warmth"}, "value": [0, "1"]},
        {"metric": {"instance": "ox1", "feature": "brightness"}, "value": [0, "2"]},
    ]
    with answering(json.dumps({"data": {"result": result}}).encode()) as (address, asked):
        found = feedback.drifted(address, "1d")

    assert found == [{"robot": "ox1", "feature": "brightness"}, {"robot": "ox2", "feature": "warmth"}]
    assert "increase%28oxturn_drift_alarms_total%5B1d%5D%29" in asked[0]


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"data": {"result": [{"metric": {}}]}}', b"[]"])
def test_what_is_no_prometheus_is_said_so(body):
    with answering(body) as (address, _), pytest.raises(FeedbackError, match="is no Prometheus"):
        feedback.drifted(address, "1d")


def test_a_silent_prometheus_is_one_clear_line():
    with pytest.raises(FeedbackError, match=r"127\.0\.0\.1:9 does not answer"):
        feedback.drifted("http://127.0.0.1:9", "1d")


def kept(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / f"{name}.jpg").write_bytes(name.encode())
        (folder / f"{name}.json").write_text(json.dumps({"reason": name.split("-")[1]}))


def test_kept_frames_become_one_result_with_an_index(tmp_path):
    kept(tmp_path / "kept", "2-unsure", "1-bumped")
    uri = feedback.collect((tmp_path / "kept").as_uri(), "memory://lake", "d")

    with local_copy(uri) as folder:
        index = json.loads((folder / "index.json").read_text())
        frames = {path.name for path in folder.glob("*.jpg")}
    assert index == [{"frame": "1-bumped.jpg", "reason": "bumped"}, {"frame": "2-unsure.jpg", "reason": "unsure"}]
    assert frames == {"1-bumped.jpg", "2-unsure.jpg"}


def test_a_frame_still_being_written_is_left_for_the_next_time(tmp_path):
    kept(tmp_path / "kept", "1-bumped")
    (tmp_path / "kept" / "2-unsure.jpg").write_bytes(b"no description yet")
    (tmp_path / "kept" / "3-unsure.jpg").write_bytes(b"torn")
    (tmp_path / "kept" / "3-unsure.json").write_text('{"reaso')

    uri = feedback.collect((tmp_path / "kept").as_uri(), tmp_path.as_uri(), "d")

    with local_copy(uri) as folder:
        assert {path.name for path in folder.iterdir()} >= {"1-bumped.jpg", "1-bumped.json", "index.json"}
        assert not list(folder.glob("[23]-*")) and not (folder / "told.json").exists()


def test_new_frames_make_a_new_result_and_old_ones_do_not(tmp_path):
    kept(tmp_path / "kept", "1-bumped")
    first = find(feedback.collect((tmp_path / "kept").as_uri(), tmp_path.as_uri(), "d"))
    same = find(feedback.collect((tmp_path / "kept").as_uri(), tmp_path.as_uri(), "d"))
    kept(tmp_path / "kept", "2-unsure")
    more = find(feedback.collect((tmp_path / "kept").as_uri(), tmp_path.as_uri(), "d"))

    assert first == same != more


@pytest.mark.parametrize("remote", [True, False])
def test_what_was_collected_stays_when_robots_have_deleted_it(tmp_path, remote):
    root = "memory://kept-lake" if remote else tmp_path.as_uri()
    kept(tmp_path / "kept", "1-bumped")
    first = feedback.collect((tmp_path / "kept").as_uri(), root, "d")
    (tmp_path / "kept" / "1-bumped.jpg").unlink()
    kept(tmp_path / "kept", "2-unsure")

    second = feedback.collect((tmp_path / "kept").as_uri(), root, "d")

    for uri, name in ((first, "1-bumped.jpg"), (second, "2-unsure.jpg")):
        with local_copy(uri) as folder:
            assert [path.name for path in folder.glob("*.jpg")] == [name]


def test_an_empty_folder_says_so(tmp_path):
    (tmp_path / "kept").mkdir()
    with pytest.raises(LakeError, match="no frames"):
        feedback.collect((tmp_path / "kept").as_uri(), tmp_path.as_uri(), "d")
