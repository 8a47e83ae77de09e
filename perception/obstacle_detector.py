"""The robot's eyes at run time: a bundle and a frame in, small objects in `base_link` out. No torch."""

from pathlib import Path

import numpy as np

from foundation.camera_geometry import PinholeCamera
from perception import data_processor, model_bundle, obstacle_decoding
from perception.errors import BundleError
from perception.observation import Detections, Frame, Observation
from perception.obstacle_decoding import MAP_PIECE_M
from perception.onnx_model import OnnxModel
from perception.tasks.obstacles import OBSTACLES


class ObstacleDetector:
    """`min_score`: None takes the threshold that the bundle was validated with; `piece_m`: see obstacle_decoding."""

    def __init__(
        self,
        bundle_dir: Path,
        *,
        min_score: float | None,
        camera: PinholeCamera,
        range_max_m: float,
        piece_m: float = MAP_PIECE_M,
    ) -> None:
        bundle = model_bundle.load(bundle_dir)
        if bundle.task != OBSTACLES.name:
            raise BundleError(f"{bundle_dir}: a model for {bundle.task}, want {OBSTACLES.name}")
        self._model = OnnxModel.load(bundle.onnx_path)
        missing = {head.name for head in OBSTACLES.heads} - set(self._model.output_names)
        if missing or len(self._model.input_shape) != 3:
            raise BundleError(f"{bundle_dir}: the model answers {self._model.output_names}, lacks {sorted(missing)}")
        self.class_names: tuple[str, ...] = bundle.labels["kind"]
        self.version: str = bundle.version
        self.min_score: float = min_score if min_score is not None else bundle.min_score or 0.5
        self._camera = camera
        self._range_max_m = range_max_m
        self._piece_m = piece_m

    def detect(self, observation: Observation) -> Detections | None:
        """None when this tick has no frame."""
        return None if observation.frame is None else self.detect_frame(observation.frame)

    def detect_frame(self, frame: Frame) -> Detections:
        """Boxes are in the given frame's pixels, whatever its size."""
        height_px, width_px = frame.image_bgr.shape[:2]
        rows, columns = self._model.input_shape[:2]
        image = np.ascontiguousarray(data_processor.resized(frame.image_bgr, columns, rows))
        return obstacle_decoding.decode(
            self._model.run(image),
            self._camera.scaled(width_px, height_px),
            stamp_s=frame.stamp_s,
            min_score=self.min_score,
            range_max_m=self._range_max_m,
            piece_m=self._piece_m,
        )
