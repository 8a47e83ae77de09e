"""Reading CARMEN logs, whole and broken."""

import gzip
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navigation.carmen_log import CarmenLogError, LogScan, read_log

GOOD = "FLASER 4 1.0 2.0 3.0 81.83 1.04 2.0 0.5 1.0 2.0 0.5 976052857.337530 nohost 0.1\n"


def read(tmp_path, text, name="log.clf") -> list[LogScan]:
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    return list(read_log(path))


@pytest.mark.parametrize("name", ["log.clf", "log.clf.gz"])
def test_a_scan_is_read_with_its_stamp_bearings_and_laser_pose(tmp_path, name):
    (scan,) = read(tmp_path, "# comment\nPARAM a b\nODOM 1 2 3\n" + GOOD, name)
    assert scan.stamp_s == 976052857.337530
    assert scan.ranges_m.tolist() == [1.0, 2.0, 3.0, 81.83]
    assert scan.first_bearing_rad == -math.pi / 2
    assert scan.step_rad == math.pi / 4
    assert scan.odom_from_laser.x_m == pytest.approx(1.04)
    assert scan.range_max_m < 81


def test_an_odd_number_of_beams_has_both_ends(tmp_path):
    (scan,) = read(tmp_path, "FLASER 181 " + "1.0 " * 181 + "0 0 0 0 0 0 1.0 h 1.0\n")
    assert scan.step_rad == pytest.approx(math.radians(1))


def test_the_laser_keeps_its_mounting_when_laser_poses_were_corrected(tmp_path):
    far = GOOD.replace("1.04 2.0 0.5", "100 200 1.5")
    (scan,) = read(tmp_path, far)
    assert (scan.odom_from_laser.x_m, scan.odom_from_laser.y_m) == (1.0, 2.0)


def test_robotlaser_messages_are_understood(tmp_path):
    line = "ROBOTLASER1 0 -1.5 3.0 1.0 20.0 0.01 0 3 1 2 3 1 7 1 2 .1 1 2 .1 0 0 0 0 0 55.5 host 1.0\n"
    (scan,) = read(tmp_path, line)
    assert scan.stamp_s == 55.5
    assert scan.ranges_m.tolist() == [1, 2, 3]
    assert (scan.first_bearing_rad, scan.step_rad, scan.range_max_m) == (-1.5, 1.0, 20.0)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("FLASER", "the line ends after 0 fields, number of readings expected"),
        ("FLASER many 1 2", "number of readings is 'many', want a number"),
        ("FLASER 3.5 1 2 3", "want a whole number from 0 to 20000"),
        ("FLASER 999999999 1 2 3", "want a whole number from 0 to 20000"),
        ("FLASER 1 1.0 0 0 0 0 0 0 1 h 1", "want 2 or more"),
        ("FLASER 4 1.0 2.0", "4 readings announced, 2 found"),
        ("FLASER 2 1.0 x 0 0 0 0 0 0 1 h 1", "readings is 'x', want a number"),
        ("FLASER 2 1.0 2.0 0 0 0 0 nan 0 1 h 1", "odometry pose y is nan, want a finite number"),
        ("FLASER 2 1.0 2.0 0 0 0 0 0", "odometry pose theta expected"),
    ],
)
def test_a_bad_line_is_named_with_what_was_expected(tmp_path, line, said):
    with pytest.raises(CarmenLogError, match="line 2: FLASER") as caught:
        read(tmp_path, GOOD + line + "\n")
    assert said in str(caught.value)


def test_missing_empty_and_cut_off_files_are_one_line_errors(tmp_path):
    with pytest.raises(CarmenLogError, match="no such file"):
        list(read_log(tmp_path / "none.clf"))
    with pytest.raises(CarmenLogError, match="no FLASER"):
        read(tmp_path, "")
    whole = gzip.compress((GOOD * 5000).encode())
    (tmp_path / "cut.clf.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CarmenLogError, match="after line"):
        list(read_log(tmp_path / "cut.clf.gz"))
    with pytest.raises(CarmenLogError):
        list(read_log(tmp_path))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("log") / "any.clf"
    path.write_bytes(b"FLASER " + data)
    try:
        for scan in read_log(path):
            assert np.ndim(scan.ranges_m) == 1
    except CarmenLogError:
        pass
