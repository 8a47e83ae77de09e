"""Motors, encoders, bumper and cliff sensors straight on the Pi's GPIO pins, by gpiozero (lgpio below it).

Two PWM pins a motor (H-bridge), two pins an encoder, pull-ups on the switches (pressed = low; a cliff sensor is low
where it sees floor). A thread holds the speeds and stops the motors when no command came for BOARD_WATCHDOG_S. A killed
process cannot do that: the unit's ExecStopPost drives the pins low. There is neither gyro nor battery gauge: both are
None.
"""

import threading
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Final

from deploy.drivers.motor_board import BOARD_WATCHDOG_S, BoardState, WheelSpeeds
from deploy.drivers.wheel_control import WheelControl, WheelGains
from deploy.update_errors import DriverError
from foundation.robot_config import Body, GpioPins

CONTROL_S: Final = 0.02


class GpioBase:
    """`factory` is a gpiozero pin factory; None takes the machine's."""

    def __init__(self, pins: GpioPins, body: Body, factory: Any = None) -> None:
        self._pins = pins
        self._metres_per_tick = 2 * 3.141592653589793 * body.wheel_radius_m / body.encoder_ticks_per_turn
        self._factory = factory
        self._wanted = WheelSpeeds(0.0, 0.0, False)
        self._told_s = 0.0
        self._closing = threading.Event()
        self._stack = ExitStack()

    def __enter__(self) -> "GpioBase":
        from gpiozero import DigitalInputDevice, Motor, OutputDevice, RotaryEncoder
        from gpiozero.exc import GPIOZeroError

        pins, more = self._pins, {"pin_factory": self._factory}
        with ExitStack() as stack:
            try:
                self._motors = [stack.enter_context(Motor(*pair, **more)) for pair in (pins.left, pins.right)]
                self._encoders = [
                    stack.enter_context(RotaryEncoder(*pair, max_steps=0, **more))
                    for pair in (pins.left_encoder, pins.right_encoder)
                ]
                self._tool = stack.enter_context(OutputDevice(pins.tool, **more))
                self._bumper = stack.enter_context(DigitalInputDevice(pins.bumper, pull_up=True, **more))
                self._cliffs = [
                    stack.enter_context(DigitalInputDevice(pin, pull_up=True, **more)) for pin in pins.cliffs
                ]
            except (GPIOZeroError, OSError) as error:
                raise DriverError(f"GPIO: {error}; is the user in group gpio, and no pin used twice?") from error
            self._stack = stack.pop_all()
        thread = threading.Thread(target=self._hold, name="wheels", daemon=True)
        thread.start()
        self._stack.callback(thread.join, 1.0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        for motor in self._motors:
            motor.stop()
        self._tool.off()
        self._stack.close()

    def drive(self, speeds: WheelSpeeds) -> None:
        self._wanted, self._told_s = speeds, time.monotonic()

    def read(self) -> BoardState | None:
        time.sleep(CONTROL_S)
        if self._closing.is_set():
            return None
        left, right = (encoder.steps for encoder in self._encoders)
        cliffs = [not sensor.is_active for sensor in self._cliffs]
        return BoardState(
            left, right, None, bool(self._bumper.is_active), (cliffs[0], cliffs[1], cliffs[2], cliffs[3]), None
        )

    def _hold(self) -> None:
        controls = [WheelControl(WheelGains(self._pins.full_speed_mps)) for _ in self._motors]
        steps = [encoder.steps for encoder in self._encoders]
        while not self._closing.wait(CONTROL_S):
            heard = time.monotonic() - self._told_s <= BOARD_WATCHDOG_S
            wanted = self._wanted if heard else WheelSpeeds(0.0, 0.0, False)
            for number, speed_mps in enumerate((wanted.left_mps, wanted.right_mps)):
                now = self._encoders[number].steps
                measured_mps = (now - steps[number]) * self._metres_per_tick / CONTROL_S
                steps[number] = now
                self._motors[number].value = controls[number].power(speed_mps, measured_mps, CONTROL_S)
            self._tool.value = wanted.tool_on
