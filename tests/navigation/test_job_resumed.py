"""What the robot was asked to do is kept with the unfinished job, and is the same job after a pause."""

import logging
import sqlite3
from dataclasses import replace

import pytest
from flat_world import FlatWorld

from foundation.geometry import Pose2D
from foundation.robot_config import RobotConfig
from navigation.background import SteppedBackground
from navigation.job import WHOLE_FLOOR, JobError, JobProgress, parse
from navigation.job_store import JobNews, JobStore, JobStoreError, UnreadableJob
from navigation.robot_loop import run
from navigation.stages import build

SPOT = parse('name = "spot"\nreturn_to_start = true\n[[spots]]\ncentre_map_m = [1.0, 0.4]\nradius_m = 0.3', "job.toml")
TWICE = parse('name = "twice"\npasses = 2', "job.toml")


@pytest.fixture
def told():
    """What a keeper tells after a second of driving."""
    world = FlatWorld((0, 0, 2.0, 1.6), start=Pose2D(0.4, 0.5, 0.0))
    stages = build(RobotConfig(), background=lambda name: SteppedBackground(1))
    for _ in range(3):
        observation = world.observe()
        estimate = stages.localiser.update(observation)
        stages.room.integrate(estimate, observation, None, world.coming)
    known = stages.localiser.snapshot()
    poses = [(k, Pose2D(*pose)) for k, pose in enumerate(known.poses.tolist())]
    keyframes, relations = list(enumerate(known.keyframes)), list(enumerate(known.relations))
    return JobNews(poses[0][1], keyframes, poses, relations, stages.room.sweeps(0), 0, [], [])


@pytest.mark.parametrize("asked", [None, SPOT])
def test_the_same_job_is_gone_on_with(tmp_path, told, asked):
    progress = JobProgress(SPOT, Pose2D(0.1, 0.2, 0.3), 1, len(told.sweeps))
    store = JobStore(tmp_path / "job.sqlite")
    assert store.begin(SPOT) is None and store.job == SPOT
    store.add(replace(told, progress=progress))
    store.close()

    again = JobStore(tmp_path / "job.sqlite")
    assert again.begin(asked).progress == progress
    assert again.job == SPOT


def test_another_job_puts_the_unfinished_one_aside_and_says_so_in_one_line(tmp_path, told, caplog):
    caplog.set_level(logging.WARNING, "navigation.job_store")
    store = JobStore(tmp_path / "job.sqlite")
    store.begin(SPOT)
    store.add(told)
    store.close()

    assert store.begin(TWICE) is None and store.job == TWICE

    assert [record.message.split(": ", 1)[1] for record in caplog.records] == [
        "another job is asked for, the unfinished one is put aside: spot"
    ]
    aside = JobStore(tmp_path / "job.replaced.sqlite")
    assert len(aside.begin().snapshot.keyframes) == len(told.keyframes) and aside.job == SPOT


def test_a_job_killed_before_its_first_second_is_still_that_job(tmp_path):
    store = JobStore(tmp_path / "job.sqlite")
    store.begin(TWICE)
    store.close()

    assert store.begin() is None and store.job == TWICE


def test_a_file_from_before_jobs_had_zones_is_of_the_whole_floor(tmp_path, told):
    path = tmp_path / "job.sqlite"
    store = JobStore(path)
    store.begin(SPOT)
    store.add(told)
    store.close()
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM state WHERE name IN ('job', 'progress')")
        db.execute("PRAGMA application_id=0")
    db.close()

    assert store.begin().progress == JobProgress(WHOLE_FLOOR) and store.job == WHOLE_FLOOR


@pytest.mark.parametrize(("name", "value"), [("job", '{"passes": 9}'), ("progress", '{"pass_begins_at": 99}')])
def test_a_job_that_makes_no_sense_is_put_aside_as_broken(tmp_path, told, name, value):
    path = tmp_path / "job.sqlite"
    store = JobStore(path)
    store.begin(SPOT)
    store.add(told)
    store.close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE state SET value = ? WHERE name = ?", [value, name])
    db.close()

    with pytest.raises(UnreadableJob):
        store.begin()
    assert store.begin(SPOT) is None and (tmp_path / "job.broken.sqlite").exists()


def test_rooms_are_refused_where_no_map_is_known(tmp_path):
    with pytest.raises(JobError, match="no map of a finished job is known"):
        build(RobotConfig(), background=lambda name: SteppedBackground(1), job=parse("rooms = [1]", "job.toml"))


