"""One ONNX file ready to run on one thread: checked when loaded, the same on robot, server and in evaluation."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.errors import BundleError


class OnnxModel:
    """Answers one input at a time."""

    def __init__(self, session: Any, path: Path) -> None:
        self._session = session
        self._path = path
        (wanted,) = session.get_inputs()
        self._input_name: str = wanted.name
        self.input_shape: tuple[int, ...] = tuple(wanted.shape[1:])
        self.output_names: tuple[str, ...] = tuple(output.name for output in session.get_outputs())

    @staticmethod
    def load(path: Path) -> "OnnxModel":
        """Raises BundleError for bytes that are no ONNX, external weights, or an input that no task of ours has."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # one beats two for nets this small
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            data = path.read_bytes()
            # From bytes, not from the path: weights in a second file cannot be found then, so they are refused.
            session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except OSError as error:
            raise BundleError(f"{path}: cannot be read: {error.strerror or error}") from error
        except Exception as error:  # onnxruntime's exceptions share no base of their own
            raise BundleError(f"{path}: cannot be run: {str(error).splitlines()[0][:200]}") from error
        _check_inputs(session, path)
        return OnnxModel(session, path)

    def run(self, one: NDArray[Any]) -> dict[str, NDArray[np.float32]]:
        """Each output for one input, both without the batch axis.

        Raises:
            BundleError: the input is not of the model's shape.
        """
        if one.shape != self.input_shape:
            raise BundleError(f"{self._path}: input of shape {one.shape}, the model takes {self.input_shape}")
        answers = self._session.run(None, {self._input_name: one[None]})
        return {name: answer[0] for name, answer in zip(self.output_names, answers)}


def _check_inputs(session: Any, path: Path) -> None:
    inputs = session.get_inputs()
    shapes = [(item.type, item.shape) for item in inputs]
    if len(inputs) != 1:
        raise BundleError(f"{path}: takes {len(inputs)} inputs {shapes}, want one")
    kind, shape = shapes[0]
    fixed = all(isinstance(side, int) and side > 0 for side in shape)
    image = kind == "tensor(uint8)" and len(shape) == 4
    row = kind == "tensor(float)" and len(shape) == 2
    if not fixed or not (image or row) or shape[0] != 1:
        raise BundleError(f"{path}: takes {kind} {shape}, want uint8 (1, H, W, bands) or float (1, columns)")
