"""The steps of the full loop: each fills the folder it is given and tells a few facts. Composition only, no decisions.

Everything is imported inside its step: the first bar shows before torch has been read.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foundation.errors import OxturnError
from foundation.progress import ProgressFactory
from oxturn.loop_settings import LoopSettings
from oxturn.stages import Stage
from oxturn.verdict import Verdict

if TYPE_CHECKING:
    from foundation.robot_config import RobotConfig

TRAINING_SEED_OFFSET = 1_000_000  # unseen rooms take the seed itself: no room of the capture has it
SAMPLES_SHOWN, SAMPLES_APART = 9, 17
FRACTIONS = (0.84, 0.08, 0.08)
WORKERS = max(min(os.cpu_count() or 1, 8), 1)


def capture(to: Path, settings: LoopSettings, progress: ProgressFactory) -> Mapping[str, Any]:
    """Labelled samples by the Webots-API controllers."""
    from simulation import dataset_writer

    manifest = dataset_writer.capture(
        settings.rooms,
        settings.frames,
        settings.seed + TRAINING_SEED_OFFSET,
        to,
        workers=WORKERS,
        progress=progress,
    )
    return {"samples": manifest.samples, "dataset": manifest.dataset_hash, "renderer": manifest.origin["renderer"]}


def clean(captured: Path, to: Path, progress: ProgressFactory) -> Mapping[str, Any]:
    """What is broken goes to quarantine with the reason."""
    from perception import quality

    return asdict(quality.clean(captured, to, progress=progress))


def split(cleaned: Path, to: Path, settings: LoopSettings, progress: ProgressFactory) -> Mapping[str, Any]:
    """By room: no room is in two parts."""
    from perception import dataset

    parts = dataset.split(cleaned, to, seed=settings.seed, fractions=FRACTIONS, progress=progress)
    return {"samples": dict(parts.samples), "rooms": dict(parts.groups)}


def train(split: Path, to: Path, settings: LoopSettings, progress: ProgressFactory) -> Mapping[str, Any]:
    """The obstacle model, exported to ONNX through its parity gates, measured on the test part's rooms."""
    import shutil

    from foundation.robot_config import RobotConfig
    from perception import evaluate, evaluation_report, plots, sample_format, tracked_training
    from perception.train import TrainSettings

    config = RobotConfig()
    trained = tracked_training.run(
        "obstacles",
        split,
        to,
        TrainSettings(seed=settings.seed, minutes=settings.train_minutes, threads=min(WORKERS, 2)),
        tracking_uri=f"sqlite:///{to.parent.resolve() / 'mlflow.db'}",
        progress=progress,
    )
    shutil.rmtree(to / "cache", ignore_errors=True)
    range_max_m = config.detector.range_max_m
    detector = evaluate.of_bundle(to / "bundle", min_score=None, range_max_m=range_max_m)
    seen = evaluation_report.of_bundle(to / "bundle", split, min_score=None, range_max_m=range_max_m, progress=progress)
    plots.confusion(seen, to / "plots" / "confusion.png")
    plots.curves(seen, to / "plots" / "curves.png")
    plots.recall_by_distance(seen, to / "plots" / "recall_by_distance.png")
    shown = list(sample_format.iter_samples(split / "test"))[::SAMPLES_APART][:SAMPLES_SHOWN]
    plots.sample_detections(detector, shown, to / "plots" / "samples.png")
    return {
        "precision": trained.precision,
        "size_bytes": trained.size_bytes,
        "steps": trained.steps,
        "latency_p99_s": latency_p99_s(to / "bundle", config),
        **seen.figures,
    }


