#!/usr/bin/env python3
"""What a bad model does to a robot at work: seconds from the push to the verified model, and frames without an answer.

    python benchmarks/canary.py --bundle BUNDLE

In real time: a daemon that detects at 10 Hz, the updater that signs, unpacks, examines and switches as on the robot.
The bad ones are the bundle itself whose answers, once loaded, are slow, not a number, of another shape, seen everywhere
or nowhere: examined at rest they are fine. Shuffled weights and a broken ONNX file do not get so far.
"""

import argparse
import json
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "fakes"))  # the publisher is a fake of the tests

import numpy as np
from fake_publisher import FakePublisher

from deploy import live_trial, ota_updater, signing
from deploy.clock import MachineClock
from deploy.health import ProcessHealthCheck
from deploy.live_trial import CONFIRM_WITHIN_S
from deploy.model_runner import ModelRunner, run_guarded
from deploy.robot_home import exclusive
from deploy.robotd import detector_loader
from deploy.trial_watch import TrialWatch
from foundation.robot_config import RobotConfig
from navigation.background import ThreadBackground
from perception import model_bundle
from perception.observation import Detections, Frame, Observation

TICK_S = 0.1
BACK_WITHIN_S = 5.0
GAP_FRAMES = 1
HEALTH_WITHIN_S = 30.0
Answer = Callable[[Any, Frame], Detections]


def as_it_is(model: Any, frame: Frame) -> Detections:
    return model.detect_frame(frame)


def slow(model: Any, frame: Frame) -> Detections:
    time.sleep(0.4)
    return model.detect_frame(frame)


def never(model: Any, frame: Frame) -> Detections:
    time.sleep(20)
    return model.detect_frame(frame)


def not_a_number(model: Any, frame: Frame) -> Detections:
    told = model.detect_frame(frame)
    return replace(told, floor_seen=None, **_places(np.full((1, 2), np.nan)))


def wrong_shape(model: Any, frame: Frame) -> Detections:
    return Detections(
        frame.stamp_s, np.zeros((2, 2)), np.zeros(1), np.zeros(1), np.zeros(1, np.int64), np.zeros((1, 4))
    )


def everywhere(model: Any, frame: Frame) -> Detections:
    places = np.stack(np.meshgrid(np.linspace(0.3, 1.2, 6), np.linspace(-0.4, 0.4, 6)), axis=-1).reshape(-1, 2)
    return replace(model.detect_frame(frame), **_places(places))


def nowhere(model: Any, frame: Frame) -> Detections:
    return replace(model.detect_frame(frame), **_places(np.zeros((0, 2))))


BAD: dict[str, Answer] = {
    "slow (0.4 s a frame)": slow,
    "never answers": never,
    "not a number": not_a_number,
    "wrong shape": wrong_shape,
    "things everywhere": everywhere,
    "blind": nowhere,
}


def _places(contacts: np.ndarray) -> dict[str, np.ndarray]:
    count = len(contacts)
    return {
        "contacts_base_m": contacts, "radii_m": np.full(count, 0.05), "scores": np.full(count, 0.9),
        "class_ids": np.zeros(count, np.int64), "boxes_px": np.zeros((count, 4)), "edges": None,
    }  # fmt: skip


class Seeing:
    """The first model: sees one thing beside what the net sees, so that one that is blind is told from it."""

    def __init__(self, inner: Any, answer: Answer | None) -> None:
        self._inner, self._answer = inner, answer

    def detect_frame(self, frame: Frame) -> Detections:
        if self._answer is not None:
            return self._answer(self._inner, frame)
        return replace(self._inner.detect_frame(frame), **_places(np.array([[0.6, 0.1]])))


