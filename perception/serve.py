"""REST inference of one bundle: images or rows in, the answers of `predict` out; health and metrics beside.

    POST /predict        one or more files (multipart field `files`), for models that take images
    POST /predict/rows   {"rows": [[...], ...]}, for models that take rows
    GET  /health         task, version, labels
    GET  /metrics        Prometheus text
    GET  /docs           OpenAPI

Loopback unless told otherwise: whoever can reach the port can spend the processor.
"""

import threading
import time
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
from fastapi import FastAPI, File, HTTPException, UploadFile
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from pydantic import BaseModel

from perception import data_processor
from perception.errors import SampleError
from perception.prediction import Answer, Predictor

MAX_FILES: Final = 64
MAX_FILE_BYTES: Final = 8_000_000
MAX_ROWS: Final = 10_000
BUCKETS_S: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


class Rows(BaseModel):
    """Sensor values, one row an answer."""

    rows: list[list[float]]


def application(bundle_dir: Path, *, min_score: float | None, range_max_m: float) -> FastAPI:
    """Raises BundleError before the server starts, not at the first request."""
    predictor = Predictor(bundle_dir, min_score=min_score, range_max_m=range_max_m)
    bundle, one_at_a_time = predictor.bundle, threading.Lock()
    registry = CollectorRegistry()
    inputs = Counter("oxturn_serve_inputs", "Inputs by outcome.", ["outcome"], registry=registry)
    seconds = Histogram("oxturn_serve_inference_seconds", "One input.", buckets=BUCKETS_S, registry=registry)
    app = FastAPI(title=f"oxturn {bundle.task}", version=bundle.version)

    def answered(ask: Any, given: Any) -> Answer:
        began_s = time.perf_counter()
        with one_at_a_time:
            answer: Answer = ask(given)
        seconds.observe(time.perf_counter() - began_s)
        inputs.labels("answered").inc()
        return answer

    @app.get("/health")
    def health() -> dict[str, Any]:
        labels = {head: list(names) for head, names in bundle.labels.items()}
        return {"status": "ok", "task": bundle.task, "version": bundle.version, "labels": labels}

    @app.get("/metrics", response_class=PlainTextResponse)
    def metrics() -> str:
        return generate_latest(registry).decode()

    @app.post("/predict")
    def predict(files: Annotated[list[UploadFile], File()]) -> list[Answer]:
        if not predictor.takes_images:
            raise HTTPException(409, "this model takes rows: POST /predict/rows")
        if len(files) > MAX_FILES:
            raise HTTPException(413, f"{len(files)} files, limit {MAX_FILES}")
        return [{"path": file.filename, **answered(predictor.image, _image(file, inputs))} for file in files]

    @app.post("/predict/rows")
    def predict_rows(given: Rows) -> list[Answer]:
        if predictor.takes_images:
            raise HTTPException(409, "this model takes images: POST /predict")
        if len(given.rows) > MAX_ROWS:
            raise HTTPException(413, f"{len(given.rows)} rows, limit {MAX_ROWS}")
        if wrong := [len(row) for row in given.rows if len(row) != predictor.columns]:
            raise HTTPException(422, f"a row of {wrong[0]} values, the model takes {predictor.columns}")
        return [answered(predictor.row, np.array(row, np.float32)) for row in given.rows]

    return app


def _image(file: UploadFile, inputs: Counter) -> data_processor.Image:
    data = file.file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        inputs.labels("refused").inc()
        raise HTTPException(413, f"{file.filename}: over {MAX_FILE_BYTES} bytes")
    try:
        return data_processor.decode(data, file.filename or "file")
    except SampleError as error:
        inputs.labels("refused").inc()
        raise HTTPException(422, str(error)) from error


def serve(bundle_dir: Path, *, host: str, port: int, min_score: float | None, range_max_m: float) -> None:
    """Until interrupted."""
    import uvicorn

    app = application(bundle_dir, min_score=min_score, range_max_m=range_max_m)
    uvicorn.run(app, host=host, port=port, log_level="warning")
