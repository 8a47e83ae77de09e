"""An unfinished job on disk: the map, the swept floor, small things, marks and the last pose, as they come.

In: what the robot is asked to do, and now and then what is new (`JobNews`). Out: after a power cut at any moment all
that was told up to the last transaction (`SavedJob`), or None when no job is unfinished. The file is SQLite's, in WAL
mode: a transaction stands whole or not at all, and costs what it adds. A file that is no job, or another one than is
asked for, is put aside with its reason, never overwritten; and when no job is asked for, one that cannot be read is
left where it is and refused (`UnreadableJob`): nobody knows what floor it forbids.
"""

import json
import logging
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from foundation.atomic_files import fsync_folder
from foundation.errors import OxturnError
from foundation.geometry import FloatArray, Pose2D
from navigation.edge_points import EdgePoint
from navigation.job import Job, JobProgress
from navigation.keyframes import Keyframe, Relation, Snapshot
from navigation.map_handler import Mark

logger = logging.getLogger(__name__)
FORMAT: Final = 2  # 1 kept all edge points as one row of state
_BROKEN: Final = ("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_ERROR")  # other faults are the disk's or another program's
_NO_JOB: Final = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError)
_FAR_M: Final = 1000.0
_STATE: Final = ("job", "pose", "marks", "progress", "points")
_TABLES: Final = (
    "keyframe (id INTEGER PRIMARY KEY, stamp_s REAL, points BLOB, origins BLOB, full_turn INTEGER)",
    "pose (keyframe INTEGER PRIMARY KEY, x_m REAL, y_m REAL, heading_rad REAL)",
    "relation (id INTEGER PRIMARY KEY, first INTEGER, second INTEGER, x_m REAL, y_m REAL, heading_rad REAL,"
    " information BLOB, loop INTEGER)",
    "sweep (id INTEGER PRIMARY KEY, keyframe INTEGER, x_m REAL, y_m REAL, heading_rad REAL, joined INTEGER)",
    "state (name TEXT PRIMARY KEY, value TEXT)",
    "edge_point (number INTEGER PRIMARY KEY, value TEXT)",
)


_NOT_BEGUN: Final = JobProgress()


class JobStoreError(OxturnError):
    """The job cannot be kept: which file, why."""


class UnreadableJob(JobStoreError):
    """What is to be done lies in a file that cannot be read."""


@dataclass(frozen=True, slots=True)
class JobNews:
    """What a store has not been told yet. Rows carry their place in the whole, so that telling twice does no harm."""

    pose: Pose2D  # map_from_base
    keyframes: Sequence[tuple[int, Keyframe]]
    poses: Sequence[tuple[int, Pose2D]]  # map_from_keyframe: of new keyframes, of all after a corrected graph
    relations: Sequence[tuple[int, Relation]]
    sweeps: FloatArray  # (N, 5): keyframe, x, y, heading in its frame, joined with the one before
    first_sweep: int
    points: Sequence[EdgePoint]  # new ones, and those that changed
    marks: Sequence[Mark]  # all of them
    progress: JobProgress = _NOT_BEGUN
    points_gone: Sequence[int] = ()  # numbers


@dataclass(frozen=True, slots=True)
class SavedJob:
    """Where a killed job stood."""

    pose: Pose2D  # map_from_base, when it was last sure
    snapshot: Snapshot
    sweeps: FloatArray  # (N, 5), as in JobNews
    points: Sequence[EdgePoint]
    marks: Sequence[Mark]
    progress: JobProgress = _NOT_BEGUN


