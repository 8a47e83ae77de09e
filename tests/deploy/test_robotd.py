"""The whole daemon in a flat world: it covers, takes a new model while it drives, and stops when told."""

import json
import re
import threading
import time
import urllib.request
from contextlib import suppress
from dataclasses import replace

import pytest
from fake_health import FakeClock, FakeHealth
from fake_models import FakeModel, frame
from fake_publisher import NOW_S, FakePublisher
from flat_world import FlatWorld

from deploy import live_trial, ota_updater, software_watch
from deploy.clock import MachineClock
from deploy.robot_home import exclusive, on_this_machine
from deploy.robotd import Folders, main, serve
from deploy.warm_up import warm_up
from foundation.errors import ConfigError
from foundation.robot_config import RobotConfig
from navigation import job
from navigation.background import SteppedBackground
from navigation.robot_io import STOP
from perception.errors import BundleError

ROOM = (-1.0, -1.0, 1.0, 1.2)


class Told:
    """What the daemon was asked to load, and what it saw while it drove."""

    def __init__(self):
        self.loaded = []
        self.metrics = ""

    def load(self, bundle_dir):
        says = (bundle_dir / "model.onnx").read_bytes()
        self.loaded.append(says)
        if says.startswith(b"unloadable"):
            raise BundleError("no model")
        return FakeModel([])


@pytest.fixture
def config():
    return RobotConfig.model_validate({"monitoring": {"port": 0}})


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def home(tmp_path):
    """A robot that runs `good 1`, and its publisher."""
    publisher = FakePublisher(tmp_path / "publisher")
    home = publisher.robot(tmp_path / "robot")
    publisher.publish(b"good 1")
    publisher.deliver(home)
    health = FakeHealth()
    ota_updater.update(home, health, health, FakeClock(NOW_S))
    return home, publisher


class SeeingWorld(FlatWorld):
    """With a camera that sees nothing in particular."""

    def observations(self):
        for observation in super().observations():
            yield replace(observation, frame=frame(observation.stamp_s))


def served(config, folders, told, *, ticks, stop=None, on_tick=lambda report: None, pose=None, **asked):
    world = SeeingWorld(ROOM, ticks=ticks, config=config)
    world.pose = pose or world.pose
    summary = serve(
        world,
        config,
        folders,
        background=lambda name: SteppedBackground(1),
        load_model=told.load,
        stop=stop or threading.Event(),
        on_tick=on_tick,
        **asked,
    )
    return world, summary


def test_a_run_leaves_its_folder_and_ends_with_motors_at_zero(config, told, tmp_path):
    def scrape(report):
        if not told.metrics and report.observation.stamp_s > 2:
            url = (tmp_path / "out" / "metrics_address.txt").read_text().strip()
            told.metrics = urllib.request.urlopen(url).read().decode()

    world, summary = served(config, Folders(None, tmp_path / "job", tmp_path / "out"), told, ticks=60, on_tick=scrape)

    assert world.commands[-1] == STOP
    assert summary.ticks == 60
    assert "oxturn_ticks_total" in told.metrics
    out = tmp_path / "out"
    assert len((out / "published.tum").read_text().splitlines()) == 60
    assert json.loads((out / "tick_ms.json").read_text())["tick"]["count"] == 60
    status = json.loads((out / "status.json").read_text())
    assert (status["has_model"], status["finished"], status["ticks"]) == (False, False, 60)
    assert list((out / "log").glob("*.mcap"))


def test_a_job_is_driven_to_its_end_and_told_of(config, told, tmp_path):
    text = "return_to_start = true\n[[spots]]\ncentre_map_m = [0.3, 0.3]\nradius_m = 0.3"
    folders = Folders(None, tmp_path / "job", tmp_path / "out")

    world, summary = served(config, folders, told, ticks=3000, job=job.parse(text, "job.toml"))

    status = json.loads((tmp_path / "out" / "status.json").read_text())
    assert summary.ticks < 1500 and status["finished"] and status["coverage_ratio"] > 0.95
    assert status["covering"]["homecoming"] == {"arrived": True, "reason": ""}
    assert world.pose.distance_m(world.start) < 0.1
    assert (tmp_path / "job" / "job.part.sqlite").exists()


class Scraper:
    """Prometheus: reads on the daemon's first tick, and again and again once it has stopped."""

    def __init__(self, out, home):
        self._out, self._home = out, home
        self._driving = threading.Event()
        self._ended = threading.Event()
        self.free_at_the_end = None
        self.seen = []

    def on_tick(self, report):
        if not self.seen:
            self._scrape()

    def run(self):
        """In a thread: until the server is gone."""
        while not self._ended.wait(0.02):
            with suppress(OSError):
                if self.seen and self._scrape() == 0.0:
                    self.free_at_the_end = not live_trial.daemon_runs(self._home)

    def end(self):
        self._ended.set()

    def _scrape(self):
        url = (self._out / "metrics_address.txt").read_text().strip()
        text = urllib.request.urlopen(url, timeout=2).read().decode()
        self.seen.append(float(re.search(r"^oxturn_job_active (\S+)$", text, re.MULTILINE)[1]))
        return self.seen[-1]


