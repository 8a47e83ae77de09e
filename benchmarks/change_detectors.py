"""Change detectors on N(0, 1) streams: delay at shifts of .5, 1 and 3 sigma, false alarms in 100,000 values, time.

    python benchmarks/change_detectors.py [--streams 40]

A delay is the mean over streams of 1,000 quiet values followed by the shifted ones; an alarm before the shift starts
the detector's count of false alarms, not its delay. Missed = no alarm within 2,000 values.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np

from monitoring.change_detectors import Adwin, Cusum

DETECTORS: dict[str, Callable[[], Adwin | Cusum]] = {
    "CUSUM slack .25 limit 12": lambda: Cusum(0.25, 12),
    "CUSUM slack .25 limit 16": lambda: Cusum(0.25, 16),
    "CUSUM slack 2 limit 12": lambda: Cusum(2, 12),
    "ADWIN delta .002": lambda: Adwin(0.002),
}


def delay(make: Callable[[], Adwin | Cusum], shift: float, streams: int) -> tuple[float, int]:
    """Mean number of shifted values until the alarm, and how many streams never raised it."""
    delays = []
    for seed in range(streams):
        rng = np.random.default_rng(seed)
        detector = make()
        for value in rng.normal(size=1000).tolist():
            detector.update(value)
        for i, value in enumerate(rng.normal(loc=shift, size=2000).tolist()):
            if detector.update(value):
                delays.append(i + 1)
                break
    return float(np.mean(delays)) if delays else float("nan"), streams - len(delays)


def false_alarms(make: Callable[[], Adwin | Cusum], count: int = 100_000) -> tuple[int, float]:
    """Alarms in `count` quiet values, and microseconds a value."""
    values = np.random.default_rng(12345).normal(size=count).tolist()
    detector = make()
    started_s = time.perf_counter()
    alarms = sum(detector.update(value) for value in values)
    return alarms, (time.perf_counter() - started_s) / count * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=40)
    streams = parser.parse_args().streams
    print(
        f"{'detector':<26}{'.5 sigma':>10}{'missed':>8}{'1 sigma':>10}{'missed':>8}{'3 sigma':>10}{'false':>8}{'us':>7}"
    )
    for name, make in DETECTORS.items():
        half, half_missed = delay(make, 0.5, streams)
        one, one_missed = delay(make, 1.0, streams)
        three, _ = delay(make, 3.0, streams)
        alarms, microseconds = false_alarms(make)
        print(
            f"{name:<26}{half:>10.0f}{half_missed:>8}{one:>10.0f}{one_missed:>8}{three:>10.1f}{alarms:>8}{microseconds:>7.1f}"
        )


if __name__ == "__main__":
    main()
