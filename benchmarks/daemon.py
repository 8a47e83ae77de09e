"""The daemon on one processor core: time of a tick, memory over a run, time to the first command.

    taskset -c 0 python benchmarks/daemon.py [--minutes 5] [--bundle BUNDLE] [--shadow] [--real-time]

The whole `deploy.robotd.serve` - SLAM, detector, map, plan, control, metrics, recording, live values - in a flat world
with a camera that shows noise; the detector (and with --shadow a second one beside it) runs in the tick as on one core
it must. Ticks are as fast as they can be: figures are times of work, not of waiting. With --real-time the ticks come at
10 Hz and detector, shadow, routes and pose graph run on threads beside the loop, as on a robot: the period's jitter.
"""

import argparse
import json
import resource
import sys
import tempfile
import threading
import time

BEGAN_S = time.perf_counter()

from pathlib import Path  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "fakes"))  # the flat world is a fake of the tests

import numpy as np  # noqa: E402
from flat_world import FlatWorld  # noqa: E402

from deploy.pacing import Pacer  # noqa: E402
from deploy.robotd import Folders, detector_loader, serve  # noqa: E402
from deploy.warm_up import warm_up  # noqa: E402
from foundation.robot_config import RobotConfig  # noqa: E402
from navigation.background import ThreadBackground, stepped  # noqa: E402
from perception.observation import Frame, Observation  # noqa: E402

ROOM = (-2.5, -2.0, 2.5, 2.0)
BOXES = ((0.5, 0.3, 1.4, 0.9), (-1.8, -1.2, -1.2, -0.7), (1.6, -1.5, 2.0, -0.8))


class SeeingWorld(FlatWorld):
    """With a camera; a job that is done begins again in a fresh world of the same room."""

    def __init__(self, config: RobotConfig, ticks: int, real_time: bool = False) -> None:
        self._real_time = real_time
        self.began_s: list[float] = []  # each tick
        super().__init__(ROOM, boxes=BOXES, ticks=ticks, config=config)
        shape = (config.camera.height_px, config.camera.width_px, 3)
        self._images = np.random.default_rng(0).integers(0, 256, (8, *shape), np.uint8)

    def observations(self):
        if not self._real_time:
            yield from super().observations()
            return
        for _, seen in zip(Pacer(0.1).deadlines(), super().observations()):
            self.began_s.append(time.monotonic())
            yield seen

    def observe(self) -> Observation:
        seen = super().observe()
        frame = Frame(seen.stamp_s, self._images[self.tick % len(self._images)])
        return Observation(seen.stamp_s, seen.scan, frame, seen.wheels, seen.turn_rate_radps, seen.bumper_pressed)


class Doubled:
    """A model and its shadow in one: what a tick costs while a new model is on trial."""

    def __init__(self, first, second) -> None:
        self._first, self._second = first, second

    def detect_frame(self, frame: Frame):
        self._second.detect_frame(frame)
        return self._first.detect_frame(frame)


def rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--shadow", action="store_true")
    parser.add_argument("--real-time", action="store_true")
    told = parser.parse_args()
    config = RobotConfig.model_validate({"monitoring": {"port": 0}})
    imports_s = time.perf_counter() - BEGAN_S
    warm_up(config)
    ready_s = time.perf_counter() - BEGAN_S
    left, memory, first_s, ticks_ms, jitter_ms = round(told.minutes * 600), [], None, {}, []
    load = detector_loader(config)
    while left > 0:
        with tempfile.TemporaryDirectory() as name:
            out = Path(name)
            model = None if told.bundle is None else load(told.bundle)
            if told.shadow and told.bundle is not None:  # threads run both one after the other: no less work
                model = Doubled(model, load(told.bundle))
            world = SeeingWorld(config, left, told.real_time)
            done = 0

            def on_tick(report) -> None:
                nonlocal done, first_s
                done += 1
                first_s = first_s or time.perf_counter() - BEGAN_S
                if done % 600 == 0:
                    memory.append(rss_mb())

            serve(
                world,
                config,
                Folders(None, out / "job", out),
                background=ThreadBackground if told.real_time else stepped,
                load_model=load,
                stop=threading.Event(),
                on_tick=on_tick,
                first_model=model,
            )
            left -= max(done, 1)
            jitter_ms.extend(np.abs(np.diff(world.began_s) - 0.1) * 1e3)
            for stage, row in json.loads((out / "tick_ms.json").read_text()).items():
                ticks_ms.setdefault(stage, []).append(row)
    print(f"imports {imports_s:.2f} s, warmed up {ready_s:.2f} s, first command {first_s:.2f} s after the start")
    print("| stage | mean ms | p50 | p99 | max |\n|---|---|---|---|---|")
    for stage, rows in ticks_ms.items():
        weights = [row["count"] for row in rows]
        mean = np.average([row["mean"] for row in rows], weights=weights)
        p50 = np.average([row["p50"] for row in rows], weights=weights)
        worst = max(row["p99"] for row in rows), max(row["max"] for row in rows)
        print(f"| {stage} | {mean:.2f} | {p50:.2f} | {worst[0]:.2f} | {worst[1]:.2f} |")
    if jitter_ms:
        print(f"period's jitter: p50 {np.median(jitter_ms):.2f}, p99 {np.percentile(jitter_ms, 99):.2f} ms")
    print("resident memory each simulated minute, MB: " + " ".join(f"{one:.0f}" for one in memory))
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
