"""A serial device that has to be greeted, behind a pseudo-terminal."""

import time

import pytest
import serial
from lidar_emulator import A1Emulator

from deploy.drivers import rplidar, serial_line
from deploy.drivers.serial_line import SerialLine


@pytest.fixture
def a1(tmp_path):
    with A1Emulator(tmp_path / "a1") as a1:
        yield a1


def heard(line, within_s=5.0):
    """Reads until something comes."""
    deadline_s = time.monotonic() + within_s
    while not (data := line.read()) and time.monotonic() < deadline_s:
        pass
    return data


def test_a_device_is_greeted_each_time_it_is_opened(a1):
    with SerialLine(a1.port, rplidar.BAUD, greeting=rplidar.SCAN) as line:
        first = heard(line)
        a1.unplug()
        while line.connected:
            line.read()
        a1.plug()

        assert first and heard(line)


def test_a_device_that_was_not_up_yet_is_greeted_again(a1, monkeypatch):
    monkeypatch.setattr(serial_line, "GREET_AGAIN_S", 0.1)
    a1.deaf_to = 2

    with SerialLine(a1.port, rplidar.BAUD, greeting=rplidar.SCAN) as line:
        assert heard(line)


@pytest.mark.parametrize("dtr", [True, False])
def test_dtr_is_as_it_was_asked_from_the_moment_of_opening(a1, monkeypatch, dtr):
    seen = []

    class Noted(serial.Serial):
        def _update_dtr_state(self):
            seen.append(self.dtr)
            super()._update_dtr_state()

    monkeypatch.setattr(serial_line.serial, "Serial", Noted)
    with SerialLine(a1.port, rplidar.BAUD, dtr=dtr):
        assert seen == [dtr]
