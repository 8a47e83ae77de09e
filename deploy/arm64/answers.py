"""Whether a bundle's model answers its golden frames here as where it was made, and a hash of the answers' bits.

Usage: answers.py BUNDLE
"""

import hashlib
import sys
import time
from pathlib import Path

from deploy.golden_frames import complaint
from perception import model_bundle
from perception.onnx_model import OnnxModel


def main() -> None:
    bundle = model_bundle.load(Path(sys.argv[1]))
    model, (inputs, golden) = OnnxModel.load(bundle.onnx_path), bundle.golden()
    began_s = time.monotonic()
    told, digest = [model.run(one) for one in inputs], hashlib.sha256()
    took_ms = (time.monotonic() - began_s) * 1e3 / max(len(inputs), 1)
    said = [wrong for number, one in enumerate(told) if (wrong := complaint(number, one, golden)) is not None]
    for answers in told:
        for name, values in sorted(answers.items()):
            digest.update(name.encode() + values.tobytes())
    what = said[0] if said else "as where it was made"
    sys.stdout.write(f"{digest.hexdigest()[:12]} {len(inputs)} golden frames, {took_ms:.1f} ms each: {what}\n")
    sys.exit(1 if said or not len(inputs) else 0)


if __name__ == "__main__":
    main()
