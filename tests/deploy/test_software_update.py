"""Software through the whole way behind the faulty disk: what runs, what is remembered, what is refused."""

import json
import tarfile

import pytest
from fake_disk import FakeDisk
from fake_health import FakeClock
from fake_publisher import NOW_S, FakePublisher
from fake_software import (
    MACHINE,
    FakeCheck,
    FakeEnvironments,
    Waits,
    behaviour,
    guard,
    install_software,
    start,
    wheels_of,
)
from fake_transport import FakeFleet, FakeRobot
from update_campaign import HOME, FakeHealth2, deliver

from deploy import ota_updater, signing, software_trial, software_update
from deploy.bundle_archive import pack
from deploy.fleet import roll_out
from deploy.push import push
from deploy.robot_home import RobotHome
from deploy.robot_status import robot_status
from deploy.update_errors import RollbackFailed, UpdateFailed
from deploy.update_rules import Instant, Trial, begun
from deploy.wheel_set import Machine


@pytest.fixture
def publisher(tmp_path):
    return FakePublisher(tmp_path)


@pytest.fixture
def home(publisher):
    """A robot as setup leaves it: a first environment in slot A, packaged, and no model."""
    model_home = RobotHome(HOME, FakeDisk())
    model_home.disk.make_folder(HOME)
    model_home.prepare(publisher.first_root.read_bytes())
    return software_trial.home_of(model_home)


def delivered(publisher, home, what, **how):
    publisher.publish_software(what)
    deliver(home, publisher.files())
    return install_software(home, FakeClock(NOW_S), **how)


def starts(home, count=1):
    return [start(home) for _ in range(count)]


def test_the_first_software_is_confirmed_by_its_own_check(publisher, home):
    report = delivered(publisher, home, "good 1")

    assert (report.result, behaviour(home)) == ("confirmed", "good 1")
    assert software_trial.slot_on_trial(home) is None


def test_new_software_is_on_trial_until_a_start_has_been_well(publisher, home):
    delivered(publisher, home, "good 1")

    report = delivered(publisher, home, "good 2")
    before = robot_status(RobotHome(HOME, home.disk)).software
    starts(home)
    after = robot_status(RobotHome(HOME, home.disk)).software

    assert report.result == "on_trial"
    assert (before.on_trial, after.on_trial) == (True, False)
    assert (after.active, after.installed_version, after.last_update.result) == ("B", 2, "confirmed")
    assert behaviour(home) == "good 2"


def test_software_that_crashes_at_every_start_is_left_by_the_guard(publisher, home):
    delivered(publisher, home, "good 1")
    delivered(publisher, home, "crash 2")

    stayed_up = starts(home, 4)

    assert stayed_up == [False, False, False, True]
    assert behaviour(home) == "good 1"
    state = home.load_state()
    assert state.trial is None
    assert (state.last_rollback.result, state.failed) == ("rolled_back", {2: "3 starts without being confirmed"})


def test_what_failed_is_not_tried_again_and_nobody_goes_back_to_it(publisher, home):
    delivered(publisher, home, "good 1")
    delivered(publisher, home, "crash 2")
    starts(home, 4)

    again = install_after_delivery(publisher, home)

    assert (again.result, again.code) == ("refused", "failed_before")
    with pytest.raises(RollbackFailed, match="no older software"):
        software_update.rollback(home)


def install_after_delivery(publisher, home):
    deliver(home, publisher.files())
    return install_software(home, FakeClock(NOW_S))


def test_software_that_fails_its_own_check_is_never_switched_to(publisher, home):
    delivered(publisher, home, "good 1")

    report = delivered(publisher, home, "sick 2")

    assert (report.result, report.code) == ("failed", "health")
    assert behaviour(home) == "good 1"


