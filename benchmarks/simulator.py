"""Figures of the simulator: samples a second, labels and scans against independent truth, rooms in two engines.

    python benchmarks/simulator.py [throughput|segmentation|lidar|worlds|rooms|bytes|drive ...] [--quick]

Each line is a figure beside its bar. `--quick` takes a tenth of the work.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from scipy import ndimage

from foundation.geometry import Pose2D
from foundation.robot_config import RobotConfig
from perception import sample_format
from simulation import ground_truth
from simulation.analytic_camera import segmentation, solids_of
from simulation.dataset_writer import CaptureSettings, robot_config
from simulation.lidar_capture import samples
from simulation.mujoco_world import build
from simulation.room_simulator import SOLVABLE_RATIO, draw_room, solvable_ratio
from simulation.room_spec import Room
from simulation.standin.engine import Engine
from simulation.webots_file import parse
from simulation.webots_solids import standing_solids
from simulation.webots_world import world_wbt

CONFIG = RobotConfig()
OXTURN = (str(Path(sys.executable).with_name("oxturn")),)
GRAZING = 0.15  # a beam is grazing when its neighbours' ranges differ by more than this share


def throughput(quick: bool) -> None:
    """From process start to closed, validated shards; 400 frames a room: light anew every 5, textures within 20."""
    for width, height, bar in ((320, 240, 150), (160, 120, 250)):
        rooms, frames = (2, 100) if quick else (8, 400)
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder, "capture")
            size = ("--width", str(width), "--height", str(height))
            command = (*OXTURN, "sim", "capture", "--rooms", str(rooms), "--frames", str(frames), "--seed", "1", *size)
            started = time.perf_counter()
            subprocess.run([*command, "--out", str(out), "--json"], check=True, stdout=subprocess.DEVNULL)
            broken = sample_format.check(out)
            taken_s = time.perf_counter() - started
            rate = rooms * frames / taken_s
            size_kb = sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / rooms / frames / 1000
        _line(f"labelled samples {width}x{height}, {os.cpu_count()} cores", f"{rate:.0f}/s", f">= {bar}/s", rate >= bar)
        _line(f"  shards sound; kB a sample {size_kb:.1f}", str(len(broken)), "0 problems", not broken)


def segmentation_against_rays(quick: bool) -> None:
    rooms, frames = (4, 5) if quick else (20, 10)
    config = robot_config(CaptureSettings(1, frames, 1, 320, 240))
    wrong = inside = pixels = 0
    for seed in range(rooms):
        room = draw_room(seed)
        solids = solids_of(room)
        for sample in samples(room, config, frames=frames, seed=seed):
            classes, instances = segmentation(solids, sample.camera, sample.pose)
            differs = (_png(sample.segmentation) != classes) | (_png(sample.instances) != instances)
            key = classes.astype(np.int64) * 1000 + instances
            # an edge may lie just outside of the picture: its rim has no interior
            interior = ndimage.maximum_filter(key, 3) == ndimage.minimum_filter(key, 3, mode="constant", cval=-1)
            wrong, pixels = wrong + int(differs.sum()), pixels + differs.size
            inside += int((differs & interior).sum())
    _line(f"segmentation, {rooms * frames} poses in {rooms} rooms: interior mismatches", str(inside), "0", inside == 0)
    _line("  all mismatches", f"{wrong / pixels:.4%}", "<= 0.1 %", wrong <= 0.001 * pixels)


def lidar_against_analytic(quick: bool) -> None:
    worst = 0.0
    for seed in range(10 if quick else 50):
        room = draw_room(seed)
        engine = Engine(build(room, CONFIG).model, CONFIG, seed=0)
        rng = np.random.default_rng(seed)
        for _ in range(5):
            start = room.dock.start
            place = np.array([start.x_m + rng.uniform(-0.05, 0.05), start.y_m + rng.uniform(-0.05, 0.05), 0.0])
            engine.place(engine.robot_body, place, (0.0, 0.0, 1.0, float(rng.uniform(-3, 3))))
            engine.settle()
            measured = engine.ranges(noise=False)[::-1].astype(np.float64)
            position, rotation = engine.robot_pose()
            laser = Pose2D(float(position[0]), float(position[1]), float(np.arctan2(rotation[1, 0], rotation[0, 0])))
            bearings = -np.pi + (np.arange(len(measured)) + 0.5) * 2 * np.pi / len(measured)
            true = ground_truth.true_ranges(ground_truth.scan_slice(room, CONFIG.lidar.z_m), laser, bearings, 12.0)
            worst = max(worst, float(np.abs(measured - true)[_steady(true)].max()))
    _line("noise-free LIDAR against analytic, worst non-grazing beam", f"{worst:.1e} m", "<= 1e-5 m", worst <= 1e-5)


def worlds_in_two_engines(quick: bool) -> None:
    """Webots' world read back, against MuJoCo's rays: 360 rays from 5 poses in each room."""
    count, worst = 50 if quick else 1000, 0.0
    scans = CONFIG.model_copy(update={"lidar": CONFIG.lidar.model_copy(update={"beams": 360})})
    bearings = -np.pi + (np.arange(360) + 0.5) * 2 * np.pi / 360
    for seed in range(count):
        room = draw_room(seed, purpose="test" if seed % 2 else "train", small_objects=(0, 0))
        prints = standing_solids(parse(world_wbt(room, scans)), scans.lidar.z_m)
        engine = Engine(build(room, scans).model, scans, seed=0)
        for pose in _poses(room, seed, 5):
            engine.place(engine.robot_body, np.array([pose.x_m, pose.y_m, 0.0]), (0.0, 0.0, 1.0, pose.heading_rad))
            engine.settle()
            from_mjcf = engine.ranges(noise=False)[::-1].astype(np.float64)
            from_wbt = ground_truth.true_ranges(prints, pose, bearings, 12.0)
            worst = max(worst, float(np.abs(from_mjcf - from_wbt)[_steady(from_wbt)].max()))
    _line(f".wbt against MJCF, {count} rooms, 5 poses, 360 rays", f"{worst:.1e} m", "<= 1e-4 m", worst <= 1e-4)


def rooms_solvable(quick: bool) -> None:
    count = 40 if quick else 1000
    started = time.perf_counter()
    drawn = [draw_room(seed, purpose="test" if seed % 2 else "train") for seed in range(count)]
    each_s = (time.perf_counter() - started) / count
    worst = min(solvable_ratio(room) for room in drawn)
    _line(f"rooms solvable, worst of {count}", f"{worst:.3f}", f">= {SOLVABLE_RATIO}", worst >= SOLVABLE_RATIO)
    _line("  time to draw one", f"{each_s * 1e3:.0f} ms", "", True)


def same_bytes(quick: bool) -> None:
    hashes = set()
    for workers in (1, 2, 2):
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder, "capture")
            command = (*OXTURN, "sim", "capture", "--rooms", "4", "--frames", "15", "--seed", "3", "--json")
            subprocess.run(
                [*command, "--workers", str(workers), "--out", str(out)], check=True, stdout=subprocess.DEVNULL
            )
            digest = hashlib.sha256()
            for path in sorted(path for path in out.rglob("*") if path.is_file()):
                digest.update(str(path.relative_to(out)).encode() + path.read_bytes())
            hashes.add(digest.hexdigest())
    _line("same seed, 1 worker and twice 2 workers: different captures", str(len(hashes)), "1", len(hashes) == 1)


def driving(quick: bool) -> None:
    """The engine alone, with LIDAR and camera at 10 Hz: what is left for the robot's own stages."""
    room = draw_room(101, rooms=1, purpose="test")
    engine = Engine(build(room, CONFIG).model, CONFIG, seed=1)
    engine.set_wheel_velocities(2.0, 2.5)
    engine.image(320, 240)
    best = 0.0
    for _ in range(3):
        started = time.perf_counter()
        for _ in range(50 if quick else 200):
            for _ in range(5):
                engine.basic_step()
            engine.ranges()
            engine.image(320, 240)
        best = max(best, (5 if quick else 20) / (time.perf_counter() - started))
    _line("engine with LIDAR and 320x240 camera at 10 Hz", f"{best:.1f} x real time", ">= 6", best >= 6)


