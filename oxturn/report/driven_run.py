"""A scored coverage run as its folder tells it: the judge's truth and what the robot itself left behind."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from foundation.errors import OxturnError
from foundation.geometry import FloatArray


@dataclass(frozen=True, slots=True)
class DrivenRun:
    """Grids are [row, col] with row along +y; `world` is the simulator's frame, `map` the robot's own."""

    name: str
    score: Mapping[str, Any]
    true_trajectory: FloatArray  # (N, 4): stamp_s, x, y, heading in world
    published_trajectory: FloatArray  # (N, 4): the same in map
    covered: NDArray[np.bool_]  # (R, C)
    coverable: NDArray[np.bool_]  # (R, C)
    obstacles: NDArray[np.uint8]  # (R, C): 0 free, 1 wall or furniture, 2 small object
    geometry: FloatArray  # (3,): origin x, origin y, cell, metres
    small_objects: FloatArray  # (K, 4): x, y, radius, class
    hit: NDArray[np.bool_]  # (K,)
    robot_map: NDArray[np.int8] | None  # (R2, C2)
    robot_map_geometry: FloatArray | None  # (3,)
    tick_ms: Mapping[str, Mapping[str, float]]
    folder: Path

    def extent_m(self) -> tuple[float, float, float, float]:
        """left, right, bottom, top of the judge's grids in world."""
        return _extent(self.geometry, self.covered.shape)

    def robot_extent_m(self) -> tuple[float, float, float, float] | None:
        """left, right, bottom, top of the robot's map in map."""
        if self.robot_map is None or self.robot_map_geometry is None:
            return None
        return _extent(self.robot_map_geometry, self.robot_map.shape)


def load(folder: Path, name: str) -> DrivenRun:
    """Reads `run.json`, `run.npz` and `robot/tick_ms.json` of a run's folder."""
    try:
        score = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        with np.load(folder / "run.npz") as arrays:
            held = {key: arrays[key] for key in arrays.files}
    except (OSError, ValueError) as error:
        raise OxturnError(f"{folder}: not a finished coverage run: {error}") from error
    ticks = folder / "robot" / "tick_ms.json"
    return DrivenRun(
        name=name,
        score=score,
        true_trajectory=held["true_trajectory"],
        published_trajectory=held["published_trajectory"],
        covered=held["covered"],
        coverable=held["coverable"],
        obstacles=held["obstacles"],
        geometry=held["geometry"],
        small_objects=held["small_objects"],
        hit=held["hit"],
        robot_map=held.get("robot_map"),
        robot_map_geometry=held.get("robot_map_geometry"),
        tick_ms=json.loads(ticks.read_text(encoding="utf-8")) if ticks.exists() else {},
        folder=folder,
    )


def _extent(geometry: FloatArray, shape: tuple[int, ...]) -> tuple[float, float, float, float]:
    x_m, y_m, cell_m = (float(value) for value in geometry)
    return x_m, x_m + shape[1] * cell_m, y_m, y_m + shape[0] * cell_m
