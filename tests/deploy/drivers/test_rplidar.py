"""RPLIDAR A1 answers from any bytes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.drivers.rplidar import Health, Info, Node, Parser, descriptor, encode_node

SCAN_STARTS = descriptor(5, 0x81)


def node(number: int) -> Node:
    degrees = number * 1.25 % 360
    return Node(degrees < 1.25, 15, math.radians(degrees), 1.0 + number * 0.001)


def nodes(count: int, first: int = 0) -> list[bytes]:
    return [encode_node(node(number)) for number in range(first, first + count)]


def test_a_node_is_read_as_the_protocol_says():
    # quality 15, start flag; 90 degrees = 5760 / 64; 1 m = 4000 / 4 mm
    raw = bytes([15 << 2 | 1, (5760 << 1 | 1) & 0xFF, 5760 << 1 >> 8, 4000 & 0xFF, 4000 >> 8])

    (read,) = Parser().feed(SCAN_STARTS + raw)

    assert read == Node(True, 15, math.radians(90), 1.0)


def test_health_and_info_are_read():
    health = descriptor(3, 0x06) + bytes([1, 0x34, 0x12])
    info = descriptor(20, 0x04) + bytes([0x18, 29, 1, 7, *range(16)])

    assert Parser().feed(health + info) == [Health(1, 0x1234), Info(0x18, (1, 29), 7, bytes(range(16)).hex())]


def test_a_stream_without_its_descriptor_is_picked_up():
    found = Parser().feed(b"".join(nodes(20)))

    assert [encode_node(one) for one in found] == nodes(20)


@given(st.binary(max_size=300), st.integers(1, 50))
def test_any_bytes_in_any_pieces_never_raise(data, step):
    parser = Parser()

    for at in range(0, len(data), step):
        parser.feed(data[at : at + step])

    assert len(parser._buffer) <= 64


@pytest.mark.parametrize("lost", range(1, 12))
@pytest.mark.parametrize("at", range(50, 55))
def test_lost_bytes_cost_at_most_two_nodes(lost, at):
    data = b"".join(nodes(60))

    found = {encode_node(one) for one in Parser().feed(SCAN_STARTS + data[:at] + data[at + lost :])}

    touched = {number for number in range(60) if number * 5 < at + lost and number * 5 + 5 > at}
    expected = {raw for number, raw in enumerate(nodes(60)) if number not in touched}
    assert len(expected - found) <= 2


@given(st.integers(0, 299), st.integers(1, 255))
def test_a_flipped_byte_costs_at_most_its_node_and_two_more(position, flip):
    data = bytearray(b"".join(nodes(60)))
    data[position] ^= flip

    found = {encode_node(one) for one in Parser().feed(SCAN_STARTS + bytes(data))}

    expected = {raw for number, raw in enumerate(nodes(60)) if number != position // 5}
    assert len(expected - found) <= 2


@given(st.binary(min_size=1, max_size=60))
def test_after_noise_the_stream_is_found_again(noise):
    found = {encode_node(one) for one in Parser().feed(SCAN_STARTS + noise + b"".join(nodes(40)))}

    assert len(set(nodes(40)) - found) <= 3
