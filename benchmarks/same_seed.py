#!/usr/bin/env python3
"""Whether one seed is one result: the whole loop twice in two folders, and what of it differs.

    python benchmarks/same_seed.py [--minutes 1] [--seed 7] [--out out/same-seed]

Rooms, samples and labels must be equal byte for byte, the split and every count of the verdict equal. The model's bytes
are compared too: equal on one machine as long as the number of threads is.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

from foundation.progress import bars
from oxturn.full_loop import full_loop
from oxturn.loop_settings import LoopSettings

BYTES = ("1-captured", "3-split")
COUNTS = ("collisions with the model", "small objects hit with the model", "small objects hit by LIDAR alone, of all",
          "covered with the model", "covered by LIDAR alone")  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("out/same-seed"))
    told = parser.parse_args()
    folders = [told.out / name for name in ("first", "second")]
    for folder in folders:
        full_loop(folder, LoopSettings.within(told.minutes, told.seed), bars)
    same = True
    for stage in BYTES:
        first, second = (hashes(folder / stage) for folder in folders)
        same &= row(f"{stage}: {len(first)} files, byte for byte", first == second)
    models = [hashes(folder / "4-model" / "bundle").get("model.onnx") for folder in folders]
    row("model.onnx, byte for byte", models[0] == models[1])
    values = [figures(folder / "verdict.json") for folder in folders]
    for name in COUNTS:
        same &= row(f"{name}: {values[0][name]:.6g} and {values[1][name]:.6g}", values[0][name] == values[1][name])
    return 0 if same else 1


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "stage.json"  # when and how long
    }


def figures(verdict: Path) -> dict[str, float]:
    return {row["name"]: float(row["value"]) for row in json.loads(verdict.read_text())["rows"]}


def row(name: str, equal: bool) -> bool:
    print(f"{'equal ' if equal else 'DIFFER'} {name}")
    return equal


if __name__ == "__main__":
    sys.exit(main())
