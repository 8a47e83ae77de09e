"""Who waits and who confirms: the updater's wait, and the daemon's part tick by tick."""

import logging

import pytest
from fake_health import FakeClock
from fake_publisher import NOW_S, FakePublisher
from fake_software import behaviour, install_software

from deploy import software_trial
from deploy.robot_home import on_this_machine
from deploy.software_watch import LOOK_EVERY_TICKS, SoftwareWatch, WaitForDaemon
from navigation.background import SteppedBackground


@pytest.fixture
def home(tmp_path):
    """On a real disk: version 1 in slot A, version 2 on trial in slot B."""
    publisher = FakePublisher(tmp_path)
    model_home = publisher.robot(tmp_path / "robot")
    software = on_this_machine(model_home.path, "software")
    for what in ("good 1", "good 2"):
        publisher.publish_software(what)
        publisher.deliver(model_home)
        install_software(software, FakeClock(NOW_S))
    assert software_trial.slot_on_trial(software) == "B"
    return software


def watch_of(home, slot, clock, healthy_s=20.0):
    return SoftwareWatch(home.path, slot, SteppedBackground(1), clock, healthy_s)


def ticks(watch, clock, count, tick_s=0.1):
    for _ in range(count):
        watch.tick()
        clock.uptime_s += tick_s


def test_a_daemon_confirms_itself_when_it_has_been_well_long_enough(home):
    clock = FakeClock(NOW_S)
    watch = watch_of(home, "B", clock)

    ticks(watch, clock, 190)
    before = software_trial.slot_on_trial(home)
    ticks(watch, clock, 30)

    assert (before, software_trial.slot_on_trial(home)) == ("B", None)
    assert home.load_state().last_update.result == "confirmed"
    assert not watch.restart_wanted


def test_a_daemon_whose_link_moved_wants_to_be_started_again_and_confirms_nothing(home):
    clock = FakeClock(NOW_S)
    watch = watch_of(home, "A", clock, healthy_s=0.0)

    ticks(watch, clock, 2 * LOOK_EVERY_TICKS)

    assert watch.restart_wanted
    assert software_trial.slot_on_trial(home) == "B"


def test_a_job_that_is_done_sooner_confirms_as_well(home):
    watch_of(home, "B", FakeClock(NOW_S)).ended_well()

    assert software_trial.slot_on_trial(home) is None


def test_a_full_disk_stops_no_robot_and_the_next_look_tries_again(home, monkeypatch, caplog):
    clock = FakeClock(NOW_S)
    watch = watch_of(home, "B", clock, healthy_s=0.0)

    def full(home):
        raise OSError(28, "no space left on device")

    caplog.set_level(logging.WARNING, "deploy")
    with monkeypatch.context() as patch:
        patch.setattr(software_trial, "confirm", full)
        ticks(watch, clock, LOOK_EVERY_TICKS)
    ticks(watch, clock, LOOK_EVERY_TICKS)

    assert "no space left" in caplog.text
    assert software_trial.slot_on_trial(home) is None


def test_without_a_daemon_nobody_waits(home):
    wait = WaitForDaemon(FakeClock(NOW_S), 10.0)

    assert wait.wait(home, home.load_state().trial) is None
    assert software_trial.slot_on_trial(home) == "B"


def test_the_updater_waits_until_the_daemon_has_confirmed(home):
    wait = WaitForDaemon(
        FakeClock(NOW_S), 10.0, pause=lambda seconds: software_trial.confirm(home), daemon_runs=lambda home: True
    )

    assert wait.wait(home, home.load_state().trial) is None
    assert behaviour(home) == "good 2"


def test_the_updater_waits_no_longer_than_the_deadline(home):
    clock = FakeClock(NOW_S)

    def pause(seconds):
        clock.uptime_s += seconds

    late = WaitForDaemon(clock, 10.0, pause=pause, daemon_runs=lambda home: True).wait(home, home.load_state().trial)

    assert late == "not confirmed within 10 s"
