"""The run as an MCAP recording that Foxglove, `mcap` and rosbag tools open: scans, frames, poses, map, plan, words.

Topics, all with Foxglove's schemas: /scan LaserScan, /camera CompressedImage (JPEG), /tf FrameTransforms, /map Grid,
/plan and /objects PosesInFrame, /log Log. Files are rotated by size; the oldest are deleted whenever one is opened. A
file carries the ending `.part` while it is written; after a crash the next run keeps it as `-unfinished.mcap`, readable
up to its last chunk. A full disk ends the recording, never the robot: `failure` then says why.
"""

import itertools
import logging
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

import foxglove
import numpy as np
from foxglove import channels, messages
from foxglove.mcap import MCAPWriteOptions
from numpy.typing import NDArray

from foundation.geometry import Pose2D
from foundation.robot_config import Camera, Lidar
from monitoring.errors import MonitoringError
from navigation.grid_geometry import GridGeometry
from navigation.robot_loop import TickReport
from perception.observation import Detections, Frame, Scan

logger = logging.getLogger(__name__)

CHUNK_BYTES: Final = 256 * 1024  # what a crash may cost: a few seconds of scans
PART: Final = ".mcap.part"
LEVELS: Final = {
    logging.DEBUG: messages.LogLevel.Debug,
    logging.INFO: messages.LogLevel.Info,
    logging.WARNING: messages.LogLevel.Warning,
    logging.ERROR: messages.LogLevel.Error,
    logging.CRITICAL: messages.LogLevel.Fatal,
}


@dataclass(frozen=True, slots=True)
class RunLogSettings:
    """How much is kept."""

    file_max_bytes: int = 64 * 2**20
    files_max: int = 16
    frame_every: int = 5  # of the ticks that bring a frame
    jpeg_quality: int = 80


