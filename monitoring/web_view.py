"""A page that shows the robot live: map, path, plan, objects, camera, state. It only shows; nothing can be commanded.

Loopback unless a token guards it. On loopback the Host header must be a loopback name, so that no web page a person
visits can read the map through a name that resolves to 127.0.0.1.
"""

import contextlib
import hmac
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from monitoring.errors import MonitoringError
from monitoring.live_state import LiveState
from monitoring.metrics_server import check_exposure, is_loopback

PAGE: Final = Path(__file__).with_name("web_view.html")
COOKIE: Final = "oxturn_token"
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; connect-src 'self'; style-src 'unsafe-inline';"
    " script-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def application(state: LiveState, token: str | None) -> Starlette:
    """The page and its three sources; with a token, `/?token=...` once lets a browser in for as long as it is open."""

    async def page(request: Request) -> Response:
        response = HTMLResponse(PAGE.read_text(encoding="utf-8"))
        if token is not None and "token" in request.query_params:
            response.set_cookie(COOKIE, token, httponly=True, samesite="strict")
        return response

    async def state_json(_: Request) -> Response:
        return JSONResponse(state.to_json())

    def map_png(_: Request) -> Response:
        return _picture(state.map_png(), "image/png")

    def frame_jpeg(_: Request) -> Response:
        return _picture(state.frame_jpeg(), "image/jpeg")

    routes = [
        Route("/", page),
        Route("/state.json", state_json),
        Route("/map.png", map_png),
        Route("/frame.jpg", frame_jpeg),
    ]
    app = Starlette(routes=routes)

    async def guard(request: Request, call_next: RequestResponseEndpoint) -> Response:
        refusal = _refusal(request, token)
        response = refusal if refusal is not None else await call_next(request)
        response.headers.update(HEADERS)
        return response

    app.add_middleware(BaseHTTPMiddleware, dispatch=guard)
    return app


@contextlib.contextmanager
def serve_view(state: LiveState, host: str, port: int, *, token: str | None = None) -> Iterator[str]:
    """Serves the page in a thread of its own while the block runs; yields its address. Port 0 takes any free one."""
    check_exposure(host, token)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()  # who asks before the server runs waits instead of being refused
    except (OSError, OverflowError) as error:
        listener.close()
        raise MonitoringError(f"live view cannot be served on {host}:{port}: {error}") from error
    config = uvicorn.Config(
        application(state, token),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_keep_alive=5,
        limit_concurrency=32,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="web-view", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{listener.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join(timeout=5)
        listener.close()


def _refusal(request: Request, token: str | None) -> Response | None:
    """None when the request may pass."""
    if token is None:
        named = request.url.hostname or ""
        return None if is_loopback(named) else PlainTextResponse("not by this name\n", status_code=421)
    given = (
        request.headers.get("Authorization", "").removeprefix("Bearer ")
        or request.cookies.get(COOKIE, "")
        or request.query_params.get("token", "")
    )
    if hmac.compare_digest(given.encode(), token.encode()):
        return None
    return PlainTextResponse("token needed\n", status_code=401, headers={"WWW-Authenticate": "Bearer"})


def _picture(data: bytes | None, media_type: str) -> Response:
    if data is None:
        return PlainTextResponse("nothing yet\n", status_code=404)
    return Response(data, media_type=media_type)
