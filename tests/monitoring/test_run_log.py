import io
import logging
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from fake_ticks import detections, frame, scan, tick
from mcap.records import Message
from mcap_reading import messages, records

from foundation.geometry import Pose2D
from foundation.robot_config import Camera, Lidar
from monitoring.errors import MonitoringError
from monitoring.run_log import RunLog, RunLogHandler, RunLogSettings, _GuardedSink
from navigation.grid_geometry import GridGeometry
from navigation.robot_loop import TickReport


def run_log(folder, epoch_s=0.0, **settings):
    return RunLog(folder, Lidar(x_m=0.02, yaw_rad=0.1), Camera(), RunLogSettings(**settings), epoch_s=epoch_s)


def by_topic(path):
    found = {}
    for topic, stamp_s, message in messages(path):
        found.setdefault(topic, []).append((stamp_s, message))
    return found


def test_a_run_reads_back_with_foxglove_schemas(tmp_path):
    geometry = GridGeometry(-1.0, -0.5, 0.05, 2, 3)
    cells = np.array([[0, 100, -1], [0, 0, 0]], dtype=np.int8)
    with run_log(tmp_path, epoch_s=1000.0, frame_every=1) as log:
        log.on_tick(tick(0.5, x_m=1.0, y_m=2.0, heading_rad=math.pi / 2, seen=detections(0.4, (0.5, 0.1))))
        log.on_map(cells, geometry)
        log.on_plan([Pose2D(0, 0, 0), Pose2D(1, 0, math.pi)])
        log.say(logging.WARNING, "deploy.robotd", "bumper")

    [path] = tmp_path.iterdir()
    found = by_topic(path)

    assert path.name == "run-000001.mcap"
    assert set(found) == {"/tf", "/scan", "/camera", "/objects", "/map", "/plan", "/log"}
    assert {stamp for rows in found.values() for stamp, _ in rows} == {1000.5}
    [(_, transforms)] = found["/tf"]
    robot = transforms.transforms[0]
    assert (robot.parent_frame_id, robot.child_frame_id) == ("map", "base_link")
    assert (robot.translation.x, robot.translation.y) == (1.0, 2.0)
    assert robot.rotation.z == pytest.approx(math.sin(math.pi / 4))
    [(_, ranges)] = found["/scan"]
    assert (ranges.frame_id, len(ranges.ranges)) == ("laser", 360)
    assert ranges.end_angle - ranges.start_angle == pytest.approx(2 * math.pi * 359 / 360)
    [(_, grid)] = found["/map"]
    assert (grid.column_count, grid.pose.position.x, grid.cell_size.x) == (3, -1.0, 0.05)
    assert np.frombuffer(grid.data, np.int8).reshape(2, 3).tolist() == cells.tolist()
    [(_, objects)] = found["/objects"]
    assert (objects.frame_id, objects.poses[0].position.x) == ("base_link", 0.5)
    assert objects.timestamp.seconds + objects.timestamp.nanos / 1e9 == pytest.approx(1000.4)
    assert [pose.orientation.w for pose in found["/plan"][0][1].poses] == pytest.approx([1.0, 0.0], abs=1e-9)
    assert (found["/log"][0][1].message, found["/log"][0][1].level) == ("bumper", 3)


def test_frames_come_back_as_they_were_within_jpeg(tmp_path):
    shot = frame(0.0, height_px=48, width_px=64)
    report = tick(0.0)
    with run_log(tmp_path, frame_every=1, jpeg_quality=95) as log:
        observation = type(report.observation)(0.0, None, shot, None)
        log.on_tick(TickReport(observation, report.estimate, None, report.wanted, report.command))

    [(_, image)] = by_topic(next(tmp_path.iterdir()))["/camera"]
    decoded = cv2.imdecode(np.frombuffer(image.data, np.uint8), cv2.IMREAD_COLOR)

    assert np.abs(decoded.astype(int) - shot.image_bgr).mean() < 4


def test_every_nth_frame_is_kept_and_every_scan(tmp_path):
    with run_log(tmp_path, frame_every=5) as log:
        for i in range(11):
            log.on_tick(tick(i * 0.1))

    found = by_topic(next(tmp_path.iterdir()))

    assert (len(found["/camera"]), len(found["/scan"])) == (3, 11)


def test_the_camera_frame_looks_forward_and_down(tmp_path):
    with run_log(tmp_path) as log:
        log.on_tick(tick(0.0))

    [(_, transforms)] = by_topic(next(tmp_path.iterdir()))["/tf"]
    turn = next(t for t in transforms.transforms if t.child_frame_id == "camera_optical").rotation
    x, y, z, w = turn.x, turn.y, turn.z, turn.w
    forward_base = (2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y))  # the image's z axis
    right_base = (1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y))  # the image's x axis

    pitch_rad = Camera().pitch_down_rad
    assert forward_base == pytest.approx((math.cos(pitch_rad), 0, -math.sin(pitch_rad)), abs=1e-9)
    assert right_base == pytest.approx((0, -1, 0), abs=1e-9)


