"""An S3 of our own on loopback (moto), found by every client through the environment as a real one would be."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest


@contextmanager
def s3_server(patch: pytest.MonkeyPatch, bucket: str) -> Iterator[Any]:
    """A boto3 client of the server, which holds one empty bucket. Skips where moto is not installed, and says so."""
    moto = pytest.importorskip("moto.server", reason="moto is not installed: pip install -e '.[dev,s3]'")
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed: pip install -e '.[s3]'")
    s3fs = pytest.importorskip("s3fs", reason="s3fs is not installed: pip install -e '.[s3]'")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    surroundings = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "NO_PROXY": "127.0.0.1",
    }
    for name, value in surroundings.items():
        patch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()  # one of an earlier server
    client = boto3.client("s3")
    try:
        client.create_bucket(Bucket=bucket)
        yield client
    finally:
        client.close()
        httpx.post(f"http://{host}:{port}/moto-api/reset")  # its memory is the process', not the server's
        server.stop()
        s3fs.S3FileSystem.clear_instance_cache()
