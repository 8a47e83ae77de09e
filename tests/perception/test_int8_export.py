"""An INT8 model answers the same whatever processor multiplies: no ties, nothing that 16 bits cannot hold."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper

from perception import export_onnx, untied_sums
from perception.cnn_model import GridNet
from perception.tasks.registry import task_named
from perception.untied_sums import NEAREST
from tests.perception.test_untied_sums import gap


def pictures(count):
    shape = (count, 240, 320, 3)
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@pytest.fixture(scope="module")
def quantised():
    torch.manual_seed(0)
    task = task_named("obstacles")
    net = GridNet(3, {head.name: head.channels for head in task.heads}, task.width).eval()
    names = tuple(head.name for head in task.heads)
    return onnx.load_from_string(export_onnx.int8_onnx(export_onnx.float_onnx(net, task), pictures(3), names))


def test_no_sum_of_an_exported_model_has_ties(quantised):
    values = {one.name: numpy_helper.to_array(one) for one in quantised.graph.initializer}
    made_by = {output: node for node in quantised.graph.node for output in node.output}
    told = {node.input[0]: node for node in quantised.graph.node if node.op_type == "QuantizeLinear"}
    gaps = []
    for node in quantised.graph.node:
        if node.op_type == "Add" and node.output[0] in told:
            scales = [(values[one.input[1]], values[one.input[2]]) for one in map(made_by.get, node.input)]
            scales.append((values[told[node.output[0]].input[1]], values[told[node.output[0]].input[2]]))
            gaps.append(gap(*(float(number) for pair in scales for number in pair)))

    assert len(gaps) >= 5
    assert min(gaps) >= NEAREST * 0.99
    assert untied_sums.overrides(quantised).keys() and all(
        float(one[0]["scale"]) == pytest.approx(float(values[f"{name}_scale"]))
        for name, one in untied_sums.overrides(quantised).items()
    ), "what has no ties stays as it is"


def test_two_products_of_the_largest_level_fit_into_sixteen_bits(quantised):
    weights = [
        numpy_helper.to_array(one) for one in quantised.graph.initializer if one.data_type == onnx.TensorProto.INT8
    ]
    largest = max(int(np.abs(one.astype(np.int64)).max()) for one in weights)

    assert len(weights) > 20
    assert largest >= 60, "and use what fits"
    assert 2 * 255 * largest <= 2**15 - 1


def test_integer_kernels_answer_as_the_same_levels_multiplied_in_float(quantised):
    model, picture = quantised.SerializeToString(), pictures(1)
    plain = onnxruntime.SessionOptions()
    plain.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    fused, apart = (
        onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"]).run(
            None, {export_onnx.INPUT: picture}
        )
        for options in (onnxruntime.SessionOptions(), plain)
    )

    for one, other in zip(fused, apart, strict=True):
        assert np.abs(one - other).mean() <= 0.01 * np.abs(other).mean() + 1e-6


def test_preprocessing_stays_float_up_to_what_the_first_layer_reads(quantised):
    values = {one.name: numpy_helper.to_array(one) for one in quantised.graph.initializer}
    first = next(node for node in quantised.graph.node if node.op_type == "QuantizeLinear")

    assert float(values[first.input[1]]) * 255 <= 1.0 + 1e-6, "0..1, which is what is left after the cut"
