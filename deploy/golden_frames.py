"""`python -m deploy.golden_frames BUNDLE`: is this model fit to run here? Prints one JSON line of a HealthReport.

Started by `health.ProcessHealthCheck`, bounded in time and memory.
"""

import dataclasses
import json
import sys
import time
from pathlib import Path

import numpy as np

from deploy.health import HealthReport

MAX_LATENCY_MS_P50 = 80.0  # one frame at 10 Hz, with room for the rest of the loop
RUNS = 5


def examine(bundle_dir: Path) -> HealthReport:
    """Runs the model on grey frames: finite outputs, in time."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(bundle_dir / "model.onnx"), options, providers=["CPUExecutionProvider"])
    (wanted,) = session.get_inputs()
    frame = np.full([side if isinstance(side, int) else 1 for side in wanted.shape], 127, np.uint8)
    times_ms = []
    for _ in range(RUNS):
        began_s = time.perf_counter()
        outputs = session.run(None, {wanted.name: frame})
        times_ms.append((time.perf_counter() - began_s) * 1e3)
        for output in outputs:
            if not np.isfinite(output).all():
                return HealthReport(False, "the model answers with values that are not finite")
    p50 = sorted(times_ms)[len(times_ms) // 2]
    if p50 > MAX_LATENCY_MS_P50:
        return HealthReport(False, f"a frame takes {p50:.0f} ms, limit {MAX_LATENCY_MS_P50:g}", p50)
    return HealthReport(True, "", p50)


def main() -> None:
    sys.stdout.write(json.dumps(dataclasses.asdict(examine(Path(sys.argv[1])))) + "\n")


if __name__ == "__main__":
    main()