class JobStore:
    """One job's file; after `look`, `job` is what is to be done. Calls may come from several threads, in turn."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.job = _NOT_BEGUN.job
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._in_the_way: tuple[str, str] | None = None  # a file to be put aside: what for, why

    def begin(self, asked: Job | None = None) -> SavedJob | None:
        """`look` and `start` at once."""
        known = self.look(asked)
        self.start()
        return known

    def look(self, asked: Job | None = None) -> SavedJob | None:
        """The unfinished job, to go on with; None for a new job. Changes nothing on disk: it may turn out impossible.

        None asks for whatever is unfinished, and without any for the whole floor. Raises JobStoreError when the file
        cannot be opened, UnreadableJob when none is asked for and the one that is there cannot be read.
        """
        self.job, self._in_the_way = asked or _NOT_BEGUN.job, None
        with self._told():
            there = _may_be_there(self._path)
            try:
                return self._unfinished(asked) if there else None
            except _Other as other:
                self._in_the_way = "replaced", f"another job is asked for, the unfinished one is put aside: {other}"
            except (sqlite3.Error, OSError, *_NO_JOB) as error:
                if asked is None:
                    raise UnreadableJob(f"{self._path}: the unfinished job cannot be read: {error}") from error
                if not _is_broken(error):
                    raise
                self._in_the_way = "broken", f"no job that can be gone on with, put aside: {error}"
            return None

    def start(self) -> None:
        """What was looked for is kept from now on; what is in its way is put aside, and that is said.

        Raises JobStoreError when it cannot be kept; an unfinished job is then still where it was.
        """
        with self._told():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._in_the_way is not None or not _may_be_there(self._path):
                new = self._written(self.job)
                if self._in_the_way is not None:
                    why, reason = self._in_the_way
                    logger.warning("%s: %s", self._path, reason)
                    self._put_aside(why)
                    self._in_the_way = None
                for end in ("-wal", "-shm"):
                    self._path.with_name(self._path.name + end).unlink(missing_ok=True)  # of another file
                new.replace(self._path)
                fsync_folder(self._path.parent)
            self._open()

    def add(self, news: JobNews) -> None:
        """One transaction; raises JobStoreError, and then nothing of it is kept."""
        with self._lock, self._told(), self._database() as db:
            db.executemany(
                "INSERT OR REPLACE INTO keyframe VALUES (?, ?, ?, ?, ?)",
                [
                    (k, one.stamp_s, one.points_base.tobytes(), one.origins_base.tobytes(), int(one.full_turn))
                    for k, one in news.keyframes
                ],
            )
            db.executemany(
                "INSERT OR REPLACE INTO pose VALUES (?, ?, ?, ?)",
                [(k, one.x_m, one.y_m, one.heading_rad) for k, one in news.poses],
            )
            db.executemany(
                "INSERT OR REPLACE INTO relation VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(k, one.first, one.second, *_numbers(one.first_from_second),
                  np.asarray(one.information, dtype=np.float64).tobytes(), int(one.loop)) for k, one in news.relations],
            )  # fmt: skip
            db.executemany(
                "INSERT OR REPLACE INTO sweep VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (news.first_sweep + k, int(row[0]), *row[1:4], int(row[4]))
                    for k, row in enumerate(news.sweeps.tolist())
                ],
            )
            db.executemany("DELETE FROM edge_point WHERE number = ?", [(number,) for number in news.points_gone])
            db.executemany(
                "INSERT OR REPLACE INTO edge_point VALUES (?, ?)",
                [(one.number, json.dumps(asdict(one))) for one in news.points],
            )
            told = {
                "pose": _numbers(news.pose),
                "marks": [asdict(one) for one in news.marks],
                "progress": _told_of(news.progress),
            }
            db.executemany(
                "INSERT OR REPLACE INTO state VALUES (?, ?)",
                [(name, json.dumps(value)) for name, value in told.items()],
            )

    def finish(self) -> None:
        """The job is done: the next `begin` starts a new one. The file of this one stays beside it.

        One that saw part of the floor only, on a map of its own, does not take the place of a whole one.
        """
        with self._lock, self._told():
            self.close()
            self._put_aside("finished" if self.job.whole_floor or self.job.needs_map else "part")

    def finished(self) -> SavedJob | None:
        """The last finished job, whose map is known; None when there is none that can be read."""
        path = self._aside("finished")
        try:
            # closed cleanly it has no log beside it, and reading must leave none there for the next job's file
            how = "mode=rw" if path.with_name(path.name + "-wal").exists() else "mode=ro&immutable=1"
            with closing(sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True)) as db:
                return _read(db, Job())
        except (sqlite3.Error, *_NO_JOB) as error:
            logger.warning("%s: no map of a finished job: %s", path, error)
            return None

    def close(self) -> None:
        """Nothing is lost; `begin` goes on from here."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _unfinished(self, asked: Job | None) -> SavedJob | None:
        """What lies there; raises _Other when it is another job than the one asked for."""
        with closing(sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=rw", timeout=1.0, uri=True)) as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version not in (1, FORMAT):
                raise ValueError(f"format {version}, want {FORMAT}")
            found = _job_of(db)
            if asked is not None and asked != found:
                raise _Other(found.name or found.model_dump_json(exclude_defaults=True))
            self.job = found
            return _read(db, found)

    def _open(self) -> None:
        self._db = sqlite3.connect(self._path, timeout=1.0, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        with self._database() as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version == 1:
                _bring_up(db)

    def _written(self, job: Job) -> Path:
        """A new job's file, to take its name with the job in it: no start that was cut short leaves one without."""
        new = self._aside("new")
        for end in ("-journal", ""):
            new.with_name(new.name + end).unlink(missing_ok=True)
        with closing(sqlite3.connect(new)) as db, db:
            db.execute("BEGIN")
            for table in _TABLES:
                db.execute(f"CREATE TABLE {table}")
            db.execute("INSERT INTO state VALUES ('job', ?)", [text := job.model_dump_json()])
            db.execute(f"PRAGMA application_id={_check_of(text)}")
            db.execute(f"PRAGMA user_version={FORMAT}")
        return new

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """Inside is one transaction."""
        if self._db is None:
            raise JobStoreError(f"{self._path}: closed")
        with self._db:
            yield self._db

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise JobStoreError(f"{self._path}: the job is not kept: {error}") from error

    def _aside(self, why: str) -> Path:
        return self._path.with_suffix(f".{why}{self._path.suffix}")

    def _put_aside(self, why: str) -> None:
        """The newest of each kind stays as `job.WHY.sqlite`."""
        aside = self._aside(why)
        for end in ("-wal", "-shm", ""):
            part, place = self._path.with_name(self._path.name + end), aside.with_name(aside.name + end)
            if part.exists():
                part.replace(place)
            else:
                place.unlink(missing_ok=True)  # a log of the one before is none of this one's


def _may_be_there(path: Path) -> bool:
    """A folder that may not be looked into may hold one."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _job_of(db: sqlite3.Connection) -> Job:
    """As it was written, to the bit: a zone's corner must not move. Files from before jobs had zones have none."""
    found = db.execute("SELECT value FROM state WHERE name = 'job'").fetchone()
    text = found[0] if found else ""
    (check,) = db.execute("PRAGMA application_id").fetchone()
    if check not in (0, _check_of(text)):  # 0: written before there was one
        raise ValueError("the job in it is not the one that was written")
    return Job.model_validate_json(text) if found else _NOT_BEGUN.job


def _check_of(text: str) -> int:
    """Above 0 and a signed 32-bit number, as SQLite's header holds it."""
    return zlib.crc32(text.encode()) & 0x7FFFFFFF | 1


def _is_broken(error: Exception) -> bool:
    """The file's content is at fault; text that is not UTF-8 is an error of the sqlite3 module, without a name."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorname", None) in (None, *_BROKEN)
    return not isinstance(error, OSError)


def _bring_up(db: sqlite3.Connection) -> None:
    """A file of format 1 becomes one of format 2; cut short, it is done again at the next start."""
    db.execute(f"CREATE TABLE IF NOT EXISTS {_TABLES[-1]}")
    db.executemany(
        "INSERT OR REPLACE INTO edge_point VALUES (?, ?)", [(k, json.dumps(one)) for k, one in _points(db, 1)]
    )
    db.execute("DELETE FROM state WHERE name = 'points'")
    db.execute(f"PRAGMA user_version={FORMAT}")


def _points(db: sqlite3.Connection, version: int) -> list[tuple[int, dict[str, Any]]]:
    """Edge points as they were told, with their numbers."""
    if version == 1:
        rows = db.execute("SELECT value FROM state WHERE name = 'points'").fetchall()
        return [(one["number"], one) for (value,) in rows for one in json.loads(value)]
    return [(k, json.loads(one)) for k, one in db.execute("SELECT number, value FROM edge_point ORDER BY number")]


class _Other(Exception):
    """The unfinished job is not the one asked for."""


def _read(db: sqlite3.Connection, job: Job) -> SavedJob | None:
    """None when nothing but tables was written."""
    state = {name: json.loads(value) for name, value in db.execute("SELECT name, value FROM state")}
    if not state.keys() <= set(_STATE):
        raise ValueError(f"state of {sorted(state)}, want some of {', '.join(_STATE)}")
    poses = np.array(db.execute("SELECT x_m, y_m, heading_rad FROM pose ORDER BY keyframe").fetchall(), np.float64)
    poses = poses.reshape(-1, 3)
    keyframes = [
        _keyframe(*row) for row in db.execute("SELECT stamp_s, points, origins, full_turn FROM keyframe ORDER BY id")
    ]
    relations = [
        _relation(*row)
        for row in db.execute(
            "SELECT first, second, x_m, y_m, heading_rad, information, loop FROM relation ORDER BY id"
        )
    ]
    rows = db.execute("SELECT keyframe, x_m, y_m, heading_rad, joined FROM sweep ORDER BY id").fetchall()
    if "pose" not in state or not keyframes:
        return None
    if len(poses) != len(keyframes):
        raise ValueError(f"{len(poses)} poses of {len(keyframes)} keyframes")
    sweeps = np.array(rows, dtype=np.float64).reshape(-1, 5)
    (version,) = db.execute("PRAGMA user_version").fetchone()
    points = [_edge_point(**one) for _, one in _points(db, version)]
    marks = [Mark(**{**one, "keyframe_point": tuple(one["keyframe_point"])}) for one in state["marks"]]
    told = [*sweeps[:, 0], *(one.keyframe for one in points), *(one.keyframe for one in marks)]
    told += [k for one in relations for k in (one.first, one.second)]
    if any(not 0 <= k < len(keyframes) for k in told):
        raise ValueError("something lies beside a keyframe that is not there")
    places = [state["pose"], poses, sweeps[:, 1:], *(_numbers(one.first_from_second) for one in relations)]
    if not all(_near(np.asarray(place, np.float64)) for place in places):
        raise ValueError(f"a place lies further than {_FAR_M} m off")
    progress = _progress(job, **state.get("progress", {}))
    if not 0 <= progress.pass_begins_at <= len(sweeps):
        raise ValueError(f"the pass begins at sweep {progress.pass_begins_at} of {len(sweeps)}")
    return SavedJob(Pose2D(*state["pose"]), Snapshot(keyframes, poses, relations), sweeps, points, marks, progress)


def _keyframe(stamp_s: float, points: bytes, origins: bytes, full_turn: int) -> Keyframe:
    """As of another drive: where its scan was taken says nothing of how far this one has gone."""
    ends, starts = (np.frombuffer(one, dtype=np.float32).reshape(-1, 2).copy() for one in (points, origins))
    if not (_near(ends) and _near(starts)):
        raise ValueError(f"a keyframe's point lies further than {_FAR_M} m off")
    return Keyframe(stamp_s, ends, starts, -np.inf, bool(full_turn))


def _near(numbers: NDArray[np.floating[Any]]) -> bool:
    """Bits that flipped make numbers that no floor has, and grids that no memory holds."""
    return bool((np.abs(numbers) <= _FAR_M).all())


def _relation(first: int, second: int, x_m: float, y_m: float, heading_rad: float, info: bytes, loop: int) -> Relation:
    information = np.frombuffer(info, dtype=np.float64).reshape(3, 3).copy()
    return Relation(first, second, Pose2D(x_m, y_m, heading_rad), information, bool(loop))


def _edge_point(**told: Any) -> EdgePoint:
    view, votes = Pose2D(**told["view"]), {int(number): votes for number, votes in told["votes"].items()}
    return EdgePoint(**{**told, "keyframe_point": tuple(told["keyframe_point"]), "view": view, "votes": votes})


def _told_of(progress: JobProgress) -> dict[str, Any]:
    home = None if progress.home is None else _numbers(progress.home)
    return {"home": home, "pass_number": progress.pass_number, "pass_begins_at": progress.pass_begins_at}


def _progress(job: Job, *, home: Sequence[float] | None = None, **told: int) -> JobProgress:
    return JobProgress(job, None if home is None else Pose2D(*home), **told)


def _numbers(pose: Pose2D) -> tuple[float, float, float]:
    return pose.x_m, pose.y_m, pose.heading_rad
