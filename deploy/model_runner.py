"""The detector beside the loop: always the newest frame, never a queue; a model on trial in its shadow; a swap between
two frames. Implements robot_loop.Detector.

The shadow has a worker of its own and sees the frames that the model has answered, those that it has time for: however
slow it is, the answers that the robot drives by come as before.

A model is anything with `detect_frame`. What it raises is a fault of the model, not of the robot: the loop goes on on
its LIDAR, and `fault` says why.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from deploy.shadow_rules import FramePair, ShadowRecord, judged
from deploy.update_rules import Evidence
from navigation.background import Background
from perception.observation import Detections, Frame, Observation


class Model(Protocol):
    """perception's ObstacleDetector."""

    def detect_frame(self, frame: Frame) -> Detections: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """One frame through one model: detections, or why there are none."""

    detections: Detections | None
    duration_s: float
    fault: str | None = None


Run = Callable[[Model, Frame], Answer]
_Answered = tuple[Model, Frame, Answer]
_Shadowed = tuple[Model, Answer | None, Answer]  # the shadow, the model's answer to the same frame, its own


class ModelRunner:
    """`detect` each tick; `shadow`, `promote` and `drop_shadow` between ticks, from the loop's own thread."""

    def __init__(self, model: Model | None, background: Background, beside: Background, run: Run) -> None:
        self._model = model
        self._shadow: Model | None = None
        self._background = background
        self._beside = beside  # the shadow's
        self._run = run
        self._newest: Frame | None = None
        self._record = ShadowRecord()
        self.fault: str | None = None
        self.answered_frames = 0

    @property
    def has_model(self) -> bool:
        return self._model is not None

    @property
    def evidence(self) -> Evidence:
        """What live frames said of the shadow so far."""
        return self._record.evidence

    def detect(self, observation: Observation) -> Detections | None:
        """The newest finished result, of this tick's frame or an earlier one."""
        if observation.frame is not None:
            self._newest = observation.frame  # an older one that waited is skipped
        self._take_shadowed()
        finished = self._take()
        model, shadow, newest = self._model, self._shadow, self._newest
        if newest is not None and model is not None and not self._background.busy:
            self._newest = None
            self._background.submit(lambda: (model, newest, self._run(model, newest)))
        elif newest is not None and model is None and shadow is not None and not self._beside.busy:
            self._newest = None
            self._try(shadow, newest, None)
        return finished

    def shadow(self, model: Model) -> None:
        """Run `model` beside the other on every frame; only the other's answers reach the loop."""
        self._shadow = model
        self._record = ShadowRecord()

    def promote(self) -> None:
        """The shadow answers from the next frame on."""
        if self._shadow is not None:
            self._model, self._shadow, self.fault = self._shadow, None, None

    def drop_shadow(self) -> None:
        self._shadow = None

    def replace(self, model: Model | None) -> None:
        """Another model from the next frame on, without a trial (a rollback by hand)."""
        self._model, self._shadow, self.fault = model, None, None

    def _take(self) -> Detections | None:
        done: _Answered | None = self._background.poll()
        if done is None or done[0] is not self._model:
            return None
        _, frame, answer = done
        self.answered_frames += 1
        self.fault = answer.fault
        if self._shadow is not None and not self._beside.busy:
            self._try(self._shadow, frame, answer)
        return answer.detections

    def _try(self, shadow: Model, frame: Frame, answer: Answer | None) -> None:
        self._beside.submit(lambda: (shadow, answer, self._run(shadow, frame)))

    def _take_shadowed(self) -> None:
        done: _Shadowed | None = self._beside.poll()
        if done is None or done[0] is not self._shadow:
            return
        _, answer, shadowed = done
        pair = FramePair(_of(answer), _of(shadowed), shadowed.duration_s, shadowed.fault)
        self._record = judged(self._record, pair)


def run_guarded(model: Model, frame: Frame, faults: tuple[type[Exception], ...]) -> Answer:
    """One frame; what a broken model raises (`faults`) or answers (not finite) becomes a value."""
    began_s = time.perf_counter()
    try:
        detections = model.detect_frame(frame)
    except faults as error:
        return Answer(None, time.perf_counter() - began_s, f"{type(error).__name__}: {error}"[:200])
    duration_s = time.perf_counter() - began_s
    if not (np.isfinite(detections.scores).all() and np.isfinite(detections.contacts_base_m).all()):
        return Answer(None, duration_s, "answers with values that are not finite")
    return Answer(detections, duration_s)


def _of(answer: Answer | None) -> Detections | None:
    return None if answer is None else answer.detections
