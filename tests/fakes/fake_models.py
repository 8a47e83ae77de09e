"""Models of a few lines for the robot's detector: each sees what it is told."""

import numpy as np

from perception.observation import Detections, Frame, Observation


def frame(stamp_s: float) -> Frame:
    return Frame(stamp_s, np.zeros((24, 32, 3), np.uint8))


def tick(stamp_s: float, *, with_frame: bool = True) -> Observation:
    return Observation(stamp_s, None, frame(stamp_s) if with_frame else None, None)


def seen(stamp_s: float, places: list[tuple[float, float]], score: float = 0.9) -> Detections:
    count = len(places)
    contacts = np.asarray(places, dtype=np.float64).reshape(count, 2)
    scores = np.full(count, score)
    return Detections(stamp_s, contacts, np.full(count, 0.03), scores, np.zeros(count, np.int64), np.zeros((count, 4)))


class FakeModel:
    """Sees `places` in every frame; raises `error` when one is given."""

    def __init__(
        self, places: list[tuple[float, float]], *, score: float = 0.9, error: Exception | None = None
    ) -> None:
        self.places, self.score, self.error = places, score, error
        self.stamps: list[float] = []

    def detect_frame(self, frame: Frame) -> Detections:
        self.stamps.append(frame.stamp_s)
        if self.error is not None:
            raise self.error
        return seen(frame.stamp_s, self.places, self.score)
