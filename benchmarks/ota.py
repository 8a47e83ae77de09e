"""Faults put into updates by the ten thousand; prints the table state x fault and what broke (nothing may).

    python benchmarks/ota.py [--faults 10000] [--kills 1000] [--json]

A robot that runs version 2 gets version 3 (good, bad at rest, worse on live frames) or goes back to 1. Every write,
fsync, rename and link boundary is cut again and again: by power cuts that lose what was not fsynced, by SIGKILL of a
real process on a real disk, by a full disk. Pushed files are cut and changed, lines dropped at any byte.
After each the robot starts again: it must run a model that equals its signed target, and take the next update.
The same with the robot's own software: good, crashing at its starts, sick at its check, never confirmed, back by hand;
there the starts count, those of the guard included, and a whole environment of an allowed version must come up.
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

from software_campaign import SoftwareCampaign
from update_campaign import Campaign, Result, Scenario

from foundation import progress


def run(
    faults: int, kills: int, folder: Path, shown: progress.ProgressFactory
) -> tuple[dict[str, Result], dict[str, int], Counter]:
    """Results by kind, boundaries by scenario, loads of models.

    All boundaries first, then again with other dice until there are enough.
    """
    campaigns = {"model": Campaign(folder / "model"), "software": SoftwareCampaign(folder / "software")}
    lengths = {one: len(c.boundaries(one)) for c in campaigns.values() for one in c.scenarios}
    results = {kind: Result(Counter(), []) for kind in campaigns}
    with shown("faults", total=faults, unit="faults") as advance:
        done, seed = 0, 0
        while done < faults - kills:
            for kind, campaign in campaigns.items():
                for scenario in campaign.scenarios:
                    found = once_over(campaign, scenario, lengths[scenario], seed)
                    results[kind].merge(found)
                    done += found.counts.total()
                    advance(found.counts.total())
            seed += 1
        real = 0
        while real < kills:
            for kind, campaign in campaigns.items():
                for scenario in campaign.scenarios:
                    for boundary in range(1, lengths[scenario] + 1):
                        one = campaign.killed_process(scenario, boundary, folder)
                        real += any(fault == "SIGKILL" for _, _, fault in one.counts)
                        results[kind].merge(one)
                        advance(1)
    loads = sum((campaign.loads for campaign in campaigns.values()), Counter())
    return results, {scenario.name: count for scenario, count in lengths.items()}, loads


def once_over(campaign: Campaign, scenario: Scenario, boundaries: int, seed: int) -> Result:
    """Every boundary of a scenario once, and a dozen damaged files and dropped lines."""
    result = Result(Counter(), [])
    for boundary in range(1, boundaries + 2):
        result.merge(campaign.power_cut(scenario, boundary, seed * 10_007 + boundary))
        if seed % 4 == 0:
            result.merge(campaign.power_cut(scenario, boundary, seed * 31 + boundary, killed=True))
            result.merge(campaign.full_disk(scenario, boundary))
    if scenario.third is not None:
        for number in range(12):
            result.merge(campaign.damaged_file(scenario, seed * 100 + number))
            result.merge(campaign.cut_line(scenario, seed * 100 + number))
    return result


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--faults", type=int, default=10_500)
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--json", action="store_true")
    told = parser.parse_args()
    logging.disable(logging.CRITICAL)
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        shown = progress.silent if told.json else progress.bars
        results, boundaries, loads = run(told.faults, told.kills, Path(name), shown)
    took_s = time.monotonic() - began_s
    broken = [line for result in results.values() for line in result.broken]
    if told.json:
        rows = [
            {"kind": kind, "scenario": s, "state": w, "fault": f, "count": n}
            for kind, result in results.items()
            for (s, w, f), n in sorted(result.counts.items())
        ]
        value = {"rows": rows, "broken": broken, "boundaries": boundaries, "loads": loads, "took_s": took_s}
        print(json.dumps(value))
    else:
        for kind, result in results.items():
            print(f"\n{kind}: {result.counts.total()} faults\n")
            _show(result.counts)
        _tell(sum((result.counts for result in results.values()), Counter()), broken, boundaries, took_s)
        print(f"models loaded: {loads.total()}, unverified ones among them: {loads['unverified']}")
    sys.exit(1 if broken or loads["unverified"] else 0)


def _show(counts: Counter) -> None:
    table: Counter = Counter()
    for (_, state, fault), count in counts.items():
        table[state, fault.removesuffix(", clock a year back")] += count
    faults = sorted({fault for _, fault in table})
    states = sorted({state for state, _ in table})
    print("| state | " + " | ".join(faults) + " |")
    print("|---" * (len(faults) + 1) + "|")
    for state in states:
        print(f"| {state} | " + " | ".join(str(table[state, fault] or "") for fault in faults) + " |")


def _tell(counts: Counter, broken: list[str], boundaries: dict[str, int], took_s: float) -> None:
    back = sum(count for (_, _, fault), count in counts.items() if "year back" in fault)
    kills = sum(count for (_, _, fault), count in counts.items() if fault == "SIGKILL")
    print(f"\n{counts.total()} faults in {took_s:.0f} s; {kills} real processes killed; {back} with the")
    print(f"clock a year back afterwards; boundaries a scenario: {boundaries}")
    print(f"robots without a working verified model or whole software, or that took no further update: {len(broken)}")
    for line in broken[:20]:
        print("  " + line)


if __name__ == "__main__":
    main()