def latency_p99_s(bundle: Path, config: "RobotConfig", rounds: int = 5, frames: int = 100) -> float:
    """Of the robot's detector on this machine, one frame at a time, in seconds: of several rounds the quietest.

    What else the machine does in a moment says nothing of the model.
    """
    import time

    import numpy as np

    from perception.observation import Frame
    from perception.obstacle_detector import ObstacleDetector

    limits, camera = config.detector, config.camera
    detector = ObstacleDetector(
        bundle, min_score=limits.min_score, camera=camera.pinhole(), range_max_m=limits.range_max_m
    )
    rng = np.random.default_rng(0)
    frame = Frame(0.0, rng.integers(0, 256, (camera.height_px, camera.width_px, 3), np.uint8))
    p99_s = []
    for _ in range(rounds):
        took_s = []
        for _ in range(frames):
            began_s = time.perf_counter()
            detector.detect_frame(frame)
            took_s.append(time.perf_counter() - began_s)
        p99_s.append(float(np.percentile(took_s[frames // 10 :], 99)))
    return min(p99_s)


def publish(bundle: Path, to: Path) -> Mapping[str, Any]:
    """The bundle signed with TUF; the root's passphrase of this demo is made up and forgotten."""
    from deploy import signing

    keys = signing.create_keys(to / "keys")
    report = signing.publish(bundle, to / "keys", to / "repository")
    return {
        "version": report.version,
        "sha256": report.target_sha256,
        "size_bytes": report.size_bytes,
        "first_root": str(keys.first_root.relative_to(to)),
    }


def deliver(published: Path, to: Path, progress: ProgressFactory) -> Mapping[str, Any]:
    """A push over SSH to a robot of this machine, which verifies, installs, examines and switches."""
    from deploy.local_robot import local_robot_end
    from deploy.push import push
    from deploy.robot_home import set_up
    from deploy.transport import RobotAddress, create_client_key

    first_root = published / "keys" / "root_metadata" / "1.root.json"
    set_up(to / "home", first_root)
    key = to / "client_key"
    public_line = create_client_key(key)
    with local_robot_end(to / "home", public_line) as end:
        address = RobotAddress(end.host, end.port, end.user, end.host_key, key)
        report = push(published / "repository", address, progress=progress)
        if not report.installed:
            raise OxturnError(f"the robot refused the bundle: {report.result}: {report.message}")
    return {
        "kind": end.kind,
        "result": report.result,
        "version": report.version,
        "archive_bytes": report.archive_bytes,
        "metadata_bytes": report.metadata_bytes,
        "duration_s": report.duration_s,
    }


def drive_twice(robot: Path, to: Path, settings: LoopSettings, progress: ProgressFactory) -> Mapping[str, Any]:
    """The same unseen room by LIDAR alone and with the delivered model, side by side."""
    from simulation.room_simulator import draw_room

    room = draw_room(settings.seed, rooms=settings.unseen_rooms, purpose="test", small_objects=settings.small_objects)
    room.save(to / "room.json")
    homes: Sequence[tuple[str, Path | None]] = (("lidar_only", None), ("with_model", robot / "home"))

    def one(run: tuple[str, Path | None]) -> Mapping[str, Any]:
        name, home = run
        return drive(to / "room.json", home, to / name, settings.seed, progress)

    with ThreadPoolExecutor(max_workers=min(WORKERS, len(homes))) as pool:
        scores = dict(zip((name for name, _ in homes), pool.map(one, homes), strict=True))
    return {**scores, "scrapes": min(int(score["scrapes"]) for score in scores.values())}


def drive(room: Path, home: Path | None, out: Path, seed: int, progress: ProgressFactory) -> Mapping[str, Any]:
    """One scored run of the daemon in a room, its metrics scraped over HTTP while it drives."""
    from oxturn.scraping import Scraper
    from simulation.room_spec import Room
    from simulation.run_room import run_room

    robot_out = out.resolve() / "robot"
    command = [sys.executable, "-m", "oxturn.simulated_robot", "--out", str(robot_out), "--seed", str(seed)]
    if home is not None:
        command += ["--home", str(home.resolve())]
    with Scraper(robot_out / "metrics_address.txt", robot_out / "metrics.prom") as scraper:
        score = run_room(Room.load(room), seed=seed, out=out, bundle=None, robot_command=command, progress=progress)
    return {**score.to_json(), "scrapes": scraper.scrapes}


def report(out: Path, finished: Sequence[Stage], verdict: Verdict) -> Path:
    """`report.html`, its PNGs and `verdict.json`, from what the finished stages left."""
    from foundation import atomic_files
    from oxturn.report.loop_report import write

    atomic_files.write_json(out / "verdict.json", verdict.to_json())
    return write(out, {stage.name.partition("-")[2]: stage for stage in finished}, verdict)
