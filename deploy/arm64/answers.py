"""Prints one hash of a bundle's answers to its golden frames: equal hashes, equal bits. Usage: answers.py BUNDLE"""

import hashlib
import sys
import time
from pathlib import Path

from perception import model_bundle
from perception.onnx_model import OnnxModel


def main() -> None:
    bundle = model_bundle.load(Path(sys.argv[1]))
    model, digest = OnnxModel.load(bundle.onnx_path), hashlib.sha256()
    inputs, _ = bundle.golden()
    began_s = time.monotonic()
    for one in inputs:
        for name, values in sorted(model.run(one).items()):
            digest.update(name.encode() + values.tobytes())
    took_ms = (time.monotonic() - began_s) * 1e3 / max(len(inputs), 1)
    sys.stdout.write(f"{digest.hexdigest()} {len(inputs)} frames, {took_ms:.1f} ms each\n")


if __name__ == "__main__":
    main()
