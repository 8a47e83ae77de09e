"""A log, its trajectory and its map become one recording that other tools read."""

import math
from pathlib import Path

import numpy as np
import pytest
from mcap_reading import messages

from foundation.geometry import Pose2D
from foundation.progress import silent
from monitoring.errors import MonitoringError
from monitoring.log_recording import record
from navigation.grid_geometry import GridGeometry
from navigation.ros_map import write_map
from navigation.trajectory_files import TrajectoryError, read_tum, write_tum

STAMPS_S = np.array([10.0, 10.2, 10.1])  # logs' stamps jump
POSES = np.array([(0.0, 0.0, 0.0), (0.5, -0.25, 1.0), (0.75, -0.25, -3.0)])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    values = " ".join(["1.00"] * 180)
    path = tmp_path / "room.clf"
    path.write_text("".join(f"FLASER 180 {values} 0 0 0 0 0 0 {stamp:.6f} nohost 0\n" for stamp in STAMPS_S))
    return path


def test_scans_poses_and_map_read_back(tmp_path, log):
    write_tum(tmp_path / "t.tum", STAMPS_S, POSES)
    write_map(tmp_path, "map", np.zeros((4, 6), np.int8), GridGeometry(-1.0, 2.0, 0.05, 4, 6))

    count = record(log, tmp_path / "t.tum", tmp_path / "out", map_yaml=tmp_path / "map.yaml", progress=silent)

    [path] = (tmp_path / "out").iterdir()
    told = list(messages(path))
    transforms = [message for topic, _, message in told if topic == "/tf"]
    turned = transforms[2].transforms[0]  # in the order of stamps
    assert count == 3
    assert sum(topic == "/scan" for topic, _, _ in told) == 3
    assert (turned.parent_frame_id, turned.child_frame_id) == ("map", "base_link")
    assert (turned.translation.x, turned.translation.y) == (0.5, -0.25)
    assert turned.rotation.z == pytest.approx(math.sin(0.5))
    [grid] = [message for topic, _, message in told if topic == "/map"]
    assert (grid.column_count, grid.pose.position.x) == (6, -1.0)


def test_a_trajectory_of_another_log_is_refused_before_anything_is_written(tmp_path, log):
    write_tum(tmp_path / "t.tum", STAMPS_S[:2], POSES[:2])

    with pytest.raises(MonitoringError, match=r"2 poses.*3 scans"):
        record(log, tmp_path / "t.tum", tmp_path / "out", map_yaml=None, progress=silent)

    assert not (tmp_path / "out").exists()


def test_trajectories_read_back(tmp_path):
    write_tum(tmp_path / "t.tum", STAMPS_S, POSES)

    stamps_s, poses = read_tum(tmp_path / "t.tum")

    assert stamps_s.tolist() == STAMPS_S.tolist()
    assert np.allclose(poses, POSES, atol=1e-6)
    heading = Pose2D(*poses[2]).heading_rad
    assert heading == pytest.approx(-3.0, abs=1e-6)


@pytest.mark.parametrize("line", ["1 2 3", "a b c d e f g h", "nan 0 0 0 0 0 0 1", "1 2 3 4 5 6 7 8 9"])
def test_a_bad_row_is_named(tmp_path, line):
    (tmp_path / "t.tum").write_text(f"0 0 0 0 0 0 0 1\n{line}\n")

    with pytest.raises(TrajectoryError, match="line 2"):
        read_tum(tmp_path / "t.tum")
