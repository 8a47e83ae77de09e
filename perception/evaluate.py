"""What a detector is worth on labelled frames, object by object: found by distance, false alarms, contact error.

An object counts when the line on which it meets the floor is in the picture for at least two columns and nothing hides
it. It is found when a detection's contact lies on its visible mask or within `NEAR_PX` of it, or on the floor within
`NEAR_M` (more further away) of where it meets the floor: the floor under the near side of a round thing is seen below
all of its picture. A detection that lies at no labelled thing, however far or small, is a false alarm. Contacts are
placed with the camera's true mounting, but for an unknown pitch of up to a quarter degree drawn from a seed, because
no robot knows its own better.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from foundation.camera_geometry import PinholeCamera
from foundation.geometry import FloatArray
from foundation.progress import ProgressFactory
from perception import (
    data_processor,
    dataset,
    detection_curves,
    obstacle_targets,
    provenance,
    sample_format,
    score_curves,
)
from perception.detection_curves import ClassCurves
from perception.errors import EvaluationError
from perception.labels import SMALL_OBJECTS
from perception.observation import Detections
from perception.obstacle_targets import MIN_PIXELS, Contour
from perception.sample_format import Sample

BANDS_M: Final = ((0.0, 0.3), (0.3, 0.6), (0.6, 1.0), (1.0, 1.5))
NEAR_PX: Final = 6
NEAR_M: Final = 0.02  # and a twentieth of the distance
UNKNOWN_PITCH_RAD: Final = math.radians(0.25)
BORDER_PX: Final = 3
MISSED: Final = len(SMALL_OBJECTS)  # column of the confusion matrix; its row holds false alarms


class FrameDetector(Protocol):
    """Sees small objects in one image taken by `camera`."""

    def __call__(self, image_bgr: NDArray[np.uint8], camera: PinholeCamera) -> Detections: ...


@dataclass(frozen=True, slots=True)
class Judged:
    """One object that should have been found."""

    class_index: int
    distance_m: float
    found_as: int | None  # class told by the detection that found it
    contact_error_m: float  # NaN when missed, or when the true contact lies outside of the picture
    score: float = 0.0  # the best of its detections


@dataclass(frozen=True, slots=True)
class Told:
    """One detection and what it lay at."""

    class_index: int
    score: float
    at_thing: bool  # any labelled one, also of those that do not count
    object_index: int | None  # in the verdict's objects; None at nothing, or at a thing that does not count


@dataclass(frozen=True, slots=True)
class FrameVerdict:
    """All judged objects of one frame, and detections that were nothing."""

    sample_id: str
    objects: tuple[Judged, ...]
    false_alarms: tuple[int, ...]  # classes told
    told: tuple[Told, ...] = ()
    unjudged_classes: frozenset[int] = frozenset()  # of labelled things that do not count: hidden, too far, too small


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures (JSON values) and the matrix (K + 1, K + 1): true class, told class; the last is missed or nothing."""

    figures: dict[str, Any]
    confusion: NDArray[np.int64]
    class_names: tuple[str, ...]
    curves: Mapping[str, ClassCurves] = field(default_factory=dict)  # by class


def evaluate(
    detector: FrameDetector,
    data_dir: Path,
    *,
    range_max_m: float,
    progress: ProgressFactory,
    seed: int = 0,
) -> Evaluation:
    """Over a folder of samples (the `test` part when it is a split set).

    Raises:
        EvaluationError: labels made by clustering, or a split whose parts share a room or an image.
    """
    folder = dataset.part_folder(data_dir, "test")
    if folder != data_dir:
        dataset.refuse_leaks(dataset.parts_here(data_dir))
    total = sample_format.load_manifest(folder).samples
    if not total:
        raise EvaluationError(f"{folder}: has no samples")
    rng = np.random.default_rng([seed, 0xE7A1])
    verdicts: list[FrameVerdict] = []
    with progress("evaluate", total=total, unit="samples") as advance:
        for sample in sample_format.iter_samples(folder):
            pitch_error_rad = float(rng.uniform(-1, 1)) * UNKNOWN_PITCH_RAD
            verdicts.append(judge_sample(detector, sample, range_max_m, pitch_error_rad))
            advance(1)
    return summary(verdicts)


