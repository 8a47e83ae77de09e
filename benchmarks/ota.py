"""Faults put into updates by the ten thousand; prints the table state x fault and what broke (nothing may).

    python benchmarks/ota.py [--faults 10000] [--kills 1000] [--json]

A robot that runs version 2 gets version 3 (good, bad at rest, worse on live frames) or goes back to 1. Every write,
fsync, rename and link boundary is cut again and again: by power cuts that lose what was not fsynced, by SIGKILL of a
real process on a real disk, by a full disk. Pushed files are cut and changed, lines dropped at any byte.
After each the robot starts again: it must run a model that equals its signed target, and take the next update.
"""

import argparse
import json
import logging
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "fakes"))  # the faulty disk is a fake of the tests

from update_campaign import SCENARIOS, Campaign, Result

from foundation import progress


def run(faults: int, kills: int, folder: Path, shown: progress.ProgressFactory) -> tuple[Result, dict[str, int]]:
    """All boundaries first, then again with other dice until there are enough."""
    campaign = Campaign(folder)
    boundaries = {scenario.name: len(campaign.boundaries(scenario)) for scenario in SCENARIOS}
    result = Result(Counter(), [])
    with shown("faults", total=faults, unit="faults") as advance:
        seed = 0
        while sum(result.counts.values()) < faults - kills:
            before = sum(result.counts.values())
            for scenario in SCENARIOS:
                for boundary in range(1, boundaries[scenario.name] + 2):
                    result.merge(campaign.power_cut(scenario, boundary, seed * 10_007 + boundary))
                    if seed % 4 == 0:
                        result.merge(campaign.power_cut(scenario, boundary, seed * 31 + boundary, killed=True))
                        result.merge(campaign.full_disk(scenario, boundary))
                if scenario.third is not None:
                    for number in range(12):
                        result.merge(campaign.damaged_file(scenario, seed * 100 + number))
                        result.merge(campaign.cut_line(scenario, seed * 100 + number))
            seed += 1
            advance(sum(result.counts.values()) - before)
        real = 0
        while real < kills:
            for scenario in SCENARIOS:
                for boundary in range(1, boundaries[scenario.name] + 1):
                    one = campaign.killed_process(scenario, boundary, folder)
                    real += any(fault == "SIGKILL" for _, _, fault in one.counts)
                    result.merge(one)
                    advance(1)
    return result, boundaries


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--faults", type=int, default=10_500)
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--json", action="store_true")
    told = parser.parse_args()
    logging.disable(logging.CRITICAL)
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        result, boundaries = run(told.faults, told.kills, Path(name), progress.silent if told.json else progress.bars)
    took_s = time.monotonic() - began_s
    if told.json:
        rows = [{"scenario": s, "state": w, "fault": f, "count": n} for (s, w, f), n in sorted(result.counts.items())]
        print(json.dumps({"rows": rows, "broken": result.broken, "boundaries": boundaries, "took_s": took_s}))
    else:
        _show(result, boundaries, took_s)
    sys.exit(1 if result.broken else 0)


def _show(result: Result, boundaries: dict[str, int], took_s: float) -> None:
    table: Counter = Counter()
    for (_, state, fault), count in result.counts.items():
        table[state, fault.removesuffix(", clock a year back")] += count
    faults = sorted({fault for _, fault in table})
    states = sorted({state for state, _ in table})
    print("| state | " + " | ".join(faults) + " |")
    print("|---" * (len(faults) + 1) + "|")
    for state in states:
        print(f"| {state} | " + " | ".join(str(table[state, fault] or "") for fault in faults) + " |")
    back = sum(count for (_, _, fault), count in result.counts.items() if "year back" in fault)
    kills = sum(count for (_, _, fault), count in result.counts.items() if fault == "SIGKILL")
    print(f"\n{sum(result.counts.values())} faults in {took_s:.0f} s; {kills} real processes killed; {back} with the")
    print(f"clock a year back afterwards; boundaries a scenario: {boundaries}")
    print(f"robots without a working verified model, or that took no further update: {len(result.broken)}")
    for line in result.broken[:20]:
        print("  " + line)


if __name__ == "__main__":
    main()
