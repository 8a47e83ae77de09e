"""Times the loop's stages from outside: the loop has no clock, so whoever composes it wraps each stage.

    times = StageTimes(metrics.on_stage)
    run(robot, times.localiser(localiser), times.detector(detector), times.room(room), times.planner(planner),
        times.limiter(limit), times.on_tick(report))

A tick is the sum of its stages: from the observation in hand to the command, without the host's waiting.
"""

import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, ParamSpec, TypeVar

import numpy as np

from navigation.pose_estimate import PoseEstimate
from navigation.robot_io import DriveCommand
from navigation.robot_loop import Detector, Limiter, Localiser, Planner, Room, TickReport
from perception.observation import Detections, Observation

STAGES: Final = ("localise", "detect", "map", "plan", "limit")
TICK: Final = "tick"
KEPT: Final = 100_000  # durations a stage: 800 kB, nearly three hours at 10 Hz

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Durations:
    """Of one stage, in milliseconds."""

    count: int
    mean_ms: float
    p50_ms: float
    p99_ms: float
    max_ms: float


class StageTimes:
    """Durations of every stage, kept for a summary (the newest KEPT) and told to `observe(stage, seconds)` at once."""

    def __init__(
        self,
        observe: Callable[[str, float], None] | None = None,
        clock_s: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._observe = observe
        self._clock_s = clock_s
        self._kept: dict[str, array[float]] = {}
        self._counts: dict[str, int] = {}
        self._tick_s = 0.0

    def add(self, stage: str, duration_s: float) -> None:
        kept = self._kept.setdefault(stage, array("d"))
        count = self._counts.get(stage, 0)
        if count < KEPT:
            kept.append(duration_s)
        else:
            kept[count % KEPT] = duration_s
        self._counts[stage] = count + 1
        if self._observe is not None:
            self._observe(stage, duration_s)

    def timed(self, stage: str, call: Callable[P, T]) -> Callable[P, T]:
        """`call`, each time measured as part of a tick; also when it raises."""

        def measured(*args: P.args, **kwargs: P.kwargs) -> T:
            started_s = self._clock_s()
            try:
                return call(*args, **kwargs)
            finally:
                duration_s = self._clock_s() - started_s
                self._tick_s += duration_s
                self.add(stage, duration_s)

        return measured

    def localiser(self, inner: Localiser) -> Localiser:
        return _TimedLocaliser(self.timed("localise", inner.update))

    def detector(self, inner: Detector) -> Detector:
        return _TimedDetector(self.timed("detect", inner.detect))

    def room(self, inner: Room) -> Room:
        return _TimedRoom(self.timed("map", inner.integrate))

    def planner(self, inner: Planner) -> Planner:
        return _TimedPlanner(self.timed("plan", inner.command))

    def limiter(self, inner: Limiter) -> Limiter:
        return _TimedLimiter(self.timed("limit", inner))

    def on_tick(self, inner: Callable[[TickReport], None]) -> Callable[[TickReport], None]:
        """`inner`, once the tick's total was added; its own time is the stage `report`, no part of the tick."""

        def report(tick: TickReport) -> None:
            total_s, self._tick_s = self._tick_s, 0.0
            self.add(TICK, total_s)
            started_s = self._clock_s()
            inner(tick)
            self.add("report", self._clock_s() - started_s)

        return report

    def summary(self) -> dict[str, Durations]:
        """By stage, in the order first seen."""
        return {stage: _durations(self._counts[stage], kept) for stage, kept in self._kept.items()}

    def summary_json(self) -> dict[str, dict[str, float]]:
        """`{stage: {"count", "mean", "p50", "p99", "max"}}`, milliseconds."""
        return {
            stage: {
                "count": durations.count,
                "mean": durations.mean_ms,
                "p50": durations.p50_ms,
                "p99": durations.p99_ms,
                "max": durations.max_ms,
            }
            for stage, durations in self.summary().items()
        }


def _durations(count: int, kept_s: "array[float]") -> Durations:
    kept_ms = np.asarray(kept_s, dtype=np.float64) * 1e3  # (N,)
    p50_ms, p99_ms = np.percentile(kept_ms, [50, 99])
    return Durations(count, float(kept_ms.mean()), float(p50_ms), float(p99_ms), float(kept_ms.max()))


class _TimedLocaliser:
    def __init__(self, update: Callable[[Observation], PoseEstimate]) -> None:
        self._update = update

    def update(self, observation: Observation) -> PoseEstimate:
        return self._update(observation)


class _TimedDetector:
    def __init__(self, detect: Callable[[Observation], Detections | None]) -> None:
        self._detect = detect

    def detect(self, observation: Observation) -> Detections | None:
        return self._detect(observation)


class _TimedRoom:
    def __init__(self, call: Callable[[PoseEstimate, Observation, Detections | None, DriveCommand], None]) -> None:
        self._integrate = call

    def integrate(
        self, estimate: PoseEstimate, observation: Observation, detections: Detections | None, driven: DriveCommand
    ) -> None:
        self._integrate(estimate, observation, detections, driven)


class _TimedPlanner:
    def __init__(self, command: Callable[[PoseEstimate, Observation], DriveCommand | None]) -> None:
        self._command = command

    def command(self, estimate: PoseEstimate, observation: Observation) -> DriveCommand | None:
        return self._command(estimate, observation)


class _TimedLimiter:
    def __init__(self, limit: Callable[[DriveCommand, Observation], DriveCommand]) -> None:
        self._limit = limit

    def __call__(self, wanted: DriveCommand, observation: Observation) -> DriveCommand:
        return self._limit(wanted, observation)