def judge_sample(detector: FrameDetector, sample: Sample, range_max_m: float, pitch_error_rad: float) -> FrameVerdict:
    """One frame through the detector, told a camera whose pitch is off by `pitch_error_rad`.

    Raises:
        EvaluationError: labels made by clustering.
    """
    provenance.refuse_clustered(sample.provenance, sample.sample_id)
    image = data_processor.decode(sample.image, sample.sample_id)
    told = replace(sample.camera, pitch_down_rad=sample.camera.pitch_down_rad + pitch_error_rad)
    return judge(sample, detector(image, told), told, range_max_m)


def judge(sample: Sample, detections: Detections, told: PinholeCamera, range_max_m: float) -> FrameVerdict:
    """`told` is the camera that placed the detections on the floor."""
    segmentation = data_processor.decode_labels(sample.segmentation, sample.sample_id).astype(np.uint8)
    instances = data_processor.decode_labels(sample.instances, sample.sample_id)
    pixels = told.pixels_from_floor(detections.contacts_base_m)  # (K, 2)
    pixels[:, 1] = np.minimum(pixels[:, 1], detections.boxes_px[:, 3])  # a round thing's contact lies below its picture
    edges = {int(item.instance): obstacle_targets.contour(instances, segmentation, item) for item in sample.objects}
    owners = _owners(pixels, instances)
    _own_on_floor(owners, detections.contacts_base_m, sample, edges)
    objects: list[Judged] = []
    numbers: dict[int, int] = {}  # of instance to place in `objects`
    unjudged: set[int] = set()
    for item in sample.objects:
        edge = edges[int(item.instance)]
        seen = len(np.unique(edge.columns)) >= 2 and item.pixels >= MIN_PIXELS
        if not seen or item.distance_m > range_max_m:
            unjudged.add(SMALL_OBJECTS.index(item.class_name))
            continue
        mine = np.flatnonzero(owners == item.instance)
        numbers[int(item.instance)] = len(objects)
        objects.append(_judged(item, mine, detections, sample.camera))
    alarms = tuple(int(detections.class_ids[index]) for index in np.flatnonzero(owners == 0))
    told_as = tuple(
        Told(int(kind), float(score), bool(owner), numbers.get(int(owner)))
        for kind, score, owner in zip(detections.class_ids, detections.scores, owners, strict=True)
    )
    return FrameVerdict(sample.sample_id, tuple(objects), alarms, told_as, frozenset(unjudged))


def _own_on_floor(
    owners: NDArray[np.int64], contacts_base_m: FloatArray, sample: Sample, edges: Mapping[int, Contour]
) -> None:
    """Gives contacts that lie at no mask to the thing that stands nearest to them on the floor, if any is so near."""
    lost = np.flatnonzero(owners == 0)
    reach_m = NEAR_M + 0.05 * np.hypot(contacts_base_m[lost, 0], contacts_base_m[lost, 1])
    for item in sample.objects:
        edge = edges[int(item.instance)]
        seen_m = sample.camera.floor_from_pixels(np.stack([edge.columns + 0.5, edge.rows], axis=1))
        stands_m = np.vstack([seen_m, np.asarray(item.contact_base_m)])
        apart = contacts_base_m[lost, None] - stands_m[None]
        apart_m = np.nanmin(np.hypot(apart[..., 0], apart[..., 1]), axis=1)
        nearer = apart_m < reach_m
        owners[lost[nearer]], reach_m[nearer] = item.instance, apart_m[nearer]


