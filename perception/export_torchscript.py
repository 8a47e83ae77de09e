"""The same network as TorchScript, preprocessing inside, held against torch and against the float ONNX.

For users who run models with libtorch. It is a training output beside the bundle, not in it: the robot runs ONNX, and
an update carries nothing that the robot does not need. In: the network, its task, raw inputs, the float ONNX's bytes.
Out: the file's bytes and what the gate saw. Fails with BundleError when any two of the three answer differently.
"""

import io
import warnings
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from perception import export_onnx
from perception.errors import BundleError
from perception.export_onnx import MAX_FLOAT_DIFFERENCE, Answers, WithPreprocessing
from perception.tasks.task import Task

FILE_NAME: Final = "model.torchscript.pt"
PARITY_INPUTS: Final = 8  # as many as export_onnx looks at


@dataclass(frozen=True, slots=True)
class TorchScriptExport:
    """The file, and the largest differences over the parity inputs, relative to the largest logit of the answer."""

    data: bytes
    from_torch: float
    from_onnx: float


def export(model: nn.Module, task: Task, parity_inputs: NDArray[Any], float_onnx: bytes) -> TorchScriptExport:
    """`parity_inputs` (N, ...) are raw inputs as for `export_onnx.export`; the network ends in evaluation mode.

    Raises:
        BundleError: torch, TorchScript and ONNX are not equal within the gate of `export_onnx`.
    """
    data = traced(model, task)
    inputs = parity_inputs[:PARITY_INPUTS]
    told = answers_of(data, task)
    wrapped = WithPreprocessing(model, task).eval()
    onnx = export_onnx.answers_of(float_onnx)
    from_torch = difference(told, lambda batch: dict(zip(_heads(task), wrapped(batch))), task, inputs)
    from_onnx = difference(told, onnx, task, inputs)
    for name, apart in (("torch", from_torch), ("ONNX", from_onnx)):
        if not apart <= MAX_FLOAT_DIFFERENCE:
            told_apart = f"TorchScript differs from {name} by {apart:.2g} of the logits"
            raise BundleError(f"{told_apart}, limit {MAX_FLOAT_DIFFERENCE:g}")
    return TorchScriptExport(data, from_torch, from_onnx)


def traced(model: nn.Module, task: Task) -> bytes:
    """For a batch of one raw input; a tuple of answers in the order of the task's heads."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.inference_mode(False), torch.no_grad():
        warnings.simplefilter("ignore")  # torch.jit is told to retire; what replaces it is no TorchScript
        whole = WithPreprocessing(model, task).eval()
        script = torch.jit.trace(whole, (export_onnx.example(task),))  # type: ignore[no-untyped-call]
        torch.jit.save(script, buffer)
    return buffer.getvalue()


def answers_of(data: bytes, task: Task) -> Answers:
    """A TorchScript file as the learners' `score` wants it: raw batches in, heads out. BundleError: no such file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            script = torch.jit.load(io.BytesIO(data), map_location="cpu")  # type: ignore[no-untyped-call]
        except RuntimeError as error:
            raise BundleError(f"{len(data)} bytes are no TorchScript: {str(error).splitlines()[0][:200]}") from error

    def run(batch: torch.Tensor) -> dict[str, torch.Tensor]:
        with torch.inference_mode():
            told = [script(one[None]) for one in batch]
        return {name: torch.cat([one[index] for one in told]) for index, name in enumerate(_heads(task))}

    return run


def difference(one: Answers, other: Answers, task: Task, inputs: NDArray[Any]) -> float:
    """Largest difference of any head over the inputs, relative to the other's largest value; NaN counts as infinite."""
    worst = 0.0
    for raw in inputs:
        batch = torch.from_numpy(np.ascontiguousarray(raw[None]))
        with torch.inference_mode():
            told, wanted = one(batch), other(batch)
        for name in _heads(task):
            apart = float((told[name] - wanted[name]).abs().max()) / (float(wanted[name].abs().max()) + 1e-6)
            worst = max(worst, apart if apart == apart else float("inf"))
    return worst


def _heads(task: Task) -> tuple[str, ...]:
    return tuple(head.name for head in task.heads)
