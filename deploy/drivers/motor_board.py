"""A serial motor board: a small text protocol that any microcontroller speaks in fifty lines. Pure codec.

    host -> board   V <left mm/s> <right mm/s> <tool 0|1>*<checksum>\n          at least every 200 ms
    board -> host   S <left ticks> <right ticks> <gyro mrad/s> <bumper 0|1> <cliffs 4 bits> <battery mV>*<checksum>\n
The checksum is the XOR of all bytes before `*`, two hex digits, as in NMEA. A board that hears no valid V for 300 ms
stops the wheels and the tool by itself: a host that was killed moves nothing. 115200 baud. See docs/pi.md.
"""

import re
from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Final

from deploy.update_errors import DriverError

BAUD: Final = 115_200
BOARD_WATCHDOG_S: Final = 0.3
MAX_LINE_BYTES: Final = 80
_STATE: Final = re.compile(rb"S (-?\d{1,10}) (-?\d{1,10}) (-?\d{1,6}) ([01]) ([01]{4}) (\d{1,5})")
_DRIVE: Final = re.compile(rb"V (-?\d{1,5}) (-?\d{1,5}) ([01])")


@dataclass(frozen=True, slots=True)
class BoardState:
    """What was measured; ticks count from power-up. What the hardware has no sensor for is None, never 0."""

    left_ticks: int
    right_ticks: int
    turn_rate_radps: float | None
    bumper_pressed: bool
    cliffs: tuple[bool, bool, bool, bool]
    battery_v: float | None


@dataclass(frozen=True, slots=True)
class WheelSpeeds:
    left_mps: float
    right_mps: float
    tool_on: bool


class LineParser:
    """Lines with a right checksum; anything else is dropped. Never raises, never grows."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Checked lines completed by these bytes, without their checksum."""
        self._buffer += data
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = rest[-MAX_LINE_BYTES:]
        return [text for line in lines if (text := _checked(bytes(line))) is not None]


class StateParser:
    """The host's side."""

    def __init__(self) -> None:
        self._lines = LineParser()

    def feed(self, data: bytes) -> list[BoardState]:
        found = (_STATE.fullmatch(line) for line in self._lines.feed(data))
        return [_state(match) for match in found if match is not None]


class DriveParser:
    """The board's side: firmware emulators and tests."""

    def __init__(self) -> None:
        self._lines = LineParser()

    def feed(self, data: bytes) -> list[WheelSpeeds]:
        found = (_DRIVE.fullmatch(line) for line in self._lines.feed(data))
        return [WheelSpeeds(int(m[1]) * 1e-3, int(m[2]) * 1e-3, m[3] == b"1") for m in found if m is not None]


def encode_drive(speeds: WheelSpeeds) -> bytes:
    left, right = (max(-9999, min(9999, round(mps * 1e3))) for mps in (speeds.left_mps, speeds.right_mps))
    return _line(f"V {left} {right} {int(speeds.tool_on)}")


def encode_state(state: BoardState) -> bytes:
    """DriverError for a state without gyro or battery: the line has no word for that."""
    if state.turn_rate_radps is None or state.battery_v is None:
        raise DriverError(f"turn rate {state.turn_rate_radps}, battery {state.battery_v}: the line must say both")
    cliffs = "".join(str(int(cliff)) for cliff in state.cliffs)
    rate, battery = round(state.turn_rate_radps * 1e3), round(state.battery_v * 1e3)
    return _line(f"S {state.left_ticks} {state.right_ticks} {rate} {int(state.bumper_pressed)} {cliffs} {battery}")


def _line(text: str) -> bytes:
    body = text.encode()
    return body + b"*%02X\n" % reduce(xor, body, 0)


def _checked(line: bytes) -> bytes | None:
    body, star, digits = line.rstrip(b"\r").rpartition(b"*")
    if not star or len(line) > MAX_LINE_BYTES:
        return None
    return body if digits == b"%02X" % reduce(xor, body, 0) else None


def _state(match: "re.Match[bytes]") -> BoardState:
    cliffs = tuple(bit == ord("1") for bit in match[5])
    return BoardState(
        int(match[1]),
        int(match[2]),
        int(match[3]) * 1e-3,
        match[4] == b"1",
        (cliffs[0], cliffs[1], cliffs[2], cliffs[3]),
        int(match[6]) * 1e-3,
    )