def _owners(pixels: FloatArray, instances: NDArray[np.integer]) -> NDArray[np.int64]:
    """(K,): the instance on or nearest to which each contact lies, 0 where there is none within NEAR_PX."""
    owners = np.zeros(len(pixels), np.int64)
    height, width = instances.shape
    rows, columns = np.mgrid[-NEAR_PX : NEAR_PX + 1, -NEAR_PX : NEAR_PX + 1]
    order = np.argsort(np.hypot(rows, columns).ravel(), kind="stable")
    disc = np.stack([rows.ravel(), columns.ravel()], axis=1)[order]
    disc = disc[np.hypot(disc[:, 0], disc[:, 1]) <= NEAR_PX]
    for index, (u, v) in enumerate(pixels):
        if not (np.isfinite(u) and np.isfinite(v)):
            continue
        at = disc + [int(v - 0.5), int(u)]  # a contact is the lower edge of the object's lowest pixel
        inside = (at[:, 0] >= 0) & (at[:, 0] < height) & (at[:, 1] >= 0) & (at[:, 1] < width)
        near = instances[at[inside, 0], at[inside, 1]]
        hits = np.flatnonzero(near)
        owners[index] = near[hits[0]] if len(hits) else 0
    return owners


def _judged(item: Any, mine: NDArray[np.int64], detections: Detections, camera: PinholeCamera) -> Judged:
    class_index = SMALL_OBJECTS.index(item.class_name)
    if not len(mine):
        return Judged(class_index, item.distance_m, None, math.nan)
    best = int(mine[np.argmax(detections.scores[mine])])
    contacts = detections.contacts_base_m[mine]
    nearest = contacts[np.argmin(np.hypot(contacts[:, 0], contacts[:, 1]))]
    error_m = float(np.hypot(*(nearest - np.asarray(item.contact_base_m)))) if _in_picture(item, camera) else math.nan
    score = float(detections.scores[best])
    return Judged(class_index, item.distance_m, int(detections.class_ids[best]), error_m, score)


def _in_picture(item: Any, camera: PinholeCamera) -> bool:
    """Is the true nearest point inside of the picture, and the object not cut by its border?"""
    u, v = camera.pixels_from_floor(np.array([item.contact_base_m]))[0]
    x0, _, x1, y1 = item.box_px
    whole = x0 >= BORDER_PX and x1 <= camera.width_px - BORDER_PX and y1 <= camera.height_px - BORDER_PX
    return bool(whole and 0 <= u < camera.width_px and 0 <= v < camera.height_px)


def summary(verdicts: Sequence[FrameVerdict]) -> Evaluation:
    """Figures of many frames. Recall of a band is the mean over the classes that appear in it."""
    curves = detection_curves.by_class(verdicts, SMALL_OBJECTS)
    judged = [item for verdict in verdicts for item in verdict.objects]
    found = [item for item in judged if item.found_as is not None]
    alarms = [told for verdict in verdicts for told in verdict.false_alarms]
    confusion = np.zeros((len(SMALL_OBJECTS) + 1, len(SMALL_OBJECTS) + 1), np.int64)
    for item in judged:
        confusion[item.class_index, MISSED if item.found_as is None else item.found_as] += 1
    for told in alarms:
        confusion[MISSED, told] += 1
    bands = {f"{low:g}-{high:g} m": _in_band(judged, low, high) for low, high in BANDS_M}
    per_class = {name: _recall(_of_class(judged, index)) for index, name in enumerate(SMALL_OBJECTS)}
    known = {name: recall for name, recall in per_class.items() if recall is not None}
    figures: dict[str, Any] = {
        "frames": len(verdicts),
        "objects": len(judged),
        "recall": _recall(judged),
        "recall_interval_95": _interval(verdicts),
        "false_alarms_per_100": 100 * len(alarms) / max(len(verdicts), 1),
        "recall_at_false_alarms_per_100": _curve(judged, verdicts),
        "calibration": _calibration(verdicts),
        "curves": detection_curves.figures(curves),
        "class_accuracy_of_found": _share([item.found_as == item.class_index for item in found]),
        "by_distance": {name: _figures_of(items) for name, items in bands.items()},
        "by_class": per_class,
        "worst_class": min(known, key=lambda name: known[name]) if known else None,
        "by_class_and_distance": {
            kind: {name: _recall(_of_class(items, index)) for name, items in bands.items()}
            for index, kind in enumerate(SMALL_OBJECTS)
        },
    }
    return Evaluation(figures, confusion, SMALL_OBJECTS, curves)