@pytest.mark.parametrize("text", ["rooms = [1]", "on_saved_map = true"])
def test_a_job_that_cannot_be_done_leaves_the_unfinished_one_where_it_is(tmp_path, told, text):
    def start(asked):
        return build(RobotConfig(), background=lambda name: SteppedBackground(1), state_dir=tmp_path, job=asked)

    with pytest.raises(JobError):
        start(parse(text, "job.toml"))
    assert list(tmp_path.iterdir()) == []
    store = JobStore(tmp_path / "job.sqlite")
    store.begin(SPOT)
    store.add(told)
    store.close()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    with pytest.raises(JobError):
        start(parse(text, "job.toml"))

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert start(None).planner.progress().job == SPOT


def test_an_unfinished_job_stays_where_the_one_asked_for_cannot_be_written(tmp_path, told, monkeypatch):
    store = JobStore(tmp_path / "job.sqlite")
    store.begin(SPOT)
    store.add(told)
    store.close()
    monkeypatch.setattr("navigation.job_store._TABLES", ("keyframe (",))

    with pytest.raises(JobStoreError):
        store.begin(TWICE)

    assert JobStore(tmp_path / "job.sqlite").look().progress.job == SPOT
    assert not (tmp_path / "job.replaced.sqlite").exists()


class Interrupted:
    """A robot whose power fails after so many ticks: the program ends, the world goes on."""

    def __init__(self, world, ticks):
        self.world, self.ticks, self.drive = world, ticks, world.drive

    def observations(self):
        for _ in range(self.ticks):
            self.world.tick += 1
            self.world.now_s += 0.1
            yield self.world.observe()
            self.world.move()


class Blind:
    def detect(self, observation):
        return None


def test_a_spot_cut_short_is_finished_as_a_spot_and_ends_where_it_began(tmp_path):
    start = Pose2D(0.5, 0.5, 0.2)
    world = FlatWorld((0, 0, 2.3, 1.7), start=start, seed=3)
    for asked, ticks in ((SPOT, 190), (None, 60), (SPOT, 4000)):
        stages = build(
            RobotConfig(), background=lambda name: SteppedBackground(2), state_dir=tmp_path, job=asked,
        )  # fmt: skip
        keeper = stages.keeper
        run(
            Interrupted(world, ticks), stages.localiser, Blind(), stages.room, stages.planner, stages.limit,
            lambda report, keeper=keeper: keeper.on_tick(report.estimate),
        )  # fmt: skip
        assert stages.planner.report().done == (ticks == 4000)

    assert stages.planner.report().homecoming.arrived and stages.room.coverage_ratio() > 0.95
    assert world.pose.distance_m(start) < 0.12
    assert world.score()["coverage"] < 0.75, "the rest of the room was left alone"


def test_a_second_pass_is_gone_on_with_as_the_second(tmp_path, told):
    progress = JobProgress(TWICE, Pose2D(0.1, 0.2, 0.3), 2, len(told.sweeps))
    store = JobStore(tmp_path / "job.sqlite")
    store.begin(TWICE)
    store.add(replace(told, progress=progress))
    store.close()

    stages = build(RobotConfig(), background=lambda name: SteppedBackground(1), state_dir=tmp_path)
    stages.keeper.end(done=False)

    assert len(told.sweeps) and not stages.room.covered().any() and len(stages.room.sweeps(0)) == len(told.sweeps)
    assert stages.planner.progress() == progress


def test_reading_a_finished_job_leaves_nothing_beside_it(tmp_path, told):
    store = JobStore(tmp_path / "job.sqlite")
    store.begin()
    store.add(told)
    store.finish()

    assert len(store.finished().snapshot.keyframes) == len(told.keyframes)
    assert [path.name for path in tmp_path.iterdir()] == ["job.finished.sqlite"]
    (tmp_path / "job.finished.sqlite-wal").write_bytes(b"")  # whoever left it there
    assert store.finished() is not None


def test_a_job_put_aside_has_no_log_of_the_one_before(tmp_path, told):
    store = JobStore(tmp_path / "job.sqlite")
    (tmp_path / "job.finished.sqlite-wal").write_bytes(b"of another")
    store.begin()
    store.add(told)
    store.finish()

    assert not (tmp_path / "job.finished.sqlite-wal").exists()
    assert store.finished() is not None


def test_without_a_finished_job_there_is_no_map(tmp_path, caplog):
    caplog.set_level(logging.WARNING, "navigation.job_store")
    assert JobStore(tmp_path / "job.sqlite").finished() is None and list(tmp_path.iterdir()) == []
    (tmp_path / "job.finished.sqlite").write_text("my shopping list " * 100)
    assert JobStore(tmp_path / "job.sqlite").finished() is None
    assert caplog.text.count("no map of a finished job") == 2
