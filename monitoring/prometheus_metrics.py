"""What the robot tells Prometheus: each tick's report and each stage's time become counters, gauges and histograms.

Names follow OpenMetrics: `oxturn_` first, the base unit last (seconds, metres, ratio), `_total` on counters.
All of them live in the registry passed in; nothing is registered at import. `docs/monitoring.md` lists them.
"""

import importlib.metadata
from collections.abc import Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, Info

from monitoring.metrics_server import MetricsServer, serve_metrics
from navigation.pose_estimate import PoseEstimate, Tracking
from navigation.robot_loop import TickReport
from perception.labels import SMALL_OBJECTS
from perception.observation import Detections, Observation

__all__ = ["MetricsServer", "RobotMetrics", "serve_metrics"]

# Three buckets a decade from 10 us to 1 s: a stage's percentile is known within a factor of 2.2.
SECONDS_BUCKETS: Final = (*(round(m * 10.0**e, 8) for e in range(-5, 0) for m in (1, 2.2, 4.6)), 1.0)
PERIOD_BUCKETS: Final = (0.05, 0.08, 0.09, 0.095, 0.105, 0.11, 0.12, 0.15, 0.2, 0.3, 0.5, 1.0)
SCORE_BUCKETS: Final = tuple(i / 20 for i in range(1, 21))
UPDATE_SECONDS_BUCKETS: Final = (0.1, 0.22, 0.46, 1, 2.2, 4.6, 10, 22, 46, 100)
FEEDBACK_REASONS: Final = ("bumped", "drifted", "flooded", "unsure", "sample")  # most worth first
UPDATE_RESULTS: Final = ("installed", "refused", "failed", "rolled_back", "rollback_failed")
CROWD: Final = 8  # more small objects in one frame than a floor holds: dirty lens, or a bad model
JUMP_M: Final = 0.5  # a pose that moves further in one tick was corrected, not driven