def test_software_that_does_not_confirm_in_time_is_left_by_the_updater(publisher, home):
    delivered(publisher, home, "good 1")

    report = delivered(publisher, home, "good 2", late="not confirmed within 600 s")

    assert (report.result, report.message) == ("rolled_back", "software version 2: not confirmed within 600 s")
    assert behaviour(home) == "good 1"
    with pytest.raises(RollbackFailed, match="no older software"):  # nobody goes back to what failed
        software_update.rollback(home)


def test_a_rollback_that_fails_is_told_apart_from_an_update_that_fails(publisher, home):
    delivered(publisher, home, "good 1")
    delivered(publisher, home, "crash 2")
    home.disk.remove(home.root / "slots" / "A" / "complete")

    starts(home, 5)
    software_trial.settle(home)

    state = home.load_state()
    assert (state.last_update.result, state.last_rollback.result) == ("failed", "rollback_failed")
    assert home.slots.active() == "B"  # there is nothing else


def test_a_late_trial_with_nothing_to_go_back_to_is_a_failed_rollback(publisher, home):
    delivered(publisher, home, "good 1")
    publisher.publish_software("good 2")
    deliver(home, publisher.files())

    class Loses(Waits):
        def wait(self, home, trial):
            home.disk.remove(home.root / "slots" / "A" / "complete")
            return "late"

    report = software_update.update(
        home, MACHINE, FakeEnvironments(home.disk), FakeCheck(home.disk), Loses(), FakeClock(NOW_S)
    )

    assert report.result == "rollback_failed"


def test_rollback_by_hand_goes_to_the_other_slot_and_away_from_a_trial(publisher, home):
    delivered(publisher, home, "good 1")
    delivered(publisher, home, "good 2")
    starts(home)

    software_update.rollback(home)
    by_hand = behaviour(home)
    delivered(publisher, home, "good 3")
    software_update.rollback(home)

    assert (by_hand, behaviour(home)) == ("good 1", "good 1")
    assert home.load_state().last_rollback.reason == "asked for"


def test_models_and_software_are_never_on_trial_together(publisher, home):
    delivered(publisher, home, "good 1")
    delivered(publisher, home, "good 2")
    model_home = RobotHome(HOME, home.disk)
    health = FakeHealth2(model_home)
    publisher.publish(b"good model")
    deliver(home, publisher.files())

    model = ota_updater.update(model_home, health, health, FakeClock(NOW_S))
    starts(home)
    after = ota_updater.update(model_home, health, health, FakeClock(NOW_S))

    assert (model.result, model.code, after.result) == ("refused", "busy", "confirmed")


def test_software_waits_for_a_model_on_trial(publisher, home):
    delivered(publisher, home, "good 1")
    model_home = RobotHome(HOME, home.disk)
    model_home.save_state(begun(model_home.load_state(), Trial("B", "A", 1, Instant("boot", 1.0))))

    report = delivered(publisher, home, "good 2")

    assert (report.result, report.code) == ("refused", "busy")
    assert home.load_state().attempts == {}


def test_each_kind_tidies_up_after_itself_alone(publisher, home):
    publisher.publish(b"good model")
    publisher.publish_software("good 1")
    deliver(home, publisher.files())

    install_software(home, FakeClock(NOW_S))
    left = home.incoming()
    deliver(home, {name: data for name, data in publisher.files().items() if name.endswith(".json")})
    model_home = RobotHome(HOME, home.disk)
    health = FakeHealth2(model_home)

    assert [name.startswith("software-") for name in left] == [False]
    assert ota_updater.update(model_home, health, health, FakeClock(NOW_S)).result == "confirmed"
    assert home.incoming() == []


@pytest.mark.parametrize(
    ("machine", "free", "code"),
    [
        (Machine("cp313", "aarch64", (2, 41)), 10**12, "bad_wheels"),
        (Machine("cp311", "x86_64", (2, 36)), 10**12, "bad_wheels"),
        (MACHINE, 50_000_000, "no_room"),
    ],
)
def test_what_cannot_run_here_is_refused_before_anything_is_written(publisher, home, machine, free, code):
    delivered(publisher, home, "good 1")
    publisher.publish_software("good 2")
    deliver(home, publisher.files())
    home.disk.free = free
    tools = FakeEnvironments(home.disk), FakeCheck(home.disk), Waits()

    report = software_update.update(home, machine, *tools, FakeClock(NOW_S))

    assert (report.result, report.code) == ("refused", code)
    assert home.disk.names(home.root / "slots") == ["A"]


