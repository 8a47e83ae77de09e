"""Scrapes a running robot's metrics over HTTP, as Prometheus would, and keeps the last answer."""

import threading
import urllib.error
import urllib.request
from pathlib import Path

EVERY_S = 1.0
TIMEOUT_S = 5.0


class Scraper:
    """Waits for the daemon to write its address, then asks again and again until the block ends."""

    def __init__(self, address_file: Path, to: Path) -> None:
        self.scrapes = 0
        self._address_file = address_file
        self._to = to
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scraper", daemon=True)

    def __enter__(self) -> "Scraper":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            if not self._address_file.exists():
                continue
            url = self._address_file.read_text(encoding="utf-8").strip()
            try:
                with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
                    body = answer.read()
            except (urllib.error.URLError, TimeoutError, ConnectionError):
                continue  # not up yet, or gone at the end of its run
            self._to.write_bytes(body)
            self.scrapes += 1
