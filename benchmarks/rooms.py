#!/usr/bin/env python3
"""Room segmentation on real floor plans, beside the rooms that people drew.

    python benchmarks/rooms.py [--pictures DIR]

Needs OXTURN_REFERENCE_DATA (floor_plans, 0.05 m a pixel, those with a `_gt_segmentation`). Recall: a drawn room's
largest share in one found room; precision: a found room's largest share in one drawn room; both averaged over rooms of
0.5 m2 or more, as Bormann et al. (2016) do.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
from scipy import ndimage

from foundation.atomic_files import write_bytes
from navigation.grid_geometry import GridGeometry
from navigation.map_image import grey_pixels
from navigation.map_picture import png
from navigation.room_picture import picture
from navigation.room_segmentation import RoomSettings, segmented
from navigation.static_map import FREE, OCCUPIED

CELL_M = 0.05
SEEN_CELLS = 200


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, help="a folder for one PNG a plan")
    told = parser.parse_args()
    folder = Path(os.environ.get("OXTURN_REFERENCE_DATA", "../shared/data")) / "floor_plans"
    drawn_by_people = sorted(folder.glob("*_gt_segmentation.png"))
    if not drawn_by_people:
        print(f"{folder}: no plan with drawn rooms; set OXTURN_REFERENCE_DATA")
        return 1
    print(f"{'plan':<34}{'drawn':>6}{'found':>6}{'recall':>8}{'precision':>10}{'s':>6}")
    for kind in ("", "_furnitures"):
        rows = []
        for truth in drawn_by_people:
            plan = truth.with_name(truth.name.replace("_gt_segmentation", kind))
            if plan.exists():
                rows.append(judged(plan, truth, told.pictures))
        if rows:
            recall, precision = np.mean(rows, axis=0)
            print(f"{'mean' + kind:<34}{'':>12}{recall:>8.3f}{precision:>10.3f}")
    return 0


def judged(plan: Path, truth: Path, pictures: Path | None) -> tuple[float, float]:
    """(recall, precision), and a printed row."""
    image, rooms_drawn = grey_pixels(plan.read_bytes()), grey_pixels(truth.read_bytes())
    cells = np.where(image > 250, FREE, OCCUPIED).astype(np.int8)[::-1]
    geometry = GridGeometry(0.0, 0.0, CELL_M, *cells.shape)
    begin_s = time.perf_counter()
    rooms = segmented(np.ascontiguousarray(cells), geometry, (0.0, 0.0), RoomSettings())
    took_s = time.perf_counter() - begin_s
    drawn, count = ndimage.label(rooms_drawn[::-1] > 250)
    both = (drawn > 0) & (rooms.labels > 0)
    shared = np.zeros((count + 1, rooms.count + 1))
    np.add.at(shared, (drawn[both], rooms.labels[both]), 1)
    recall, precision = (
        [row.max() / row.sum() for row in table if row.sum() > SEEN_CELLS] for table in (shared, shared.T)
    )
    print(
        f"{plan.stem:<34}{len(recall):>6}{rooms.count:>6}{np.mean(recall):>8.3f}{np.mean(precision):>10.3f}{took_s:>6.1f}",
        flush=True,
    )
    if pictures is not None:
        write_bytes(pictures / f"{plan.stem}.png", png(picture(rooms)))
    return float(np.mean(recall)), float(np.mean(precision))


if __name__ == "__main__":
    raise SystemExit(main())
