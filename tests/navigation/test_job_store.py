"""A job is kept as it goes, and a power cut at any moment costs what was not told yet."""

import json
import math
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from flat_world import FlatWorld
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.geometry import Pose2D
from foundation.robot_config import RobotConfig
from navigation.background import SteppedBackground
from navigation.edge_points import EdgePoint
from navigation.job import WHOLE_FLOOR, JobError, parse
from navigation.job_keeper import EVERY_TICKS, JobKeeper
from navigation.job_store import JobNews, JobStore, JobStoreError, UnreadableJob
from navigation.keyframes import Keyframe, Relation
from navigation.map_handler import Mark
from navigation.robot_loop import run
from navigation.stages import build

CONFIG = RobotConfig()


def keyframe(stamp_s):
    points = np.array([[1.0, 0.5], [2.0, -0.25]], dtype=np.float32)
    return Keyframe(stamp_s, points, np.zeros_like(points), 0.0, True)


def news(first=0, count=2, **changes):
    """Of keyframes `first` and on, a sweep beside each."""
    numbers = range(first, first + count)
    pose = Pose2D(0.1 * (first % 1000), 0.2, 0.3)
    told = JobNews(
        pose,
        [(k, keyframe(float(k))) for k in numbers],
        [(k, Pose2D(0.5 * (k % 1000), 0.0, 0.0)) for k in numbers],
        [(k, Relation(k, k + 1, Pose2D(0.5, 0, 0), np.eye(3) * (k + 1), k > 0)) for k in numbers[:-1]],
        np.array([[k, 0.1, 0.2, 0.3, k > first] for k in numbers], dtype=float),
        first,
        [EdgePoint(4, 1.0, 2.0, 0.03, 0.006, first, (0.5, 0.1), 2.5, pose, 2.5, 2.5, 0.4, {3: 2.0}, 5, True)],
        [Mark(first, (0.2, 0.1), 0.06, "bumper")],
    )
    return replace(told, **changes)


ZONED = parse("no_go = [{corners_map_m = [[2, 0], [3, 0], [3, 1], [2, 1]]}]", "job.toml")


def zoned_job(folder):
    store = JobStore(folder / "job.sqlite")
    store.begin(ZONED)
    store.add(news())
    store.close()
    return folder / "job.sqlite"


def started(folder, job):
    return build(CONFIG, background=lambda name: SteppedBackground(1), state_dir=folder, job=job)


def test_what_was_told_is_read_back(tmp_path):
    store = JobStore(tmp_path / "state" / "job.sqlite")
    assert store.begin() is None
    told = news()
    store.add(told)
    store.close()

    job = JobStore(tmp_path / "state" / "job.sqlite").begin()

    assert job.pose == told.pose and list(job.points) == list(told.points) and list(job.marks) == list(told.marks)
    assert np.array_equal(job.sweeps, told.sweeps)
    assert np.array_equal(job.snapshot.poses, [[0, 0, 0], [0.5, 0, 0]])
    assert [one.stamp_s for one in job.snapshot.keyframes] == [0.0, 1.0]
    assert np.array_equal(job.snapshot.keyframes[0].points_base, keyframe(0).points_base)
    (relation,) = job.snapshot.relations
    assert relation.first_from_second == Pose2D(0.5, 0, 0) and np.array_equal(relation.information, np.eye(3))


def test_news_is_added_to_what_is_there_and_may_be_told_twice(tmp_path):
    store = JobStore(tmp_path / "job.sqlite")
    store.begin()
    store.add(news())
    more = news(first=2, poses=[(k, Pose2D(k, 1.0, 0.0)) for k in range(4)])
    store.add(more)
    store.add(more)
    store.close()

    job = store.begin()

    assert len(job.snapshot.keyframes) == 4 and job.sweeps[:, 0].tolist() == [0, 1, 2, 3]
    assert job.snapshot.poses[:, 1].tolist() == [1.0] * 4, "a corrected graph moves all keyframes"


def test_points_that_changed_take_the_place_of_what_was_told_and_those_gone_go(tmp_path):
    store = JobStore(tmp_path / "job.sqlite")
    store.begin()
    (first,) = news().points
    other, third = replace(first, number=7), replace(first, number=9)
    store.add(news(points=[first, other, third]))
    nearer = replace(other, x_m=1.2, votes={3: 2.0, 5: 1.0})
    store.add(news(points=[nearer], points_gone=[4]))
    store.close()

    assert list(store.begin().points) == [nearer, third]


