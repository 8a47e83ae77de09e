"""A trained network as one ONNX file with its preprocessing inside: float, then INT8, each held against the other.

Input is what a decoder gives: uint8 (1, H, W, bands), or float32 (1, columns) for rows. Convolutions become INT8 with
a scale a channel (static QDQ); the heads stay float, as their answers are metres and logits, and so does the
preprocessing, whose last step cuts off most of its range. When INT8 costs more than `MAX_DROP` of the score, the float
model is delivered and the reason is told.

Weights take 7 of their 8 bits. An x86 processor without VNNI adds two products of uint8 and int8 in 16 bits, which then
saturate: answers there were others than on Arm, and 4 points of F1 and 8 of the floors were lost (onnxruntime's
documentation, "Quantize ONNX models", calls it `reduce_range`). Measured cost of the seventh bit: none.
"""

import contextlib
import io
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from perception import untied_sums
from perception.errors import BundleError
from perception.onnx_model import OnnxModel
from perception.preprocessing import preprocessed
from perception.tasks.task import ImageInput, Task

OPSET: Final = 17
INPUT: Final = "input"
LAYERS: Final = ("Conv", "Gemm")
KEPT_PERCENT: Final = (100.0, 99.97)  # of what activations take; the better of the two on validation is delivered
MAX_DROP: Final = 0.005  # of the score, INT8 against float
MAX_FLOAT_DIFFERENCE: Final = 2e-3  # of logits, ONNX against torch, relative to the largest

Answers = Callable[[Tensor], dict[str, Tensor]]
Precision = Literal["int8", "fp32"]


@dataclass(frozen=True, slots=True)
class Export:
    """The model to deliver and what the parity gates saw."""

    onnx: bytes
    precision: Precision
    float_difference: float  # largest |torch - ONNX| over the parity frames, relative
    score_float: float
    score_int8: float
    reason: str  # why this precision
    float_onnx: bytes  # before quantisation


def export(model: nn.Module, task: Task, parity_inputs: NDArray[Any], score: Callable[[Answers], float]) -> Export:
    """`parity_inputs` (N, ...) are raw inputs, training's own: calibration and parity both use them.

    Args:
        score: of a network given as a function of raw batches; the higher the better.

    Raises:
        BundleError: ONNX answers differently from torch.
    """
    names = tuple(head.name for head in task.heads)
    plain = float_onnx(model, task)
    difference = _difference(model, plain, task, parity_inputs[:8])
    if difference > MAX_FLOAT_DIFFERENCE:
        raise BundleError(f"ONNX differs from torch by {difference:.2g} of the logits, limit {MAX_FLOAT_DIFFERENCE:g}")
    score_float = score(answers_of(plain))
    tried = [int8_onnx(plain, parity_inputs, names, kept_percent) for kept_percent in KEPT_PERCENT]
    score_int8, quantised = max(((score(answers_of(one)), one) for one in tried), key=lambda scored: scored[0])
    if score_float - score_int8 > MAX_DROP:
        reason = f"INT8 scores {score_int8:.4f}, float {score_float:.4f}: drop over {MAX_DROP}"
        return Export(plain, "fp32", difference, score_float, score_int8, reason, plain)
    reason = f"INT8 scores {score_int8:.4f}, float {score_float:.4f}: within {MAX_DROP}"
    return Export(quantised, "int8", difference, score_float, score_int8, reason, plain)


