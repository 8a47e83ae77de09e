"""The motor board's line protocol, both sides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.drivers.motor_board import BoardState, DriveParser, StateParser, WheelSpeeds, encode_drive, encode_state
from deploy.update_errors import DriverError

states = st.builds(
    BoardState,
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-9000, 9000).map(lambda mrad: mrad * 1e-3),
    st.booleans(),
    st.tuples(*[st.booleans()] * 4),
    st.integers(0, 30_000).map(lambda mv: mv * 1e-3),
)


def test_a_drive_line_reads_as_documented():
    assert encode_drive(WheelSpeeds(0.25, -0.1, True)) == b"V 250 -100 1*6C\n"


@given(states)
def test_states_survive_the_line(state):
    (read,) = StateParser().feed(encode_state(state))

    assert read == state


@pytest.mark.parametrize(("turn_rate_radps", "battery_v"), [(None, 12.0), (0.0, None)])
def test_the_line_has_no_word_for_what_was_not_measured(turn_rate_radps, battery_v):
    with pytest.raises(DriverError, match="None"):
        encode_state(BoardState(0, 0, turn_rate_radps, False, (False,) * 4, battery_v))


@given(st.integers(-9999, 9999), st.integers(-9999, 9999), st.booleans())
def test_commands_survive_the_line(left, right, tool_on):
    speeds = WheelSpeeds(left * 1e-3, right * 1e-3, tool_on)

    assert DriveParser().feed(encode_drive(speeds)) == [speeds]


@given(st.binary(max_size=300))
def test_any_bytes_never_raise_and_cost_one_line_at_most(noise):
    parser = DriveParser()
    first, second = WheelSpeeds(0.1, 0.1, True), WheelSpeeds(0.2, 0.2, True)

    parser.feed(noise)
    parser.feed(encode_drive(first))

    assert parser.feed(encode_drive(second)) == [second]


@given(st.integers(0, 14), st.integers(1, 255))
def test_a_flipped_byte_moves_nothing(position, flip):
    line = bytearray(encode_drive(WheelSpeeds(0.25, -0.1, True)))
    line[position] ^= flip

    assert DriveParser().feed(bytes(line) + b"\n") == []