def _poses(room: Room, seed: int, count: int) -> list[Pose2D]:
    """Where the body can stand, away from everything."""
    truth = ground_truth.floor_truth(room, body_radius_m=0.17, tool_width_m=0.26, cell_m=0.05, with_small_objects=False)
    rng, cells = np.random.default_rng(seed), np.argwhere(truth.reach)
    places = truth.geometry.centres(cells[rng.integers(len(cells), size=count)])
    return [Pose2D(float(x), float(y), float(rng.uniform(-3, 3))) for x, y in places]


def _steady(ranges: np.ndarray) -> np.ndarray:
    """Beams whose neighbours hit about as far away: not at an edge, not along a wall."""
    near = np.abs(np.diff(ranges, prepend=ranges[-1:])) < GRAZING * ranges
    return near & np.roll(near, -1) & np.isfinite(ranges)


def _png(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def _line(what: str, value: str, bar: str, passed: bool) -> None:
    print(f"{'ok  ' if passed else 'MISS'} {what:<72} {value:>18}   {bar}", flush=True)


PARTS: dict[str, Callable[[bool], None]] = {
    "throughput": throughput,
    "segmentation": segmentation_against_rays,
    "lidar": lidar_against_analytic,
    "worlds": worlds_in_two_engines,
    "rooms": rooms_solvable,
    "bytes": same_bytes,
    "drive": driving,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    for part in given.parts or PARTS:
        PARTS[part](given.quick)
