"""The fault campaign for the robot's own program: the same faults, a life that goes on through starts of the daemon.

A robot that runs software 2 (in slot B) with software 1 (in slot A) and a model gets software 3, or goes back to 1.
Each boundary of the disk is cut, those of the guard before a start too; then systemd starts the daemon as often as it
would. A whole environment of an allowed version must come up, the model must still verify, and the next push must end
as without the fault.
"""

from collections import Counter
from pathlib import Path

from fake_disk import FakeDisk
from fake_health import FakeClock
from fake_publisher import NOW_S, FakePublisher
from fake_software import behaviour, install_software, start
from fake_transport import FakeFleet
from update_campaign import HOME, MODELS, Campaign, FakeHealth2, Result, Scenario, deliver

from deploy import ota_updater, software_trial, software_update
from deploy.push import push
from deploy.robot_home import RobotHome

STARTS = 5  # one more than a version gets, and one that works
BEFORE = ("good 1", "good 2")
GOOD, OLD, OLDER = "good 3", "good 2", "good 1"

SOFTWARE_SCENARIOS = (
    Scenario("good software", b"good 3", frozenset({OLD, GOOD}), GOOD),
    Scenario("software that crashes", b"crash 3", frozenset({OLD}), OLD),
    Scenario("software sick at rest", b"sick 3", frozenset({OLD}), OLD),
    Scenario("software never confirmed", b"good late 3", frozenset({OLD}), OLD),
    Scenario("software back by hand", None, frozenset({OLDER, OLD}), OLDER),
)


class SoftwareCampaign(Campaign):
    """`Campaign` with another thing to update and another thing to judge."""

    scenarios = SOFTWARE_SCENARIOS

    def _prepare(self, scenario: Scenario, folder: Path):
        publisher = FakePublisher(folder / scenario.name.replace(" ", "_"))
        home = RobotHome(HOME, FakeDisk())
        home.disk.make_folder(HOME)
        home.prepare(publisher.first_root.read_bytes())
        publisher.publish(MODELS[1])
        deliver(home, publisher.files())
        health = FakeHealth2(home)
        assert ota_updater.update(home, health, health, FakeClock(NOW_S)).result == "confirmed"
        software = software_trial.home_of(home)
        for what in BEFORE:
            publisher.publish_software(what)
            deliver(home, publisher.files())
            assert install_software(software, FakeClock(NOW_S)).result in ("confirmed", "on_trial")
            assert start(software)
        home.forget_incoming()
        if scenario.third is not None:
            publisher.publish_software(scenario.third.decode())
        self.publishers[scenario.name] = publisher
        return home.disk, publisher.files()

    def _act(self, home: RobotHome, scenario: Scenario):
        software = software_trial.home_of(home)
        if scenario.third is None:
            software_update.rollback(software)
        elif b"late" in scenario.third:
            install_software(software, FakeClock(NOW_S), late="not confirmed within 600 s")
        else:
            install_software(software, FakeClock(NOW_S))
        self._settle(home)

    def _settle(self, home: RobotHome) -> None:
        """systemd's starts, until the daemon stays up."""
        software = software_trial.home_of(home)
        for _ in range(STARTS):
            if start(software):
                return

    def _judged(self, label, home: RobotHome, scenario: Scenario, wall_s: float, what: str, allowed=None) -> Result:
        broken = []
        software = software_trial.home_of(home)
        self._settle(home)
        runs, slot = behaviour(software), software.slots.active()
        model = ota_updater.settle(home)
        if model is not None:
            FakeHealth2(home, self.loads).model(home.slots.bundle_dir(model))
        if runs is None or slot is None:
            broken.append(f"{label}: no whole software after {what}")
        elif runs not in (allowed or scenario.may_run) and not self._late_was_confirmed(scenario, runs, allowed):
            broken.append(f"{label}: runs {runs} after {what}")
        elif software_trial.slot_on_trial(software) is not None:
            broken.append(f"{label}: still on trial after {what}")
        elif software_trial.installed(software, slot, home.load_trust()) is None:
            broken.append(f"{label}: runs software without its signed target after {what}")
        elif model is None or home.slots.verified(model, home.load_trust()) is None:
            broken.append(f"{label}: no verified model after {what}")
        else:
            broken += self._still_updates(label, home, scenario, wall_s, what)
        return Result(Counter([label]), broken)

    def _late_was_confirmed(self, scenario: Scenario, runs: str, allowed) -> bool:
        """The updater died while it waited: the daemon may then confirm what runs well."""
        return allowed is None and scenario.third is not None and runs == scenario.third.decode() and "good" in runs

    def _still_updates(self, label, home: RobotHome, scenario: Scenario, wall_s: float, what: str) -> list:
        """The next push must end as it would have without the fault."""
        if scenario.third is None:
            return []
        fleet, robot = self._fleet(home)
        fleet.robots["robot"].clock.wall_s = wall_s
        report = push(self.publishers[scenario.name].repo, robot, kind="software", connect=fleet.connect)
        self._settle(home)
        third = scenario.third.decode()
        good = third.startswith("good")
        expected = (
            ("on_trial", "already_installed", "refused") if "late" in third else ("on_trial", "already_installed")
        )
        expected = expected if good else ("on_trial", "failed", "refused")
        runs = behaviour(software_trial.home_of(home))
        wanted = (third, OLD) if "late" in third else (third,) if good else (OLD,)
        if report.result not in expected or runs not in wanted:
            return [f"{label}: push afterwards gave {report.result} {report.message}, runs {runs}, after {what}"]
        return []

    def _push(self, scenario: Scenario, robot, fleet: FakeFleet):
        return push(self.publishers[scenario.name].repo, robot, kind="software", connect=fleet.connect)
