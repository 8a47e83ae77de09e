"""Bundles of untrained networks, made in a second: right in form, empty of knowledge."""

from pathlib import Path

import numpy as np
import torch

from perception import export_onnx, model_bundle
from perception.cnn_model import GridNet
from perception.tasks.obstacles import OBSTACLES
from perception.tasks.task import Head, LabelSource, RowInput, Task
from perception.view_nets import net_of

ROWS = Task(
    "tiny_rows",
    "rows",
    RowInput(("a", "b", "c")),
    (Head("label", 2, "softmax", 1.0, ("low", "high")),),
    LabelSource("label", ("truth",)),
    "group",
    ("accuracy",),
    (),
)


def obstacle_bundle(folder: Path) -> Path:
    torch.manual_seed(0)
    model = GridNet(3, {head.name: head.channels for head in OBSTACLES.heads}, 0.5)
    return _written(folder / "bundle", model, OBSTACLES, np.zeros((1, 240, 320, 3), np.uint8))


def row_bundle(folder: Path) -> Path:
    torch.manual_seed(0)
    return _written(folder / "bundle", net_of(ROWS), ROWS, np.zeros((1, 3), np.float32))


def _written(folder: Path, model: torch.nn.Module, task: Task, inputs: np.ndarray) -> Path:
    onnx = export_onnx.float_onnx(model.eval(), task)
    told = export_onnx.loaded(onnx).run(inputs[0])
    content = model_bundle.BundleContent(
        task=task.name,
        version="0",
        dataset_hash="none",
        onnx=onnx,
        labels={head.name: head.classes for head in task.heads if head.classes},
        min_score=0.5,
        metrics={},
        reference={},
        golden_inputs=inputs,
        golden_answers={name: answer[None] for name, answer in told.items()},
        card="untrained",
        details={},
    )
    return model_bundle.write(folder, content).folder