@pytest.mark.parametrize(
    "name", ["../../etc/cron.d/x", "/etc/passwd", "a/../../b", ".ssh/authorized_keys", "notes.txt"]
)
def test_a_signed_archive_of_foreign_paths_writes_nothing(publisher, home, name, monkeypatch):
    """Whoever has the targets key can sign anything; the robot still unpacks wheels alone."""
    files = {**wheels_of("good 1"), "harmless": b"x"}

    def hostile(files, **limits):
        data = pack({("harmless" if path == "harmless" else path): data for path, data in files.items()}, **limits)
        return data.replace(b"harmless".ljust(100, b"\0"), name.encode().ljust(100, b"\0"))

    monkeypatch.setattr(signing, "pack", hostile)
    monkeypatch.setattr(signing, "manifest_of", lambda wheels, machine: b'{"version": "1"}')
    folder = publisher.keys.with_name("hostile")
    folder.mkdir()
    for path, data in files.items():
        (folder / path).write_bytes(data)
    signing.publish_software(folder, publisher.keys, publisher.repo, MACHINE, now_s=NOW_S)
    deliver(home, publisher.files())

    report = install_software(home, FakeClock(NOW_S))

    assert report.result == "refused"
    assert report.code in ("bad_archive", "bad_wheels")
    assert home.disk.names(home.root / "slots") == []


def test_a_signed_archive_with_a_link_is_refused(publisher, home, monkeypatch):
    def with_link(files, **limits):
        data = pack(files, **limits)
        first = tarfile.TarInfo("link.whl")
        first.type, first.linkname = tarfile.SYMTYPE, "/etc/passwd"
        return first.tobuf(tarfile.USTAR_FORMAT) + data

    monkeypatch.setattr(signing, "pack", with_link)
    publisher.publish_software("good 1")
    deliver(home, publisher.files())

    report = install_software(home, FakeClock(NOW_S))

    assert (report.result, report.code) == ("refused", "bad_archive")
    assert "not a plain file" in report.message
    assert home.disk.names(home.root / "slots") == []


def test_an_archive_that_is_not_the_signed_one_is_refused_and_removed(publisher, home):
    publisher.publish_software("good 1")
    deliver(home, publisher.files())
    (name,) = [name for name in home.incoming() if name.startswith("software-")]
    home.disk.put(HOME / "incoming" / name, home.fetch(name)[:-40] + bytes(40))

    report = install_software(home, FakeClock(NOW_S))

    assert (report.result, report.code) == ("refused", "tampered_target")
    assert name not in home.incoming()


def test_a_models_archive_is_no_software(publisher, home):
    publisher.publish(b"good model")
    deliver(home, publisher.files())

    report = install_software(home, FakeClock(NOW_S))

    assert (report.result, report.code) == ("refused", "no_target")


def test_an_environment_that_cannot_be_built_changes_nothing_that_runs(publisher, home):
    delivered(publisher, home, "good 1")
    publisher.publish_software("good 2")
    deliver(home, publisher.files())

    class Breaks(FakeEnvironments):
        def build(self, venv, folder, wheels):
            raise UpdateFailed("pip ended with 1: no space left")

    report = software_update.update(home, MACHINE, Breaks(home.disk), FakeCheck(home.disk), Waits(), FakeClock(NOW_S))

    assert (report.result, report.code) == ("failed", "build")
    assert behaviour(home) == "good 1"
    assert install_software(home, FakeClock(NOW_S)).result == "on_trial"  # the version is not to blame


