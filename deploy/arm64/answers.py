"""Whether a bundle's model answers its golden frames here as where it was made. Usage: answers.py BUNDLE"""

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
    wrong = [complaint(number, model.run(one), golden) for number, one in enumerate(inputs)]
    took_ms = (time.monotonic() - began_s) * 1e3 / max(len(inputs), 1)
    said = [one for one in wrong if one is not None]
    sys.stdout.write(
        f"{len(inputs)} golden frames, {took_ms:.1f} ms each: {said[0] if said else 'as where it was made'}\n"
    )
    sys.exit(1 if said or not len(inputs) else 0)


if __name__ == "__main__":
    main()