def lingered(config, told, tmp_path, robot, **asked):
    scraper = Scraper(tmp_path / "out", robot.path)
    beside = threading.Thread(target=scraper.run)
    beside.start()
    try:
        served(
            config,
            Folders(robot.path, tmp_path / "job", tmp_path / "out"),
            told,
            ticks=4,
            linger_s=60.0,
            **{"on_tick": scraper.on_tick, **asked},
        )
    finally:
        scraper.end()
        beside.join(timeout=10)
    return scraper


def test_after_a_run_that_ended_well_one_more_scrape_sees_that_no_job_is_active(config, told, tmp_path, home):
    scraper = lingered(config, told, tmp_path, home[0])

    assert (scraper.seen[0], scraper.seen[-1]) == (1.0, 0.0)
    assert scraper.free_at_the_end  # an update meanwhile waits for no live frames


def test_told_to_stop_or_with_nobody_listening_it_ends_at_once(config, told, tmp_path, home):
    stop = threading.Event()
    began_s = time.monotonic()

    for on_tick in (lambda report: None, lambda report: stop.set()):
        folders = Folders(home[0].path, tmp_path / "job", tmp_path / "out")
        served(config, folders, told, ticks=4, stop=stop, linger_s=600.0, on_tick=on_tick)

    assert time.monotonic() - began_s < 60


def test_a_job_stopped_on_its_way_home_is_driven_home_by_the_next_start(config, told, tmp_path):
    asked = job.parse("return_to_start = true\n[[spots]]\ncentre_map_m = [0.7, 0.3]\nradius_m = 0.3", "job.toml")
    folders, stop = Folders(None, tmp_path / "job", tmp_path / "out"), threading.Event()

    def stop_when_the_tool_is_up(report):
        if not report.wanted.tool_on:
            stop.set()

    world, _ = served(config, folders, told, ticks=3000, job=asked, stop=stop, on_tick=stop_when_the_tool_is_up)

    status = json.loads((tmp_path / "out" / "status.json").read_text())
    assert status["covering"]["done"] and status["covering"]["homing"] and not status["finished"]
    assert world.pose.distance_m(world.start) > 0.2
    assert (tmp_path / "job" / "job.sqlite").exists() and not (tmp_path / "job" / "job.part.sqlite").exists()

    world, _ = served(config, folders, told, ticks=1500, pose=world.pose)

    status = json.loads((tmp_path / "out" / "status.json").read_text())
    assert status["finished"] and status["covering"]["homecoming"]["arrived"]
    assert world.pose.distance_m(world.start) < 0.1
    assert (tmp_path / "job" / "job.part.sqlite").exists() and not (tmp_path / "job" / "job.sqlite").exists()


def test_called_home_it_drives_back_and_keeps_the_unfinished_job(config, told, tmp_path):
    called_home = threading.Event()
    called_home.set()

    world, summary = served(
        config, Folders(None, tmp_path / "job", tmp_path / "out"), told, ticks=1000, called_home=called_home
    )

    assert summary.ticks < 200 and world.pose.distance_m(world.start) < 0.1
    assert (tmp_path / "job" / "job.sqlite").exists()


def test_a_job_file_that_is_wrong_is_told_before_anything_is_powered(config, tmp_path):
    (tmp_path / "job.toml").write_text("passes = 0")

    with pytest.raises(ConfigError, match=r"job\.toml: passes = 0: "):
        main(None, tmp_path, tmp_path / "job.toml")


def test_stop_ends_the_run_at_the_next_tick(config, told, tmp_path):
    stop = threading.Event()

    def stop_soon(report):
        if report.observation.stamp_s >= 1.0:
            stop.set()

    world, summary = served(
        config, Folders(None, tmp_path / "job", tmp_path / "out"), told, ticks=500, stop=stop, on_tick=stop_soon
    )

    assert summary.stopped_from_outside
    assert summary.ticks == 11
    assert world.commands[-1] == STOP


def test_a_failing_stage_stops_the_motors(config, told, tmp_path):
    def fail(report):
        raise RuntimeError("broken")

    world = FlatWorld(ROOM, ticks=20, config=config)
    with pytest.raises(RuntimeError, match="broken"):
        serve(
            world,
            config,
            Folders(None, tmp_path / "job", tmp_path / "out"),
            background=lambda name: SteppedBackground(1),
            load_model=told.load,
            stop=threading.Event(),
            on_tick=fail,
        )

    assert world.commands[-1] == STOP


