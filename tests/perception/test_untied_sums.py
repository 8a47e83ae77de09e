"""No sum of two quantised levels lies halfway between two others: processors round such ties differently."""

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper

from perception import export_onnx, untied_sums
from perception.cnn_model import GridNet
from perception.tasks.registry import task_named
from perception.untied_sums import NEAREST, STEP, TRIED, untied_scale

SCALES, ZEROS = st.floats(1e-3, 0.3), st.integers(0, 255)


def gap(scale_a, zero_a, scale_b, zero_b, scale, zero):
    """Of the two levels that come nearest to the halfway of two others."""
    a, b = np.meshgrid(np.arange(256) - zero_a, np.arange(256) - zero_b)
    told = (scale_a * a + scale_b * b) / scale + zero
    told = told[(told > -1) & (told < 256)]
    return np.abs(told % 1 - 0.5).min(initial=0.5)


@settings(max_examples=25, deadline=None)
@given(SCALES, ZEROS, SCALES, ZEROS, st.floats(0.7, 1.5), ZEROS)
def test_a_little_wider_scale_has_no_ties(scale_a, zero_a, scale_b, zero_b, wide, zero):
    scale = float(np.float32(wide * max(scale_a, scale_b)))

    found = untied_scale(scale_a, zero_a, scale_b, zero_b, scale, zero)

    assert scale <= found <= scale * (1 + STEP * TRIED)
    assert gap(scale_a, zero_a, scale_b, zero_b, found, zero) >= NEAREST * 0.99


def test_branches_at_half_the_scale_of_their_sum_tie_at_every_second_pair():
    assert gap(1.0, 128, 1.0, 128, 2.0, 128) == 0

    assert 2.0 < untied_scale(1.0, 128, 1.0, 128, 2.0, 128) < 2.1


@pytest.fixture(scope="module")
def quantised():
    torch.manual_seed(0)
    task = task_named("obstacles")
    net = GridNet(3, {head.name: head.channels for head in task.heads}, task.width).eval()
    shape = (3, task.input.height_px, task.input.width_px, task.input.bands)
    inputs = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    names = tuple(head.name for head in task.heads)
    return onnx.load_from_string(export_onnx.int8_onnx(export_onnx.float_onnx(net, task), inputs, names))


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
