"""What an update costs on the wire: a head-only retrain and a retrain of everything, patch against whole.

    python benchmarks/ota_patch.py BUNDLE

The retrain is simulated on the bundle's own ONNX file: noise of a twentieth of a tensor's spread on the weights of the
heads (or of all layers), integers rounded; golden answers and manifest follow. Prints bytes besides TUF's metadata.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from deploy.bundle_archive import pack
from deploy.patches import compress, decompress
from perception import model_bundle
from perception.model_bundle import BundleContent
from perception.onnx_model import OnnxModel


def retrained(bundle: model_bundle.Bundle, only: str, folder: Path) -> model_bundle.Bundle:
    """The bundle with other weights wherever a tensor's name holds `only`."""
    rng = np.random.default_rng(1)
    model = onnx.load_from_string(bundle.onnx_path.read_bytes())
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if only in tensor.name and values.ndim == 4:
            moved = values + 0.05 * values.std() * rng.standard_normal(values.shape)
            if np.issubdtype(values.dtype, np.integer):
                limits = np.iinfo(values.dtype)
                moved = np.clip(np.rint(moved), limits.min, limits.max)
            tensor.CopyFrom(numpy_helper.from_array(moved.astype(values.dtype), tensor.name))
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    net, (inputs, _) = OnnxModel.load(folder / "model.onnx"), bundle.golden()
    told = [net.run(one) for one in inputs]
    content = BundleContent(
        task=bundle.task,
        version=bundle.version + "1",
        dataset_hash=bundle.dataset_hash,
        onnx=model.SerializeToString(),
        labels=bundle.labels,
        min_score=bundle.min_score,
        metrics=bundle.metrics(),
        reference=bundle.reference(),
        golden_inputs=inputs,
        golden_answers={name: np.stack([one[name] for one in told]) for name in told[0]},
        card=(bundle.folder / "card.md").read_text(),
        details=bundle.details,
    )
    return model_bundle.write(folder / "bundle", content)


def archive(bundle: model_bundle.Bundle) -> bytes:
    return pack({path.name: path.read_bytes() for path in sorted(bundle.folder.iterdir())})


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("bundle", type=Path)
    original = model_bundle.load(parser.parse_args().bundle)
    with tempfile.TemporaryDirectory() as name:
        same = Path(name, "same")
        same.mkdir()
        base_bundle = retrained(original, "no tensor has this name", same)  # in today's format
        base = archive(base_bundle)
        print("| retrain | patch, bytes | of it the model | whole, bytes | archive, bytes |\n|---|---|---|---|---|")
        for what, only in (("one head", "heads.thing"), ("all heads", "heads"), ("all layers", "")):
            folder = Path(name, what.replace(" ", "_"))
            folder.mkdir()
            other = retrained(original, only, folder)
            new = archive(other)
            patch = compress(new, base)
            assert decompress(patch, len(new), base) == new
            model_patch = compress(other.onnx_path.read_bytes(), base_bundle.onnx_path.read_bytes())
            print(f"| {what} | {len(patch)} | {len(model_patch)} | {len(compress(new))} | {len(new)} |")


if __name__ == "__main__":
    main()
