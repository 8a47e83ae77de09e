"""The robot's eyes at run time: a bundle and a frame in, small objects in `base_link` out. No torch."""

from pathlib import Path

import numpy as np

from foundation.camera_geometry import PinholeCamera
from perception import data_processor, model_bundle, obstacle_decoding
from perception.errors import BundleError
from perception.letterbox import same_aspect
from perception.observation import Detections, Frame, Observation, ObservationError
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
        """Boxes are in the given frame's pixels, whatever its size.

        Raises:
            ObservationError: the frame is not of the camera's aspect, so nobody knows where it looks.
        """
        height_px, width_px = frame.image_bgr.shape[:2]
        if not same_aspect(self._camera, width_px, height_px):
            raise ObservationError(
                f"frame is {width_px}x{height_px}, the camera is configured as {self._camera.width_px}x"
                f"{self._camera.height_px}; set [camera] width_px and height_px to an aspect that it gives"
            )
        rows, columns = self._model.input_shape[:2]
        image = np.ascontiguousarray(data_processor.fitted(frame.image_bgr, columns, rows))
        return obstacle_decoding.decode(
            self._model.run(image),
            self._camera.scaled(width_px, height_px),
            stamp_s=frame.stamp_s,
            min_score=self.min_score,
            range_max_m=self._range_max_m,
            piece_m=self._piece_m,
        )
