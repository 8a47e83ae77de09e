"""Serves a metrics registry over HTTP to Prometheus: one path, GET only, loopback unless a token guards it.

Made for a robot on an untrusted network: a slow or hostile client costs one of a few threads for a few seconds, and
nothing a client sends is echoed back or logged.
"""

import hmac
import ipaddress
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from monitoring.errors import MonitoringError

CLIENT_TIMEOUT_S: Final = 5.0
CONNECTIONS_MAX: Final = 8


def is_loopback(host: str) -> bool:
    """Whether `host` can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_exposure(host: str, token: str | None) -> None:
    """Raises MonitoringError when `host` is reachable from outside and no token guards it."""
    if not is_loopback(host) and not token:
        raise MonitoringError(f"host {host!r} is reachable from outside: set a token, or use 127.0.0.1")


class _Scrapes:
    """Numbers scrapes from 1 on, as they begin."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.begun = 0
        self._newest_answered = 0

    def begin(self) -> int:
        with self._changed:
            self.begun += 1
            return self.begun

    def answered(self, number: int) -> None:
        with self._changed:
            self._newest_answered = max(self._newest_answered, number)
            self._changed.notify_all()

    def wait_for_later(self, number: int, within_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._newest_answered > number, within_s)


class MetricsServer:
    """Running server; `close()` ends it and may be called twice."""

    def __init__(self, server: "_Server", thread: threading.Thread, scrapes: _Scrapes) -> None:
        self._server = server
        self._thread = thread
        self._scrapes = scrapes

    @property
    def host(self) -> str:
        return str(self._server.server_address[0])

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/metrics"

    @property
    def scrapes(self) -> int:
        """How many have begun so far."""
        return self._scrapes.begun

    def scraped_after(self, scrapes: int, within_s: float) -> bool:
        """Waits: True as soon as one that began after so many others has its answer, False when the time is over."""
        return self._scrapes.wait_for_later(scrapes, within_s)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=CLIENT_TIMEOUT_S)

    def __enter__(self) -> "MetricsServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def serve_metrics(registry: CollectorRegistry, host: str, port: int, *, token: str | None = None) -> MetricsServer:
    """Starts serving `http://host:port/metrics` in a thread of its own; port 0 takes any free one.

    With `token`, a request must carry `Authorization: Bearer <token>`. Raises MonitoringError when the address is taken
    or open to other machines without a token.
    """
    check_exposure(host, token)
    try:
        server = _Server((host, port), _handler(registry, token, scrapes := _Scrapes()))
    except (OSError, OverflowError) as error:
        raise MonitoringError(f"metrics cannot be served on {host}:{port}: {error}") from error
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="metrics", daemon=True)
    thread.start()
    return MetricsServer(server, thread, scrapes)


class _Server(ThreadingMixIn, HTTPServer):
    """A thread a connection, at most CONNECTIONS_MAX of them; more are dropped at once."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self._free = threading.BoundedSemaphore(CONNECTIONS_MAX)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        deadline = threading.Timer(CLIENT_TIMEOUT_S, _cut, args=(request,))  # a client that drips bytes has this long
        deadline.daemon = True
        deadline.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            deadline.cancel()
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A broken client is not the robot's trouble."""


def _cut(request: Any) -> None:
    try:
        request.shutdown(2)
    except OSError:
        return  # the client was faster


def _handler(registry: CollectorRegistry, token: str | None, scrapes: _Scrapes) -> type[BaseHTTPRequestHandler]:
    expected = f"Bearer {token}".encode() if token else None

    class Handler(BaseHTTPRequestHandler):
        server_version = "oxturn"
        sys_version = ""
        timeout = CLIENT_TIMEOUT_S
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            if self.path.split("?", 1)[0] != "/metrics":
                self._answer(404, b"only /metrics\n", "text/plain")
                return
            given = self.headers.get("Authorization", "").encode("utf-8", "replace")
            if expected is not None and not hmac.compare_digest(given, expected):
                self._answer(401, b"token needed\n", "text/plain")
                return
            number = scrapes.begin()
            encode, content_type = choose_encoder(self.headers.get("Accept", ""))
            self._answer(200, encode(registry), content_type)
            scrapes.answered(number)

        def _answer(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Content-Type-Options", "nosniff")
            if status == 401:
                self.send_header("WWW-Authenticate", "Bearer")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Scrapes are not news."""

    return Handler
