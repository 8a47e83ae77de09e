"""A serial device as a stream that comes back: opened by `with`, read in chunks, opened anew after it was unplugged."""

import logging
import time
from types import TracebackType
from typing import Final

import serial

from deploy.update_errors import DriverError

logger = logging.getLogger(__name__)

READ_TIMEOUT_S: Final = 0.05
REOPEN_EVERY_S: Final = 0.5


class SerialLine:
    """`read` gives b"" while nothing comes or the device is away; `write` is lost then. Neither raises."""

    def __init__(self, port: str, baud: int) -> None:
        self._port = port
        self._baud = baud
        self._device: serial.Serial | None = None
        self._next_try_s = 0.0

    def __enter__(self) -> "SerialLine":
        """Raises DriverError when the device is not there at the start."""
        try:
            self._open()
        except (serial.SerialException, OSError) as error:
            raise DriverError(f"{self._port} cannot be opened at {self._baud} baud: {error}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    @property
    def connected(self) -> bool:
        return self._device is not None

    def read(self) -> bytes:
        """What has come, waiting for READ_TIMEOUT_S at most."""
        if self._device is None:
            self._try_again()
            return b""
        try:
            return bytes(self._device.read(max(self._device.in_waiting, 1)))
        except (serial.SerialException, OSError, TypeError) as error:  # TypeError: pyserial closed under a read
            self._lost(error)
            return b""

    def write(self, data: bytes) -> None:
        if self._device is None:
            return
        try:
            self._device.write(data)
        except (serial.SerialException, OSError) as error:
            self._lost(error)

    def _open(self) -> None:
        self._device = serial.Serial(
            self._port, self._baud, timeout=READ_TIMEOUT_S, write_timeout=READ_TIMEOUT_S, exclusive=True
        )

    def _close(self) -> None:
        device, self._device = self._device, None
        if device is not None:
            device.close()

    def _lost(self, error: Exception) -> None:
        logger.warning("%s is gone: %s", self._port, error)
        self._close()
        self._next_try_s = time.monotonic() + REOPEN_EVERY_S

    def _try_again(self) -> None:
        if time.monotonic() < self._next_try_s:
            time.sleep(READ_TIMEOUT_S)
            return
        try:
            self._open()
            logger.info("%s is back", self._port)
        except (serial.SerialException, OSError):
            self._next_try_s = time.monotonic() + REOPEN_EVERY_S
