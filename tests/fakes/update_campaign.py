"""Faults put into updates, one at a time, and what must hold afterwards whatever happened.

A robot that runs version 1 (in slot A) and version 2 (in slot B) gets version 3, or goes back to 1. Each boundary of
the disk is cut; then the robot starts again, must run a model that equals its signed target, and must still take an
update. `benchmarks/ota.py` runs it by the ten thousand, the tests by the hundred.
"""

import contextlib
import os
import random
import shutil
import signal
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from fake_disk import FakeDisk, PowerCut
from fake_health import FakeClock, FakeHealth
from fake_publisher import DAY_S, NOW_S, FakePublisher
from fake_transport import FakeFleet, FakeRobot

from deploy import ota_updater
from deploy.disk import PosixDisk
from deploy.push import push
from deploy.robot_home import RobotHome
from deploy.update_errors import TransportError

HOME = Path("/robot")
MODELS = {1: b"good 1" * 50, 2: b"good 2" * 50}


class Scenario(NamedTuple):
    """What is going on when the fault strikes, and which versions may run after the next start."""

    name: str
    third: bytes | None  # version 3's model; None = a rollback by hand
    may_run: frozenset
    ends_with: object  # once it is through, this one runs, power cut or not


SCENARIOS = (
    Scenario("good update", b"good 3" * 50, frozenset({2, 3}), 3),
    Scenario("bad at rest", b"bad 3" * 50, frozenset({2}), 2),
    Scenario("worse on live frames", b"worse 3" * 50, frozenset({2}), 2),
    Scenario("rollback by hand", None, frozenset({1, 2}), 1),
)


@dataclass
class Result:
    """Counts by (scenario, state, fault); `broken` describes every violation."""

    counts: Counter
    broken: list

    def merge(self, other: "Result") -> None:
        self.counts += other.counts
        self.broken += other.broken