def test_a_slot_that_is_not_whole_is_left_by_the_guard_without_any_trial(publisher, home):
    delivered(publisher, home, "good 1")
    delivered(publisher, home, "good 2")
    starts(home)
    home.disk.remove(home.root / "slots" / "B" / "complete")

    guard(home.disk, home.root)

    assert behaviour(home) == "good 1"


def test_a_lost_state_file_ends_no_trial(publisher, home):
    delivered(publisher, home, "good 1")
    delivered(publisher, home, "crash 2")
    home.disk.remove(home.root / "state.json")

    stayed_up = starts(home, 4)

    assert (stayed_up[-1], behaviour(home)) == (True, "good 1")


def fleet_of(publisher, home, count):
    fleet = FakeFleet()
    for number in range(count):
        robot = RobotHome(HOME, home.disk.after_kill())
        fleet.add(f"robot{number}", FakeRobot(robot, FakeHealth2(robot), FakeClock(NOW_S)))
    return fleet


def addresses(fleet):
    from deploy.transport import RobotAddress

    return {name: RobotAddress(name, 22, "oxturn", "ssh-ed25519 AAAA", name=name) for name in fleet.robots}


def test_a_push_sends_the_changed_wheel_alone(publisher, home):
    delivered(publisher, home, "good 1")
    fleet = fleet_of(publisher, home, 1)
    publisher.publish_software("good 2")

    report = push(publisher.repo, addresses(fleet)["robot0"], kind="software", connect=fleet.connect)
    again = push(publisher.repo, addresses(fleet)["robot0"], kind="software", connect=fleet.connect)

    assert (report.result, report.how, report.taken, report.installed) == ("on_trial", "patch", True, False)
    assert (again.result, again.how) == ("on_trial", "nothing")


def test_a_patch_that_does_not_fit_is_followed_by_the_whole(publisher, home):
    delivered(publisher, home, "good 1")
    fleet = fleet_of(publisher, home, 1)
    disk = fleet.robots["robot0"].home.disk
    disk.write(home.slots.bundle_dir("A") / "needed-2.0-py3-none-any.whl", b"rotten")
    publisher.publish_software("good 2")

    report = push(publisher.repo, addresses(fleet)["robot0"], kind="software", connect=fleet.connect)

    assert (report.result, report.how) == ("on_trial", "whole")


def test_a_fleet_waits_for_its_canary_to_run(publisher, home, tmp_path):
    delivered(publisher, home, "good 1")
    fleet = fleet_of(publisher, home, 3)
    publisher.publish_software("good 2")
    how = {"kind": "software", "connect": fleet.connect}

    first = roll_out(publisher.repo, addresses(fleet), tmp_path / "journal.json", **how)
    for _ in range(3):
        for robot in fleet.robots.values():
            start(software_trial.home_of(robot.home))
        last = roll_out(publisher.repo, addresses(fleet), tmp_path / "journal.json", **how)

    assert (first.result, first.outcomes) == ("waiting", {"robot0": "on_trial"})
    assert (last.result, last.installed) == ("finished", 3)


def test_a_canary_that_went_back_halts_the_fleet(publisher, home, tmp_path):
    delivered(publisher, home, "good 1")
    fleet = fleet_of(publisher, home, 3)
    publisher.publish_software("crash 2")
    how = {"kind": "software", "connect": fleet.connect}

    roll_out(publisher.repo, addresses(fleet), tmp_path / "journal.json", **how)
    for _ in range(4):
        start(software_trial.home_of(fleet.robots["robot0"].home))
    report = roll_out(publisher.repo, addresses(fleet), tmp_path / "journal.json", **how)

    assert report.result == "halted"
    assert fleet.robots["robot1"].installs == 0


def test_a_robot_that_knows_no_software_updates_is_sent_the_whole():
    from deploy.push import installed_sha256

    assert installed_sha256({"installed_sha256": "abc"}, "software") is None


def test_the_status_can_be_written_as_json(publisher, home):
    from dataclasses import asdict

    assert json.loads(json.dumps(asdict(robot_status(RobotHome(HOME, home.disk)))))["software"]["active"] is None
