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
GREET_AGAIN_S: Final = 2.0  # an A1's motor needs a second to its speed


class SerialLine:
    """`read` gives b"" while nothing comes or the device is away; `write` is lost then. Neither raises.

    `greeting` is what makes the device speak: written after each opening, and again while it stays silent, for it may
    still be starting. `dtr` is the line's state while it is open.
    """

    def __init__(self, port: str, baud: int, *, greeting: bytes = b"", dtr: bool = True) -> None:
        self._port = port
        self._baud = baud
        self._greeting = greeting
        self._dtr = dtr
        self._heard_s = 0.0
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
            data = bytes(self._device.read(max(self._device.in_waiting, 1)))
        except (serial.SerialException, OSError, TypeError) as error:  # TypeError: pyserial closed under a read
            self._lost(error)
            return b""
        if data:
            self._heard_s = time.monotonic()
        elif self._greeting and time.monotonic() >= self._heard_s + GREET_AGAIN_S:
            self._greet()
        return data

    def write(self, data: bytes) -> None:
        if self._device is None:
            return
        try:
            self._device.write(data)
        except (serial.SerialException, OSError) as error:
            self._lost(error)

    def _open(self) -> None:
        device = serial.Serial(
            baudrate=self._baud, timeout=READ_TIMEOUT_S, write_timeout=READ_TIMEOUT_S, exclusive=True
        )
        device.port, device.dtr = self._port, self._dtr
        device.open()
        self._device = device
        self._greet()

    def _greet(self) -> None:
        self._heard_s = time.monotonic()  # it gets its time to answer
        if self._greeting:
            self.write(self._greeting)

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
