"""What the figures of coverage runs depend on, as one short key: a kept run is taken only for a run of the same key.

In: the bundle the robot drives with, or none, and what else was asked for. The key changes with the program, too.
"""

import hashlib
import json
from pathlib import Path
from typing import Final

from perception import model_bundle

DRIVEN_BY: Final = ("foundation", "perception", "navigation", "simulation")  # the code that a run's figures depend on


def run_key(bundle: Path | None, *asked: float | str | None) -> str:
    """Twelve characters. Raises BundleError when `bundle` is none."""
    manifest = b"" if bundle is None else (model_bundle.load(bundle).folder / model_bundle.MANIFEST).read_bytes()
    parts = (_code_digest(), hashlib.sha256(manifest).hexdigest(), *asked)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def _code_digest() -> str:
    """Of every Python file that takes part in a run."""
    root, whole = Path(__file__).parents[1], hashlib.sha256()
    for path in sorted(path for folder in DRIVEN_BY for path in (root / folder).rglob("*.py")):
        whole.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes())
    return whole.hexdigest()
