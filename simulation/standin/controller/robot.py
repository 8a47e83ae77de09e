"""Webots' Robot: one a process; devices by name; time advances in `step`."""

import threading
import weakref
from typing import Any

from simulation.standin.link import open_link

from .devices import KINDS, Device
from .session import Session, warn
from .surface import complete


@complete("Robot")
class Robot:
    """The controller's own robot."""

    _made = threading.local()  # Webots: one a process; here one a thread, so that judges can sit side by side

    def __init__(self) -> None:
        self._devices: dict[str, Device] = {}
        made: weakref.ref[Robot] | None = getattr(Robot._made, "robot", None)
        alive = made() if made else None
        if alive is not None:
            warn("Error: only one Robot instance can be created per controller process.")
            self._session: Session = alive._session
            return
        self._session = Session(open_link())
        Robot._made.robot = weakref.ref(self)

    def step(self, time_step: int | None = None) -> int:
        """Runs `time_step` milliseconds of simulated time; -1 when the controller is to end."""
        duration_ms = self._session.welcome.basic_step_ms if time_step is None else int(time_step)
        return self._session.step(duration_ms)

    def getDevice(self, name: str) -> Any:
        if name not in self._devices:
            specs = [spec for spec in self._session.welcome.devices if spec.name == name]
            if not specs:
                warn(f'Warning: "{name}" device not found.')
                return None
            self._devices[name] = KINDS[specs[0].kind](specs[0], self._session)
        return self._devices[name]

    def getNumberOfDevices(self) -> int:
        return len(self._session.welcome.devices)

    def getDeviceByIndex(self, index: int) -> Any:
        return self.getDevice(self._session.welcome.devices[index].name)

    def getTime(self) -> float:
        return self._session.time_ms / 1000

    def getBasicTimeStep(self) -> float:
        return float(self._session.welcome.basic_step_ms)

    def getName(self) -> str:
        return self._session.welcome.robot_name

    def getSupervisor(self) -> bool:
        return self._session.welcome.supervisor

    def getSynchronization(self) -> bool:
        return True

    @property
    def name(self) -> str:
        return self.getName()

    @property
    def time(self) -> float:
        return self.getTime()

    @property
    def supervisor(self) -> bool:
        return self.getSupervisor()
