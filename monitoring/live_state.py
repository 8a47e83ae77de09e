"""The newest of everything that a person watching the robot wants to see: the loop writes, viewers read.

Writing costs microseconds and never waits for a viewer; pictures are encoded by whoever asks for them.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from foundation.geometry import Pose2D
from navigation.grid_geometry import GridGeometry
from navigation.robot_loop import TickReport
from navigation.static_map import FREE, OCCUPIED
from perception.observation import Detections, Frame

PATH_STEP_M: Final = 0.05
PATH_POINTS_MAX: Final = 4000

# Blue, green, red
UNKNOWN_BGR: Final = (226, 222, 218)
FREE_BGR: Final = (255, 255, 255)
COVERED_BGR: Final = (205, 232, 190)
OCCUPIED_BGR: Final = (70, 58, 48)


@dataclass(frozen=True, slots=True)
class FloorObject:
    """A small object on the map."""

    x_m: float
    y_m: float
    radius_m: float
    name: str


@dataclass(frozen=True, slots=True)
class _Map:
    cells: NDArray[np.int8]  # (R, C)
    covered: NDArray[np.bool_] | None  # (R, C)
    geometry: GridGeometry
    revision: int


class LiveState:
    """Thread-safe; one loop writes, any number of viewers read."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._report: TickReport | None = None
        self._frame: Frame | None = None
        self._seen: Detections | None = None
        self._map: _Map | None = None
        self._path: list[tuple[float, float]] = []
        self._step_m = PATH_STEP_M
        self._plan: list[tuple[float, float]] = []
        self._objects: tuple[FloorObject, ...] = ()
        self._words: dict[str, str | float] = {}

    def on_tick(self, report: TickReport) -> None:
        """For `robot_loop.run`."""
        with self._lock:
            self._report = report
            if report.observation.frame is not None:
                self._frame = report.observation.frame
            if report.detections is not None:
                self._seen = report.detections
            self._extend_path(report.estimate.map_from_base)

    def on_map(self, cells: NDArray[np.int8], geometry: GridGeometry, covered: NDArray[np.bool_] | None = None) -> None:
        """The static map (R, C), and what of it is covered; copied, so once a second is enough."""
        cells, covered = cells.copy(), None if covered is None else covered.copy()
        with self._lock:
            revision = self._map.revision + 1 if self._map is not None else 1
            self._map = _Map(cells, covered, geometry, revision)

    def on_plan(self, poses_map: Sequence[Pose2D]) -> None:
        plan = [(round(pose.x_m, 3), round(pose.y_m, 3)) for pose in poses_map]
        with self._lock:
            self._plan = plan

    def on_objects(self, objects: Sequence[FloorObject]) -> None:
        with self._lock:
            self._objects = tuple(objects)

    def say(self, **words: str | float) -> None:
        """Lines of the state: `say(coverage_ratio=.5, model="7", job="covering")`."""
        with self._lock:
            self._words.update(words)

    def to_json(self) -> dict[str, Any]:
        """What the page draws; metres and radians in `map`."""
        with self._lock:
            report, held = self._report, self._map
            state: dict[str, Any] = {
                "name": self._name,
                "words": dict(self._words),
                "path": list(self._path),
                "plan": list(self._plan),
                "objects": [[item.x_m, item.y_m, item.radius_m, item.name] for item in self._objects],
                "has_frame": self._frame is not None,
            }
        if held is not None:
            place = held.geometry
            state["map"] = {
                "revision": held.revision,
                "x_m": place.origin_x_m,
                "y_m": place.origin_y_m,
                "width_m": place.cols * place.cell_m,
                "height_m": place.rows * place.cell_m,
            }
        if report is not None:
            pose = report.estimate.map_from_base
            state |= {
                "stamp_s": report.observation.stamp_s,
                "pose": [round(pose.x_m, 3), round(pose.y_m, 3), round(pose.heading_rad, 4)],
                "tracking": report.estimate.tracking.value,
                "speed_mps": report.command.speed_mps,
                "turn_radps": report.command.turn_radps,
                "limited": report.command != report.wanted,
                "bumper": report.observation.bumper_pressed,
                "cliff": any(report.observation.cliffs),
                "battery_ratio": report.observation.battery_ratio,
            }
        return state

    def map_png(self) -> bytes | None:
        """The map as a picture, north (+y) up; None before the first."""
        import cv2

        with self._lock:
            held = self._map
        if held is None:
            return None
        return bytes(cv2.imencode(".png", map_picture(held.cells, held.covered))[1])

    def frame_jpeg(self) -> bytes | None:
        """The newest frame with the newest boxes; None before the first."""
        import cv2

        with self._lock:
            frame, seen = self._frame, self._seen
        if frame is None:
            return None
        picture = frame.image_bgr.copy()
        if seen is not None and abs(frame.stamp_s - seen.stamp_s) < 1.0:
            for x0, y0, x1, y1 in seen.boxes_px.round().astype(int).tolist():
                cv2.rectangle(picture, (x0, y0), (x1, y1), (0, 140, 255), 2)
        return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])[1])

    def _extend_path(self, pose: Pose2D) -> None:
        point = (round(pose.x_m, 3), round(pose.y_m, 3))
        if self._path:
            last = self._path[-1]
            if (point[0] - last[0]) ** 2 + (point[1] - last[1]) ** 2 < self._step_m**2:
                return
        self._path.append(point)
        if len(self._path) > PATH_POINTS_MAX:  # an endless day: half the points, twice the step
            self._path = self._path[::2]
            self._step_m *= 2


def map_picture(cells: NDArray[np.int8], covered: NDArray[np.bool_] | None) -> NDArray[np.uint8]:
    """(R, C, 3) BGR of a map (R, C), row 0 at the bottom as in `map`."""
    picture = np.full((*cells.shape, 3), UNKNOWN_BGR, dtype=np.uint8)
    picture[cells == FREE] = FREE_BGR
    if covered is not None:
        picture[covered & (cells != OCCUPIED)] = COVERED_BGR
    picture[cells == OCCUPIED] = OCCUPIED_BGR
    return picture[::-1]
