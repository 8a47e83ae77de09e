"""`oxturn slam` on a small synthetic log: files, columns, repeatability; the public logs where they are present."""

import json
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from drive_scans import ROOM, drive, ranges_to
from typer.testing import CliRunner

import oxturn.cli
from foundation.errors import OutFolderError
from foundation.geometry import Pose2D
from navigation.carmen_log import read_log
from navigation.log_replay import replay
from navigation.reference_relations import relation_errors
from navigation.slam import SlamSettings
from navigation.slam_command import run_slam

DATA = Path(os.environ.get("OXTURN_REFERENCE_DATA", "../shared/data")) / "lidar_logs"
GOLDEN = Path(__file__).with_name("golden_room_replay.json")
BARS = {"intel": (0.020, 0.30), "fr079": (0.042, 0.46)}


def write_log(path: Path, scans: int = 120) -> list[Pose2D]:
    """A drive through the room as a CARMEN log whose odometry is 2 % long; the true poses."""
    rng = np.random.default_rng(1)
    truth, lines = [], []
    odom, last = Pose2D(0, 0, 0), None
    for number, (true, _) in zip(range(scans * 2), drive(scans=False)):
        step = Pose2D(0, 0, 0) if last is None else last.inverse() @ true
        odom, last = odom @ Pose2D(1.02 * step.x_m, step.y_m, step.heading_rad), true
        if number % 2:
            continue
        bearings = true.heading_rad - np.pi / 2 + np.pi / 180 * np.arange(180)
        ranges = ranges_to(ROOM, true.x_m, true.y_m, bearings) + rng.normal(0, 0.01, 180)
        pose = f"{odom.x_m:.6f} {odom.y_m:.6f} {odom.heading_rad:.6f}"
        values = " ".join(f"{r:.3f}" for r in ranges)
        lines.append(f"FLASER 180 {values} {pose} {pose} {100 + 0.2 * number:.6f} nohost 0\n")
        truth.append(true)
    path.write_text("".join(lines))
    return truth


def run(*arguments):
    app = oxturn.cli.app
    if not app.registered_commands:
        oxturn.cli.mount()
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_map_takes_nobodys_folder(tmp_path):
    write_log(tmp_path / "room.clf")
    (tmp_path / "map").mkdir()
    (tmp_path / "map" / "thesis.tex").write_text("years of work")

    with pytest.raises(OutFolderError, match=r"thesis\.tex"):
        run_slam(tmp_path / "room.clf", tmp_path / "t.tum", online_out=None, map_out=tmp_path / "map",
                   range_max_m=None, progress=lambda *_, **__: None)  # fmt: skip

    assert [path.name for path in (tmp_path / "map").iterdir()] == ["thesis.tex"]
    assert not (tmp_path / "t.tum").exists()


def test_the_verb_writes_a_row_per_scan_and_says_what_it_cost(tmp_path):
    truth = write_log(tmp_path / "room.clf")
    told = run(
        "slam", tmp_path / "room.clf", "--out", tmp_path / "t.tum", "--online-out", tmp_path / "o.tum",
        "--map-out", tmp_path / "map", "--json",
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    report = json.loads(told.stdout)
    assert report["scans"] == len(truth)
    assert {"scan_ms_p50", "scan_ms_p99", "scan_ms_max", "blocked_ms_max", "rss_mb", "rss_above_imports_mb"} <= set(
        report
    )
    for name in ("t.tum", "o.tum"):
        rows = np.loadtxt(tmp_path / name)
        assert rows.shape == (len(truth), 8)
        assert rows[3, 0] == pytest.approx(101.2)
        first = truth[0].inverse()
        wanted = np.array([((first @ true).x_m, (first @ true).y_m) for true in truth])
        assert np.linalg.norm(rows[:, 1:3] - wanted, axis=1).max() < 0.03
    assert {path.name for path in (tmp_path / "map").iterdir()} == {
        "map.yaml", "map.pgm", "map.png", "graph.g2o", "trajectory.tum",
    }  # fmt: skip
    assert (tmp_path / "map" / "graph.g2o").read_text().startswith("VERTEX_SE2 0 0.000000 0.000000")


def test_equal_logs_give_equal_trajectories(tmp_path):
    write_log(tmp_path / "room.clf", 60)
    first, second = (replay(read_log(tmp_path / "room.clf"), SlamSettings(), range_max_m=8.0) for _ in range(2))
    assert np.array_equal(first.final, second.final)
    assert np.array_equal(first.online, second.online)


def test_a_drive_through_a_room_maps_as_it_did():
    """The golden replay: a change of the matcher or the graph that moves a pose by over a millimetre shows here.

    `python tests/navigation/test_log_replay.py` writes it anew, after the figures of benchmarks/slam.py were looked at.
    """
    golden = json.loads(GOLDEN.read_text())

    told = golden_replay()

    assert told["keyframes"] == golden["keyframes"]
    for name in ("online", "final"):
        assert np.allclose(told[name], golden[name], atol=0.0011), name


def golden_replay():
    with tempfile.TemporaryDirectory() as folder:
        write_log(Path(folder, "room.clf"), 90)
        done = replay(read_log(Path(folder, "room.clf")), SlamSettings(), range_max_m=8.0)
    return {
        "keyframes": len(done.slam.snapshot().keyframes),
        "online": done.online[::5].round(4).tolist(),
        "final": done.final[::5].round(4).tolist(),
    }


def test_a_broken_log_writes_nothing(tmp_path):
    write_log(tmp_path / "room.clf", 10)
    with (tmp_path / "room.clf").open("a") as file:
        file.write("FLASER 180 1.0\n")
    told = run("slam", tmp_path / "room.clf", "--out", tmp_path / "t.tum")
    assert told.exit_code != 0
    assert "line 11" in str(told.exception)
    assert not (tmp_path / "t.tum").exists()


@pytest.mark.slow
@pytest.mark.skipif(not DATA.exists(), reason=f"no public logs in {DATA}")
@pytest.mark.parametrize("name", ["intel", "fr079"])
def test_public_logs_stay_under_their_bars(name):
    done = replay(read_log(DATA / f"{name}.clf.gz"), SlamSettings(), range_max_m=80.0)
    relations = DATA / f"{name}.relations"
    metres, degrees = relation_errors(done.stamps_s, done.final, relations)
    assert len(metres) == len(np.loadtxt(relations, comments="#"))  # every relation has both of its poses
    assert metres.mean() <= BARS[name][0]
    assert degrees.mean() <= BARS[name][1]
    assert metres.max() <= 0.5


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(golden_replay(), indent=1) + "\n")
