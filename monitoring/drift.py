"""Has what the robot sees left what its model was trained on? Once a second, a feature at a time.

The look of frames is held against the reference statistics that travel in the bundle. A robot stays for long in one
room, whose look differs from the average of all rooms, so a CUSUM tolerates two standard deviations for ever and
alarms on what stays further out. Where there is no reference (camera against LIDAR, scores) ADWIN compares with the
robot's own past.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from foundation.geometry import Pose2D
from monitoring.camera_against_lidar import floor_behind_obstacles
from monitoring.change_detectors import Adwin, Cusum
from monitoring.errors import MonitoringError
from navigation.robot_loop import TickReport
from perception.frame_features import frame_features

DISAGREEMENT = "camera_against_lidar"
SCORE = "score"


@dataclass(frozen=True, slots=True)
class DriftSettings:
    """When it alarms; figures in `benchmarks/change_detectors.py`."""

    period_s: float = 1.0
    slack: float = 2.0  # standard deviations of the training data that one room may stay off
    limit: float = 12.0
    adwin_delta: float = 0.002
    turn_max_radps: float = 0.2  # camera and LIDAR are compared only when their stamps mean one place
    age_max_s: float = 0.3


@dataclass(frozen=True, slots=True)
class Reference:
    """One feature over the training frames."""

    mean: float
    deviation: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and math.isfinite(self.deviation) and self.deviation > 0):
            raise MonitoringError(f"reference mean {self.mean}, deviation {self.deviation}: want finite, above 0")


def references(statistics: Mapping[str, Mapping[str, float]]) -> dict[str, Reference]:
    """From a bundle's manifest: feature -> `{"mean", "std"}`."""
    try:
        return {name: Reference(float(held["mean"]), float(held["std"])) for name, held in statistics.items()}
    except (KeyError, TypeError, ValueError) as error:
        raise MonitoringError(f"reference statistics: {error!r}; want mean and std for each feature") from error


class DriftMonitor:
    """Listens to ticks; tells `on_drift(feature, score, alarm)`, score 1 being an alarm."""

    def __init__(
        self,
        reference: Mapping[str, Reference],
        base_from_laser: Pose2D,
        on_drift: Callable[[str, float, bool], None],
        settings: DriftSettings = DriftSettings(),
        on_disagreement: Callable[[float], None] | None = None,
    ) -> None:
        self._reference = dict(reference)
        self._base_from_laser = base_from_laser
        self._on_drift = on_drift
        self._on_disagreement = on_disagreement
        self._settings = settings
        self._cusums = {name: Cusum(settings.slack, settings.limit) for name in self._reference}
        self._adwins = {name: Adwin(settings.adwin_delta) for name in (DISAGREEMENT, SCORE)}
        self._next_s = -math.inf
        for name in (*self._cusums, *self._adwins):
            on_drift(name, 0.0, False)

    def on_tick(self, report: TickReport) -> tuple[str, ...]:
        """The features that alarmed in this tick; nearly always none."""
        observation = report.observation
        if observation.stamp_s < self._next_s or observation.frame is None:
            return ()
        self._next_s = observation.stamp_s + self._settings.period_s
        alarmed = self._look(frame_features(observation.frame.image_bgr))
        return alarmed + self._against_own_past(report)

    def _look(self, features: Mapping[str, float]) -> tuple[str, ...]:
        alarmed = []
        for name, cusum in self._cusums.items():
            if name not in features:
                continue
            reference = self._reference[name]
            alarm = cusum.update((features[name] - reference.mean) / reference.deviation)
            self._on_drift(name, 1.0 if alarm else cusum.score, alarm)
            if alarm:
                alarmed.append(name)
        return tuple(alarmed)

    def _against_own_past(self, report: TickReport) -> tuple[str, ...]:
        alarmed = []
        for name, value in ((DISAGREEMENT, self._disagreement(report)), (SCORE, _mean_score(report))):
            if value is None:
                continue
            if name == DISAGREEMENT and self._on_disagreement is not None:
                self._on_disagreement(value)
            alarm = self._adwins[name].update(value)
            self._on_drift(name, float(alarm), alarm)
            if alarm:
                alarmed.append(name)
        return tuple(alarmed)

    def _disagreement(self, report: TickReport) -> float | None:
        seen, scan = report.detections, report.observation.scan
        if seen is None or seen.floor_seen is None or scan is None:
            return None
        if abs(report.command.turn_radps) > self._settings.turn_max_radps:
            return None
        if scan.stamp_s - seen.stamp_s > self._settings.age_max_s:
            return None
        return floor_behind_obstacles(seen.floor_seen, scan, self._base_from_laser)


def _mean_score(report: TickReport) -> float | None:
    seen = report.detections
    return float(seen.scores.mean()) if seen is not None and len(seen.scores) else None
