"""Bundles with a tiny ONNX model of a few nodes: honest, slow, NaN, wrong shape, hostile."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from perception import model_bundle
from perception.model_bundle import BundleContent

SIDE = 8
FRAMES = np.arange(2 * SIDE * SIDE * 3, dtype=np.uint8).reshape(2, SIDE, SIDE, 3)


def onnx_model(nodes, initialisers=(), shape=(1, SIDE, SIDE, 3)) -> bytes:
    """From uint8 `image` to float `answer`; `nodes` begin at `image` and end at `answer`."""
    graph = helper.make_graph(
        list(nodes),
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, None)],
        list(initialisers),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def times(factor: float) -> bytes:
    """Answers the image times a factor."""
    return onnx_model(
        [
            helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
            helper.make_node("Mul", ["pixels", "factor"], ["answer"]),
        ],
        [numpy_helper.from_array(np.array(factor, np.float32), "factor")],
    )


def slow(rounds: int) -> bytes:
    """Multiplies large matrices before it answers."""
    size = 1024
    nodes = [helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT)]
    nodes.append(helper.make_node("ReduceMean", ["pixels"], ["mean"], keepdims=0))
    nodes.append(helper.make_node("Add", ["big", "mean"], ["m0"]))
    for number in range(rounds):
        nodes.append(helper.make_node("MatMul", [f"m{number}", "big"], [f"m{number + 1}"]))
    nodes.append(helper.make_node("ReduceMean", [f"m{rounds}"], ["last"], keepdims=0))
    nodes.append(helper.make_node("Mul", ["pixels", "last"], ["answer"]))
    return onnx_model(nodes, [numpy_helper.from_array(np.zeros((size, size), np.float32), "big")])


def huge_answer() -> bytes:
    """Asks for 400 GB."""
    return onnx_model(
        [
            helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
            helper.make_node("Expand", ["pixels", "shape"], ["many"]),
            helper.make_node("ReduceSum", ["many"], ["sum"], keepdims=0),
            helper.make_node("Mul", ["pixels", "sum"], ["answer"]),
        ],
        [numpy_helper.from_array(np.array([600_000_000, SIDE, SIDE, 3], np.int64), "shape")],
    )


def external_weights() -> bytes:
    """Takes its factor from a file beside the model."""
    model = onnx.load_from_string(times(1.0))
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../../../etc/passwd"
    return model.SerializeToString()


def write(folder: Path, model: bytes, answers=None, reference=None) -> Path:
    """A bundle whose golden answers are the image times one, unless told otherwise."""
    golden = FRAMES.astype(np.float32) if answers is None else answers
    content = BundleContent(
        task="obstacles",
        version="1",
        dataset_hash="0" * 64,
        onnx=model,
        labels={"kind": ("sock",)},
        min_score=0.5,
        metrics={},
        reference=reference or {},
        golden_inputs=FRAMES,
        golden_answers={"answer": golden},
        card="tiny",
        details={},
    )
    model_bundle.write(folder, content)
    return folder
