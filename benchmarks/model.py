"""What a bundle is worth and costs: unseen rooms, table class x distance, latency, cold start, memory, wallet photos.

    python benchmarks/model.py --bundle out/demo/... [--rooms 40 --frames 40 --work DIR]

The score from which a thing is told trades recall for false alarms, and a bundle's own is chosen on few frames: so the
same is told at other scores, too. In 20 rooms the nearest band holds 30 things, too few to compare bundles by.

Rooms, shapes and textures are the test ones, which no training draws from. Photos of a real wallet need
OXTURN_REFERENCE_DATA and `wallet_boxes.json` given by --wallet-boxes; without them that table is left out, and said.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from foundation.progress import bars
from foundation.robot_config import RobotConfig
from perception import data_processor, evaluate, model_bundle, obstacle_targets, sample_format
from perception.floor_colour_baseline import FloorColourBaseline
from perception.labels import FLOORS
from perception.onnx_model import OnnxModel
from perception.tasks.obstacles import NOT_FLOOR

RANGE_MAX_M = 1.2
SCORES = (0.4, 0.5, 0.6, 0.7, 0.8)
START = """
import time; began = time.perf_counter()
import re, sys
from pathlib import Path
import numpy as np
from foundation.robot_config import RobotConfig
from perception.obstacle_detector import ObstacleDetector
from perception.observation import Frame
camera = RobotConfig().camera.pinhole()
detector = ObstacleDetector(Path(sys.argv[1]), min_score=None, camera=camera, range_max_m=1.2)
detector.detect_frame(Frame(0.0, np.zeros((240, 320, 3), np.uint8)))
peak_kb = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]  # ru_maxrss holds the parent's
print(time.perf_counter() - began, int(peak_kb) / 1024)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--rooms", type=int, default=40)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--seed", type=int, default=900)
    parser.add_argument("--work", type=Path, help="keeps the captured test rooms here")
    parser.add_argument("--wallet-boxes", type=Path)
    given = parser.parse_args()
    bundle = model_bundle.load(given.bundle)
    print(f"bundle {bundle.folder}: {bundle.details.get('precision')}, {bundle.onnx_path.stat().st_size / 1e3:.0f} kB")
    costs(given.bundle)
    work = given.work or Path(tempfile.mkdtemp(prefix="oxturn-rooms-"))
    data = test_rooms(work, given.rooms, given.frames, given.seed)
    detector = evaluate.of_bundle(given.bundle, min_score=None, range_max_m=RANGE_MAX_M)
    worth("trained", evaluate.evaluate(detector, data, range_max_m=RANGE_MAX_M, progress=bars).figures)
    at_scores(given.bundle, data)
    floors(given.bundle, data)
    worth("nothing", evaluate.evaluate(evaluate.nothing, data, range_max_m=RANGE_MAX_M, progress=bars).figures)
    classical = FloorColourBaseline(RANGE_MAX_M)
    worth("floor colour", evaluate.evaluate(classical, data, range_max_m=RANGE_MAX_M, progress=bars).figures)
    wallet(detector, given.wallet_boxes)


def test_rooms(folder: Path, rooms: int, frames: int, seed: int) -> Path:
    """Samples of rooms with held-back shapes and textures."""
    from simulation.lidar_capture import samples
    from simulation.room_simulator import draw_room

    if (folder / sample_format.MANIFEST).exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    with bars("test rooms", total=rooms, unit="rooms") as advance:
        for index in range(rooms):
            room = draw_room(seed + index, rooms=1, purpose="test")
            rows = samples(room, RobotConfig(), frames=frames, seed=seed + index)
            sample_format.write_shard(folder / sample_format.shard_name(index), rows)
            advance(1)
    sample_format.write_manifest(folder, seed=seed, origin={"purpose": "test"})
    return folder


def worth(name: str, figures: dict) -> None:
    interval = figures["recall_interval_95"]
    print(f"\n{name}: {figures['frames']} frames, {figures['objects']} objects; recall {_percent(figures['recall'])}"
          f" ({_percent(interval[0])} to {_percent(interval[1])}), false alarms / 100 frames"
          f" {figures['false_alarms_per_100']:.1f}, worst class {figures['worst_class']}")  # fmt: skip
    print(f"{'band':<10}{'objects':>8}{'recall':>9}{'by class':>9}{'p50 cm':>8}{'p95 cm':>8}")
    for band, told in figures["by_distance"].items():
        print(f"{band:<10}{told['objects']:>8}{_percent(told['recall']):>9}"
              f"{_percent(told['recall_mean_over_classes']):>9}{_centimetres(told['contact_error_m_p50']):>8}"
              f"{_centimetres(told['contact_error_m_p95']):>8}")  # fmt: skip
    print(f"{'class':<12}" + "".join(f"{band:>11}" for band in figures["by_distance"]))
    for kind, told in figures["by_class_and_distance"].items():
        print(f"{kind:<12}" + "".join(f"{_percent(recall):>11}" for recall in told.values()))


