"""torch = TorchScript = ONNX for each kind of input, and the gate that says so."""

import numpy as np
import pytest
import torch
from empty_bundles import ROWS
from torch import nn

from perception import export_onnx, export_torchscript
from perception.cnn_model import GridNet
from perception.errors import BundleError
from perception.tasks.floor_surface import FLOOR_SURFACE
from perception.tasks.obstacles import OBSTACLES
from perception.tasks.task import Task
from perception.view_nets import net_of

RNG = np.random.default_rng(0)
INPUTS = {
    "obstacles": RNG.integers(0, 255, (3, 240, 320, 3)).astype(np.uint8),
    "floor_surface": RNG.integers(0, 255, (3, 160, 160, 3)).astype(np.uint8),
    "tiny_rows": RNG.normal(size=(3, 3)).astype(np.float32),
}


def network(task: Task, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    if task is OBSTACLES:
        return GridNet(3, {head.name: head.channels for head in task.heads}, 0.5).eval()
    return net_of(task).eval()


@pytest.mark.parametrize("task", [OBSTACLES, FLOOR_SURFACE, ROWS], ids=lambda task: task.name)
def test_torch_torchscript_and_onnx_answer_alike_preprocessing_included(task: Task):
    model, inputs = network(task), INPUTS[task.name]

    exported = export_torchscript.export(model, task, inputs, export_onnx.float_onnx(model, task))

    assert max(exported.from_torch, exported.from_onnx) < 1e-4
    batch = torch.from_numpy(inputs)
    told = export_torchscript.answers_of(exported.data, task)(batch)
    with torch.inference_mode():
        wanted = export_onnx.WithPreprocessing(model, task)(batch)
    for head, truth in zip(task.heads, wanted):
        torch.testing.assert_close(told[head.name], truth, rtol=1e-3, atol=1e-3)


def test_an_onnx_of_other_weights_is_refused():
    inputs = INPUTS["tiny_rows"]
    other = export_onnx.float_onnx(network(ROWS, seed=1), ROWS)

    with pytest.raises(BundleError, match=r"TorchScript differs from ONNX by \S+ of the logits, limit 0.002"):
        export_torchscript.export(network(ROWS), ROWS, inputs, other)


def test_a_trace_of_other_weights_is_refused(monkeypatch: pytest.MonkeyPatch):
    other = export_torchscript.traced(network(ROWS, seed=1), ROWS)
    monkeypatch.setattr(export_torchscript, "traced", lambda model, task: other)
    model = network(ROWS)

    with pytest.raises(BundleError, match="TorchScript differs from torch"):
        export_torchscript.export(model, ROWS, INPUTS["tiny_rows"], export_onnx.float_onnx(model, ROWS))


def test_answers_that_are_no_numbers_are_infinitely_far():
    nothing = {"label": torch.full((1, 2), torch.nan)}

    told = export_torchscript.difference(lambda batch: nothing, lambda batch: nothing, ROWS, INPUTS["tiny_rows"])

    assert told == float("inf")


def test_bytes_that_are_no_torchscript_are_refused():
    with pytest.raises(BundleError, match="5 bytes are no TorchScript"):
        export_torchscript.answers_of(b"hello", ROWS)