def float_onnx(model: nn.Module, task: Task) -> bytes:
    """One file, batch of one, outputs named as the task's heads."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter is told to retire; the other takes ten times as long
        torch.onnx.export(
            WithPreprocessing(model, task).eval(),
            (example(task),),
            buffer,  # type: ignore[arg-type]
            dynamo=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[head.name for head in task.heads],
        )
    return buffer.getvalue()


def int8_onnx(plain: bytes, inputs: NDArray[Any], outputs: Sequence[str], kept_percent: float = 100.0) -> bytes:
    """Static QDQ, per-channel weights; both ends stay float.

    The levels of each activation span `kept_percent` of what it takes on `inputs`, cut off alike at either end.
    """
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory(prefix="oxturn-") as folder:
        source, folded, target = (Path(folder, f"{name}.onnx") for name in ("float", "folded", "int8"))
        source.write_bytes(plain)
        quant_pre_process(source, folded, skip_symbolic_shape=True)  # equal biases share one constant otherwise
        nodes = onnx.load(folded).graph.node
        first = next(index for index, node in enumerate(nodes) if node.op_type in LAYERS)
        ends = [node.name for index, node in enumerate(nodes) if index < first or set(node.output) & set(outputs)]

        whole = kept_percent >= 100
        calibration = CalibrationMethod.MinMax if whole else CalibrationMethod.Percentile

        def quantise(scales: dict[str, Any]) -> None:
            quantize_static(
                folded,
                target,
                _Reader(inputs if whole else inputs[::2]),  # histograms hold every picture's activations in memory
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                reduce_range=True,  # of the weights
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                op_types_to_quantize=["Conv", "Gemm", "Add", "Resize", "Relu"],
                nodes_to_exclude=ends,
                calibrate_method=calibration,
                extra_options={"TensorQuantOverrides": scales, "CalibPercentile": kept_percent},
            )

        with contextlib.redirect_stdout(io.StringIO()):  # the histograms' progress would stand between lines of JSON
            quantise({})  # to see which scales meet in a sum
            quantise(untied_sums.overrides(onnx.load(target)))
        return target.read_bytes()


class WithPreprocessing(nn.Module):
    """From decoded input to a tuple of answers in the task's order."""

    def __init__(self, model: nn.Module, task: Task) -> None:
        super().__init__()
        self._model = model
        self._input = task.input
        self._heads = tuple(head.name for head in task.heads)

    def forward(self, given: Tensor) -> tuple[Tensor, ...]:
        answers = self._model(preprocessed(given, self._input))
        return tuple(answers[name] for name in self._heads)


def answers_of(onnx_bytes: bytes) -> Answers:
    """An ONNX model as the learners' `score` wants it: raw batches in, heads out."""
    model = loaded(onnx_bytes)

    def run(batch: Tensor) -> dict[str, Tensor]:
        told = [model.run(one) for one in batch.numpy()]
        return {name: torch.from_numpy(np.stack([one[name] for one in told])) for name in told[0]}

    return run


def loaded(onnx_bytes: bytes) -> OnnxModel:
    """The model as the robot loads it."""
    with tempfile.TemporaryDirectory(prefix="oxturn-") as folder:
        path = Path(folder, "model.onnx")
        path.write_bytes(onnx_bytes)
        return OnnxModel.load(path)


def _difference(model: nn.Module, plain: bytes, task: Task, inputs: NDArray[Any]) -> float:
    answers, wrapped, worst = answers_of(plain), WithPreprocessing(model, task).eval(), 0.0
    for one in inputs:
        batch = torch.from_numpy(one[None])
        with torch.inference_mode():
            wanted = wrapped(batch)
        told = answers(batch)
        for head, truth in zip(task.heads, wanted):
            scale = float(truth.abs().max()) + 1e-6
            worst = max(worst, float((told[head.name] - truth).abs().max()) / scale)
    return worst


def example(task: Task) -> Tensor:
    """A batch of one raw input, all zeros."""
    if isinstance(task.input, ImageInput):
        return torch.zeros((1, task.input.height_px, task.input.width_px, task.input.bands), dtype=torch.uint8)
    return torch.zeros((1, len(task.input.columns)))


class _Reader:
    """What onnxruntime's calibration wants: one input at a time, then None."""

    def __init__(self, inputs: NDArray[Any]) -> None:
        self._waiting: Iterator[NDArray[Any]] = iter(inputs)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        one = next(self._waiting, None)
        return None if one is None else {INPUT: one[None]}