class RobotMetrics:
    """The metrics of one robot process. Cheap enough for every tick: about 20 us."""

    def __init__(self, registry: CollectorRegistry, class_names: Sequence[str] = SMALL_OBJECTS) -> None:
        self._class_names = tuple(class_names)
        self._last: TickReport | None = None

        self.ticks = Counter("oxturn_ticks", "Ticks of the loop", registry=registry)
        self.stage = Histogram(
            "oxturn_stage_seconds",
            "Time of one stage of the loop; stage 'tick' is their sum",
            ["stage"],
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self.period = Histogram(
            "oxturn_tick_period_seconds",
            "Between two ticks by the host's clock",
            buckets=PERIOD_BUCKETS,
            registry=registry,
        )
        self.job_active = Gauge("oxturn_job_active", "1 while a coverage job runs", registry=registry)
        self.coverage = Gauge("oxturn_coverage_ratio", "Covered share of the known coverable floor", registry=registry)
        self.area = Gauge("oxturn_covered_square_metres", "Floor swept by the tool in this job", registry=registry)
        self.driven = Counter("oxturn_driven_metres", "Distance driven", registry=registry)
        self.turned = Counter("oxturn_turned_radians", "Angle turned, either way", registry=registry)
        self.bumps = Counter("oxturn_bumper_presses", "Times the bumper was pressed", registry=registry)
        self.cliffs = Counter("oxturn_cliffs_seen", "Times a cliff sensor lost the floor", registry=registry)
        self.limited = Counter("oxturn_limited_commands", "Commands the safety limiter changed", registry=registry)
        self.missing = Counter(
            "oxturn_sensor_missing_ticks", "Ticks without a new value", ["sensor"], registry=registry
        )
        self.battery = Gauge("oxturn_battery_ratio", "Charge left, NaN when unknown", registry=registry)
        self.battery.set(float("nan"))
        self.tracking = Enum(
            "oxturn_tracking", "How far the pose may be trusted", states=[s.value for s in Tracking], registry=registry
        )
        self.corrections = Counter("oxturn_map_corrections", "Times the pose graph moved keyframes", registry=registry)
        self.detections = Counter("oxturn_detections", "Small objects seen in frames", ["class"], registry=registry)
        self.detected_frames = Counter("oxturn_detected_frames", "Frames the detector answered", registry=registry)
        self.crowded_frames = Counter(
            "oxturn_crowded_frames", f"Answered frames with more than {CROWD} objects", registry=registry
        )
        self.scores = Histogram(
            "oxturn_detection_score", "Scores of what was seen", buckets=SCORE_BUCKETS, registry=registry
        )
        self.detection_age = Histogram(
            "oxturn_detection_age_seconds", "Frame to answer in hand", buckets=PERIOD_BUCKETS, registry=registry
        )
        self.model = Info("oxturn_model", "The model in use", registry=registry)
        self.software = Info("oxturn_software", "The robot's program and the slot it runs from", registry=registry)
        self.updates = Counter("oxturn_updates", "Finished updates by result", ["result"], registry=registry)
        self.update_seconds = Histogram(
            "oxturn_update_seconds", "Time an update took", buckets=UPDATE_SECONDS_BUCKETS, registry=registry
        )
        self.drift_score = Gauge(
            "oxturn_drift_score", "Distance from the reference, 1 = alarm", ["feature"], registry=registry
        )
        self.drift_alarms = Counter("oxturn_drift_alarms", "Drift alarms raised", ["feature"], registry=registry)
        self.disagreement = Gauge(
            "oxturn_camera_lidar_disagreement_ratio", "Floor the camera sees behind LIDAR returns", registry=registry
        )
        self.feedback = Counter(
            "oxturn_feedback_frames", "Frames kept for labelling by reason", ["reason"], registry=registry
        )
        self.on_model("none", "")
        self.on_software(None)
        for result in UPDATE_RESULTS:
            self.updates.labels(result)
        for sensor in ("scan", "frame", "wheels"):
            self.missing.labels(sensor)
        for name in self._class_names:
            self.detections.labels(name)
        for reason in FEEDBACK_REASONS:
            self.feedback.labels(reason)

    def on_stage(self, stage: str, duration_s: float) -> None:
        """For `StageTimes`."""
        self.stage.labels(stage).observe(duration_s)

    def on_tick(self, report: TickReport) -> None:
        """For `robot_loop.run`."""
        last, self._last = self._last, report
        before = last.observation if last is not None else None
        self.ticks.inc()
        self._sensors(report.observation, before)
        self._pose(report.estimate, last.estimate if last is not None else None)
        if report.command != report.wanted:
            self.limited.inc()
        if report.detections is not None:
            self._detected(report.detections, report.observation.stamp_s)

    def on_coverage(self, ratio: float, area_m2: float) -> None:
        """What the map handler says is covered; once a second is enough."""
        self.coverage.set(ratio)
        self.area.set(area_m2)

    def on_job(self, active: bool) -> None:
        self.job_active.set(float(active))

    def on_model(self, version: str, sha256: str, class_names: Sequence[str] | None = None) -> None:
        """The model in use from now on; without one, version `none`."""
        self.model.info({"version": version, "sha256": sha256})
        if class_names is not None:
            self._class_names = tuple(class_names)

    def on_software(self, slot: str | None) -> None:
        """Where this program runs from; None: it was not delivered by an update."""
        self.software.info({"version": importlib.metadata.version("oxturn"), "slot": slot or "none"})

    def on_update(self, result: str, duration_s: float | None = None) -> None:
        """`result` is one of UPDATE_RESULTS; the duration counts where it is known."""
        if result not in UPDATE_RESULTS:
            raise ValueError(f"update result {result!r} is none of {', '.join(UPDATE_RESULTS)}")
        self.updates.labels(result).inc()
        if duration_s is not None:
            self.update_seconds.observe(duration_s)

    def on_feedback(self, reason: str) -> None:
        """A frame was kept for labelling."""
        self.feedback.labels(reason).inc()

    def on_drift(self, feature: str, score: float, alarm: bool) -> None:
        """Call it from the start on, also without an alarm: a counter that is born at 1 shows no increase."""
        self.drift_score.labels(feature).set(score)
        self.drift_alarms.labels(feature).inc(float(alarm))

    def _sensors(self, now: Observation, before: Observation | None) -> None:
        if before is not None:
            self.period.observe(max(now.stamp_s - before.stamp_s, 0.0))
        if now.bumper_pressed and not (before is not None and before.bumper_pressed):
            self.bumps.inc()
        if any(now.cliffs) and not (before is not None and any(before.cliffs)):
            self.cliffs.inc()
        for sensor, value in (("scan", now.scan), ("frame", now.frame), ("wheels", now.wheels)):
            if value is None:
                self.missing.labels(sensor).inc()
        if now.battery_ratio is not None:
            self.battery.set(now.battery_ratio)

    def _pose(self, now: PoseEstimate, before: PoseEstimate | None) -> None:
        self.tracking.state(now.tracking.value)
        if before is None:
            return
        if now.map_revision != before.map_revision:
            self.corrections.inc(max(now.map_revision - before.map_revision, 0))
            return  # the map moved under the robot, not the robot
        moved = before.map_from_base.inverse() @ now.map_from_base
        step_m = (moved.x_m**2 + moved.y_m**2) ** 0.5
        if step_m <= JUMP_M:
            self.driven.inc(step_m)
            self.turned.inc(abs(moved.heading_rad))

    def _detected(self, detections: Detections, now_s: float) -> None:
        self.detected_frames.inc()
        if len(detections.scores) > CROWD:
            self.crowded_frames.inc()
        self.detection_age.observe(max(now_s - detections.stamp_s, 0.0))
        for class_id, score in zip(detections.class_ids.tolist(), detections.scores.tolist(), strict=True):
            known = 0 <= class_id < len(self._class_names)
            self.detections.labels(self._class_names[class_id] if known else "unknown").inc()
            self.scores.observe(score)
