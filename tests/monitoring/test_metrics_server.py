import http.client
import socket
import time
import urllib.error
import urllib.request

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.parser import text_string_to_metric_families

from monitoring import metrics_server
from monitoring.errors import MonitoringError
from monitoring.metrics_server import serve_metrics


@pytest.fixture(scope="module")
def server():
    registry = CollectorRegistry()
    Counter("oxturn_ticks", "Ticks", registry=registry).inc(3)
    with serve_metrics(registry, "127.0.0.1", 0) as running:
        yield running


def answer(server, request: bytes) -> bytes:
    """Whatever comes back until the server closes, b"" when it hung up."""
    with socket.create_connection((server.host, server.port), timeout=2) as client:
        try:
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
            received = b""
            while chunk := client.recv(65536):
                received += chunk
        except OSError:
            return b""
    return received


def test_a_scrape_reads_the_registry(server):
    with urllib.request.urlopen(server.url, timeout=2) as response:
        families = {family.name: family for family in text_string_to_metric_families(response.read().decode())}

    assert families["oxturn_ticks"].samples[0].value == 3


def test_it_says_when_a_later_scrape_has_its_answer():
    with serve_metrics(CollectorRegistry(), "127.0.0.1", 0) as server:
        assert (server.scrapes, server.scraped_after(0, 0.0)) == (0, False)

        urllib.request.urlopen(server.url, timeout=2).read()

        assert server.scraped_after(0, 5.0)
        assert (server.scrapes, server.scraped_after(1, 0.0)) == (1, False)


def test_openmetrics_is_served_to_who_asks_for_it(server):
    request = urllib.request.Request(server.url, headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    with urllib.request.urlopen(request, timeout=2) as response:
        assert response.headers["Content-Type"].startswith("application/openmetrics-text")
        assert response.read().endswith(b"# EOF\n")


def test_only_one_path_and_only_get(server):
    assert answer(server, b"GET /etc/passwd HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 404")
    assert answer(server, b"GET /../../etc/passwd HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 404")
    assert answer(server, b"POST /metrics HTTP/1.0\r\nContent-Length: 9\r\n\r\nbeep=true").startswith(b"HTTP/1.0 501")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=600))
def test_the_server_survives_any_bytes(server, request_bytes):
    answer(server, request_bytes)

    assert b"oxturn_ticks_total 3.0" in answer(server, b"GET /metrics HTTP/1.0\r\n\r\n")


def test_an_endless_header_and_an_endless_line_are_cut_off(server):
    assert b" 431 " in answer(server, b"GET /metrics HTTP/1.0\r\n" + b"a: b\r\n" * 500 + b"\r\n")[:40]
    assert b" 414 " in answer(server, b"GET /" + b"a" * 70_000 + b" HTTP/1.0\r\n\r\n")[:40]


def test_silent_clients_cannot_keep_prometheus_out(monkeypatch):
    monkeypatch.setattr(metrics_server, "CLIENT_TIMEOUT_S", 1.0)
    patience = time.monotonic() + 20.0
    with serve_metrics(CollectorRegistry(), "127.0.0.1", 0) as server:
        silent = [socket.create_connection((server.host, server.port)) for _ in range(20)]
        try:
            while not (received := answer(server, b"GET /metrics HTTP/1.0\r\n\r\n")):
                assert time.monotonic() < patience, "silent clients held every thread for 20 s"
                time.sleep(0.05)
        finally:
            for client in silent:
                client.close()

    assert received.startswith(b"HTTP/1.0 200")


def test_a_token_is_needed_when_one_is_set():
    with serve_metrics(CollectorRegistry(), "127.0.0.1", 0, token="s3cret") as server:
        for wrong in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer s3cret2"}):
            connection = http.client.HTTPConnection(server.host, server.port, timeout=2)
            connection.request("GET", "/metrics", headers=wrong)
            assert connection.getresponse().status == 401
        connection = http.client.HTTPConnection(server.host, server.port, timeout=2)
        connection.request("GET", "/metrics", headers={"Authorization": "Bearer s3cret"})
        assert connection.getresponse().status == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.4", "robot.local", ""])
def test_other_machines_reach_it_only_with_a_token(host):
    with pytest.raises(MonitoringError, match="set a token"):
        serve_metrics(CollectorRegistry(), host, 0)


def test_a_taken_port_is_one_clear_line(server):
    with pytest.raises(MonitoringError, match=rf"127\.0\.0\.1:{server.port}"):
        serve_metrics(CollectorRegistry(), "127.0.0.1", server.port)


def test_a_closed_server_frees_its_port_and_closes_twice():
    first = serve_metrics(CollectorRegistry(), "127.0.0.1", 0)
    first.close()
    first.close()

    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(first.url, timeout=1)