def test_a_job_of_format_1_is_gone_on_with_and_its_map_read(tmp_path):
    path = tmp_path / "job.sqlite"
    store = JobStore(path)
    store.begin()
    store.add(news())
    store.close()
    with closing(sqlite3.connect(path)) as db, db:
        points = [json.loads(value) for (value,) in db.execute("SELECT value FROM edge_point")]
        db.execute("INSERT INTO state VALUES ('points', ?)", [json.dumps(points)])
        db.execute("DROP TABLE edge_point")
        db.execute("PRAGMA user_version=1")
    shutil.copy(path, tmp_path / "job.finished.sqlite")

    assert list(store.finished().points) == list(news().points)
    assert list(store.begin().points) == list(news().points)
    store.add(news(points=[], points_gone=[4]))
    store.close()
    assert list(store.begin().points) == []


def test_a_finished_job_is_not_gone_on_with_but_stays_on_disk(tmp_path):
    store = JobStore(tmp_path / "job.sqlite")
    store.begin()
    store.add(news())
    store.finish()

    assert store.begin() is None
    assert (tmp_path / "job.finished.sqlite").exists()


@pytest.mark.parametrize("damage", ["text", "cut", "format", "row"])
def test_a_file_that_is_no_job_is_put_aside(tmp_path, damage):
    path = tmp_path / "job.sqlite"
    store = JobStore(path)
    store.begin()
    store.add(news())
    store.close()
    if damage == "text":
        path.write_text("my shopping list, which is long enough to look like a header of something else entirely\n" * 9)
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    else:
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA user_version=99" if damage == "format" else "UPDATE sweep SET keyframe = 7")
        db.close()
    left = path.read_bytes()

    with pytest.raises(UnreadableJob, match="cannot be read"):
        store.begin()
    assert path.read_bytes() == left and not (tmp_path / "job.broken.sqlite").exists()
    assert store.begin(WHOLE_FLOOR) is None
    store.add(news())
    store.close()

    assert (tmp_path / "job.broken.sqlite").read_bytes() == left
    assert store.begin() is not None


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A job with a zone, as bytes."""
    return zoned_job(tmp_path_factory.mktemp("whole")).read_bytes()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_flipped_bit_never_stops_a_start_and_never_moves_a_zone(whole, data):
    told = data.draw(st.sampled_from(np.flatnonzero(np.frombuffer(whole, np.uint8)).tolist()))
    bit = data.draw(st.integers(0, 7))
    damaged = bytearray(whole)
    damaged[told] ^= 1 << bit
    with tempfile.TemporaryDirectory() as folder:
        store = JobStore(Path(folder) / "job.sqlite")
        (Path(folder) / "job.sqlite").write_bytes(damaged)

        try:
            store.begin()
            assert store.job == ZONED
        except UnreadableJob:
            store.begin(ZONED)
        store.close()


@pytest.mark.parametrize("table", ["state SET value", "edge_point SET value"])
def test_text_that_is_not_utf8_is_damage_told_in_one_line(tmp_path, caplog, table):
    path = zoned_job(tmp_path)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"UPDATE {table} = CAST(X'7BFF7D' AS TEXT)")

    with pytest.raises(JobError, match="Could not decode to UTF-8"):
        started(tmp_path, None)
    assert started(tmp_path, ZONED).keeper is not None and (tmp_path / "job.broken.sqlite").exists()


@pytest.mark.parametrize("number", [1e9, math.inf])
@pytest.mark.parametrize("column", ["pose SET x_m", "sweep SET y_m", "relation SET x_m"])
def test_a_place_that_no_floor_has_is_damage(tmp_path, column, number):
    path = zoned_job(tmp_path)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"UPDATE {column} = ?", [number])

    with pytest.raises(UnreadableJob, match="further than 1000"):
        JobStore(path).begin()


def test_a_full_disk_costs_the_news_and_not_the_job(tmp_path):
    store = JobStore(tmp_path / "job.sqlite")
    store.begin()
    store.add(news())
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count={pages}")  # SQLite's own way to be out of space
    huge = replace(keyframe(2.0), points_base=np.zeros((9000, 2), np.float32))

    with pytest.raises(JobStoreError, match="the job is not kept"):
        store.add(news(first=2, keyframes=[(2, huge), (3, huge)]))
    store.close()

    assert len(store.begin().snapshot.keyframes) == 2


@pytest.mark.parametrize("after_s", [0.15, 0.4, 0.7])
def test_a_killed_writer_leaves_whole_transactions(tmp_path, after_s):
    """SIGKILL at some moment of a process that does nothing but write."""
    program = """
        import sys; sys.path[:0] = sys.argv[2:]
        from pathlib import Path
        from test_job_store import JobStore, news
        store = JobStore(Path(sys.argv[1])); store.begin()
        print("ready", flush=True)
        for k in range(0, 100000, 2):
            store.add(news(first=k))
    """
    here = os.path.dirname(__file__)
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "job.sqlite"), here, *sys.path],
        stdout=subprocess.PIPE,
    )
    writer.stdout.readline()
    time.sleep(after_s)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()

    job = JobStore(tmp_path / "job.sqlite").begin()

    assert len(job.snapshot.keyframes) == len(job.sweeps) > 0 and len(job.sweeps) % 2 == 0
    assert job.marks[0].keyframe == len(job.sweeps) - 2


# the whole robot


class Interrupted:
    """A robot whose power fails after so many ticks: the program ends, the world goes on."""

    def __init__(self, world, ticks):
        self.world, self.ticks = world, ticks

    def observations(self):
        for _ in range(self.ticks):
            self.world.tick += 1
            self.world.now_s += 0.1
            yield self.world.observe()
            self.world.move()

    def drive(self, command):
        self.world.drive(command)


class Detects:
    def __init__(self, world):
        self.world = world

    def detect(self, observation):
        return self.world.detect(observation)


def part(world, state, ticks):
    """One life of the program: nothing survives it but what lies in `state`."""
    stages = build(CONFIG, background=lambda name: SteppedBackground(2), state_dir=state)
    robot = Interrupted(world, ticks)
    before_m2, poses = stages.room.covered_m2(), []

    def on_tick(tick):
        poses.append(tick.estimate.map_from_base)
        stages.keeper.on_tick(tick.estimate)

    run(robot, stages.localiser, Detects(world), stages.room, stages.planner, stages.limit, on_tick)
    done = stages.planner.report().done
    if done:
        stages.keeper.end(done)
    return stages, before_m2, poses


@pytest.mark.slow
def test_a_job_cut_short_again_and_again_is_finished_without_beginning_anew(tmp_path):
    start = Pose2D(0.5, 0.5, 0.2)
    world = FlatWorld((0, 0, 1.9, 1.5), (), [(1.3, 0.8, 0.04)], start, seed=3)
    swept_m2 = 0.0
    for ticks in (300, 173, 211, 5000):
        stages, known_m2, poses = part(world, tmp_path, ticks)
        assert known_m2 > swept_m2 - 0.12, "a second's floor at most"
        swept_m2 = stages.room.covered_m2()
        if stages.planner.report().done:
            break

    assert stages.planner.report().done
    score = world.score()
    assert score["coverage"] > 0.95 and score["collisions"] == 0 and score["hits"] == 0
    assert not (tmp_path / "job.sqlite").exists() and (tmp_path / "job.finished.sqlite").exists()
    assert (start.inverse() @ world.pose).distance_m(poses[-1]) < 0.03  # told in the first life's frame


def test_a_store_that_cannot_write_is_said_once_and_caught_up_with(tmp_path, caplog):
    store = JobStore(tmp_path / "job.sqlite")
    store.begin()
    world = FlatWorld((0, 0, 2.4, 1.8), (), (), Pose2D(0.5, 0.5, 0.0))
    stages = build(CONFIG, background=lambda name: SteppedBackground(2))
    keeper = JobKeeper(store, SteppedBackground(1), stages.localiser, stages.room, None)
    full, real_add = [True], store.add

    def add(told):
        if full[0]:
            raise JobStoreError("job.sqlite: the job is not kept: database or disk is full")
        real_add(told)

    store.add = add
    for tick in range(6 * EVERY_TICKS):
        full[0] = tick < 3 * EVERY_TICKS
        observation = world.observe()
        estimate = stages.localiser.update(observation)
        stages.room.integrate(estimate, observation, None, world.coming)
        keeper.on_tick(estimate)
        world.now_s += 0.1
    store.close()

    assert [record.message for record in caplog.records] == [
        "job.sqlite: the job is not kept: database or disk is full"
    ]
    assert len(store.begin().sweeps) == len(stages.room.sweeps(0)) > 0


def test_the_store_is_told_only_of_points_that_changed_and_of_those_gone(tmp_path, monkeypatch):
    world = FlatWorld((0, 0, 2.4, 1.8), (), (), Pose2D(0.5, 0.5, 0.0))
    stages = build(CONFIG, background=lambda name: SteppedBackground(2))
    store, told = JobStore(tmp_path / "job.sqlite"), []
    store.begin()
    store.add = told.append
    keeper = JobKeeper(store, SteppedBackground(1), stages.localiser, stages.room, None)
    points = [replace(news().points[0], number=number, votes={3: 2.0}) for number in range(3)]
    monkeypatch.setattr(stages.room, "edge_points", lambda: list(points))

    def a_second():
        for _ in range(EVERY_TICKS):
            observation = world.observe()
            keeper.on_tick(stages.localiser.update(observation))
            world.now_s += 0.1

    a_second()
    a_second()
    points[1].votes[5] = 1.0
    del points[0]
    a_second()
    a_second()

    assert [[one.number for one in one.points] for one in told] == [[0, 1, 2], [], [1], []]
    assert [list(one.points_gone) for one in told] == [[], [], [0], []]
    assert told[2].points[0].votes == {3: 2.0, 5: 1.0} and told[0].points[1].votes == {3: 2.0}


def test_a_job_that_another_program_holds_is_left_alone_and_only_a_job_given_is_done_unkept(tmp_path, caplog):
    path = zoned_job(tmp_path)
    with closing(sqlite3.connect(path)) as holder:
        holder.execute("PRAGMA locking_mode=EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")

        with pytest.raises(JobError, match=r"job\.sqlite: .*locked; .* give a job with --job, or move the file away"):
            started(tmp_path, None)
        stages = started(tmp_path, ZONED)
        holder.rollback()

    assert stages.keeper is None and "locked" in caplog.text
    assert stages.room.zone_at(2.5, 0.5) is not None
    assert not (tmp_path / "job.broken.sqlite").exists() and started(tmp_path, None).room.zone_at(2.5, 0.5) is not None


def test_a_job_with_zones_is_never_taken_for_the_whole_floor_whatever_is_left_of_its_file(tmp_path):
    path = zoned_job(tmp_path)
    whole = path.read_bytes()
    sizes = [0, 1, 99, 100, 511, 512, *range(4096, len(whole), 4096), len(whole) - 1]
    for size in sizes:
        path.write_bytes(whole[:size])
        store = JobStore(path)
        with pytest.raises(UnreadableJob):
            store.begin()
        assert path.read_bytes() == whole[:size]
    with pytest.raises(JobError, match="its no-go zones are not known"):
        started(tmp_path, None)

    stages = started(tmp_path, ZONED)

    assert stages.keeper is not None and (tmp_path / "job.broken.sqlite").read_bytes() == whole[: sizes[-1]]


def test_a_job_whose_first_transactions_are_lost_is_still_that_job(tmp_path):
    store = JobStore(tmp_path / "job.sqlite")
    store.begin(ZONED)
    store.add(news())
    torn = tmp_path / "torn"
    torn.mkdir()
    shutil.copy(tmp_path / "job.sqlite", torn)  # and not its log
    store.close()

    again = JobStore(torn / "job.sqlite")

    assert again.begin() is None and again.job == ZONED


def test_a_job_in_a_folder_that_cannot_be_looked_into_is_not_forgotten(tmp_path):
    (tmp_path / "state").symlink_to("state")

    with pytest.raises(JobError, match="cannot be read"):
        started(tmp_path / "state", None)


def test_a_folder_that_cannot_be_made_is_said(tmp_path, caplog):
    (tmp_path / "state").write_text("a file")

    assert build(CONFIG, background=lambda name: SteppedBackground(1), state_dir=tmp_path / "state").keeper is None
    assert "the job is not kept" in caplog.text


def test_without_a_folder_nothing_is_kept():
    assert build(CONFIG, background=lambda name: SteppedBackground(1)).keeper is None