def test_it_runs_the_delivered_model_and_says_which(config, told, tmp_path, home):
    robot, _ = home
    seen = {}

    def look(report):
        url = (tmp_path / "out" / "metrics_address.txt").read_text().strip()
        seen["metrics"] = urllib.request.urlopen(url).read().decode()
        seen["lock"] = live_trial.daemon_runs(robot.path)

    served(config, Folders(robot.path, tmp_path / "job", tmp_path / "out"), told, ticks=2, on_tick=look)

    assert told.loaded == [b"good 1"]
    assert 'oxturn_model_info{sha256="' in seen["metrics"]
    assert 'oxturn_software_info{slot="none",version="' in seen["metrics"]
    assert seen["lock"]
    assert not live_trial.daemon_runs(robot.path)


def test_a_model_that_cannot_be_loaded_leaves_the_lidar(config, told, tmp_path, home):
    robot, publisher = home
    publisher.publish(b"unloadable 2")
    publisher.deliver(robot)
    health = FakeHealth()
    ota_updater.update(robot, health, health, FakeClock(NOW_S))

    _, summary = served(config, Folders(robot.path, tmp_path / "job", tmp_path / "out"), told, ticks=5)

    assert summary.ticks == 5


def test_a_model_that_was_refused_is_not_told_as_the_one_in_use(config, told, tmp_path):
    publisher = FakePublisher(tmp_path / "publisher")
    robot = publisher.robot(tmp_path / "robot")
    publisher.publish(b"worse 1")
    publisher.deliver(robot)
    ota_updater.update(robot, FakeHealth(), FakeHealth(), FakeClock(NOW_S))
    seen = []

    def look(report):
        url = (tmp_path / "out" / "metrics_address.txt").read_text().strip()
        seen.append(urllib.request.urlopen(url).read().decode())

    served(config, Folders(robot.path, tmp_path / "job", tmp_path / "out"), told, ticks=3, on_tick=look)

    assert 'oxturn_model_info{sha256="",version="none"} 1.0' in seen[-1]


def test_what_is_trusted_being_damaged_leaves_the_lidar(config, told, tmp_path, home):
    robot, _ = home
    (robot.path / "trust" / "trusted.json").write_bytes(b"")

    _, summary = served(config, Folders(robot.path, tmp_path / "job", tmp_path / "out"), told, ticks=5)

    assert (summary.ticks, told.loaded) == (5, [])


def test_an_update_while_it_drives(config, told, tmp_path, home):
    """The updater waits in a thread of its own, as the SSH account's process does."""
    robot, publisher = home
    publisher.publish(b"good 2")
    publisher.deliver(robot)
    reports = []

    def install():
        live = live_trial.WatchedByDaemon(robot.path, MachineClock(), 20.0)
        with exclusive(robot.path):
            reports.append(ota_updater.update(robot, FakeHealth(), live, MachineClock()))

    updater = threading.Thread(target=install)

    def at_tick(report):
        if report.observation.stamp_s == pytest.approx(1.0):
            updater.start()

    folders = Folders(robot.path, tmp_path / "job", tmp_path / "out")
    stop = threading.Event()

    def end_when_updated(report):
        at_tick(report)
        url = (tmp_path / "out" / "metrics_address.txt").read_text().strip()
        if reports:
            told.metrics = urllib.request.urlopen(url).read().decode()
        if 'oxturn_model_info{sha256="' in told.metrics and 'version="2"' in told.metrics:
            stop.set()

    served(config, folders, told, ticks=3000, stop=stop, on_tick=end_when_updated)
    updater.join(timeout=20)

    assert [report.result for report in reports] == ["confirmed"]
    assert told.loaded == [b"good 1", b"good 2"]
    assert 'oxturn_updates_total{result="installed"} 1.0' in told.metrics
    assert "oxturn_update_seconds_count 1.0" in told.metrics


def test_it_ends_when_its_software_has_moved_to_be_started_from_the_other_slot(
    config, told, tmp_path, home, monkeypatch
):
    monkeypatch.setattr(software_watch, "own_slot", lambda home: "A")
    software = on_this_machine(home[0].path, "software")
    software.slots.switch("A")

    seen = []

    def move(tick):
        if tick.observation.stamp_s > 1.0 and software.slots.active() == "A":
            url = (tmp_path / "out" / "metrics_address.txt").read_text().strip()
            seen.append(urllib.request.urlopen(url).read().decode())
            software.slots.switch("B")

    folders = Folders(home[0].path, tmp_path / "job", tmp_path / "out")
    _, ended = served(config, folders, told, ticks=3000, on_tick=move)

    assert ended.software_changed
    assert ended.ticks < 100
    assert 'oxturn_software_info{slot="A",version="' in seen[0]


def test_warming_up_drives_the_made_up_room_without_a_word(config, capsys):
    warm_up(config)

    assert capsys.readouterr().out == ""