def _curve(judged: Sequence[Judged], verdicts: Sequence[FrameVerdict]) -> dict[str, float | None]:
    alarms = np.array([told.score for verdict in verdicts for told in verdict.told if not told.at_thing])
    return score_curves.recall_at_alarms(np.array([item.score for item in judged]), alarms, len(verdicts))


def _calibration(verdicts: Sequence[FrameVerdict]) -> dict[str, Any]:
    told = [one for verdict in verdicts for one in verdict.told]
    return score_curves.calibration(np.array([one.score for one in told]), [one.at_thing for one in told])


def _figures_of(items: Sequence[Judged]) -> dict[str, float | int | None]:
    errors = np.array([item.contact_error_m for item in items if math.isfinite(item.contact_error_m)])
    by_class = [_recall(_of_class(items, index)) for index in range(len(SMALL_OBJECTS))]
    present = [recall for recall in by_class if recall is not None]
    return {
        "objects": len(items),
        "recall": _recall(items),
        "recall_mean_over_classes": float(np.mean(present)) if present else None,
        "contact_error_m_p50": float(np.percentile(errors, 50)) if len(errors) else None,
        "contact_error_m_p95": float(np.percentile(errors, 95)) if len(errors) else None,
    }


def _in_band(items: Sequence[Judged], low_m: float, high_m: float) -> list[Judged]:
    return [item for item in items if low_m < item.distance_m <= high_m]


def _of_class(items: Sequence[Judged], class_index: int) -> list[Judged]:
    return [item for item in items if item.class_index == class_index]


def _recall(items: Sequence[Judged]) -> float | None:
    return _share([item.found_as is not None for item in items])


def _share(right: Sequence[bool]) -> float | None:
    return sum(right) / len(right) if right else None


def _interval(verdicts: Sequence[FrameVerdict], draws: int = 300) -> tuple[float, float] | None:
    """Bootstrap over frames: objects of one frame are no independent witnesses."""
    counts = np.array([(sum(item.found_as is not None for item in v.objects), len(v.objects)) for v in verdicts])
    if not counts[:, 1].sum():
        return None
    picks = np.random.default_rng(0).integers(len(counts), size=(draws, len(counts)))
    sums = counts[picks].sum(axis=1)
    recalls = sums[:, 0] / np.maximum(sums[:, 1], 1)
    low, high = np.percentile(recalls, [2.5, 97.5])
    return float(low), float(high)


def nothing(image_bgr: NDArray[np.uint8], camera: PinholeCamera) -> Detections:
    """The majority baseline: most of the floor is free, so all of it is."""
    none = np.zeros(0)
    return Detections(0.0, np.zeros((0, 2)), none, none, np.zeros(0, np.int64), np.zeros((0, 4)))


def of_bundle(bundle_dir: Path, *, min_score: float | None, range_max_m: float) -> FrameDetector:
    """The robot's own detector on single images."""
    from perception import model_bundle, obstacle_decoding
    from perception.onnx_model import OnnxModel

    bundle = model_bundle.load(bundle_dir)
    model = OnnxModel.load(bundle.onnx_path)
    limit = min_score if min_score is not None else bundle.min_score or 0.5
    rows, columns = model.input_shape[:2]

    def detect(image_bgr: NDArray[np.uint8], camera: PinholeCamera) -> Detections:
        answers: Mapping[str, NDArray[np.float32]] = model.run(data_processor.fitted(image_bgr, columns, rows))
        return obstacle_decoding.decode(
            answers,
            camera,
            stamp_s=0.0,
            min_score=limit,
            range_max_m=range_max_m,
            piece_m=obstacle_decoding.OBJECT_PIECE_M,
        )

    return detect
