"""A real Prometheus on a loopback port, scraping what a test serves; None where it is not installed."""

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from pathlib import Path

INSTALLED = shutil.which("prometheus") is not None
PROMTOOL = shutil.which("promtool")


class LocalPrometheus:
    def __init__(self, url):
        self.url = url

    def query(self, expression):
        """Samples of an instant query; a bad expression raises ValueError with Prometheus' words."""
        body = urllib.parse.urlencode({"query": expression}).encode()
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/query", body, timeout=5) as response:
                return json.load(response)["data"]["result"]
        except urllib.error.HTTPError as error:
            if error.code == 503:
                raise ConnectionError("still starting") from None
            raise ValueError(f"{expression}: {json.load(error)['error']}") from None

    def wait_for(self, expression, seconds=15):
        """The first samples that are not empty."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if found := self.query(expression):
                    return found
            except (urllib.error.URLError, ConnectionError):
                pass  # not up yet
            time.sleep(0.05)
        raise AssertionError(f"{expression} stayed empty for {seconds} s")


@contextmanager
def local_prometheus(folder: Path, targets, rules: Path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    config = {
        "global": {"scrape_interval": "200ms", "scrape_timeout": "200ms", "evaluation_interval": "200ms"},
        "rule_files": [str(rules)],
        "scrape_configs": [{"job_name": "oxturn-robots", "static_configs": [{"targets": list(targets)}]}],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))
    command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    command += [f"--web.listen-address={address}", "--log.level=error"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        yield LocalPrometheus(f"http://{address}")
    finally:
        process.terminate()
        process.communicate(timeout=10)
