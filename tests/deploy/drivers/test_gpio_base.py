"""Motors on GPIO pins, with gpiozero's own mock pins."""

import time

import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from deploy.drivers.gpio_base import GpioBase
from deploy.drivers.motor_board import WheelSpeeds
from deploy.drivers.wheel_control import WheelControl, WheelGains
from deploy.update_errors import DriverError
from foundation.robot_config import Body, GpioPins

PINS = GpioPins()


@pytest.fixture
def factory():
    factory = MockFactory(pin_class=MockPWMPin)
    yield factory
    factory.reset()


@pytest.fixture
def base(factory):
    with GpioBase(PINS, Body(), factory) as base:
        yield base


def powers(factory):
    return [factory.pin(number).state for number in (*PINS.left, *PINS.right)]


def eventually(condition):
    """The control thread gets its turn at some time, also on a busy machine."""
    deadline_s = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    return condition()


def held(base, condition):
    """Drives ahead until the condition is seen."""

    def driven():
        base.drive(WheelSpeeds(0.2, 0.2, True))
        return condition()

    assert eventually(driven)


def test_forward_powers_the_forward_pins(factory, base):
    held(base, lambda: powers(factory)[0] > 0.3 and powers(factory)[2] > 0.3 and factory.pin(PINS.tool).state)

    assert powers(factory)[1] == powers(factory)[3] == 0


def test_silence_stops_the_motors(factory, base):
    held(base, lambda: any(powers(factory)))

    assert eventually(lambda: powers(factory) == [0, 0, 0, 0] and not factory.pin(PINS.tool).state)


def test_switches_are_read(factory, base):
    factory.pin(PINS.bumper).drive_low()
    for pin in PINS.cliffs[:3]:
        factory.pin(pin).drive_low()  # they see floor

    state = base.read()

    assert state.bumper_pressed
    assert state.cliffs == (False, False, False, True)


def test_what_no_pin_measures_is_not_told_as_zero(base):
    state = base.read()

    assert state.turn_rate_radps is None
    assert state.battery_v is None


def test_leaving_stops_everything(factory):
    with GpioBase(PINS, Body(), factory) as base:
        held(base, lambda: any(powers(factory)))

    assert not any(factory.pin(number).state for number in (*PINS.left, *PINS.right, PINS.tool))


def test_a_pin_used_twice_is_told(factory):
    twice = GpioPins(tool=PINS.bumper)

    with pytest.raises(DriverError, match="pin used twice"), GpioBase(twice, Body(), factory):
        pass


def test_control_reaches_its_speed_on_a_weak_motor():
    control, speed_mps = WheelControl(WheelGains(0.5)), 0.0
    for _ in range(300):
        power = control.power(0.2, speed_mps, 0.02)
        speed_mps += 0.3 * (0.35 * power - speed_mps)  # carries less than it was told

    assert abs(speed_mps - 0.2) < 0.005


def test_control_does_not_wind_up_against_a_wall():
    control = WheelControl(WheelGains(0.5))
    for _ in range(1000):
        control.power(0.5, 0.0, 0.02)

    assert control.power(0.1, 0.3, 0.02) < 0.5
    assert control.power(0.0, 0.3, 0.02) == 0.0