def test_files_rotate_by_size_and_the_oldest_go(tmp_path):
    with run_log(tmp_path, file_max_bytes=300_000, files_max=3, frame_every=1000) as log:
        rng = np.random.default_rng(1)
        for i in range(1200):
            report = tick(i * 0.1)
            noisy = scan(report.observation.stamp_s)
            noisy.ranges_m[:] = rng.random(360)  # incompressible
            observation = type(report.observation)(i * 0.1, noisy, None, None)
            log.on_tick(TickReport(observation, report.estimate, None, report.wanted, report.command))

    paths = sorted(tmp_path.iterdir())

    assert len(paths) == 3
    assert paths[0].name != "run-000001.mcap"
    assert all(path.stat().st_size < 700_000 for path in paths)  # the limit, and a chunk over it
    stamps = [stamp for path in paths for stamp in (row[0] for row in by_topic(path)["/scan"])]
    assert np.diff(stamps) == pytest.approx(0.1)  # nothing is lost between files


def test_a_new_run_continues_the_numbers(tmp_path):
    for _ in range(2):
        with run_log(tmp_path) as log:
            log.on_tick(tick(0.0))

    assert [path.name for path in sorted(tmp_path.iterdir())] == ["run-000001.mcap", "run-000002.mcap"]


def test_short_runs_are_pruned_too_with_what_crashes_left(tmp_path):
    for number in range(1, 8):
        ending = "-unfinished.mcap" if number % 2 else ".mcap"
        (tmp_path / f"run-{number:06d}{ending}").write_bytes(b"")
    (tmp_path / "run-000008.mcap.part").write_bytes(b"")

    for _ in range(2):
        with run_log(tmp_path, files_max=3) as log:
            log.on_tick(tick(0.0))

    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["run-000008-unfinished.mcap", "run-000009.mcap", "run-000010.mcap"]


def test_a_running_recording_counts_among_the_files_kept(tmp_path):
    for _ in range(5):
        with run_log(tmp_path, files_max=3) as log:
            log.on_tick(tick(0.0))
            assert len(list(tmp_path.iterdir())) <= 3


KILLED = """
import os, signal
from pathlib import Path
from fake_ticks import tick
from foundation.robot_config import Camera, Lidar
from monitoring.run_log import RunLog, RunLogSettings
with RunLog(Path({folder!r}), Lidar(), Camera(), RunLogSettings(frame_every=1000)) as log:
    for i in range(400):
        log.on_tick(tick(i * 0.1))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_robot_leaves_a_recording_readable_up_to_its_last_chunk(tmp_path):
    fakes = Path(__file__).parents[1] / "fakes"
    root = Path(__file__).parents[2]
    env = {**os.environ, "PYTHONPATH": f"{fakes}:{root}"}
    killed = subprocess.run([sys.executable, "-c", KILLED.format(folder=str(tmp_path))], env=env, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [path.name for path in tmp_path.iterdir()] == ["run-000001.mcap.part"]

    with run_log(tmp_path) as log:
        log.on_tick(tick(0.0))

    assert {path.name for path in tmp_path.iterdir()} == {"run-000001-unfinished.mcap", "run-000002.mcap"}
    left = [record for record in records(tmp_path / "run-000001-unfinished.mcap") if isinstance(record, Message)]
    assert len(left) > 300


class FullDisk(io.BytesIO):
    def write(self, data):
        if self.tell() + len(data) > 5000:
            raise OSError(28, "No space left on device")
        return super().write(data)


def test_a_full_disk_ends_the_recording_and_not_the_robot(tmp_path, caplog, capfd):
    with run_log(tmp_path) as log:
        log._file._sink._file.close()
        log._file._sink._file = FullDisk()
        for i in range(400):
            log.on_tick(tick(i * 0.1))

    assert "No space left" in log.failure
    assert len([record for record in caplog.records if "No space left" in record.message]) == 1
    assert not list(tmp_path.glob("*.mcap"))
    assert capfd.readouterr().err == ""


def test_the_sink_keeps_what_was_written_before_the_failure():
    sink = _GuardedSink(FullDisk())
    sink.write(b"x" * 4000)
    sink.write(b"y" * 4000)
    sink.write(b"z")

    assert sink._file.getvalue() == b"x" * 4000
    assert sink.written_bytes == 8001


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(MonitoringError, match=r"run log .*file"), run_log(tmp_path / "file"):
        pass


def test_log_records_reach_the_recording(tmp_path):
    talker = logging.getLogger("test.run_log.talker")
    with run_log(tmp_path) as log:
        handler = RunLogHandler(log)
        talker.addHandler(handler)
        try:
            talker.error("wheel %s stuck", "left")
        finally:
            talker.removeHandler(handler)

    [(_, line)] = by_topic(next(tmp_path.iterdir()))["/log"]
    assert (line.name, line.message) == ("test.run_log.talker", "wheel left stuck")
