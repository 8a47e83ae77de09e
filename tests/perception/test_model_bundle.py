"""A bundle is what its manifest says or it is refused."""

import json

import numpy as np
import pytest
from fake_bundles import FRAMES, onnx_model, times
from onnx import TensorProto, helper, numpy_helper

from perception import model_bundle
from perception.errors import BundleError
from perception.model_bundle import FILES, BundleContent
from perception.onnx_model import OnnxModel


def content(**change):
    values = {
        "task": "obstacles",
        "version": "1",
        "dataset_hash": "ab",
        "onnx": times(0.5),
        "labels": {"kind": ("cable", "sock")},
        "min_score": 0.4,
        "metrics": {"recall": 0.9},
        "reference": {"brightness": {"mean": 0.5, "std": 0.1}},
        "golden_inputs": FRAMES,
        "golden_answers": {"answer": FRAMES.astype(np.float32) / 2},
        "card": "# card\n",
        "details": {"seed": 1},
    }
    return BundleContent(**{**values, **change})


def test_a_bundle_reads_back_as_it_was_written(tmp_path):
    model_bundle.write(tmp_path / "b", content())

    bundle = model_bundle.load(tmp_path / "b")

    inputs, answers = bundle.golden()
    assert (bundle.task, bundle.version, bundle.min_score) == ("obstacles", "1", 0.4)
    assert bundle.labels == {"kind": ("cable", "sock")}
    assert bundle.metrics() == {"recall": 0.9}
    assert bundle.reference()["brightness"]["mean"] == 0.5
    np.testing.assert_array_equal(inputs, FRAMES)
    assert answers["answer"].shape == FRAMES.shape[1:]
    np.testing.assert_array_equal(answers["answer"].sketches[0], model_bundle.sketch(FRAMES[0] / 2))
    np.testing.assert_array_equal(OnnxModel.load(bundle.onnx_path).run(FRAMES[1])["answer"], FRAMES[1] / 2)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_was_changed_or_lost_is_named(tmp_path, name):
    model_bundle.write(tmp_path / "b", content())
    path = tmp_path / "b" / name

    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(BundleError, match=name):
        model_bundle.load(tmp_path / "b")

    path.unlink()
    with pytest.raises(BundleError, match=name):
        model_bundle.load(tmp_path / "b")


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"format": "other", "format_version": 1}', "\x00"])
def test_a_manifest_that_is_none_is_refused(tmp_path, text):
    model_bundle.write(tmp_path / "b", content())
    (tmp_path / "b" / "manifest.json").write_text(text)

    with pytest.raises(BundleError):
        model_bundle.load(tmp_path / "b")


def test_a_newer_format_is_refused_with_both_versions(tmp_path):
    model_bundle.write(tmp_path / "b", content())
    path = tmp_path / "b" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format_version": 9}))

    with pytest.raises(BundleError, match="version 9, want 1"):
        model_bundle.load(tmp_path / "b")


def convolution(kernel):
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["pixels"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "kernel"], ["answer"]),
    ]
    return onnx_model(nodes, [numpy_helper.from_array(kernel, "kernel")])


def test_random_weights_make_a_bundle_of_the_same_shape_without_the_knowledge(tmp_path):
    kernel = np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2)
    answer = np.zeros((2, 2, 7, 7), np.float32)
    model_bundle.write(tmp_path / "b", content(onnx=convolution(kernel), golden_answers={"answer": answer}))

    one = model_bundle.randomised(tmp_path / "b", tmp_path / "one", seed=1)
    again = model_bundle.randomised(tmp_path / "b", tmp_path / "again", seed=1)
    other = model_bundle.randomised(tmp_path / "b", tmp_path / "other", seed=2)

    assert one.onnx_path.read_bytes() == again.onnx_path.read_bytes() != other.onnx_path.read_bytes()
    assert len(one.onnx_path.read_bytes()) == len((tmp_path / "b/model.onnx").read_bytes())
    inputs, answers = one.golden()
    told = OnnxModel.load(one.onnx_path).run(inputs[0])["answer"]
    np.testing.assert_array_equal(answers["answer"].sketches[0], model_bundle.sketch(told))
    assert one.version == "1-randomised-1"


@pytest.mark.parametrize("data", [b"", b"<html>", b"\x08\x07"])
def test_bytes_that_are_no_onnx_are_refused(tmp_path, data):
    (tmp_path / "m.onnx").write_bytes(data)

    with pytest.raises(BundleError, match=r"m\.onnx: cannot be run"):
        OnnxModel.load(tmp_path / "m.onnx")


def test_weights_in_a_second_file_are_refused(tmp_path):
    import onnx

    model = onnx.load_from_string(convolution(np.ones((64, 3, 3, 3), np.float32)))
    onnx.save(model, tmp_path / "m.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)

    with pytest.raises(BundleError, match="cannot be run"):
        OnnxModel.load(tmp_path / "m.onnx")


@pytest.mark.parametrize("shape", [(1, "h", "w", 3), (2, 8, 8, 3), (8, 8, 3)])
def test_an_input_that_no_task_has_is_refused(tmp_path, shape):
    node = helper.make_node("Cast", ["image"], ["answer"], to=TensorProto.FLOAT)
    (tmp_path / "m.onnx").write_bytes(onnx_model([node], shape=shape))

    with pytest.raises(BundleError, match="want uint8"):
        OnnxModel.load(tmp_path / "m.onnx")


def test_an_unknown_opset_is_refused(tmp_path):
    import onnx

    model = onnx.load_from_string(times(1.0))
    model.opset_import[0].version = 99
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())

    with pytest.raises(BundleError, match="cannot be run"):
        OnnxModel.load(tmp_path / "m.onnx")


def test_a_frame_of_another_shape_is_refused(tmp_path):
    (tmp_path / "m.onnx").write_bytes(times(1.0))

    with pytest.raises(BundleError, match=r"\(4, 4, 3\)"):
        OnnxModel.load(tmp_path / "m.onnx").run(np.zeros((4, 4, 3), np.uint8))
