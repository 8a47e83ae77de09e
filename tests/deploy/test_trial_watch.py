"""Updater and daemon together on one home: shadow, takeover, complaint, and an updater that went away."""

import threading

import fake_bundles
import pytest
from fake_health import FakeClock, FakeHealth
from fake_models import FakeModel, tick
from fake_publisher import NOW_S, FakePublisher

from deploy import live_trial, ota_updater, signing
from deploy import update_rules as rules
from deploy.model_runner import ModelRunner, run_guarded
from deploy.robot_home import exclusive
from deploy.trial_watch import TrialWatch
from deploy.update_errors import DriverError
from deploy.update_rules import Outcome, Trial
from navigation.background import SteppedBackground

REFERENCE = {"brightness": {"mean": 0.4, "std": 0.1}}


def load(bundle_dir):
    """A bundle whose bytes say what the model does."""
    says = (bundle_dir / "model.onnx").read_bytes()
    if says.startswith(b"unloadable"):
        raise DriverError("not a model")
    return FakeModel([(1.0, 0.0)], error=ValueError("shape") if says.startswith(b"raises") else None)


class Daemon:
    """A loop of nothing but the detector and the watch, on a home of its own."""

    def __init__(self, home, clock):
        self.model = load(ota_updater.active_bundle(home.path)) if home.slots.active() else None
        self.runner = ModelRunner(
            self.model, SteppedBackground(1), SteppedBackground(1), lambda m, f: run_guarded(m, f, (Exception,))
        )
        self.clock = clock
        self.watch = TrialWatch(home.path, self.runner, load, SteppedBackground(1), clock, 5.0)
        self.answered = []
        self.now_s = 0.0

    def run(self, ticks):
        for _ in range(ticks):
            self.now_s += 0.1
            self.clock.uptime_s += 0.1
            self.answered.append(self.runner.detect(tick(self.now_s)) is not None)
            self.watch.tick()


@pytest.fixture
def publisher(tmp_path):
    return FakePublisher(tmp_path)


@pytest.fixture
def clock():
    return FakeClock(NOW_S)


@pytest.fixture
def home(publisher, tmp_path):
    home = publisher.robot(tmp_path / "robot")
    publisher.publish(b"good 1")
    publisher.deliver(home)
    health = FakeHealth()
    ota_updater.update(home, health, health, FakeClock(NOW_S))
    return home


@pytest.fixture
def daemon(home, clock):
    daemon = Daemon(home, clock)
    daemon.run(5)
    return daemon


@pytest.fixture
def empty_home(publisher, tmp_path):
    return publisher.robot(tmp_path / "robot without a model")


def pushed(publisher, home, daemon, model):
    """An update whose updater waits for this daemon, which runs on while it waits."""
    publisher.publish(model)
    publisher.deliver(home)
    live = live_trial.WatchedByDaemon(home.path, daemon.clock, 5.0, pause=lambda _: daemon.run(1))
    return ota_updater.update(home, FakeHealth(), live, daemon.clock)


def test_a_good_model_takes_over_between_two_frames(publisher, home, daemon):
    old = daemon.model

    report = pushed(publisher, home, daemon, b"good 2")
    before = len(old.stamps)
    daemon.run(10)

    assert report.result == "confirmed"
    assert len(old.stamps) <= before + 3
    assert daemon.answered[5:].count(False) <= 1


def test_a_model_that_raises_on_live_frames_is_rolled_back_in_time(publisher, home, daemon):
    began_s = daemon.clock.uptime_s

    report = pushed(publisher, home, daemon, b"raises 2")
    daemon.run(10)

    assert report.result == "rolled_back"
    assert "shape" in report.message
    assert daemon.clock.uptime_s - began_s < 5.0
    assert daemon.answered[-1]


def test_a_model_that_cannot_be_loaded_is_rolled_back(publisher, home, daemon):
    report = pushed(publisher, home, daemon, b"unloadable 2")

    assert report.result == "rolled_back"
    assert "cannot be loaded" in report.message


def test_the_daemon_decides_when_the_updater_is_gone(publisher, home, daemon):
    class Gone(Exception):
        pass

    def leave(_):
        raise Gone

    publisher.publish(b"good 2")
    publisher.deliver(home)
    live = live_trial.WatchedByDaemon(home.path, daemon.clock, 5.0, pause=leave)
    with pytest.raises(Gone):
        ota_updater.update(home, FakeHealth(), live, daemon.clock)
    daemon.run(80)

    assert home.load_state().last_update.result == "confirmed"
    assert home.load_state().trial is None


@pytest.mark.parametrize("model", [b"raises 1", b"unloadable 1"])
def test_a_first_model_that_fails_its_trial_answers_no_frame(publisher, empty_home, clock, model):
    daemon = Daemon(empty_home, clock)
    daemon.run(5)

    report = pushed(publisher, empty_home, daemon, model)
    daemon.run(10)

    assert report.result == "rollback_failed"
    assert not daemon.runner.has_model


def test_a_model_that_failed_before_it_was_looked_at_answers_no_frame(publisher, empty_home, clock):
    daemon = Daemon(empty_home, clock)
    daemon.run(5)
    publisher.publish(b"worse 1")
    publisher.deliver(empty_home)

    report = ota_updater.update(empty_home, FakeHealth(), FakeHealth(), clock)
    daemon.run(10)

    assert report.result == "rollback_failed"
    assert not daemon.runner.has_model