@dataclass
class Robot:
    """A daemon that does nothing but detect, on a thread of its own."""

    home: Path
    frames: np.ndarray
    first: Path  # its bundle is as it is; the others answer so:
    answer: Answer | None

    def __post_init__(self) -> None:
        self._good = detector_loader(RobotConfig())
        self.answered_at_s: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def longest_gap_frames(self, since_s: float) -> int:
        """Ticks without an answer, the usual one taken off."""
        times = np.array([one for one in self.answered_at_s if one >= since_s])
        return round(float(np.diff(times).max(initial=TICK_S)) / TICK_S) - 1

    def _load(self, bundle: Path) -> Any:
        return Seeing(self._good(bundle), None if bundle == self.first else self.answer)

    def _run(self) -> None:
        model = self._load(ota_updater.active_bundle(self.home))
        runner = ModelRunner(
            model,
            ThreadBackground("detector"),
            ThreadBackground("shadow"),
            lambda one, frame: run_guarded(one, frame, (Exception,)),
        )
        watch = TrialWatch(self.home, runner, self._load, ThreadBackground("trial"), MachineClock(), CONFIRM_WITHIN_S)
        due_s, tick = time.monotonic(), 0
        while not self._stop.is_set():
            now_s = time.monotonic()
            frame = Frame(now_s, self.frames[tick % len(self.frames)])
            if runner.detect(Observation(now_s, None, frame, None)) is not None:
                self.answered_at_s.append(now_s)
            watch.tick()
            due_s, tick = due_s + TICK_S, tick + 1
            self._stop.wait(max(due_s - time.monotonic(), 0))


def trial(bundle: Path, worse: Path, answer: Answer | None, folder: Path) -> tuple[str, float, int, str]:
    """Result, seconds from the switch-over's beginning to its end, longest gap in frames, what was said."""
    publisher = FakePublisher(folder)
    publisher.now_s = time.time()
    home, clock = publisher.robot(folder / "robot"), MachineClock()
    check = ProcessHealthCheck(HEALTH_WITHIN_S)
    for number, path in enumerate((bundle, worse), 1):
        signing.publish(path, publisher.keys, publisher.repo, now_s=publisher.now_s)
        publisher.deliver(home)
        if number == 1:
            first = ota_updater.update(home, check, live_trial.ExaminedAgain(check), clock)
            assert first.result == "confirmed", first
            active = ota_updater.active_bundle(home.path)
            robot = Robot(home.path, np.ascontiguousarray(model_bundle.load(bundle).golden()[0]), active, answer)
            time.sleep(2)
    began_s = time.monotonic()
    live = live_trial.WatchedByDaemon(home.path, clock, CONFIRM_WITHIN_S)
    with exclusive(home.path):
        report = ota_updater.update(home, check, live, clock)
    took_s = time.monotonic() - began_s
    time.sleep(2)
    gap = robot.longest_gap_frames(began_s - 1)
    robot.close()
    assert (ota_updater.active_bundle(home.path) == active) is (report.result != "confirmed")
    return report.result, took_s, gap, report.message


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True)
    told = parser.parse_args()
    missed = 0
    print(f"{'model':<22}{'result':<13}{'s':>6}{'gap, frames':>13}  reason")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shuffled = folder / "shuffled"
        model_bundle.randomised(told.bundle, shuffled, seed=1)
        runs: dict[str, tuple[Path, Answer | None]] = {
            "good": (told.bundle, None),
            "shuffled weights": (shuffled, as_it_is),
        }
        runs |= {name: (told.bundle, answer) for name, answer in BAD.items()}
        for number, (label, (path, answer)) in enumerate(runs.items()):
            at = folder / str(number)
            at.mkdir()
            result, took_s, gap, reason = trial(told.bundle, _next(path, at / "next"), answer, at)
            right = (result == "confirmed") is (label == "good")
            missed += not (right and took_s <= BACK_WITHIN_S and gap <= GAP_FRAMES)
            print(f"{label:<22}{result:<13}{took_s:>6.2f}{gap:>13}  {reason}", flush=True)
    print(f"bars: back within {BACK_WITHIN_S:g} s, at most {GAP_FRAMES} frame without an answer: {missed} missed")
    return 1 if missed else 0


def _next(bundle: Path, at: Path) -> Path:
    """The same bundle with another line in its card: another version."""
    shutil.copytree(bundle, at)
    card, manifest = at / "card.md", json.loads((at / "manifest.json").read_text())
    card.write_bytes(card.read_bytes() + b"\nTrained again.\n")
    manifest["files"]["card.md"] = {"size_bytes": card.stat().st_size, "sha256": sha256(card.read_bytes()).hexdigest()}
    (at / "manifest.json").write_text(json.dumps(manifest))
    return at


if __name__ == "__main__":
    raise SystemExit(main())
