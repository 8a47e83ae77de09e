"""Cameras: picamera2 for the Pi's ribbon cable (its package comes with the Pi's system), OpenCV's V4L2 for USB."""

import logging
import time
from types import TracebackType
from typing import Any, Final, Literal, Protocol

import numpy as np

from deploy.update_errors import DriverError
from foundation.robot_config import Camera as CameraConfig
from perception.observation import Frame

logger = logging.getLogger(__name__)

REOPEN_EVERY_S: Final = 2.0


class Camera(Protocol):
    """An open camera; `read` waits for the next frame, None while there is none."""

    def __enter__(self) -> "Camera": ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def read(self) -> Frame | None: ...


def open_camera(kind: Literal["picamera2", "v4l2", "none"], device: int, config: CameraConfig) -> Camera | None:
    """Not yet opened: `with` does that."""
    if kind == "none":
        return None
    return PiCamera(config) if kind == "picamera2" else UsbCamera(device, config)


class PiCamera:
    """picamera2's newest frame; its "RGB888" is BGR in memory."""

    def __init__(self, config: CameraConfig) -> None:
        self._config = config
        self._camera: Any = None

    def __enter__(self) -> "PiCamera":
        try:
            from picamera2 import Picamera2
        except ImportError as error:
            raise DriverError("picamera2 is not installed: apt install python3-picamera2, or camera = v4l2") from error
        size = (self._config.width_px, self._config.height_px)
        try:
            self._camera = Picamera2()
            self._camera.configure(
                self._camera.create_video_configuration(
                    main={"size": size, "format": "RGB888"},
                    controls={"FrameRate": self._config.rate_hz},
                    buffer_count=2,
                )
            )
            self._camera.start()
        except (RuntimeError, IndexError) as error:
            raise DriverError(f"the Pi's camera does not start: {error}; check the ribbon cable") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._camera is not None:
            self._camera.close()

    def read(self) -> Frame | None:
        image = self._camera.capture_array("main")
        return Frame(time.monotonic(), np.ascontiguousarray(image[:, :, :3]))


class UsbCamera:
    """A V4L2 camera through OpenCV; opened anew after it was unplugged."""

    def __init__(self, device: int, config: CameraConfig) -> None:
        self._device = device
        self._config = config
        self._capture: Any = None
        self._next_try_s = 0.0

    def __enter__(self) -> "UsbCamera":
        if not self._open():
            raise DriverError(f"/dev/video{self._device} cannot be opened; see `v4l2-ctl --list-devices`")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._capture is not None:
            self._capture.release()

    def read(self) -> Frame | None:
        if self._capture is None:
            time.sleep(0.05)
            if time.monotonic() >= self._next_try_s:
                self._open()
            return None
        good, image = self._capture.read()
        if not good:
            logger.warning("/dev/video%d is gone", self._device)
            self._capture.release()
            self._capture = None
            return None
        return Frame(time.monotonic(), image)

    def _open(self) -> bool:
        import cv2

        self._next_try_s = time.monotonic() + REOPEN_EVERY_S
        capture = cv2.VideoCapture(self._device, cv2.CAP_V4L2)
        if not capture.isOpened():
            capture.release()
            return False
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._config.width_px)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._config.height_px)
        capture.set(cv2.CAP_PROP_FPS, self._config.rate_hz)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        self._capture = capture
        return True
