"""Pictures of figures: confusion matrix, recall by distance, ROC and precision-recall, learning curve, detections.

Each writes one PNG."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from foundation import atomic_files
from foundation.camera_geometry import PinholeCamera
from perception import data_processor, detection_curves
from perception.data_processor import Image
from perception.evaluate import Evaluation, FrameDetector
from perception.labels import SMALL_OBJECTS
from perception.observation import Detections
from perception.sample_format import Sample
from perception.train import Epoch

FOUND_BGR: Final = (60, 200, 60)
TRUTH_BGR: Final = (40, 40, 230)
TEXT_BGR: Final = (0, 240, 255)


def confusion(evaluation: Evaluation, path: Path) -> None:
    """True class down, told class across; rows are shares of the row, the count is written in each cell."""
    counts = evaluation.confusion
    names = [*evaluation.class_names, "nothing"][: len(counts)]  # a label is always told, a thing may be missed
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = _figure(7.5, 6.5)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(counts > 0):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, int(counts[row, column]), ha="center", va="center", fontsize=7, color=colour)
    axes.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=8)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_xlabel("told")
    axes.set_ylabel("true")
    axes.set_title("what each was taken for", fontsize=10)
    _save(figure, path)


def recall_by_distance(evaluation: Evaluation, path: Path) -> None:
    """A bar a band, with the number of objects."""
    bands = evaluation.figures["by_distance"]
    figure, axes = _figure(5.5, 3.5)
    recalls = [100 * (band["recall"] or 0.0) for band in bands.values()]
    axes.bar(range(len(bands)), recalls, color="#3a7ca5")
    for at, (band, recall) in enumerate(zip(bands.values(), recalls)):
        axes.text(at, recall, f"{recall:.1f} %\nof {band['objects']}", ha="center", va="top", fontsize=8, color="white")
    axes.set_xticks(range(len(bands)), list(bands))
    axes.set_ylim(0, 105)
    axes.set_ylabel("objects found, %")
    axes.set_title(f"false alarms per 100 frames: {evaluation.figures['false_alarms_per_100']:.1f}", fontsize=10)
    _save(figure, path)


def scores(evaluation: Evaluation, path: Path) -> None:
    """Left: objects found at so many false alarms. Right: how often detections of a score are things."""
    curve = {int(at): recall for at, recall in evaluation.figures["recall_at_false_alarms_per_100"].items()}
    reached = [at for at, recall in curve.items() if recall is not None]
    bins, error = (evaluation.figures["calibration"][name] for name in ("bins", "expected_calibration_error"))
    figure, axes = _figure(8, 3.5, columns=2)
    axes[0].plot(reached, [100 * curve[at] for at in reached], "o-", color="#3a7ca5")
    axes[0].set_xlabel("false alarms per 100 frames")
    axes[0].set_ylabel("objects found, %")
    axes[0].set_ylim(0, 105)
    axes[1].plot([0, 1], [0, 1], ":", color="grey")
    axes[1].plot([row["score"] for row in bins], [row["right"] for row in bins], "o-", color="#3a7ca5")
    axes[1].set_xlabel("score")
    axes[1].set_ylabel("share that are things")
    axes[1].set_title("" if error is None else f"expected calibration error {error:.2f}", fontsize=10)
    _save(figure, path)


def curves(evaluation: Evaluation, path: Path) -> None:
    """Left: ROC of each class. Right: precision against recall. `detection_curves` says what is counted."""
    from matplotlib import colormaps

    figure, axes = _figure(11.5, 4.2, columns=2)
    colours = colormaps["tab20"]
    axes[0].plot([0, 1], [0, 1], ":", color="grey")
    for index, (name, one) in enumerate(evaluation.curves.items()):
        areas = [f"{curve.area:.2f}" if curve else "-" for curve in (one.roc, one.precision_recall)]
        style = {"color": "black", "linewidth": 2} if name == detection_curves.ANY else {"color": colours(index % 20)}
        if one.roc is not None:
            axes[0].plot(one.roc.x, one.roc.y, **style)
        if one.precision_recall is not None:
            label = f"{name}: AUC {areas[0]}, AP {areas[1]}"
            axes[1].plot(one.precision_recall.x, one.precision_recall.y, label=label, drawstyle="steps-pre", **style)
    for side, (x, y) in enumerate((("false positive rate", "true positive rate"), ("recall", "precision"))):
        axes[side].set(xlabel=x, ylabel=y, xlim=(-0.01, 1.01), ylim=(0, 1.02))
    if axes[1].get_legend_handles_labels()[1]:
        axes[1].legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    _save(figure, path)


def learning_curve(epochs: Sequence[Epoch], path: Path) -> None:
    """Loss and score at each validation."""
    figure, axes = _figure(5.5, 3.5)
    steps = [epoch.step for epoch in epochs]
    axes.plot(steps, [epoch.loss for epoch in epochs], "o-", color="#b5651d", label="training loss")
    axes.set_xlabel("steps")
    axes.set_ylabel("training loss")
    right = axes.twinx()
    right.plot(steps, [epoch.scores["score"] for epoch in epochs], "o-", color="#3a7ca5", label="score")
    right.set_ylabel("validation score")
    right.set_ylim(0, 1)
    _save(figure, path)


def sample_detections(detector: FrameDetector, samples: Sequence[Sample], path: Path, *, columns: int = 3) -> None:
    """Frames side by side with what was told (green) over what is true (red)."""
    tiles = []
    for sample in samples:
        image = data_processor.decode(sample.image, sample.sample_id)
        tiles.append(drawn(image, detector(image, sample.camera), sample.camera, truth=sample))
    _write_tiles(tiles, path, columns)


def drawn(
    image: Image,
    detections: Detections,
    camera: PinholeCamera,
    *,
    truth: Sample | None = None,
    names: Sequence[str] = SMALL_OBJECTS,
) -> Image:
    """A copy of the image with boxes, classes, scores and the point of contact."""
    picture = image.copy()
    for item in truth.objects if truth else ():
        x0, y0, x1, y1 = item.box_px
        cv2.rectangle(picture, (x0, y0), (x1 - 1, y1 - 1), TRUTH_BGR, 1)
    contacts_px = camera.pixels_from_floor(detections.contacts_base_m)
    for index, score in enumerate(detections.scores):
        x0, y0, x1, y1 = (round(float(value)) for value in detections.boxes_px[index])
        cv2.rectangle(picture, (x0, y0), (x1, y1), FOUND_BGR, 1)
        label = f"{names[detections.class_ids[index]]} {score:.2f}"
        cv2.putText(picture, label, (x0, max(y0 - 3, 9)), cv2.FONT_HERSHEY_SIMPLEX, 0.33, TEXT_BGR, 1, cv2.LINE_AA)
        if np.isfinite(contacts_px[index]).all():
            u, v = contacts_px[index]
            cv2.circle(picture, (int(u), int(v)), 2, FOUND_BGR, -1)
    return picture


def _write_tiles(tiles: Sequence[Image], path: Path, columns: int) -> None:
    height, width = tiles[0].shape[:2]
    rows = -(-len(tiles) // columns)
    sheet: NDArray[np.uint8] = np.full((rows * height, columns * width, 3), 40, np.uint8)
    for index, tile in enumerate(tiles):
        row, column = divmod(index, columns)
        fitted = data_processor.resized(tile, width, height)
        sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = fitted
    atomic_files.write_bytes(path, cv2.imencode(".png", sheet)[1].tobytes())


def _figure(width_in: float, height_in: float, columns: int = 1) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), dpi=120, layout="tight")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(1, columns)


def _save(figure: Any, path: Path) -> None:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})  # equal figures, equal bytes
    atomic_files.write_bytes(path, buffer.getvalue())
