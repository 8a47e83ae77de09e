"""LD06 and LD19 LIDARs: bytes from the serial line to packets. Pure; never raises, whatever the bytes.

A packet is 47 bytes: 0x54 0x2C, turn rate u16 (degrees/s), start angle u16 (.01 degree), 12 x (distance u16 mm,
confidence u8), end angle u16, timestamp u16 (ms, wraps at 30000), CRC8 over the 46 bytes before it. Little-endian;
230400 baud; angles grow clockwise seen from above.
"""

import math
import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from foundation.geometry import FloatArray

BAUD: Final = 230_400
HEADER: Final = b"\x54\x2c"
PACKET_BYTES: Final = 47
POINTS: Final = 12
TIMESTAMP_WRAP_MS: Final = 30_000
_FULL_TURN_RAW: Final = 36_000
_CRC_POLYNOMIAL: Final = 0x4D
_FIELDS: Final = struct.Struct("<2xHH36sHHx")
_RAD_FROM_RAW: Final = math.radians(0.01)


def _crc_table() -> bytes:
    table = bytearray()
    for value in range(256):
        for _ in range(8):
            value = (value << 1 ^ (_CRC_POLYNOMIAL if value & 0x80 else 0)) & 0xFF
        table.append(value)
    return bytes(table)


_CRC: Final = _crc_table()


@dataclass(frozen=True, slots=True)
class Packet:
    """Twelve points of a turn, as the sensor sent them: clockwise angles in [0, 2 pi)."""

    turn_rate_radps: float
    start_clockwise_rad: float
    end_clockwise_rad: float
    ranges_m: FloatArray  # (12,): 0 where nothing came back
    confidences: NDArray[np.uint8]  # (12,)
    timestamp_ms: int

    def clockwise_rad(self) -> FloatArray:
        """(12,) angle of each point in [0, 2 pi), spread evenly from start to end."""
        span_rad = (self.end_clockwise_rad - self.start_clockwise_rad) % math.tau
        steps = np.arange(POINTS, dtype=np.float64)
        return np.mod(self.start_clockwise_rad + span_rad / (POINTS - 1) * steps, math.tau)


class Parser:
    """Keeps what is not yet a packet; a damaged packet costs itself and no other."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.damaged = 0  # headers whose packet failed its CRC

    def feed(self, data: bytes) -> list[Packet]:
        """Packets completed by these bytes."""
        self._buffer += data
        packets: list[Packet] = []
        start = 0
        while (found := self._buffer.find(HEADER, start)) >= 0 and found + PACKET_BYTES <= len(self._buffer):
            raw = bytes(self._buffer[found : found + PACKET_BYTES])
            if crc8(raw[:-1]) == raw[-1]:
                packets.append(_packet(raw))
                start = found + PACKET_BYTES
            else:
                self.damaged += 1
                start = found + 1
        if found < 0:  # the header's first byte may be the last one here
            found = len(self._buffer) - (1 if self._buffer[-1:] == HEADER[:1] and start < len(self._buffer) else 0)
        del self._buffer[:found]
        return packets


def crc8(data: bytes) -> int:
    """Polynomial 0x4D, initial value 0, most significant bit first."""
    crc = 0
    for byte in data:
        crc = _CRC[crc ^ byte]
    return crc


def encode(packet: Packet) -> bytes:
    """The 47 bytes of a packet: for tests, emulators and recordings."""
    points = np.zeros(POINTS, dtype=[("mm", "<u2"), ("confidence", "u1")])
    points["mm"] = np.clip(np.rint(packet.ranges_m * 1e3), 0, 65_535)
    points["confidence"] = packet.confidences
    body = HEADER + struct.pack(
        "<HH36sHH",
        round(math.degrees(packet.turn_rate_radps)) & 0xFFFF,
        round(packet.start_clockwise_rad / _RAD_FROM_RAW) % _FULL_TURN_RAW,
        points.tobytes(),
        round(packet.end_clockwise_rad / _RAD_FROM_RAW) % _FULL_TURN_RAW,
        packet.timestamp_ms % TIMESTAMP_WRAP_MS,
    )
    return body + bytes([crc8(body)])


def _packet(raw: bytes) -> Packet:
    rate_dps, start_raw, points_raw, end_raw, timestamp_ms = _FIELDS.unpack(raw)
    points = np.frombuffer(points_raw, dtype=[("mm", "<u2"), ("confidence", "u1")])
    return Packet(
        math.radians(rate_dps),
        start_raw % _FULL_TURN_RAW * _RAD_FROM_RAW,
        end_raw % _FULL_TURN_RAW * _RAD_FROM_RAW,
        points["mm"] * 1e-3,
        points["confidence"].copy(),
        timestamp_ms,
    )