class Campaign:
    """Publishes once; every fault starts from a fresh copy of the same robot."""

    scenarios = SCENARIOS

    def __init__(self, folder: Path) -> None:
        self.publishers = {}
        self.loads = Counter()  # of models in updates and at starts: verified or not
        self.base = {}  # scenario name -> (disk, pushed files)
        for scenario in self.scenarios:
            self.base[scenario.name] = self._prepare(scenario, folder)

    def _prepare(self, scenario: Scenario, folder: Path):
        publisher = FakePublisher(folder / scenario.name.replace(" ", "_"))
        home = RobotHome(HOME, FakeDisk())
        home.disk.make_folder(HOME)
        home.prepare(publisher.first_root.read_bytes())
        for version in (1, 2):
            publisher.publish(MODELS[version])
            deliver(home, publisher.files())
            health = FakeHealth2(home)
            assert ota_updater.update(home, health, health, FakeClock(NOW_S)).result == "confirmed"
        if scenario.third is not None:
            publisher.publish(scenario.third)
        self.publishers[scenario.name] = publisher
        return home.disk, publisher.files()

    def fresh(self, scenario: Scenario, *, delivered: bool = True) -> RobotHome:
        disk, files = self.base[scenario.name]
        home = RobotHome(HOME, disk.after_kill())
        if delivered and scenario.third is not None:
            deliver(home, files)
        return home

    def boundaries(self, scenario: Scenario) -> list:
        """Every (operation, path) of the scenario, undisturbed."""
        home = self.fresh(scenario)
        self._act(home, scenario)
        return home.disk.boundaries

    def power_cut(self, scenario: Scenario, boundary: int, seed: int, *, killed: bool = False) -> Result:
        """Cut at a boundary; perhaps again while the next start cleans up; maybe with a clock a year back."""
        rng = random.Random(seed)
        home = self.fresh(scenario)
        home.disk.cut_at = boundary
        operation, path, ended = "end", "end", {scenario.ends_with}
        try:
            self._act(home, scenario)
        except PowerCut:
            (operation, path), ended = home.disk.boundaries[-1], None
        back = killed or rng.random() < 0.5
        disk = home.disk.after_kill() if killed else home.disk.after_power_cut(rng)
        if rng.random() < 0.3:  # the next start is cut too
            disk.cut_at = rng.randint(1, 6)
            with contextlib.suppress(PowerCut):
                self._settle(RobotHome(HOME, disk))
            disk = disk.after_kill() if killed else disk.after_power_cut(rng)
        fault = "process killed" if killed else "power cut"
        wall_s = NOW_S - 365 * DAY_S if back else NOW_S
        label = (scenario.name, state_of(path), fault + (", clock a year back" if back else ""))
        return self._judged(label, RobotHome(HOME, disk), scenario, wall_s, f"{operation} {path} seed {seed}", ended)

    def killed_process(self, scenario: Scenario, boundary: int, folder: Path) -> Result:
        """A real process on a real disk, ended by SIGKILL at a boundary (in the middle of it, for a write)."""
        path = folder / f"{scenario.name.replace(' ', '_')}_{boundary}"
        materialise(self.fresh(scenario).disk, HOME, path)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                self._act(RobotHome(path, KillingDisk(boundary)), scenario)
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status)
        assert killed or os.waitstatus_to_exitcode(status) == 0, "the child failed by itself"
        label = (scenario.name, "real process", "SIGKILL" if killed else "ended before the kill")
        ended = None if killed else {scenario.ends_with}
        result = self._judged(label, RobotHome(path, PosixDisk()), scenario, NOW_S, f"SIGKILL at {boundary}", ended)
        shutil.rmtree(path)
        return result

    def full_disk(self, scenario: Scenario, boundary: int) -> Result:
        """No room from a boundary on; room again later, without a restart."""
        home = self.fresh(scenario)
        home.disk.full_at = boundary
        place = "end"
        try:
            self._act(home, scenario)
        except OSError as error:
            place = str(error.filename)
        home.disk.full_at = None
        label = (scenario.name, state_of(place), "disk full")
        return self._judged(label, home, scenario, NOW_S, f"full at {boundary} {place}")

    def damaged_file(self, scenario: Scenario, seed: int) -> Result:
        """A pushed file is cut or changed on its way."""
        rng = random.Random(seed)
        home = self.fresh(scenario)
        name = rng.choice(sorted(self.base[scenario.name][1]))
        data = home.fetch(name)
        at = rng.randrange(len(data))
        truncated = rng.random() < 0.5
        damaged = data[:at] if truncated else data[:at] + bytes([data[at] ^ rng.randint(1, 255)]) + data[at + 1 :]
        home.disk.put(HOME / "incoming" / name, damaged)
        self._act(home, scenario)
        label = (scenario.name, "push", "file truncated" if truncated else "file changed")
        return self._judged(label, home, scenario, NOW_S, f"{name} at {at}")

    def cut_line(self, scenario: Scenario, seed: int) -> Result:
        """The line drops at any byte, or between two verbs (the pusher was killed); the next push goes on."""
        rng = random.Random(seed)
        home = self.fresh(scenario, delivered=False)
        fleet, robot = self._fleet(home)
        fleet.cut_after_bytes = rng.randint(0, 3000)
        if rng.random() < 0.2:
            fleet.cut_after_bytes, fleet.cut_before_verb = None, "install"
        with contextlib.suppress(TransportError):
            self._push(scenario, robot, fleet)
        label = (scenario.name, "push", "line dropped" if fleet.cut_after_bytes is not None else "pusher killed")
        return self._judged(label, home, scenario, NOW_S, f"seed {seed}")

    def _act(self, home: RobotHome, scenario: Scenario):
        if scenario.third is None:
            return ota_updater.rollback(home)
        health = FakeHealth2(home, self.loads)
        return ota_updater.update(home, health, health, FakeClock(NOW_S))

    def _settle(self, home: RobotHome):
        """What the next start does."""
        return ota_updater.settle(home)

    def _push(self, scenario: Scenario, robot, fleet: FakeFleet):
        return push(self.publishers[scenario.name].repo, robot, connect=fleet.connect)

    def _fleet(self, home: RobotHome):
        fleet = FakeFleet()
        return fleet, fleet.add("robot", FakeRobot(home, FakeHealth2(home, self.loads), FakeClock(NOW_S)))

    def _judged(self, label, home: RobotHome, scenario: Scenario, wall_s: float, what: str, allowed=None) -> Result:
        broken = []
        slot = ota_updater.settle(home)
        if slot is not None:
            FakeHealth2(home, self.loads).model(home.slots.bundle_dir(slot))
        target = home.installed(home.load_trust()).get(slot) if slot else None
        if target is None:
            broken.append(f"{label}: no verified model after {what}")
        elif target.version not in (allowed or scenario.may_run):
            broken.append(f"{label}: runs version {target.version} after {what}")
        elif home.slots.active() != slot:
            broken.append(f"{label}: the link does not point to what runs after {what}")
        else:
            broken += self._still_updates(label, home, scenario, wall_s, what)
        return Result(Counter([label]), broken)

    def _still_updates(self, label, home: RobotHome, scenario: Scenario, wall_s: float, what: str) -> list:
        """The next push must end as it would have without the fault."""
        if scenario.third is None:
            return []
        fleet, robot = self._fleet(home)
        fleet.robots["robot"].clock.wall_s = wall_s
        report = push(self.publishers[scenario.name].repo, robot, connect=fleet.connect)
        good = scenario.third.startswith(b"good")
        expected = ("confirmed", "already_installed") if good else ("failed", "rolled_back", "refused")
        runs = home.installed(home.load_trust())[ota_updater.settle(home)].version
        if report.result not in expected or runs != (3 if good else 2):
            return [f"{label}: push afterwards gave {report.result} {report.message}, runs {runs}, after {what}"]
        return []