class RunLog:
    """One recording; `with RunLog(...) as log: run(..., on_tick=log.on_tick)`.

    `epoch_s` is the wall clock's time at stamp 0, zero in simulation.
    """

    def __init__(
        self, folder: Path, lidar: Lidar, camera: Camera, settings: RunLogSettings, *, epoch_s: float = 0.0
    ) -> None:
        self._folder = folder
        self._lidar = lidar
        self._camera = camera
        self._settings = settings
        self._epoch_s = epoch_s
        self._numbers = itertools.count(_next_number(folder))
        self._file: _McapFile | None = None
        self._frames = 0
        self._stamp_s = 0.0
        self.failure: str | None = None

    def __enter__(self) -> "RunLog":
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for part in self._folder.glob(f"*{PART}"):
                part.rename(part.with_name(part.name.removesuffix(PART) + "-unfinished.mcap"))
            self._file = self._opened()
        except OSError as error:
            raise MonitoringError(f"run log {self._folder}: {error.strerror}") from error
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Finishes the file; may be called twice."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def on_tick(self, report: TickReport) -> None:
        """For `robot_loop.run`."""
        file = self._ready(report.observation.stamp_s)
        if file is None:
            return
        now_ns = self._ns(report.observation.stamp_s)
        file.tf.log(self._transforms(report.estimate.map_from_base, report.estimate.stamp_s), log_time=now_ns)
        if report.observation.scan is not None:
            file.scan.log(self._scan(report.observation.scan), log_time=now_ns)
        if report.observation.frame is not None:
            if self._frames % self._settings.frame_every == 0:
                file.camera.log(self._image(report.observation.frame), log_time=now_ns)
            self._frames += 1
        if report.detections is not None:
            file.objects.log(self._objects(report.detections), log_time=now_ns)

    def on_map(self, cells: NDArray[np.int8], geometry: GridGeometry) -> None:
        """The static map (R, C) as it is now; log it when it changed, once a second at most."""
        file = self._ready(self._stamp_s)
        if file is not None:
            file.map.log(self._grid(cells, geometry), log_time=self._ns(self._stamp_s))

    def on_plan(self, poses_map: Sequence[Pose2D]) -> None:
        """The path to be driven next, in `map`."""
        file = self._ready(self._stamp_s)
        if file is not None:
            poses = [_pose(pose) for pose in poses_map]
            message = messages.PosesInFrame(timestamp=self._time(self._stamp_s), frame_id="map", poses=poses)
            file.plan.log(message, log_time=self._ns(self._stamp_s))

    def say(self, level: int, name: str, text: str) -> None:
        """A line of text; `level` as in `logging`."""
        file = self._ready(self._stamp_s)
        if file is not None:
            known = LEVELS.get(level, messages.LogLevel.Info)
            message = messages.Log(timestamp=self._time(self._stamp_s), level=known, message=text, name=name)
            file.log.log(message, log_time=self._ns(self._stamp_s))

    def _ready(self, stamp_s: float) -> "_McapFile | None":
        """The file to write to, rotated when it is full; None when recording has ended."""
        self._stamp_s = stamp_s
        if self._file is None:
            return None
        if self._file.failure is None and self._file.written_bytes >= self._settings.file_max_bytes:
            self._rotate()
        if self._file is not None and self._file.failure is not None:
            self.failure = self._file.failure
            logger.error("run log %s ends: %s", self._folder, self.failure)
            self.close()
        return self._file

    def _rotate(self) -> None:
        self.close()
        try:
            self._file = self._opened()
        except OSError as error:
            self.failure = str(error)
            logger.error("run log %s ends: %s", self._folder, error)

    def _opened(self) -> "_McapFile":
        """The next file; the oldest make room for it."""
        finished = sorted(self._folder.glob("run-*.mcap"))
        for old in finished[: max(len(finished) - self._settings.files_max + 1, 0)]:
            old.unlink()
        return _McapFile(self._folder / f"run-{next(self._numbers):06d}.mcap")

    def _ns(self, stamp_s: float) -> int:
        return max(round((self._epoch_s + stamp_s) * 1e9), 0)

    def _time(self, stamp_s: float) -> messages.Timestamp:
        return messages.Timestamp(*divmod(self._ns(stamp_s), 1_000_000_000))

    def _transforms(self, map_from_base: Pose2D, stamp_s: float) -> messages.FrameTransforms:
        lidar, camera = self._lidar, self._camera
        stamp = self._time(stamp_s)
        laser = Pose2D(lidar.x_m, lidar.y_m, lidar.yaw_rad)
        links = (
            ("map", "base_link", _point(map_from_base), _orientation(map_from_base)),
            ("base_link", "laser", _point(laser, lidar.z_m), _orientation(laser)),
            (
                "base_link",
                "camera_optical",
                messages.Vector3(x=camera.x_m, y=0.0, z=camera.z_m),
                _optical_orientation(camera.pitch_down_rad),
            ),
        )
        return messages.FrameTransforms(
            transforms=[
                messages.FrameTransform(
                    timestamp=stamp,
                    parent_frame_id=parent,
                    child_frame_id=child,
                    translation=translation,
                    rotation=rotation,
                )
                for parent, child, translation, rotation in links
            ]
        )

    def _scan(self, scan: Scan) -> messages.LaserScan:
        return messages.LaserScan(
            timestamp=self._time(scan.stamp_s),
            frame_id="laser",
            pose=_pose(Pose2D(0.0, 0.0, 0.0)),
            start_angle=scan.first_bearing_rad,
            end_angle=scan.first_bearing_rad + scan.step_rad * (len(scan.ranges_m) - 1),
            ranges=scan.ranges_m.tolist(),
        )

    def _image(self, frame: Frame) -> messages.CompressedImage:
        import cv2

        options = [cv2.IMWRITE_JPEG_QUALITY, self._settings.jpeg_quality]
        _, jpeg = cv2.imencode(".jpg", frame.image_bgr, options)
        return messages.CompressedImage(
            timestamp=self._time(frame.stamp_s), frame_id="camera_optical", data=jpeg.tobytes(), format="jpeg"
        )

    def _objects(self, detections: Detections) -> messages.PosesInFrame:
        poses = [_pose(Pose2D(x_m, y_m, 0.0)) for x_m, y_m in detections.contacts_base_m.tolist()]
        return messages.PosesInFrame(timestamp=self._time(detections.stamp_s), frame_id="base_link", poses=poses)

    def _grid(self, cells: NDArray[np.int8], geometry: GridGeometry) -> messages.Grid:
        field = messages.PackedElementField(name="state", offset=0, type=messages.PackedElementFieldNumericType.Int8)
        return messages.Grid(
            timestamp=self._time(self._stamp_s),
            frame_id="map",
            pose=_pose(Pose2D(geometry.origin_x_m, geometry.origin_y_m, 0.0)),
            column_count=geometry.cols,
            cell_size=messages.Vector2(x=geometry.cell_m, y=geometry.cell_m),
            row_stride=geometry.cols,
            cell_stride=1,
            fields=[field],
            data=np.ascontiguousarray(cells, dtype=np.int8).tobytes(),
        )


