"""The seam between the loop and its host: a simulator, the Pi, a recording or a test's fake.

`observations()` blocks until the next tick and ends with the run, so the host paces the loop and the loop has neither
sleep nor clock. `drive()` replaces the last command; a host that hears nothing for its watchdog's time stops by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from perception.observation import Observation


@dataclass(frozen=True, slots=True)
class DriveCommand:
    """Velocity of `base_link`: forward positive, counter-clockwise positive."""

    speed_mps: float
    turn_radps: float
    tool_on: bool = True


STOP = DriveCommand(0.0, 0.0, tool_on=False)


class RobotIO(Protocol):
    """One robot's sensors and motors."""

    def observations(self) -> Iterator[Observation]: ...

    def drive(self, command: DriveCommand) -> None: ...
