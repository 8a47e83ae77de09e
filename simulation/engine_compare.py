"""One world in both engines: what Webots' LIDAR and camera say beside what the stand-in's say, from the same poses.

Webots runs headless with the capture controller of this folder; without an installed Webots there is nothing to
compare, and that is said in one line.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from foundation import atomic_files
from foundation.geometry import FloatArray
from foundation.robot_config import RobotConfig
from perception import sample_format
from perception.sample_format import Sample
from simulation.analytic_camera import segmentation, solids_of
from simulation.errors import EngineError
from simulation.ground_truth import scan_slice, true_ranges
from simulation.room_spec import Room
from simulation.webots_world import world_wbt

WEBOTS_WITHIN_S = 900


@dataclass(frozen=True, slots=True)
class Difference:
    """Webots' samples against exact truth, which the stand-in meets to 1e-5 m and .1 % of pixels."""

    samples: int
    range_median_m: float
    range_p99_m: float
    range_finite_disagree_ratio: float
    class_disagree_ratio: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def webots_command() -> Path:
    """Raises EngineError when no Webots is installed."""
    home = os.environ.get("WEBOTS_HOME")
    found = shutil.which("webots") or (shutil.which("webots", path=home) if home else None)
    if found is None:
        raise EngineError(
            "Webots is not installed: no `webots` on the path and WEBOTS_HOME is not set; see docs/webots.md"
        )
    return Path(found)


def compare(room: Room, out: Path, *, frames: int, seed: int, config: RobotConfig | None = None) -> Difference:
    """Runs `room` in Webots, captures `frames` samples, and writes `difference.json` of them in `out`."""
    webots = webots_command()
    config = config or RobotConfig()
    _lay_out(room, config, out, frames, seed)
    command = [str(webots), "--batch", "--mode=fast", "--no-rendering", "--minimize", "--stdout", "--stderr"]
    try:
        done = subprocess.run(
            [*_display(), *command, str(out / "worlds" / "world.wbt")],
            timeout=WEBOTS_WITHIN_S, capture_output=True, text=True, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise EngineError(f"Webots did not end within {WEBOTS_WITHIN_S} s; see docs/webots.md") from error
    if done.returncode != 0:
        raise EngineError(f"Webots ended with code {done.returncode}: {(done.stderr or done.stdout).strip()[-300:]}")
    difference = difference_of(room, config, list(sample_format.iter_samples(out / "capture")))
    atomic_files.write_json(out / "difference.json", difference.to_json())
    return difference


def difference_of(room: Room, config: RobotConfig, samples: Sequence[Sample]) -> Difference:
    """Pure: samples of any engine against the room's own geometry."""
    if not samples:
        raise EngineError("no samples to compare")
    prints, solids = scan_slice(room, config.lidar.z_m), solids_of(room)
    errors, finite, classes = [], [], []
    for sample in samples:
        bearings: FloatArray = sample.first_bearing_rad + sample.step_rad * np.arange(
            len(sample.ranges_m), dtype=np.float64
        )
        true = true_ranges(prints, sample.pose, bearings, config.lidar.range_max_m)
        both = np.isfinite(true) & np.isfinite(sample.ranges_m)
        errors.append(np.abs(true - sample.ranges_m)[both])
        finite.append(np.isfinite(true) != np.isfinite(sample.ranges_m))
        seen = np.asarray(cv2.imdecode(np.frombuffer(sample.segmentation, np.uint8), cv2.IMREAD_UNCHANGED))
        classes.append(np.not_equal(seen, segmentation(solids, sample.camera, sample.pose)[0]).ravel())
    every = np.concatenate(errors)
    return Difference(
        samples=len(samples),
        range_median_m=float(np.median(every)),
        range_p99_m=float(np.percentile(every, 99)),
        range_finite_disagree_ratio=float(np.concatenate(finite).mean()),
        class_disagree_ratio=float(np.concatenate(classes).mean()),
    )


def _lay_out(room: Room, config: RobotConfig, out: Path, frames: int, seed: int) -> None:
    """A Webots project: worlds/ beside controllers/, as Webots looks for them."""
    room.save(out / "room.json")
    arguments = ("--room", str(out / "room.json"), "--frames", str(frames), "--seed", str(seed))
    text = world_wbt(room, config, controller="capture", arguments=(*arguments, "--out", str(out / "capture")))
    atomic_files.write_text(out / "worlds" / "world.wbt", text)
    shim = Path(__file__).parent / "webots" / "controllers" / "capture" / "capture.py"
    atomic_files.write_bytes(out / "controllers" / "capture" / "capture.py", shim.read_bytes())


def _display() -> list[str]:
    """Webots' sensors need a display: a virtual one where there is none."""
    if os.environ.get("DISPLAY"):
        return []
    xvfb = shutil.which("xvfb-run")
    if xvfb is None:
        raise EngineError("Webots needs a display: sudo apt-get install xvfb")
    return [xvfb, "-a"]