class FakeHealth2(FakeHealth):
    """Reads the model through the disk seam."""

    def __init__(self, home: RobotHome, loads: Counter | None = None) -> None:
        super().__init__()
        self._home = home
        self._loads = Counter() if loads is None else loads

    def model(self, bundle_dir: Path) -> bytes:
        slot = bundle_dir.parent.name
        verified = self._home.slots.verified(slot, self._home.load_trust())
        self._loads["unverified" if verified is None else "verified"] += 1
        return self._home.disk.read(bundle_dir / "model.onnx")


def deliver(home: RobotHome, files: dict) -> None:
    for name, data in files.items():
        home.disk.put(home.path / "incoming" / name, data)


def state_of(path: str) -> str:
    """Which part of an update a path belongs to."""
    if "/trust/" in path or path.endswith("/trust"):
        return "verify"
    if "/slots" in path or path == "/":
        return "install"
    if any(name in path for name in ("active", "current", "fallback")) or path in (str(HOME), f"{HOME}/software"):
        return "switch"
    if "starts" in path:
        return "starts"
    if "state.json" in path:
        return "confirm"
    return "tidy up" if "/incoming" in path else "after"


def materialise(disk: FakeDisk, source: Path, target: Path) -> None:
    """The fake disk's folder as a real one."""
    target.mkdir(parents=True)
    for name in disk.names(source):
        if (points_to := disk.read_link(source / name)) is not None:
            (target / name).symlink_to(points_to)
        elif disk.is_folder(source / name):
            materialise(disk, source / name, target / name)
        else:
            (target / name).write_bytes(disk.read(source / name))


class KillingDisk(PosixDisk):
    """Kills its own process at boundary `kill_at`, for real."""

    def __init__(self, kill_at: int) -> None:
        self._left = kill_at

    def _reached(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def write(self, path: Path, data: bytes) -> None:
        self._left -= 1
        if self._left == 0:
            path.write_bytes(data[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        super().write(path, data)

    def fsync(self, path: Path) -> None:
        self._reached()
        super().fsync(path)

    def fsync_folder(self, folder: Path) -> None:
        self._reached()
        super().fsync_folder(folder)

    def rename(self, source: Path, target: Path) -> None:
        self._reached()
        super().rename(source, target)

    def symlink(self, points_to: str, path: Path) -> None:
        self._reached()
        super().symlink(points_to, path)

    def make_folder(self, path: Path) -> None:
        self._reached()
        super().make_folder(path)

    def sync(self) -> None:
        self._reached()  # the kernel lives on: what was written is there

    def remove(self, path: Path) -> None:
        self._reached()
        super().remove(path)

    def remove_tree(self, path: Path) -> None:
        self._reached()
        super().remove_tree(path)