class RunLogHandler(logging.Handler):
    """Copies log records into the recording, under the newest tick's stamp."""

    def __init__(self, run_log: RunLog, level: int = logging.INFO) -> None:
        super().__init__(level)
        self._run_log = run_log

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != __name__:  # its own troubles would come back to it
            self._run_log.say(record.levelno, record.name, record.getMessage())


class _McapFile:
    """One file and its channels."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_suffix(PART)
        self._sink = _GuardedSink(cast(BinaryIO, self._part.open("wb", buffering=0)))
        # Its own context: channels of the process-wide one stay out of this file. Kept, for it closes its channels.
        context = self._context = foxglove.Context()
        options = MCAPWriteOptions(chunk_size=CHUNK_BYTES, compression_threads=0, profile="oxturn")
        self._writer = foxglove.open_mcap(self._sink, context=context, writer_options=options)
        self.tf = channels.FrameTransformsChannel("/tf", context=context)
        self.scan = channels.LaserScanChannel("/scan", context=context)
        self.camera = channels.CompressedImageChannel("/camera", context=context)
        self.map = channels.GridChannel("/map", context=context)
        self.plan = channels.PosesInFrameChannel("/plan", context=context)
        self.objects = channels.PosesInFrameChannel("/objects", context=context)
        self.log = channels.LogChannel("/log", context=context)

    @property
    def written_bytes(self) -> int:
        return self._sink.written_bytes

    @property
    def failure(self) -> str | None:
        return self._sink.failure

    def close(self) -> None:
        try:
            self._writer.close()
        finally:
            self._sink.close()
        if self._sink.failure is None:
            self._part.rename(self._path)


class _GuardedSink:
    """File for the MCAP writer that remembers the first failure and swallows what follows.

    The writer itself prints a line for every message after a failed write, and tells its caller nothing.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._position = 0
        self.written_bytes = 0
        self.failure: str | None = None

    def write(self, data: bytes) -> int:
        self._guarded(lambda: _write_all(self._file, data))
        self._position += len(data)
        self.written_bytes = max(self.written_bytes, self._position)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.written_bytes}[whence]
        self._position = start + offset
        self._guarded(lambda: self._file.seek(self._position))
        return self._position

    def flush(self) -> None:
        self._guarded(self._file.flush)

    def close(self) -> None:
        self._file.close()

    def _guarded(self, act: Callable[[], object]) -> None:
        if self.failure is not None:
            return
        try:
            act()
        except OSError as error:
            self.failure = str(error)


def _write_all(file: BinaryIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _next_number(folder: Path) -> int:
    numbers = [name[4:10] for name in (path.name for path in folder.glob("run-*")) if name[4:10].isdigit()]
    return max((int(number) for number in numbers), default=0) + 1


def _pose(pose: Pose2D) -> messages.Pose:
    return messages.Pose(position=_point(pose), orientation=_orientation(pose))


def _point(pose: Pose2D, z_m: float = 0.0) -> messages.Vector3:
    return messages.Vector3(x=pose.x_m, y=pose.y_m, z=z_m)


def _orientation(pose: Pose2D) -> messages.Quaternion:
    return messages.Quaternion(x=0.0, y=0.0, z=math.sin(pose.heading_rad / 2), w=math.cos(pose.heading_rad / 2))


def _optical_orientation(pitch_down_rad: float) -> messages.Quaternion:
    """base_link from camera_optical: x right, y down, z forward, then looking down by the pitch."""
    cos, sin = math.cos(pitch_down_rad / 2) / 2, math.sin(pitch_down_rad / 2) / 2
    # pitch about base y (0, sin, 0, cos) times the level camera's (-.5, .5, -.5, .5)
    return messages.Quaternion(x=-cos - sin, y=cos + sin, z=sin - cos, w=cos - sin)
