"""A run of a few steps from samples to a bundle that the robot's detector reads, killed and gone on with."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from painted_rooms import CAMERA, painted, write_rooms
from typer.testing import CliRunner

from foundation.progress import silent
from oxturn import cli
from perception import data_processor, dataset, evaluate, export_onnx, export_torchscript, model_bundle, training_job
from perception.errors import BundleError, TaskError
from perception.observation import Frame
from perception.obstacle_detector import ObstacleDetector
from perception.onnx_model import OnnxModel
from perception.tasks.obstacles import OBSTACLES
from perception.train import TrainSettings

SETTINGS = TrainSettings(seed=1, steps=6, batch=4, threads=1, validations=1)


@pytest.fixture(scope="module", autouse=True)
def one_calibration():
    """After six steps no score says which is better, and what it cuts off is a large part of the answers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export_onnx, "KEPT_PERCENT", (100.0,))
        yield


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    rooms = write_rooms(folder / "rooms", rooms=4, frames=5)
    dataset.split(rooms, folder / "split", seed=0, fractions=(0.5, 0.25, 0.25), progress=silent)
    return folder / "split"


@pytest.fixture(scope="module")
def trained(split: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained")
    training_job.run("obstacles", split, out, SETTINGS, progress=silent, on_epoch=lambda epoch: None)
    return out


def test_a_bundle_is_what_the_robot_reads(trained: Path):
    sample = painted("x/0", "x", np.random.default_rng(0))
    detector = ObstacleDetector(trained / "bundle", min_score=0.5, camera=CAMERA, range_max_m=1.2)

    detections = detector.detect_frame(Frame(2.5, data_processor.decode(sample.image)))

    assert detections.stamp_s == 2.5
    assert np.isfinite(detections.contacts_base_m).all()
    assert set(model_bundle.load(trained / "bundle").reference()) == set(OBSTACLES.drift_features)


def test_golden_frames_give_golden_answers(trained: Path):
    bundle = model_bundle.load(trained / "bundle")
    inputs, answers = bundle.golden()
    model = OnnxModel.load(bundle.onnx_path)

    for index, one in enumerate(inputs):
        for name, told in model.run(one).items():
            wanted = answers[name].sketches[index]
            np.testing.assert_allclose(model_bundle.sketch(told), wanted, atol=2e-3 * (1 + np.abs(told).max()))


def test_the_same_seed_gives_the_same_model(split: Path, trained: Path, tmp_path: Path):
    training_job.run("obstacles", split, tmp_path, SETTINGS, progress=silent, on_epoch=lambda epoch: None)

    assert (tmp_path / "bundle/model.onnx").read_bytes() == (trained / "bundle/model.onnx").read_bytes()


def test_a_used_folder_with_other_data_gives_what_a_fresh_one_gives(tmp_path: Path):
    settings = dataclasses.replace(SETTINGS, steps=4, checkpoint_every=2)
    told = {}
    for name, seed in (("a", 1), ("b", 2)):
        rooms = write_rooms(tmp_path / name / "rooms", rooms=3, frames=3, seed=seed)
        dataset.split(rooms, tmp_path / name / "data", seed=0, fractions=(0.4, 0.3, 0.3), progress=silent)

    def trained_on(name: str, out: Path) -> bytes:
        told[name] = training_job.run(
            "obstacles", tmp_path / name / "data", out, settings, progress=silent, on_epoch=lambda epoch: None
        )
        return told[name].bundle.onnx_path.read_bytes()

    first = trained_on("a", tmp_path / "used")
    second = trained_on("b", tmp_path / "used")

    assert told["b"].resumed_at == 0
    assert not (tmp_path / "used" / "checkpoint.pt").exists()
    assert first != second == trained_on("b", tmp_path / "fresh")


def test_shuffled_weights_are_another_model_of_the_same_size(trained: Path, tmp_path: Path):
    shuffled = model_bundle.randomised(trained / "bundle", tmp_path / "random", seed=5)
    original = (trained / "bundle/model.onnx").read_bytes()

    assert shuffled.onnx_path.read_bytes() != original
    assert abs(shuffled.onnx_path.stat().st_size - len(original)) < 100


def test_int8_that_costs_too_much_is_not_delivered(monkeypatch: pytest.MonkeyPatch):
    from perception.cnn_model import GridNet

    monkeypatch.setattr(export_onnx, "KEPT_PERCENT", (100.0, 99.97))
    model = GridNet(3, {head.name: head.channels for head in OBSTACLES.heads}).eval()
    inputs = np.random.default_rng(0).integers(0, 255, (3, 240, 320, 3)).astype(np.uint8)
    scores = iter([0.9, 0.88, 0.89])

    exported = export_onnx.export(model, OBSTACLES, inputs, lambda answers: next(scores))

    assert exported.precision == "fp32"
    assert exported.score_int8 == 0.89
    assert "drop over" in exported.reason
    assert exported.float_difference < 1e-5


def test_preprocessing_lies_inside_of_the_graph(trained: Path):
    model = OnnxModel.load(trained / "bundle/model.onnx")

    assert model.input_shape == (240, 320, 3)
    with pytest.raises(BundleError, match=r"\(120, 160, 3\)"):
        model.run(np.zeros((120, 160, 3), np.uint8))


def test_torchscript_lies_beside_the_bundle_and_answers_as_the_float_model(trained: Path):
    names = {path.name for path in (trained / "bundle").iterdir()}
    script = export_torchscript.answers_of((trained / export_torchscript.FILE_NAME).read_bytes(), OBSTACLES)
    image = data_processor.decode(painted("x/0", "x", np.random.default_rng(0)).image)
    bundle = OnnxModel.load(trained / "bundle/model.onnx")

    told = {name: answer.numpy()[0] for name, answer in script(torch.from_numpy(image[None])).items()}

    assert names == {*model_bundle.FILES, model_bundle.MANIFEST}
    for name, answer in bundle.run(image).items():  # INT8 or float: near, as six steps of training leave it
        assert np.abs(told[name] - answer).max() <= 0.25 * np.abs(answer).max()


def test_an_unknown_task_names_the_known_ones(split: Path, tmp_path: Path):
    with pytest.raises(TaskError, match="obstacles"):
        training_job.run("dragons", split, tmp_path, SETTINGS, progress=silent, on_epoch=lambda epoch: None)


def test_the_verbs_speak_json(split: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    if not cli.app.registered_commands:
        cli.mount()
    photo = tmp_path / "photo.png"
    photo.write_bytes(painted("x/0", "x", np.random.default_rng(0)).image)
    bundle = str(trained / "bundle")

    def told(*arguments: str) -> dict:
        result = CliRunner().invoke(cli.app, [*arguments, "--json"])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    assert told("evaluate", "--bundle", bundle, "--data", str(split))["frames"] == 5
    assert told("evaluate", "--run", str(trained), "--data", str(split))["objects"] == 5
    assert {"path", "detections"} == set(told("predict", "--bundle", bundle, str(photo)))
    assert told("data", "check", "--data", str(split / "train"))["problems"] == []


def test_evaluation_of_a_bundle_counts_every_object(split: Path, trained: Path):
    detector = evaluate.of_bundle(trained / "bundle", min_score=None, range_max_m=1.2)

    found = evaluate.evaluate(detector, split, range_max_m=1.2, progress=silent)

    assert found.confusion[:-1].sum() == found.figures["objects"] == 5
