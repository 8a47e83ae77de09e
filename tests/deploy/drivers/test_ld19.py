"""LD19 packets from any bytes: exact example, round trip, damage, noise."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deploy.drivers.ld19 import PACKET_BYTES, Packet, Parser, crc8, encode

# The packet printed in the manufacturer's development manual (LDROBOT LD19, "Data protocol").
MANUAL = bytes.fromhex("542c6808ab7ee000e4dc00e2d900e5d500e3d300e4d000e9cd00e4ca00e2c700e9c500e5c200e5c000e5be823a1a50")


def packet(number: int = 0) -> Packet:
    start_rad = math.radians(number * 9.6 % 360)
    return Packet(
        math.radians(3600),
        start_rad,
        (start_rad + math.radians(8.8)) % math.tau,
        np.arange(12) * 0.5 + 0.1,
        np.full(12, 200, np.uint8),
        number * 3 % 30_000,
    )


def stream(count: int) -> list[bytes]:
    return [encode(packet(number)) for number in range(count)]


def test_the_manuals_packet_is_read_as_the_manual_says():
    (read,) = Parser().feed(MANUAL)

    assert round(math.degrees(read.turn_rate_radps), 9) == 2152
    assert round(math.degrees(read.start_clockwise_rad), 9) == 324.27
    assert round(math.degrees(read.end_clockwise_rad), 9) == 334.7
    assert read.ranges_m[0] == 0.224
    assert read.confidences[0] == 228
    assert read.ranges_m[11] == 0.192
    assert read.timestamp_ms == 0x1A3A


def test_points_are_spread_from_start_to_end_also_across_zero():
    across = Packet(1.0, math.radians(355), math.radians(6), np.ones(12), np.zeros(12, np.uint8), 0)

    assert np.allclose(np.degrees(across.clockwise_rad()), [*range(355, 360), *range(7)])


@given(st.binary(max_size=400), st.lists(st.integers(1, 60), max_size=40))
def test_any_bytes_in_any_pieces_never_raise(data, cuts):
    parser, whole = Parser(), Parser()
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(data[at : at + cut])
        at += cut
    pieces.append(data[at:])

    packets = [encode(one) for piece in pieces for one in parser.feed(piece)]

    assert packets == [encode(one) for one in whole.feed(data)]


@given(st.binary(max_size=200), st.integers(0, 46))
def test_after_noise_and_half_a_packet_at_most_one_packet_is_lost(noise, cut):
    packets = stream(6)

    found = Parser().feed(noise + packets[0][cut:] + b"".join(packets[1:]))

    assert [encode(one) for one in found][-4:] == packets[2:]


@given(st.integers(0, 10 * PACKET_BYTES - 1), st.integers(1, 255))
def test_a_flipped_byte_costs_its_own_packet_only(position, flip):
    data = bytearray(b"".join(stream(10)))
    data[position] ^= flip

    found = [encode(one) for one in Parser().feed(bytes(data))]

    expected = stream(10)
    del expected[position // PACKET_BYTES]
    assert found == expected


def test_the_buffer_does_not_grow_on_noise():
    parser = Parser()
    for _ in range(1000):
        parser.feed(b"\x00\x54" * 500)

    assert len(parser._buffer) < PACKET_BYTES


def test_crc_of_a_known_value():
    assert crc8(MANUAL[:-1]) == MANUAL[-1]
