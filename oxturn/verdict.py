"""Figures beside their thresholds: what a run must show, and whether it did."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Comparison = Literal[">=", "<=", "=="]
MODEL_MS: Final = 20.0  # of the 30 that a tick of the loop may take (p99), SLAM and planning beside it


@dataclass(frozen=True, slots=True)
class Row:
    """One claim. A value that is None was not measured, and fails."""

    name: str
    value: float | None
    comparison: Comparison
    threshold: float
    unit: str = ""

    @property
    def passed(self) -> bool:
        if self.value is None or self.value != self.value:
            return False
        if self.comparison == ">=":
            return self.value >= self.threshold
        if self.comparison == "<=":
            return self.value <= self.threshold
        return self.value == self.threshold

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": self.value,
            "comparison": self.comparison,
            "threshold": self.threshold,
            "unit": self.unit,
            "passed": self.passed,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """Passed when every row has."""

    rows: tuple[Row, ...]

    @property
    def passed(self) -> bool:
        return bool(self.rows) and all(row.passed for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        return {"passed": self.passed, "rows": [row.to_json() for row in self.rows]}


@dataclass(frozen=True, slots=True)
class JobFigures:
    """One coverage run as the judge scored it: the simulator's truth, never the robot's belief."""

    coverage_ratio: float
    collisions: int
    small_objects: int
    small_objects_hit: int
    duration_s: float
    path_length_m: float
    localisation_error_m: float

    @staticmethod
    def of(score: Mapping[str, Any]) -> "JobFigures":
        return JobFigures(**{name: score[name] for name in JobFigures.__slots__})


def judge_loop(
    lidar_only: JobFigures, with_model: JobFigures, model: Mapping[str, Any], driven: Mapping[str, Any]
) -> Verdict:
    """The verdict of the whole loop on one unseen room, driven twice: by LIDAR alone and with the delivered model."""
    hit_share = lidar_only.small_objects_hit / max(lidar_only.small_objects, 1)
    allowed = lidar_only.small_objects_hit / 5
    return Verdict(
        (
            Row("covered with the model", with_model.coverage_ratio, ">=", 0.97),
            Row("collisions with the model", with_model.collisions, "==", 0),
            Row("small objects hit with the model", with_model.small_objects_hit, "<=", allowed),
            Row("covered by LIDAR alone", lidar_only.coverage_ratio, ">=", 0.97),
            Row("small objects hit by LIDAR alone, of all", hit_share, ">=", 0.5),
            Row("localisation error p95", with_model.localisation_error_m, "<=", 0.05, "m"),
            Row("metrics scraped over HTTP, times", driven["scrapes"], ">=", 1),
            Row("model size", model["size_bytes"], "<=", 500_000, "bytes"),
            Row("model latency p99 here, in the quietest round", model["latency_p99_s"] * 1e3, "<=", MODEL_MS, "ms"),
        )
    )
