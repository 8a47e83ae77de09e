"""A trained model as files: manifest, ONNX, labels, card, metrics, reference statistics. The format, not the trust.

    bundle/
        model.onnx        preprocessing inside; input uint8 (1, H, W, 3) BGR, or float32 (1, columns) for rows
        labels.json       class names of each head, in the order of their channels
        metrics.json      figures by slice, from the validation set
        reference.json    mean and spread of the drift features in the training data
        golden.npz        frames and the model's own answers to them: health checks compare
        card.md           what the model is, was trained on and is worth
        manifest.json     task, format version, data set's hash, and each file's size and SHA-256

A signature over these files is deploy's; here a file that differs from the manifest is refused.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foundation import atomic_files
from perception.errors import BundleError

VERSION = 1
MANIFEST = "manifest.json"
FILES = ("model.onnx", "labels.json", "metrics.json", "reference.json", "golden.npz", "card.md")
SKETCH = 4  # numbers kept of each golden answer
MEAN, LARGEST = SKETCH - 2, SKETCH - 1  # which of them these are
OPSETS = range(13, 22)  # what the robots' onnxruntime is known to run


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle whose files are those of its manifest."""

    folder: Path
    task: str
    version: str  # of the model: date or counter, free text
    dataset_hash: str
    labels: Mapping[str, tuple[str, ...]]  # head to class names
    min_score: float | None  # the detector's threshold chosen on validation data
    details: Mapping[str, Any]

    @property
    def onnx_path(self) -> Path:
        return self.folder / "model.onnx"

    def metrics(self) -> dict[str, Any]:
        return dict(_json(self.folder / "metrics.json"))

    def reference(self) -> dict[str, Any]:
        return dict(_json(self.folder / "reference.json"))

    def golden(self) -> tuple[NDArray[Any], dict[str, "GoldenAnswer"]]:
        """Inputs (N, ...) and, for each output, what the answers to them must look like."""
        with np.load(self.folder / "golden.npz") as arrays:
            names = [name.removeprefix("sketch_") for name in arrays.files if name.startswith("sketch_")]
            answers = {
                name: GoldenAnswer(tuple(arrays[f"shape_{name}"].tolist()), arrays[f"sketch_{name}"]) for name in names
            }
            return arrays["inputs"], answers


@dataclass(frozen=True, slots=True)
class GoldenAnswer:
    """An output's shape (without the batch axis) and a sketch of its answer to each golden input.

    A few numbers tell a model that works from one that does not; whole answers would make every update large.
    """

    shape: tuple[int, ...]
    sketches: NDArray[np.float16]  # (N, SKETCH)


@dataclass(frozen=True, slots=True)
class BundleContent:
    """What training has to say; `write` makes a bundle of it."""

    task: str
    version: str
    dataset_hash: str
    onnx: bytes
    labels: Mapping[str, tuple[str, ...]]
    min_score: float | None
    metrics: Mapping[str, Any]
    reference: Mapping[str, Any]
    golden_inputs: NDArray[Any]
    golden_answers: Mapping[str, NDArray[np.float32]]
    card: str
    details: Mapping[str, Any]  # settings, precision, seed: whatever a reader may ask


def write(folder: Path, content: BundleContent) -> Bundle:
    """Writes the whole folder or nothing."""
    with atomic_files.staged_folder(folder) as staging:
        (staging / "model.onnx").write_bytes(content.onnx)
        atomic_files.write_json(staging / "labels.json", {head: list(names) for head, names in content.labels.items()})
        atomic_files.write_json(staging / "metrics.json", content.metrics)
        atomic_files.write_json(staging / "reference.json", content.reference)
        _save_golden(staging, content.golden_inputs, content.golden_answers)
        (staging / "card.md").write_text(content.card, encoding="utf-8")
        _write_manifest(
            staging,
            {
                "format": "oxturn bundle",
                "format_version": VERSION,
                "task": content.task,
                "version": content.version,
                "dataset_hash": content.dataset_hash,
                "min_score": content.min_score,
                "details": dict(content.details),
            },
        )
    return load(folder)


