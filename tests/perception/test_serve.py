"""The service answers as `predict` does, in batches, and refuses what it cannot read."""

import asyncio
from pathlib import Path

import httpx
import numpy as np
import pytest
from empty_bundles import obstacle_bundle, row_bundle
from painted_rooms import painted

from perception import serve

PHOTO = painted("x/0", "x", np.random.default_rng(0)).image


class Client:
    """Asks the application itself: no port, no thread."""

    def __init__(self, bundle: Path) -> None:
        self._app = serve.application(bundle, min_score=None, range_max_m=1.2)

    def get(self, path: str) -> httpx.Response:
        return asyncio.run(self._ask("GET", path))

    def post(self, path: str, **body) -> httpx.Response:
        return asyncio.run(self._ask("POST", path, **body))

    async def _ask(self, verb: str, path: str, **body) -> httpx.Response:
        transport = httpx.ASGITransport(app=self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as asked:
            return await asked.request(verb, path, **body)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Client:
    return Client(obstacle_bundle(tmp_path_factory.mktemp("images")))


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Client:
    return Client(row_bundle(tmp_path_factory.mktemp("rows")))


def test_a_batch_of_images_is_answered_one_by_one(images: Client):

    told = images.post("/predict", files=[("files", ("a.png", PHOTO)), ("files", ("b.png", PHOTO))]).json()

    assert [answer["path"] for answer in told] == ["a.png", "b.png"]
    assert told[0]["detections"] == told[1]["detections"]
    assert 'oxturn_serve_inputs_total{outcome="answered"} 2.0' in images.get("/metrics").text
    assert images.get("/health").json()["task"] == "obstacles"
    assert "/predict" in images.get("/openapi.json").json()["paths"]


def test_rows_go_to_models_that_take_rows(rows: Client):

    told = rows.post("/predict/rows", json={"rows": [[1, 2, 3], [3, 2, 1]]}).json()

    assert all(sum(answer["scores"].values()) == pytest.approx(1) for answer in told)
    assert rows.post("/predict/rows", json={"rows": [[1]]}).status_code == 422
    assert rows.post("/predict", files=[("files", ("a.png", PHOTO))]).status_code == 409


def test_what_is_no_image_is_refused_and_named(images: Client):

    answer = images.post("/predict", files=[("files", ("page.jpg", b"<!doctype html>"))])

    assert answer.status_code == 422
    assert "page.jpg" in answer.json()["detail"]
    assert images.post("/predict/rows", json={"rows": [[1]]}).status_code == 409


def test_too_many_or_too_large_files_are_refused(images: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(serve, "MAX_FILE_BYTES", 100)

    assert images.post("/predict", files=[("files", ("a.png", PHOTO))]).status_code == 413
    assert images.post("/predict", files=[("files", ("a.png", b""))] * 65).status_code == 413
