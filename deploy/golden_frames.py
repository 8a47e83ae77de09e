"""`python -m deploy.golden_frames BUNDLE`: is this model fit to run here? Prints one JSON line of a HealthReport.

Started by `health.ProcessHealthCheck`, bounded in time and memory: a hostile or broken model ends this process only.
"""

import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from deploy.health import HealthReport
from perception import model_bundle
from perception.errors import PerceptionError
from perception.model_bundle import LARGEST, MEAN, GoldenAnswer, sketch
from perception.onnx_model import OnnxModel

MAX_LATENCY_MS_P50: Final = 80.0  # of the 100 ms that a tick has
MIN_RUNS: Final = 5
# Of the largest magnitude. Processors round the ties of quantised sums differently; a model made without
# `perception.untied_sums` has some, and single values of its answers differ by some hundredths, their mean hardly.
VALUE_TOLERANCE: Final = 0.1
MEAN_TOLERANCE: Final = 0.005
LEAST_SCALE: Final = 0.05  # answers smaller than this are all zeros


def examine(bundle_dir: Path) -> HealthReport:
    """The bundle's golden frames through its model: the same answers as where it was trained, finite, in time."""
    try:
        bundle = model_bundle.load(bundle_dir)
        model = OnnxModel.load(bundle.onnx_path)
        inputs, answers = bundle.golden()
    except PerceptionError as error:
        return HealthReport(False, str(error))
    if len(inputs) == 0 or not answers:
        return HealthReport(False, "the bundle has no golden frames or no answers to them; train or export it anew")
    times_ms = []
    for run in range(max(len(inputs), MIN_RUNS)):
        number = run % len(inputs)
        began_s = time.perf_counter()
        told = model.run(inputs[number])
        times_ms.append((time.perf_counter() - began_s) * 1e3)
        wrong = complaint(number, told, answers)
        if wrong is not None:
            return HealthReport(False, wrong)
    p50_ms = float(np.median(times_ms))
    if p50_ms > MAX_LATENCY_MS_P50:
        return HealthReport(False, f"a frame takes {p50_ms:.0f} ms, limit {MAX_LATENCY_MS_P50:g}", p50_ms)
    return HealthReport(True, "", p50_ms)


def complaint(number: int, told: dict[str, NDArray[Any]], wanted: dict[str, GoldenAnswer]) -> str | None:
    """What is wrong with the answers to one golden frame."""
    for name, golden in wanted.items():
        if name not in told or told[name].shape != golden.shape:
            shape = told[name].shape if name in told else "nothing"
            return f"golden frame {number}: {name} is {shape}, wanted {golden.shape}"
        if not np.isfinite(told[name]).all():
            return f"golden frame {number}: {name} is not finite"
        expected = golden.sketches[number].astype(np.float64)
        off, scale = np.abs(sketch(told[name]) - expected), max(float(expected[LARGEST]), LEAST_SCALE)
        limits = np.full(len(off), VALUE_TOLERANCE * scale)
        limits[MEAN] = MEAN_TOLERANCE * scale
        worst = int(np.argmax(off / limits))
        if off[worst] > limits[worst]:
            what = "mean of " if worst == MEAN else ""
            return f"golden frame {number}: {what}{name} is off by {off[worst]:.3g}, limit {limits[worst]:.3g}"
    return None


def main() -> None:
    sys.stdout.write(json.dumps(dataclasses.asdict(examine(Path(sys.argv[1])))) + "\n")


if __name__ == "__main__":
    main()