def at_scores(bundle_dir: Path, data: Path) -> None:
    """Recall, mean over classes by band, and false alarms, where a thing is told from other scores on."""
    for score in SCORES:
        detector = evaluate.of_bundle(bundle_dir, min_score=score, range_max_m=RANGE_MAX_M)
        figures = evaluate.evaluate(detector, data, range_max_m=RANGE_MAX_M, progress=bars).figures
        recalls = (_percent(told["recall_mean_over_classes"]) for told in figures["by_distance"].values())
        print(f"from score {score:.1f}: {figures['false_alarms_per_100']:5.1f} false alarms / 100 frames, recall "
              + ", ".join(f"{name} {recall}" for name, recall in zip(figures["by_distance"], recalls)))  # fmt: skip


def floors(bundle_dir: Path, data: Path) -> None:
    """Cells that one kind of floor fills: told as that kind, and as floor at all."""
    model = OnnxModel.load(model_bundle.load(bundle_dir).onnx_path)
    counts = np.zeros((NOT_FLOOR + 1, NOT_FLOOR + 1), np.int64)  # true, told
    for sample in sample_format.iter_samples(data):
        truth = obstacle_targets.floor_cells(data_processor.decode_labels(sample.segmentation).astype(np.uint8))
        told = model.run(data_processor.decode(sample.image))["floor"].argmax(axis=0)
        known = truth != obstacle_targets.IGNORED
        np.add.at(counts, (truth[known], told[known]), 1)
    kinds, whole = counts[:NOT_FLOOR, :NOT_FLOOR], counts.sum()
    right = _percent(np.trace(kinds) / counts[:NOT_FLOOR].sum())
    apart = _percent((kinds.sum() + counts[NOT_FLOOR, NOT_FLOOR]) / whole)
    print(f"\nfloor: kind right in {right} of its cells, floor told from the rest in {apart}")
    print(f"  all six answers right in {_percent(np.trace(counts) / whole)}")
    shares = [right / cells if cells else None for right, cells in zip(np.diag(kinds), counts[:NOT_FLOOR].sum(axis=1))]
    print("  by kind " + ", ".join(f"{name} {_percent(share)}" for name, share in zip(FLOORS, shares, strict=True)))


def costs(bundle_dir: Path) -> None:
    """Latency of decoded frames through the model and the decoding, and what a fresh process needs."""
    model = OnnxModel.load(model_bundle.load(bundle_dir).onnx_path)
    rows, columns = model.input_shape[:2]
    frames = np.random.default_rng(0).integers(0, 255, (20, rows, columns, 3)).astype(np.uint8)
    times_ms = []
    for index in range(600):
        began_s = time.perf_counter()
        model.run(frames[index % len(frames)])
        times_ms.append((time.perf_counter() - began_s) * 1e3)
    p50, p99 = np.percentile(times_ms[100:], [50, 99])
    told = [
        [float(value) for value in subprocess.run(
            [sys.executable, "-c", START, str(bundle_dir)], capture_output=True, text=True, check=True
        ).stdout.split()]
        for _ in range(3)
    ]  # fmt: skip
    start_s, memory_mb = min(told)
    print(f"latency one thread p50 {p50:.2f} ms, p99 {p99:.2f} ms; load {os.getloadavg()[0]:.1f}")
    print(f"cold start {start_s:.2f} s, peak memory {memory_mb:.0f} MB (best of three processes)")


def wallet(detector: evaluate.FrameDetector, boxes_path: Path | None) -> None:
    folder = Path(os.environ.get("OXTURN_REFERENCE_DATA", "../shared/data"), "robot_camera")
    if boxes_path is None or not folder.is_dir():
        print(f"\nwallet photos: left out (boxes {boxes_path}, photos {folder})")
        return
    boxes = json.loads(boxes_path.read_text(encoding="utf-8"))
    camera = replace(RobotConfig().camera.pinhole(), pitch_down_rad=0.0)  # that robot's looks straight ahead
    found = alarms = counted = 0
    for name, box in boxes.items():
        image = data_processor.resized(data_processor.read_photo(folder / name), 320, 240)
        contacts = camera.pixels_from_floor(detector(image, camera).contacts_base_m)
        x0, y0, x1, y1 = (value / 2 for value in box)
        near = [x0 - 6 <= u <= x1 + 6 and y0 - 6 <= v <= y1 + 8 for u, v in contacts]
        counted, found, alarms = counted + 1, found + any(near), alarms + sum(not hit for hit in near)
    print(f"\nwallet photos: found in {found} of {counted}, {10 * alarms / max(counted, 1):.1f} false alarms per 10")


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def _centimetres(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


if __name__ == "__main__":
    main()
