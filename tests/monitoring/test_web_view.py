import http.client
import json
import urllib.error
import urllib.request

import cv2
import numpy as np
import pytest
from fake_ticks import detections, tick

from foundation.geometry import Pose2D
from monitoring import live_state
from monitoring.errors import MonitoringError
from monitoring.live_state import COVERED_BGR, FREE_BGR, OCCUPIED_BGR, UNKNOWN_BGR, FloorObject, LiveState, map_picture
from monitoring.web_view import serve_view
from navigation.grid_geometry import GridGeometry

MAP = np.array([[0, 0, -1], [100, 0, 0]], dtype=np.int8)


def lively():
    state = LiveState("ox1")
    state.on_map(MAP, GridGeometry(-1.0, 2.0, 0.5, 2, 3), covered=MAP == 0)
    for i in range(30):
        state.on_tick(tick(i * 0.1, x_m=0.02 * i, seen=detections(i * 0.1, (0.5, 0.0))))
    state.on_plan([Pose2D(0, 0, 0), Pose2D(1, 0, 0)])
    state.on_objects([FloorObject(0.5, 0.6, 0.04, "sock")])
    state.say(coverage_ratio=0.42, model="7")
    return state


@pytest.fixture(scope="module")
def url():
    with serve_view(lively(), "127.0.0.1", 0) as address:
        yield address


def get(url, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=3) as response:
        return response.read(), response.headers


def status(url, **headers):
    try:
        get(url, **headers)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    return 200


def test_the_page_loads_nothing_from_elsewhere(url):
    body, headers = get(url)

    assert b"<title>Oxturn</title>" in body
    assert b"http://" not in body and b"https://" not in body
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_the_state_tells_where_the_robot_is_and_what_it_knows(url):
    state = json.loads(get(url + "state.json")[0])

    assert state["pose"] == pytest.approx([0.58, 0, 0])
    assert state["words"] == {"coverage_ratio": 0.42, "model": "7"}
    assert state["objects"] == [[0.5, 0.6, 0.04, "sock"]]
    assert state["map"] == {"revision": 1, "x_m": -1.0, "y_m": 2.0, "width_m": 1.5, "height_m": 1.0}
    assert state["plan"] == [[0, 0], [1, 0]]
    steps = np.diff([x for x, _ in state["path"]])
    assert (steps >= 0.05).all() and state["path"][0] == [0, 0]


def test_the_map_and_the_frame_are_pictures(url):
    picture = cv2.imdecode(np.frombuffer(get(url + "map.png")[0], np.uint8), cv2.IMREAD_COLOR)
    frame = cv2.imdecode(np.frombuffer(get(url + "frame.jpg")[0], np.uint8), cv2.IMREAD_COLOR)

    assert picture[1, 2].tolist() == list(UNKNOWN_BGR)
    assert picture[0, 0].tolist() == list(OCCUPIED_BGR)
    assert picture[0, 1].tolist() == list(COVERED_BGR)
    assert frame.shape == (24, 32, 3)


def test_before_the_first_tick_there_is_a_page_and_nothing_else():
    with serve_view(LiveState("new"), "127.0.0.1", 0) as url:
        assert status(url) == 200
        assert json.loads(get(url + "state.json")[0])["name"] == "new"
        assert (status(url + "map.png"), status(url + "frame.jpg")) == (404, 404)


def test_it_shows_and_cannot_command(url):
    for method in ("POST", "PUT", "DELETE"):
        request = urllib.request.Request(url + "state.json", data=b"{}", method=method)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=3)
        assert refused.value.code == 405
        refused.value.close()
    assert status(url + "../../etc/passwd") == 404


def test_a_foreign_name_that_resolves_to_loopback_is_refused(url):
    assert status(url + "state.json", Host="evil.example") == 421
    assert status(url + "state.json", Host="localhost") == 200


def test_with_a_token_nothing_is_shown_without_it():
    with serve_view(lively(), "127.0.0.1", 0, token="s3cret") as url:
        for path in ("", "state.json", "map.png", "frame.jpg"):
            assert status(url + path) == 401
            assert status(url + path, Authorization="Bearer wrong") == 401
            assert status(url + path, Authorization="Bearer s3cret") == 200
        _, headers = get(url + "?token=s3cret")
        cookie = headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "strict" in cookie.lower()
        assert status(url + "state.json", Cookie=cookie.split(";")[0]) == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3"])
def test_other_machines_need_a_token(host):
    with pytest.raises(MonitoringError, match="set a token"), serve_view(LiveState("x"), host, 0):
        pass


def test_a_taken_port_is_one_clear_line(url):
    port = int(url.rsplit(":", 1)[1].strip("/"))

    with pytest.raises(MonitoringError, match=f"{port}"), serve_view(LiveState("x"), "127.0.0.1", port):
        pass


def test_hostile_requests_leave_it_serving(url):
    host, port = url.removeprefix("http://").strip("/").split(":")
    for request in (b"\x00" * 200, b"GET " + b"/" * 100_000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"):
        connection = http.client.HTTPConnection(host, int(port), timeout=2)
        connection.connect()
        try:
            connection.sock.sendall(request)
            connection.sock.recv(4096)
        except OSError:
            pass
        finally:
            connection.close()

    assert status(url) == 200


def test_a_long_day_keeps_a_bounded_path(monkeypatch):
    monkeypatch.setattr(live_state, "PATH_POINTS_MAX", 50)
    state = LiveState("x")

    for i in range(2000):
        state.on_tick(tick(i * 0.1, x_m=0.06 * i))

    path = state.to_json()["path"]
    assert len(path) <= 50
    assert (path[0], path[-1][0]) == ((0.0, 0.0), pytest.approx(0.06 * 1999, abs=6.0))


def test_the_picture_has_north_up_and_walls_over_coverage():
    picture = map_picture(MAP, np.ones_like(MAP, dtype=bool))

    assert picture[0, 0].tolist() == list(OCCUPIED_BGR)  # row 1 of the map, above row 0
    assert map_picture(MAP, None)[1, 0].tolist() == list(FREE_BGR)
