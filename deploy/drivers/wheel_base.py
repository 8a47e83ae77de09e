"""Wheels, bumper and cliffs as one thing that is told speeds and says what it measured; here over a serial board."""

from types import TracebackType
from typing import Protocol

from deploy.drivers.motor_board import BAUD, BoardState, StateParser, WheelSpeeds, encode_drive
from deploy.drivers.serial_line import SerialLine


class WheelBase(Protocol):
    """Stops by itself when `drive` is not called for BOARD_WATCHDOG_S."""

    def __enter__(self) -> "WheelBase": ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def drive(self, speeds: WheelSpeeds) -> None: ...
    def read(self) -> BoardState | None:
        """The newest state, waiting a little for one; None while nothing comes."""
        ...


class SerialBase:
    """The motor board of `motor_board`."""

    def __init__(self, port: str) -> None:
        self._line = SerialLine(port, BAUD)
        self._parser = StateParser()

    def __enter__(self) -> "SerialBase":
        self._line.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.drive(WheelSpeeds(0.0, 0.0, False))
        self._line.__exit__(kind, error, trace)

    def drive(self, speeds: WheelSpeeds) -> None:
        self._line.write(encode_drive(speeds))

    def read(self) -> BoardState | None:
        states = self._parser.feed(self._line.read())
        return states[-1] if states else None
