"""Keeps the frames that are worth a label, in a folder that cannot grow past its limit.

Worth it: just before a bump, where the model is unsure, where it floods, where drift was told, and now and then one
without a reason, so that what is kept is not only the model's own doubts. What looks like a frame already kept is not
kept again, but for bumps. Beside each JPEG lies a JSON with scan, pose and what was seen, enough for a training
sample. Writing happens beside the loop.
"""

import json
import logging
import math
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from monitoring.prometheus_metrics import CROWD, FEEDBACK_REASONS
from navigation.background import Background
from navigation.robot_loop import TickReport
from perception.observation import Detections, Frame, Observation

logger = logging.getLogger(__name__)

Reason = Literal["bumped", "flooded", "drifted", "unsure", "sample"]
SAME_LOOK_BITS: Final = 6  # of 64
REMEMBERED: Final = 200


@dataclass(frozen=True, slots=True)
class FeedbackSettings:
    """How much is kept, and what counts as unsure."""

    folder_max_bytes: int = 200 * 2**20
    gap_s: float = 2.0  # between two kept frames; a bump does not wait
    unsure_below: float = 0.65  # detections come from min_score up; below this they are doubts
    sample_every_s: float = 300.0
    before_bump_s: float = 0.6  # how long before the press the thing stood before the camera
    jpeg_quality: int = 95


@dataclass(frozen=True, slots=True)
class _Shot:
    """A frame and what belonged to it."""

    frame: Frame
    report: TickReport


class Feedback:
    """Listens to ticks; `on_kept(reason)` for each frame written."""

    def __init__(
        self,
        folder: Path,
        settings: FeedbackSettings,
        background: Background,
        on_kept: Callable[[str], None],
        *,
        epoch_s: float = 0.0,
    ) -> None:
        self._folder = folder
        self._settings = settings
        self._background = background
        self._on_kept = on_kept
        self._epoch_s = epoch_s
        self._recent: deque[_Shot] = deque()
        self._looks: deque[int] = deque(maxlen=REMEMBERED)
        self._was_pressed = False
        self._last_kept_s = -math.inf
        self._last_sample_s = -math.inf
        self.failure: str | None = None

    def on_tick(self, report: TickReport, drifted: tuple[str, ...] = ()) -> None:
        """`drifted`: what `DriftMonitor.on_tick` returned for this tick."""
        self._background.poll()
        observation = report.observation
        if observation.frame is not None:
            self._remember(_Shot(observation.frame, report))
        pressed, self._was_pressed = observation.bumper_pressed and not self._was_pressed, observation.bumper_pressed
        if not self._recent:
            return
        if pressed:
            self._keep(self._before(observation.stamp_s - self._settings.before_bump_s), "bumped", observation.stamp_s)
        elif observation.stamp_s - self._last_kept_s >= self._settings.gap_s:
            reason = self._reason(report, drifted)
            if reason is not None:
                self._keep(self._recent[-1], reason, observation.stamp_s)

    def _remember(self, shot: _Shot) -> None:
        self._recent.append(shot)
        while self._recent[0].frame.stamp_s < shot.frame.stamp_s - 2 * self._settings.before_bump_s:
            self._recent.popleft()

    def _before(self, stamp_s: float) -> _Shot:
        """The newest shot not younger than `stamp_s`, else the oldest."""
        older = [shot for shot in self._recent if shot.frame.stamp_s <= stamp_s]
        return older[-1] if older else self._recent[0]

    def _reason(self, report: TickReport, drifted: tuple[str, ...]) -> Reason | None:
        seen = report.detections
        if drifted:
            return "drifted"
        if seen is not None and len(seen.scores) > CROWD:
            return "flooded"
        if seen is not None and bool((seen.scores < self._settings.unsure_below).any()):
            return "unsure"
        if report.observation.stamp_s - self._last_sample_s >= self._settings.sample_every_s:
            return "sample"
        return None

    def _keep(self, shot: _Shot, reason: Reason, now_s: float) -> None:
        if self._background.busy or self.failure is not None:
            return
        look = look_bits(shot.frame.image_bgr)
        if reason != "bumped" and any((look ^ other).bit_count() <= SAME_LOOK_BITS for other in self._looks):
            return
        self._looks.append(look)
        self._last_kept_s = now_s
        if reason == "sample":
            self._last_sample_s = now_s
        self._on_kept(reason)
        name = f"{round((self._epoch_s + shot.frame.stamp_s) * 1e3):013d}-{reason}"
        self._background.submit(lambda: self._write(name, shot, reason))

    def _write(self, name: str, shot: _Shot, reason: Reason) -> None:
        """A full or broken disk ends the keeping, never the robot."""
        try:
            self._write_pair(name, shot, reason)
        except OSError as error:
            self.failure = str(error)
            logger.error("feedback %s ends: %s", self._folder, error)

    def _write_pair(self, name: str, shot: _Shot, reason: Reason) -> None:
        import cv2

        self._folder.mkdir(parents=True, exist_ok=True)
        options = [cv2.IMWRITE_JPEG_QUALITY, self._settings.jpeg_quality]
        _, jpeg = cv2.imencode(".jpg", shot.frame.image_bgr, options)
        make_room(self._folder, self._settings.folder_max_bytes - len(jpeg) - 32_768)
        told = json.dumps(description(shot.report, reason), sort_keys=True)
        for path, data in ((f"{name}.jpg", jpeg.tobytes()), (f"{name}.json", told.encode())):  # the JSON completes it
            part = self._folder / f".{path}.part"
            part.write_bytes(data)  # not synced: a lost frame is no loss, a blocked SD card is
            part.rename(self._folder / path)


