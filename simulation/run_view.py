"""A scored run as pictures: a strip of the driven room over time, and an MP4 of it growing."""

import math
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from foundation import atomic_files
from foundation.array_file import read_arrays
from foundation.errors import ArrayFileError
from foundation.geometry import FloatArray
from foundation.out_folder import require_folder
from foundation.robot_config import RobotConfig
from simulation.errors import RunError
from simulation.judge import sweep

PIXELS_A_CELL: Final = 1
FRAMES: Final = 160
_ARRAYS: Final = ("true_trajectory", "geometry", "covered", "coverable", "obstacles", "small_objects", "hit")
_INSIDE, _SWEPT, _WALL = (236, 236, 236), (190, 224, 168), (70, 70, 70)
_OBJECT, _HIT, _ROBOT, _PATH = (60, 160, 240), (50, 50, 220), (120, 60, 20), (170, 120, 40)  # BGR


def view(run: Path, out: Path, *, seconds: float = 12.0) -> list[Path]:
    """Writes `strip.png` and, where OpenCV can, `run.mp4` from a run's folder. Raises RunError when it is none."""
    try:
        arrays = read_arrays(run / "run.npz")
    except ArrayFileError as error:
        raise RunError(f"{run}: no finished run here: {error}") from error
    missing = [name for name in _ARRAYS if name not in arrays]
    if missing:
        raise RunError(f"{run / 'run.npz'}: not a run's arrays, it lacks {', '.join(missing)}")
    require_folder(out, RunError)
    pictures = list(_pictures(arrays))
    if not pictures:
        raise RunError(f"{run}: the robot never moved a tick, there is nothing to show")
    out.mkdir(parents=True, exist_ok=True)
    written = [out / "strip.png"]
    chosen = [pictures[round(i * (len(pictures) - 1) / 5)] for i in range(6)]
    _, data = cv2.imencode(".png", np.hstack(chosen))
    atomic_files.write_bytes(written[0], bytes(data))
    height, width = pictures[0].shape[:2]
    film = cv2.VideoWriter(
        str(out / ".run.tmp.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), len(pictures) / seconds, (width, height)
    )
    if film.isOpened():
        for picture in pictures:
            film.write(picture)
        film.release()
        written.append((out / ".run.tmp.mp4").replace(out / "run.mp4"))
    return written


def _pictures(run: dict[str, NDArray[Any]]) -> list[NDArray[np.uint8]]:
    trajectory: FloatArray = run["true_trajectory"]
    x0_m, y0_m, cell_m = (float(value) for value in run["geometry"])
    covered = np.zeros(run["covered"].shape, bool)
    body, half = RobotConfig().body.radius_m, RobotConfig().tool.width_m / 2
    hit_at_s = run.get("hit_at_s", np.full(len(run["hit"]), np.inf))
    pictures: list[NDArray[np.uint8]] = []
    drawn = 1
    for frame in range(min(FRAMES, len(trajectory))):
        until = max(round((frame + 1) * len(trajectory) / FRAMES), 1)
        for index in range(drawn, until):
            before, now = trajectory[index - 1], trajectory[index]
            sweep(covered, x0_m, y0_m, cell_m, *before[1:4], *now[1:4], -half, half)
        drawn = max(until, drawn)
        picture: NDArray[np.uint8] = np.full((*covered.shape, 3), 255, np.uint8)
        picture[run["coverable"]] = _INSIDE
        picture[covered] = _SWEPT
        picture[run["obstacles"] == 1] = _WALL
        picture[run["obstacles"] == 2] = _OBJECT
        stamp_s, x, y, heading = trajectory[until - 1]
        points = ((trajectory[:until, 1:3] - (x0_m, y0_m)) / cell_m).astype(np.int32)
        cv2.polylines(picture, [np.ascontiguousarray(points[::5])], False, _PATH, 1, cv2.LINE_AA)
        for (object_x, object_y, radius, _), when_s in zip(run["small_objects"], hit_at_s, strict=True):
            if when_s <= stamp_s:
                cv2.circle(picture, _cell(object_x, object_y, x0_m, y0_m, cell_m), round(radius / cell_m) + 3, _HIT, 2)
        cv2.circle(picture, _cell(x, y, x0_m, y0_m, cell_m), round(body / cell_m), _ROBOT, 2, cv2.LINE_AA)
        nose = _cell(x + body * math.cos(heading), y + body * math.sin(heading), x0_m, y0_m, cell_m)
        cv2.line(picture, _cell(x, y, x0_m, y0_m, cell_m), nose, _ROBOT, 2, cv2.LINE_AA)
        picture = np.ascontiguousarray(picture[::-1])
        picture = picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]
        cv2.putText(picture, f"{stamp_s:.0f} s", (8, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
        pictures.append(picture)
    return pictures


def _cell(x_m: float, y_m: float, x0_m: float, y0_m: float, cell_m: float) -> tuple[int, int]:
    return round((x_m - x0_m) / cell_m), round((y_m - y0_m) / cell_m)
