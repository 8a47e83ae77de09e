"""A bundle asked about image files: the answers of `oxturn predict`, as JSON values."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from foundation.robot_config import RobotConfig
from perception import data_processor, model_bundle, obstacle_decoding
from perception.onnx_model import OnnxModel
from perception.tasks.obstacles import OBSTACLES

Ask = Callable[[Path], dict[str, Any]]


def predictor(bundle_dir: Path, *, min_score: float | None, range_max_m: float) -> Ask:
    """Of a classifier `label` and `scores`; of `obstacles` `detections`, placed as by the reference robot's camera.

    Raises:
        BundleError, SampleError: no bundle; no image.
    """
    bundle = model_bundle.load(bundle_dir)
    model = OnnxModel.load(bundle.onnx_path)
    rows, columns = model.input_shape[:2]
    limit = min_score if min_score is not None else bundle.min_score or 0.5

    def fitted(path: Path) -> tuple[dict[str, Any], tuple[int, int]]:
        image = data_processor.read_photo(path)
        answers = model.run(np.ascontiguousarray(data_processor.resized(image, columns, rows)))
        return answers, (image.shape[1], image.shape[0])

    def objects(path: Path) -> dict[str, Any]:
        answers, (width_px, height_px) = fitted(path)
        camera = RobotConfig().camera.pinhole().scaled(width_px, height_px)
        found = obstacle_decoding.decode(answers, camera, stamp_s=0.0, min_score=limit, range_max_m=range_max_m)
        names = bundle.labels["kind"]
        told = [
            {
                "class": names[found.class_ids[index]],
                "score": round(float(found.scores[index]), 5),
                "box": [round(float(value), 1) for value in found.boxes_px[index]],
                "contact_m": [round(float(value), 4) for value in found.contacts_base_m[index]],
            }
            for index in np.argsort(-found.scores, kind="stable")
        ]
        return {"path": str(path), "detections": told}

    def label(path: Path) -> dict[str, Any]:
        answers, _ = fitted(path)
        names = bundle.labels["label"]
        logits = answers["label"].astype(np.float64)
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        scores = {name: float(share) for name, share in zip(names, shares)}
        return {"path": str(path), "label": names[int(shares.argmax())], "scores": scores}

    return objects if bundle.task == OBSTACLES.name else label
