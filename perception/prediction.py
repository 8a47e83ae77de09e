"""A bundle asked about one input: the answers of `oxturn predict` and `oxturn serve`, as JSON values."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foundation.robot_config import RobotConfig
from perception import data_processor, model_bundle, obstacle_decoding
from perception.data_processor import Image
from perception.letterbox import middle_of
from perception.model_bundle import Bundle
from perception.onnx_model import OnnxModel
from perception.tasks.obstacles import OBSTACLES

Answer = dict[str, Any]


class Predictor:
    """One loaded bundle; not for two threads at once.

    Raises:
        BundleError: no bundle, or one that must not be run.
    """

    def __init__(self, bundle_dir: Path, *, min_score: float | None, range_max_m: float) -> None:
        self.bundle: Bundle = model_bundle.load(bundle_dir)
        self._model = OnnxModel.load(self.bundle.onnx_path)
        self._limit = min_score if min_score is not None else self.bundle.min_score or 0.5
        self._range_max_m = range_max_m

    @property
    def takes_images(self) -> bool:
        return len(self._model.input_shape) == 3

    @property
    def columns(self) -> int:
        """Of a model for rows."""
        return self._model.input_shape[0]

    def image(self, image: Image) -> Answer:
        """Of a classifier `label`, `scores`; of `obstacles` `detections`, placed as by the reference robot's camera.

        A picture of another aspect than that camera's is taken for the middle of what it sees.
        """
        (rows, columns), (height_px, width_px) = self._model.input_shape[:2], image.shape[:2]
        if self.bundle.task == OBSTACLES.name:
            given = data_processor.fitted(image, columns, rows)
            return {"detections": self._detections(self._model.run(np.ascontiguousarray(given)), width_px, height_px)}
        return self._label(self._model.run(np.ascontiguousarray(data_processor.resized(image, columns, rows))))

    def row(self, values: NDArray[np.float32]) -> Answer:
        """`label` and `scores` of one row of sensor values (columns,)."""
        return self._label(self._model.run(np.asarray(values, np.float32)))

    def _detections(self, answers: dict[str, NDArray[np.float32]], width_px: int, height_px: int) -> list[Answer]:
        camera = middle_of(RobotConfig().camera.pinhole(), width_px, height_px)
        found = obstacle_decoding.decode(
            answers,
            camera,
            stamp_s=0.0,
            min_score=self._limit,
            range_max_m=self._range_max_m,
            piece_m=obstacle_decoding.OBJECT_PIECE_M,
        )
        names = self.bundle.labels["kind"]
        return [
            {
                "class": names[found.class_ids[index]],
                "score": round(float(found.scores[index]), 5),
                "box": [round(float(value), 1) for value in found.boxes_px[index]],
                "contact_m": [round(float(value), 4) for value in found.contacts_base_m[index]],
            }
            for index in np.argsort(-found.scores, kind="stable")
        ]

    def _label(self, answers: dict[str, NDArray[np.float32]]) -> Answer:
        """A dense answer is told as the share of pixels of each class."""
        ((head, names),) = self.bundle.labels.items()
        logits = answers[head].astype(np.float64)
        shares = np.exp(logits - logits.max(axis=0))
        shares = (shares / shares.sum(axis=0)).reshape(len(names), -1).mean(axis=1)
        scores = {name: float(share) for name, share in zip(names, shares)}
        return {"label": names[int(shares.argmax())], "scores": scores}


def predictor(bundle_dir: Path, *, min_score: float | None, range_max_m: float) -> Callable[[Path], Answer]:
    """Of image files; each answer begins with its `path`. SampleError names a file that is no image."""
    asked = Predictor(bundle_dir, min_score=min_score, range_max_m=range_max_m)
    return lambda path: {"path": str(path), **asked.image(data_processor.read_photo(path))}