def test_a_first_model_takes_over_from_the_lidar(publisher, empty_home, clock):
    daemon = Daemon(empty_home, clock)
    daemon.run(5)

    report = pushed(publisher, empty_home, daemon, b"good 1")
    daemon.run(10)

    assert report.result == "confirmed"
    assert daemon.runner.has_model


@pytest.mark.parametrize("model", [b"good 2", b"raises 2", b"unloadable 2"])
def test_evidence_that_cannot_be_written_ends_the_trial_not_the_daemon(publisher, home, daemon, model):
    (home.path / "evidence.json").mkdir()  # as a full disk does: every write of it raises OSError
    publisher.publish(model)
    publisher.deliver(home)

    live = live_trial.WatchedByDaemon(home.path, daemon.clock, 5.0, pause=lambda _: daemon.run(1))
    with exclusive(home.path):
        report = ota_updater.update(home, FakeHealth(), live, daemon.clock)
    daemon.run(10)

    assert report.result == "rolled_back"
    assert daemon.answered[-1]


def test_a_verdict_that_cannot_be_written_is_written_once_it_can(publisher, home, daemon):
    home.save_state(rules.begun(home.load_state(), Trial("B", "A", 2, daemon.clock.instant())))
    blocked = home.path / ".state.json.new"
    blocked.mkdir()

    daemon.run(80)
    while_full = home.load_state().trial
    blocked.rmdir()
    daemon.run(10)

    assert while_full is not None
    assert home.load_state().last_rollback.result == "rolled_back"
    assert daemon.answered[-1]


@pytest.fixture
def heard(daemon):
    """What the watch tells of updates: (version, result), and of models: version."""
    updates, models = [], []
    daemon.watch.on_update = updates.append
    daemon.watch.on_model = models.append
    return updates, models


def test_a_takeover_is_told_with_the_model_that_answers_from_then_on(publisher, home, daemon, heard, tmp_path):
    bundle = fake_bundles.write(tmp_path / "real bundle", fake_bundles.times(1.0), reference=REFERENCE)
    signing.publish(bundle, publisher.keys, publisher.repo, now_s=NOW_S)
    publisher.deliver(home)
    live = live_trial.WatchedByDaemon(home.path, daemon.clock, 5.0, pause=lambda _: daemon.run(1))
    ota_updater.update(home, FakeHealth(), live, daemon.clock)
    daemon.run(5)

    (ended,), (model,) = heard
    target = home.installed(home.load_trust())[home.slots.active()]
    assert (ended.outcome, 0 < ended.took_s < 5.0) == (Outcome(2, "confirmed", ""), True)
    assert (model.version, model.sha256, model.reference) == ("2", target.sha256, REFERENCE)


def test_an_update_that_is_rolled_back_is_told_once_and_the_model_stays(publisher, home, daemon, heard):
    pushed(publisher, home, daemon, b"raises 2")
    daemon.run(10)

    (ended,), models = heard
    assert (ended.outcome.version, ended.outcome.result, models) == (2, "rolled_back", [])


def test_an_update_that_fails_at_rest_is_told_without_a_time(publisher, home, daemon, heard):
    pushed(publisher, home, daemon, b"bad 2")
    daemon.run(5)

    (ended,), models = heard
    assert (ended.outcome.result, ended.took_s, models) == ("failed", None, [])


def test_a_rollback_by_hand_is_no_update_but_another_model(publisher, home, daemon, heard):
    pushed(publisher, home, daemon, b"good 2")
    daemon.run(5)

    ota_updater.rollback(home)
    daemon.run(5)

    updates, models = heard
    assert [ended.outcome.result for ended in updates] == ["confirmed"]
    assert [model.version for model in models] == ["2", "1"]


def test_a_trial_that_a_power_cut_ended_is_told_by_the_next_start(publisher, home, daemon, clock):
    home.save_state(rules.begun(home.load_state(), Trial("B", "A", 2, clock.instant())))
    found, told = home.load_state(), []
    clock.boot_id = "boot-2"
    ota_updater.settle(home)

    watch = TrialWatch(home.path, daemon.runner, load, SteppedBackground(1), clock, 5.0, found)
    watch.on_update = told.append
    for _ in range(5):
        watch.tick()

    assert [(ended.outcome.result, ended.took_s) for ended in told] == [("rolled_back", None)]


def test_evidence_of_another_trial_counts_for_nothing(publisher, home, daemon):
    pushed(publisher, home, daemon, b"good 2")
    frozen = live_trial.WatchedByDaemon(
        home.path, daemon.clock, 5.0, pause=lambda _: setattr(daemon.clock, "uptime_s", daemon.clock.uptime_s + 1)
    )
    publisher.publish(b"good 3")
    publisher.deliver(home)

    report = ota_updater.update(home, FakeHealth(), frozen, daemon.clock)

    assert report.result == "rolled_back"
    assert "0 good live frames" in report.message


def test_a_rollback_by_hand_reaches_the_daemon(publisher, home, daemon):
    pushed(publisher, home, daemon, b"good 2")
    daemon.run(5)
    current = daemon.runner._model

    ota_updater.rollback(home)
    daemon.run(5)

    assert daemon.runner._model is not current


def test_updates_wait_for_each_other(home):
    order = []

    def second():
        with exclusive(home.path):
            order.append("second")

    thread = threading.Thread(target=second)
    with exclusive(home.path):
        thread.start()
        thread.join(timeout=0.05)
        order.append("first")
    thread.join(timeout=5)

    assert order == ["first", "second"]
