"""RPLIDAR A1: commands to bytes, bytes to packets. Pure; never raises, whatever the bytes.

A request is A5 and a command. An answer starts with a descriptor: A5 5A, length and send mode (30 + 2 bits), type. A
scan then is an endless stream of 5-byte nodes that carry three check bits and nothing else, so that a stream that was
cut is picked up where four nodes in a row fit together. 115200 baud; clockwise.
"""

import math
import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

BAUD: Final = 115_200
STOP: Final = b"\xa5\x25"
RESET: Final = b"\xa5\x40"
SCAN: Final = b"\xa5\x20"
GET_INFO: Final = b"\xa5\x50"
GET_HEALTH: Final = b"\xa5\x52"
MOTOR_TURNS_AT_DTR: Final = False  # opening a port raises DTR, which stops the motor of the A1's USB adapter

_MARK: Final = b"\xa5\x5a"
_DESCRIPTOR_BYTES: Final = 7
_NODE_BYTES: Final = 5
_INFO: Final = (20, 0x04)
_HEALTH: Final = (3, 0x06)
_SCAN: Final = (_NODE_BYTES, 0x81)
_NODES_TO_AGREE: Final = 4
_MAX_STEP_Q6: Final = 12 * 64  # degrees between neighbours: A1 steps 1, less a few it skips
_MAX_BACK_Q6: Final = 2 * 64  # it jitters
_FULL_TURN_Q6: Final = 360 * 64


@dataclass(frozen=True, slots=True)
class Node:
    """One measured point; clockwise seen from above. `range_m` is 0 where nothing came back."""

    starts_turn: bool
    quality: int
    clockwise_rad: float
    range_m: float


@dataclass(frozen=True, slots=True)
class Health:
    """0 good, 1 warning, 2 error."""

    status: int
    error_code: int


@dataclass(frozen=True, slots=True)
class Info:
    model: int
    firmware: tuple[int, int]
    hardware: int
    serial_number: str


Packet = Node | Health | Info


class Parser:
    """Follows descriptors and nodes; what does not fit is skipped byte by byte."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._last_q6: int | None = None  # angle of the node before; None while the stream is lost
        self._fresh = False  # a scan was just announced: its first node needs no neighbours
        self.skipped_bytes = 0

    def feed(self, data: bytes) -> list[Packet]:
        """Packets completed by these bytes."""
        self._buffer += data
        packets: list[Packet] = []
        at = 0
        while (step := self._step(at, packets)) > 0:
            at += step
        del self._buffer[:at]
        return packets

    def _step(self, at: int, packets: list[Packet]) -> int:
        """Bytes dealt with at `at`; 0 when more are needed."""
        left = len(self._buffer) - at
        if left <= 0:
            return 0
        if self._buffer.startswith(_MARK[:left], at) and not self._fits(at):
            return self._descriptor(at, left, packets)
        if left < _NODE_BYTES:
            return 0
        if self._fits(at) or (
            self._last_q6 is None and (self._fresh or self._agree(at)) and _plausible(self._buffer, at)
        ):
            self._fresh = False
            self._last_q6 = _angle_q6(self._buffer, at)
            packets.append(_node(self._buffer, at))
            return _NODE_BYTES
        if self._last_q6 is not None:  # one damaged node, or lost bytes?
            if left < 2 * _NODE_BYTES:
                return 0
            if self._fits(at + _NODE_BYTES):
                self.skipped_bytes += _NODE_BYTES
                return _NODE_BYTES
        self._last_q6, self._fresh = None, False
        if left < _NODE_BYTES * _NODES_TO_AGREE and _plausible_run(self._buffer, at):
            return 0
        self.skipped_bytes += 1
        return 1

    def _descriptor(self, at: int, left: int, packets: list[Packet]) -> int:
        if left < _DESCRIPTOR_BYTES:
            return 0
        size_and_mode, kind = struct.unpack_from("<IB", self._buffer, at + 2)
        known = (size_and_mode & 0x3FFFFFFF, kind)
        if known == _SCAN:
            self._fresh, self._last_q6 = True, None
            return _DESCRIPTOR_BYTES
        if known not in (_INFO, _HEALTH):
            self.skipped_bytes += 1
            return 1
        if left < _DESCRIPTOR_BYTES + known[0]:
            return 0
        body = bytes(self._buffer[at + _DESCRIPTOR_BYTES : at + _DESCRIPTOR_BYTES + known[0]])
        packets.append(_info(body) if known == _INFO else Health(*struct.unpack("<BH", body)))
        self._last_q6 = None
        return _DESCRIPTOR_BYTES + known[0]

    def _fits(self, at: int) -> bool:
        """A node that follows the one before."""
        if self._last_q6 is None or len(self._buffer) - at < _NODE_BYTES or not _plausible(self._buffer, at):
            return False
        return _follows(self._last_q6, _angle_q6(self._buffer, at))

    def _agree(self, at: int) -> bool:
        """Four nodes in a row that fit together."""
        return len(self._buffer) - at >= _NODE_BYTES * _NODES_TO_AGREE and _plausible_run(self._buffer, at)


def encode_node(node: Node) -> bytes:
    """The 5 bytes of a node: for tests, emulators and recordings."""
    angle_q6 = round(math.degrees(node.clockwise_rad) * 64) % _FULL_TURN_Q6
    first = (node.quality & 0x3F) << 2 | (0b01 if node.starts_turn else 0b10)
    return struct.pack("<BHH", first, angle_q6 << 1 | 1, min(round(node.range_m * 4e3), 0xFFFF))


def descriptor(size: int, kind: int) -> bytes:
    """An answer's first seven bytes; a scan's are `descriptor(5, 0x81)`."""
    mode = 1 if kind == _SCAN[1] else 0
    return _MARK + struct.pack("<IB", size | mode << 30, kind)


def _plausible(buffer: bytearray, at: int) -> bool:
    """Check bits: the start flag and its inverse differ, the last bit of the angle's first byte is set."""
    start = buffer[at] & 0b11
    return start in (0b01, 0b10) and bool(buffer[at + 1] & 1) and _angle_q6(buffer, at) < _FULL_TURN_Q6


def _plausible_run(buffer: bytearray, at: int) -> bool:
    """As many whole nodes as lie here, four at most, fit together."""
    count = min((len(buffer) - at) // _NODE_BYTES, _NODES_TO_AGREE)
    starts = [at + _NODE_BYTES * number for number in range(count)]
    if not all(_plausible(buffer, start) for start in starts):
        return False
    angles = [_angle_q6(buffer, start) for start in starts]
    return all(_follows(one, other) for one, other in pairwise(angles))


def _follows(angle_q6: int, next_q6: int) -> bool:
    return (next_q6 - angle_q6 + _MAX_BACK_Q6) % _FULL_TURN_Q6 <= _MAX_STEP_Q6 + _MAX_BACK_Q6


def _angle_q6(buffer: bytearray, at: int) -> int:
    return (buffer[at + 1] | buffer[at + 2] << 8) >> 1


def _node(buffer: bytearray, at: int) -> Node:
    raw_range = buffer[at + 3] | buffer[at + 4] << 8
    angle_rad = math.radians(_angle_q6(buffer, at) / 64)
    return Node(bool(buffer[at] & 1), buffer[at] >> 2, angle_rad, raw_range * 0.25e-3)


def _info(body: bytes) -> Info:
    model, minor, major, hardware = struct.unpack_from("<4B", body)
    return Info(model, (major, minor), hardware, body[4:].hex())
