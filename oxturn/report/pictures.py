"""The report's pictures: the driven path, the coverage heatmap, the robot's map over the true one, loop timings."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.colors import ListedColormap
from matplotlib.patches import Circle

from foundation.geometry import FloatArray
from oxturn.report.driven_run import DrivenRun
from perception.labels import SMALL_OBJECTS
from simulation.judge import rigid_fit

FLOOR, SOLID, COVERED, MISSED = "#f4f1ea", "#3b3f46", "#8fc7a6", "#e08b6d"
PATH, HIT, SPARED = "#27548a", "#c0392b", "#1e8449"
SIZE_IN, DPI = 6.0, 130


def driven_path(run: DrivenRun, to: Path) -> Path:
    """The true path over the true room; small objects hit in red, spared in green."""
    figure, axes = _room(run)
    _draw_drive(run, axes)
    return _saved(figure, to)


def _draw_drive(run: DrivenRun, axes: Any) -> None:
    axes.plot(run.true_trajectory[:, 1], run.true_trajectory[:, 2], color=PATH, linewidth=0.8, alpha=0.9)
    axes.plot(*run.true_trajectory[0, 1:3], marker="s", color=PATH, markersize=6)
    for (x_m, y_m, radius_m, kind), was_hit in zip(run.small_objects, run.hit, strict=True):
        colour = HIT if was_hit else SPARED
        axes.add_patch(Circle((x_m, y_m), max(radius_m, 0.03), facecolor=colour, edgecolor="none", alpha=0.85))
        name = SMALL_OBJECTS[int(kind)]
        axes.annotate(name, (x_m, y_m), xytext=(4, 4), textcoords="offset points", fontsize=6, color=colour)
    hits = f"{int(run.hit.sum())} of {len(run.hit)} small objects hit"
    took_s = run.true_trajectory[-1, 0] - run.true_trajectory[0, 0]
    axes.set_title(f"{run.name}: {100 * run.score['coverage_ratio']:.1f} % covered, {hits}, {took_s:.0f} s", fontsize=9)


def coverage(run: DrivenRun, to: Path) -> Path:
    """What of the coverable floor the tool swept."""
    figure, axes = _room(run)
    shade = np.full(run.covered.shape, np.nan)
    shade[run.coverable & run.covered] = 0
    shade[run.coverable & ~run.covered] = 1
    axes.imshow(
        shade, origin="lower", extent=run.extent_m(), cmap=ListedColormap([COVERED, MISSED]), vmin=0, vmax=1, zorder=2
    )
    ratio = run.score["coverage_ratio"]
    axes.set_title(f"{run.name}: {100 * ratio:.1f} % of the coverable floor covered; missed in orange", fontsize=9)
    return _saved(figure, to)


def map_over_truth(run: DrivenRun, to: Path) -> Path | None:
    """Walls the robot mapped (red) over the true room, laid there by the best rigid fit of the two trajectories."""
    extent = run.robot_extent_m()
    if run.robot_map is None or extent is None:
        return None
    figure, axes = _room(run)
    rows, cols = np.nonzero(run.robot_map > 50)
    cell_m = (extent[1] - extent[0]) / run.robot_map.shape[1]
    walls_map = np.stack([extent[0] + (cols + 0.5) * cell_m, extent[2] + (rows + 0.5) * cell_m], axis=1)
    walls = rigid_fit(*matched(run.published_trajectory, run.true_trajectory)).transform(walls_map)
    axes.scatter(walls[:, 0], walls[:, 1], s=1.2, color=HIT, linewidths=0, zorder=3)
    error_cm = 100 * run.score["localisation_error_m"]
    axes.set_title(
        f"{run.name}: map built by the robot (red) over the true room; pose p95 {error_cm:.1f} cm", fontsize=9
    )
    return _saved(figure, to)


def side_by_side(runs: Sequence[DrivenRun], to: Path) -> Path:
    """The driven paths of several runs of one room, one picture."""
    left, right, bottom, top = runs[0].extent_m()
    height_in = SIZE_IN * (top - bottom) / (right - left) + 0.5
    figure, every = plt.subplots(1, len(runs), figsize=(SIZE_IN * len(runs), height_in), dpi=DPI, squeeze=False)
    for run, axes in zip(runs, every[0], strict=True):
        _draw_room(run, axes)
        _draw_drive(run, axes)
    return _saved(figure, to)


def loop_timings(run: DrivenRun, to: Path) -> Path | None:
    """Median, p99 and worst of each stage of the robot's loop."""
    if not run.tick_ms:
        return None
    names = list(run.tick_ms)
    figure, axes = plt.subplots(figsize=(SIZE_IN, 0.5 + 0.4 * len(names)), dpi=DPI)
    places = np.arange(len(names))
    for key, colour, height in (("max", "#d9d9d9", 0.8), ("p99", "#f0b27a", 0.6), ("p50", PATH, 0.4)):
        axes.barh(places, [run.tick_ms[name].get(key, np.nan) for name in names], height, color=colour, label=key)
    axes.set_yticks(places, names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("ms", fontsize=8)
    axes.set_xscale("symlog", linthresh=1)
    axes.legend(fontsize=7, frameon=False)
    axes.set_title(f"{run.name}: loop timings", fontsize=9)
    return _saved(figure, to)


def matched(published: FloatArray, true: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Published positions (N, 2) and the true ones (N, 2) at the same stamps."""
    inside = (published[:, 0] >= true[0, 0]) & (published[:, 0] <= true[-1, 0])
    stamps_s = published[inside, 0]
    at_stamps = [np.interp(stamps_s, true[:, 0], true[:, column]) for column in (1, 2)]
    return published[inside, 1:3], np.stack(at_stamps, axis=1)


def _room(run: DrivenRun) -> tuple[Any, Any]:
    left, right, bottom, top = run.extent_m()
    height_in = SIZE_IN * (top - bottom) / (right - left)
    figure, axes = plt.subplots(figsize=(SIZE_IN, min(max(height_in, 3), 9) + 0.4), dpi=DPI)
    _draw_room(run, axes)
    return figure, axes


def _draw_room(run: DrivenRun, axes: Any) -> None:
    colours = ListedColormap([FLOOR, SOLID, "#d4c08a"])
    axes.imshow(run.obstacles, origin="lower", extent=run.extent_m(), cmap=colours, vmin=0, vmax=2, zorder=1)
    axes.set_aspect("equal")
    axes.tick_params(labelsize=7)
    axes.set_xlabel("x, m", fontsize=7)
    axes.set_ylabel("y, m", fontsize=7)


def _saved(figure: Any, to: Path) -> Path:
    to.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(to, bbox_inches="tight")
    plt.close(figure)
    return to
