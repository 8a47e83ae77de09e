"""Scales with which quantised sums come out the same on every processor.

onnxruntime's QLinearAdd rounds a sum that lies halfway between two levels to the even one on x86, and not always so on
Arm; what follows drifts apart by several percent of the answers. A little wider scale of the sum, at which no two
levels of its branches meet halfway, leaves nothing to round differently: multiplied out over all 65,536 pairs.

In: a model as static QDQ quantisation left it. Out: for each sum's tensor the scale to use instead, mostly less than
a thousandth coarser, with its zero point; onnxruntime's quantiser takes them as overrides.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

NEAREST: Final = 2e-5  # of a level, to the halfway; float32 sums of 256 levels are exact to less
STEP: Final = 2e-5  # from one scale tried to the next: the answers of the model change as little as can be
TRIED: Final = 1000
LEVELS: Final = 256


def overrides(model: Any) -> dict[str, list[dict[str, Any]]]:
    """For `extra_options["TensorQuantOverrides"]`, by tensor; `model` is an onnx.ModelProto with QDQ nodes."""
    from onnx import numpy_helper

    values = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    made_by = {output: node for node in model.graph.node for output in node.output}
    quantised_by = {node.input[0]: node for node in model.graph.node if node.op_type == "QuantizeLinear"}
    chosen: dict[str, list[dict[str, Any]]] = {}
    for node in model.graph.node:
        told = quantised_by.get(node.output[0]) if node.op_type == "Add" else None
        branches = [made_by.get(name) for name in node.input]
        if told is None or not all(one is not None and one.op_type == "DequantizeLinear" for one in branches):
            continue
        (scale_a, zero_a), (scale_b, zero_b), (scale, zero) = (
            (values[one.input[1]], values[one.input[2]]) for one in (*branches, told) if one is not None
        )
        wider = untied_scale(float(scale_a), int(zero_a), float(scale_b), int(zero_b), float(scale), int(zero))
        values[told.input[1]] = np.array(wider, np.float32)  # the next sum may begin from this one
        chosen[node.output[0]] = [{"scale": np.array(wider, np.float32), "zero_point": np.asarray(zero)}]
    return chosen


def untied_scale(scale_a: float, zero_a: int, scale_b: float, zero_b: int, scale: float, zero: int) -> float:
    """The next scale of the sum, from `scale` on, at which no two levels meet halfway; the best of those tried."""
    levels = np.arange(LEVELS, dtype=np.float64)
    sums = (scale_a * (levels - zero_a)[:, None] + scale_b * (levels - zero_b)).ravel()
    tried = np.float32(scale) * (1 + STEP * np.arange(TRIED))
    best, best_gap = float(scale), -1.0
    for one in tried.astype(np.float32).tolist():
        gap = _to_the_halfway(sums / one + zero)
        if gap > best_gap:
            best, best_gap = one, gap
        if gap >= NEAREST:
            break
    return best


def _to_the_halfway(told: NDArray[np.float64]) -> float:
    """The smallest distance to a half, of what is not cut off anyway."""
    inside = told[(told > -1) & (told < LEVELS)]
    return float(np.abs(inside - np.floor(inside) - 0.5).min(initial=0.5))
