"""A whole fleet in memory behind `deploy.transport.Transport`; the line can be cut at byte n."""

import json
from contextlib import contextmanager
from dataclasses import asdict

from fake_software import install_software

from deploy import ota_updater, software_trial, software_update
from deploy.robot_status import robot_status
from deploy.transport import Answer, RobotAddress
from deploy.update_errors import DeployError, TransportError


class FakeRobot:
    """One robot's end: its home, its health and its clock."""

    def __init__(self, home, health, clock) -> None:
        self.home, self.health, self.clock = home, health, clock
        self.installs = 0

    def run(self, verb: str) -> Answer:
        try:
            if verb == "status":
                said = asdict(robot_status(self.home))
            elif verb == "install-software":
                self.installs += 1
                said = asdict(install_software(software_trial.home_of(self.home), self.clock))
            elif verb == "rollback-software":
                said = asdict(software_update.rollback(software_trial.home_of(self.home)))
            elif verb == "rollback":
                said = asdict(ota_updater.rollback(self.home))
            else:
                self.installs += 1
                said = asdict(ota_updater.update(self.home, self.health, self.health, self.clock))
        except DeployError as error:
            said = {"result": "failed", "version": None, "code": type(error).__name__, "message": str(error)}
        return Answer(0, json.dumps(said).encode(), "")


class FakeFleet:
    """`connect` as `deploy.push.push` takes it; `cut_after_bytes` counts everything sent to any robot."""

    def __init__(self) -> None:
        self.robots: dict[str, FakeRobot] = {}
        self.cut_after_bytes: int | None = None
        self.cut_before_verb: str | None = None
        self.sent_bytes = 0

    def add(self, name: str, robot: FakeRobot) -> RobotAddress:
        self.robots[name] = robot
        return RobotAddress(name, 22, "oxturn", "ssh-ed25519 AAAA", name=name)

    @contextmanager
    def connect(self, address: RobotAddress):
        if address.host not in self.robots:
            raise TransportError(f"{address}: no route to host")
        yield _Line(self, self.robots[address.host])


class _Line:
    def __init__(self, fleet: FakeFleet, robot: FakeRobot) -> None:
        self._fleet, self._robot = fleet, robot

    def send(self, name, data, on_bytes) -> int:
        disk, folder = self._robot.home.disk, self._robot.home.path / "incoming"
        part = folder / f"{name}.part"
        have = disk.read(part) if disk.exists(part) else b""
        start = len(have) if len(have) <= len(data) else 0
        room = len(data) - start
        if self._fleet.cut_after_bytes is not None:
            room = min(room, max(0, self._fleet.cut_after_bytes - self._fleet.sent_bytes))
        self._fleet.sent_bytes += room
        put = getattr(disk, "put", disk.write)
        put(part, have[:start] + data[start : start + room])
        if start + room < len(data):
            raise TransportError("connection lost")
        put(folder / name, disk.read(part))
        disk.remove(part)
        return start

    def run(self, verb: str) -> Answer:
        if verb == self._fleet.cut_before_verb:
            raise TransportError("connection lost")
        return self._robot.run(verb)