def load(folder: Path) -> Bundle:
    """Reads and checks the manifest and every file's hash.

    Raises:
        BundleError: no bundle, a version this code does not know, a file missing, added or changed.
    """
    manifest = _json(folder / MANIFEST)
    try:
        if manifest["format"] != "oxturn bundle" or manifest["format_version"] != VERSION:
            raise BundleError(f"{folder}: {manifest['format']!r} version {manifest['format_version']}, want {VERSION}")
        for name in FILES:
            _check(folder / name, manifest["files"][name])
        labels = {head: tuple(names) for head, names in _json(folder / "labels.json").items()}
        min_score = None if manifest["min_score"] is None else float(manifest["min_score"])
        return Bundle(
            folder,
            str(manifest["task"]),
            str(manifest["version"]),
            str(manifest["dataset_hash"]),
            labels,
            min_score,
            dict(manifest["details"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(f"{folder / MANIFEST}: not a bundle's manifest: {error!r}") from error


def randomised(bundle_dir: Path, out_dir: Path, seed: int) -> Bundle:
    """The same bundle with its weights shuffled within each layer: same files, sizes and speed, no knowledge.

    A control experiment: what such a model is worth is what the figures would be without learning.
    """
    import onnx
    from onnx import numpy_helper

    original = load(bundle_dir)
    rng = np.random.default_rng(seed)
    model = onnx.load_from_string(original.onnx_path.read_bytes())
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.ndim == 4:
            tensor.CopyFrom(
                numpy_helper.from_array(rng.permutation(values.reshape(-1)).reshape(values.shape), tensor.name)
            )
    with atomic_files.staged_folder(out_dir) as staging:
        for name in FILES:
            shutil.copyfile(bundle_dir / name, staging / name)
        (staging / "model.onnx").write_bytes(model.SerializeToString())
        inputs, _ = original.golden()
        _save_golden(staging, inputs, _answers(staging / "model.onnx", inputs))
        manifest = _json(bundle_dir / MANIFEST)
        manifest["version"] = f"{original.version}-randomised-{seed}"
        _write_manifest(staging, manifest)
    return load(out_dir)


def sketch(answer: NDArray[Any]) -> NDArray[np.float16]:
    """(SKETCH,): values at a few fixed places, their mean, the largest magnitude. Not finite where an answer is not."""
    flat = np.asarray(answer, dtype=np.float64).reshape(-1)
    places = np.linspace(0, len(flat) - 1, SKETCH).astype(np.int64)[1:-1]
    values = np.array([*flat[places], flat.mean(), np.abs(flat).max()])
    sketched: NDArray[np.float16] = np.clip(values, -6e4, 6e4).astype(np.float16)
    return sketched


def _answers(onnx_path: Path, inputs: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
    from perception.onnx_model import OnnxModel

    model = OnnxModel.load(onnx_path)
    told = [model.run(one) for one in inputs]
    return {name: np.stack([answer[name] for answer in told]) for name in told[0]}


def _save_golden(folder: Path, inputs: NDArray[Any], answers: Mapping[str, NDArray[np.float32]]) -> None:
    arrays: dict[str, Any] = {"inputs": inputs}
    for name, values in answers.items():
        arrays[f"sketch_{name}"] = np.stack([sketch(one) for one in values])
        arrays[f"shape_{name}"] = np.array(values.shape[1:], dtype=np.int64)
    np.savez_compressed(folder / "golden.npz", **arrays)


def _write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    files = {name: _fingerprint(folder / name) for name in FILES}
    atomic_files.write_json(folder / MANIFEST, {**manifest, "files": files})


def _fingerprint(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {"size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _check(path: Path, told: Mapping[str, Any]) -> None:
    try:
        found = _fingerprint(path)
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror or error}") from error
    if found != {"size_bytes": told["size_bytes"], "sha256": told["sha256"]}:
        raise BundleError(
            f"{path}: {found['size_bytes']} bytes, SHA-256 {found['sha256'][:12]}: not the manifest's file"
        )


def _json(path: Path) -> Any:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise BundleError(f"{path}: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BundleError(f"{path}: holds a {type(value).__name__}, want an object")
    return value