def make_room(folder: Path, limit_bytes: int) -> None:
    """Deletes frames until the folder holds at most `limit_bytes`: the commonest reason's oldest first."""
    kept = {path: path.stat().st_size for path in folder.iterdir() if path.is_file()}
    total = sum(kept.values())
    pairs = sorted({path.stem for path in kept if path.suffix == ".jpg"})
    reasons = Counter(_reason_of(stem) for stem in pairs)
    while total > limit_bytes and pairs:
        commonest = max(reasons, key=lambda reason: (reasons[reason], FEEDBACK_REASONS.index(reason)))
        oldest = next(stem for stem in pairs if _reason_of(stem) == commonest)
        for suffix in (".jpg", ".json"):
            path = folder / f"{oldest}{suffix}"
            total -= kept.get(path, 0)
            path.unlink(missing_ok=True)
        pairs.remove(oldest)
        reasons[commonest] -= 1


def look_bits(image_bgr: NDArray[np.uint8]) -> int:
    """64 bits that change little when the picture does (difference hash)."""
    grey = image_bgr.mean(axis=2)
    height, width = grey.shape
    rows = np.array_split(np.arange(height), 8)
    cols = np.array_split(np.arange(width), 9)
    cells = np.array([[grey[r[0] : r[-1] + 1, c[0] : c[-1] + 1].mean() for c in cols] for r in rows])  # (8, 9)
    return int.from_bytes(np.packbits(cells[:, 1:] > cells[:, :-1]).tobytes(), "big")


def description(report: TickReport, reason: Reason) -> dict[str, Any]:
    """What belongs to the frame, in JSON's words; frames and units as in `perception.observation`."""
    pose = report.estimate.map_from_base
    return {
        "reason": reason,
        "stamp_s": report.observation.stamp_s,
        "pose_map": {"x_m": pose.x_m, "y_m": pose.y_m, "heading_rad": pose.heading_rad},
        "tracking": report.estimate.tracking.value,
        "scan": _scan(report.observation),
        "seen": _seen(report.detections),
    }


def _scan(observation: Observation) -> dict[str, Any] | None:
    scan = observation.scan
    if scan is None:
        return None
    ranges = [round(r, 3) if math.isfinite(r) else None for r in scan.ranges_m.tolist()]
    return {"first_bearing_rad": scan.first_bearing_rad, "step_rad": scan.step_rad, "ranges_m": ranges}


def _seen(seen: Detections | None) -> list[dict[str, Any]]:
    if seen is None:
        return []
    columns = (seen.contacts_base_m, seen.radii_m, seen.scores, seen.class_ids, seen.boxes_px)
    names = ("contact_base_m", "radius_m", "score", "class_id", "box_px")
    return [dict(zip(names, values)) for values in zip(*(column.tolist() for column in columns))]


def _reason_of(stem: str) -> str:
    reason = stem.rpartition("-")[2]
    return reason if reason in FEEDBACK_REASONS else "sample"
