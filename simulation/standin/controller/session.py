"""What one controller process holds: its line to the world, writes waiting for the next step, the newest samples."""

import math
import sys
from typing import Any

from simulation.standin.link import Link
from simulation.standin.messages import MotorCommand, NodeWrite, StepReply, StepRequest


class Session:
    """Buffers writes until the next step, as Webots does; the last write of a kind wins."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.welcome = link.welcome
        self.time_ms = 0
        self.samples: dict[str, Any] = {}
        self._periods_ms: dict[str, int] = {}
        self._motors: dict[str, MotorCommand] = {}
        self._writes: list[NodeWrite] = []
        self._quit_status: int | None = None

    def step(self, duration_ms: int) -> int:
        request = StepRequest(
            duration_ms, self._periods_ms, self._motors, tuple(self._writes), quit_status=self._quit_status
        )
        self._periods_ms, self._motors, self._writes = {}, {}, []
        reply: StepReply = self.link.step(request)
        self.samples.update(reply.samples)
        if reply.status == 0 or reply.time_ms:
            self.time_ms = reply.time_ms
        return reply.status

    def enable(self, sensor: str, period_ms: int) -> None:
        self._periods_ms[sensor] = period_ms

    def position(self, motor: str, position_rad: float) -> None:
        if not math.isinf(position_rad):
            raise NotImplementedError("Motor.setPosition to an angle: the stand-in's wheels take velocities only")
        before = self._motors.get(motor, MotorCommand())
        self._motors[motor] = MotorCommand(position_rad, before.velocity_radps)

    def velocity(self, motor: str, velocity_radps: float) -> None:
        before = self._motors.get(motor, MotorCommand())
        self._motors[motor] = MotorCommand(before.position_rad, velocity_radps)

    def write(self, node: int, field: str, value: tuple[float, ...]) -> None:
        self._writes.append(NodeWrite(node, field, value))

    def quit(self, status: int) -> None:
        self._quit_status = status


def warn(line: str) -> None:
    """Webots' libraries complain on standard error and go on."""
    sys.stderr.write(f"{line}\n")
