"""What a run of the robot leaves behind for people and reports: map, objects, trajectory, stage times, a few frames.

metrics_address.txt   at the start
published.tum         poses as published at the time: stamp x y z qx qy qz qw
objects.json          small objects in `map`
detections/           up to KEPT_FRAMES frames with what was seen in them, drawn
events.txt            what the planner said and when: seconds, a tab, the sentence
tick_ms.json          p50, p99, max by stage       status.json   how the run ended
map.npz               the static map's cells, origin and cell size
"""

import io
import json
import math
from array import array
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from foundation import atomic_files
from navigation.pose_estimate import PoseEstimate
from navigation.robot_loop import TickReport
from navigation.static_map import StaticMap
from perception.labels import SMALL_OBJECTS
from perception.observation import Detections, Frame

KEPT_FRAMES: Final = 12
FRAMES_HELD: Final = 10  # answers come ticks after their frame
BOX_BGR: Final = (0, 140, 255)


class FloorThing(Protocol):
    """One of MapHandler.objects()."""

    @property
    def x_m(self) -> float: ...
    @property
    def y_m(self) -> float: ...
    @property
    def radius_m(self) -> float: ...
    @property
    def class_id(self) -> int: ...
    @property
    def evidence(self) -> float: ...


class RunFolder:
    """`on_tick` each tick, `finish` once. Keeps little in memory: poses, and a few frames spread over the run."""

    def __init__(self, path: Path, class_names: tuple[str, ...] = SMALL_OBJECTS) -> None:
        self._path = path
        self._class_names = class_names
        self._poses = array("d")  # stamp, x, y, heading of each tick: 1.2 MB an hour
        self._events: list[str] = []
        self._held: list[Frame] = []
        self._kept: list[tuple[Frame, Detections]] = []
        self._answers_seen = 0
        self._keep_every = 1

    def announce(self, metrics_url: str) -> None:
        atomic_files.write_text(self._path / "metrics_address.txt", metrics_url + "\n")

    def on_tick(self, report: TickReport) -> None:
        self._remember_pose(report.estimate)
        if report.observation.frame is not None:
            self._held = [*self._held[1 - FRAMES_HELD :], report.observation.frame]
        if report.detections is not None and len(report.detections.scores):
            self._remember_frame(report.detections)

    def on_event(self, text: str) -> None:
        """Said by the planner during the tick after the last one reported."""
        self._events.append(f"{self._poses[-4] if self._poses else 0.0:.1f}\t{text}\n")

    def finish(
        self, stage_times: Any, status: dict[str, Any], things: list[Any], static_map: StaticMap | None = None
    ) -> None:
        """`stage_times` is StageTimes.summary_json(); `things` are FloorThing."""
        self._path.mkdir(parents=True, exist_ok=True)
        atomic_files.write_text(self._path / "published.tum", "".join(map(_tum_row, _rows(self._poses))))
        atomic_files.write_text(self._path / "events.txt", "".join(self._events))
        atomic_files.write_json(self._path / "objects.json", [self._thing(one) for one in things])
        atomic_files.write_text(self._path / "tick_ms.json", json.dumps(stage_times, indent=1) + "\n")
        atomic_files.write_json(self._path / "status.json", status)
        self._write_frames()
        if static_map is not None:
            self._write_map(static_map)

    def _write_map(self, static_map: StaticMap) -> None:
        geometry = static_map.geometry
        place = np.array([geometry.origin_x_m, geometry.origin_y_m, geometry.cell_m])
        data = io.BytesIO()
        np.savez_compressed(data, robot_map=np.asarray(static_map.cells, np.int8), robot_map_geometry=place)
        atomic_files.write_bytes(self._path / "map.npz", data.getvalue())

    def _remember_pose(self, estimate: PoseEstimate) -> None:
        pose = estimate.map_from_base
        self._poses.extend((estimate.stamp_s, pose.x_m, pose.y_m, pose.heading_rad))

    def _remember_frame(self, detections: Detections) -> None:
        """Every n-th answer with something in it; n doubles whenever enough are kept, so they spread over the run."""
        self._answers_seen += 1
        if self._answers_seen % self._keep_every:
            return
        frame = next((one for one in self._held if one.stamp_s == detections.stamp_s), None)
        if frame is None:
            return
        self._kept.append((frame, detections))
        if len(self._kept) > 2 * KEPT_FRAMES:
            self._kept = self._kept[::2]
            self._keep_every *= 2

    def _thing(self, thing: FloorThing) -> dict[str, Any]:
        return {
            "x_m": thing.x_m,
            "y_m": thing.y_m,
            "radius_m": thing.radius_m,
            "class": self._name(thing.class_id),
            "evidence": thing.evidence,
        }

    def _name(self, class_id: int) -> str:
        return self._class_names[class_id] if 0 <= class_id < len(self._class_names) else "unknown"

    def _write_frames(self) -> None:
        import cv2

        rows: list[dict[str, Any]] = []
        chosen = self._kept[:: max(1, len(self._kept) // KEPT_FRAMES)][:KEPT_FRAMES]
        for number, (frame, detections) in enumerate(chosen):
            name = f"{number:02d}.jpg"
            good, jpeg = cv2.imencode(".jpg", self._drawn(frame.image_bgr, detections))
            if good:
                atomic_files.write_bytes(self._path / "detections" / name, jpeg.tobytes())
                rows.append({"frame": name, **self._listed(detections)})
        atomic_files.write_json(self._path / "detections.json", rows)

    def _listed(self, detections: Detections) -> dict[str, Any]:
        return {
            "stamp_s": detections.stamp_s,
            "classes": [self._name(class_id) for class_id in detections.class_ids.tolist()],
            "scores": detections.scores.tolist(),
            "boxes_px": detections.boxes_px.tolist(),
            "contacts_base_m": detections.contacts_base_m.tolist(),
        }

    def _drawn(self, image_bgr: NDArray[np.uint8], detections: Detections) -> NDArray[np.uint8]:
        import cv2

        picture = cv2.resize(image_bgr, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
        boxes = np.rint(detections.boxes_px * 2).astype(int).tolist()
        for (x0, y0, x1, y1), class_id, score in zip(boxes, detections.class_ids.tolist(), detections.scores.tolist()):
            cv2.rectangle(picture, (x0, y0), (x1, y1), BOX_BGR, 2)
            text = f"{self._name(class_id)} {score:.2f}"
            cv2.putText(picture, text, (x0, max(y0 - 4, 12)), cv2.FONT_HERSHEY_SIMPLEX, 0.45, BOX_BGR, 1, cv2.LINE_AA)
        drawn: NDArray[np.uint8] = picture
        return drawn


def _rows(poses: "array[float]") -> Iterator[tuple[float, float, float, float]]:
    values = iter(poses)
    return zip(values, values, values, values)


def _tum_row(row: tuple[float, float, float, float]) -> str:
    stamp_s, x_m, y_m, heading_rad = row
    z, w = math.sin(heading_rad / 2), math.cos(heading_rad / 2)
    return f"{stamp_s:.6f} {x_m:.6f} {y_m:.6f} 0 0 0 {z:.9f} {w:.9f}\n"


def plain(value: Any) -> dict[str, Any]:
    """A dataclass as JSON takes it."""
    return dict(json.loads(json.dumps(asdict(value), default=str)))
