"""Detectors that see what they are told: perfect, blind, displaced, excited."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from painted_rooms import CAMERA, painted, write_rooms

from foundation.progress import silent
from perception import evaluate, plots, sample_format
from perception.errors import EvaluationError
from perception.labels import SMALL_OBJECTS
from perception.observation import Detections
from perception.sample_format import Sample


def told(sample: Sample, *, shift_m: float = 0.0, extra: tuple[tuple[float, float], ...] = ()) -> Detections:
    places = [(item.contact_base_m[0] + shift_m, item.contact_base_m[1]) for item in sample.objects] + list(extra)
    kinds = [SMALL_OBJECTS.index(item.class_name) for item in sample.objects] + [0] * len(extra)
    count = len(places)
    return Detections(
        0.0,
        np.array(places, dtype=np.float64).reshape(count, 2),
        np.full(count, 0.03),
        np.full(count, 0.9),
        np.array(kinds, dtype=np.int64),
        np.tile([0.0, 0.0, 320.0, 240.0], (count, 1)),
    )


def samples(count: int = 12) -> list[Sample]:
    return [painted(f"r/{index}", "r", np.random.default_rng(index)) for index in range(count)]


def figures_of(**how) -> dict:
    return evaluate.summary([evaluate.judge(s, told(s, **how), CAMERA, 1.2) for s in samples()]).figures


def test_a_detector_that_knows_everything_finds_all_at_their_place():
    figures = figures_of()

    assert figures["recall"] == 1.0
    assert figures["class_accuracy_of_found"] == 1.0
    assert figures["false_alarms_per_100"] == 0.0
    assert figures["by_distance"]["0.3-0.6 m"]["contact_error_m_p95"] < 1e-9


def test_a_contact_two_centimetres_off_is_an_error_of_two_centimetres():
    figures = figures_of(shift_m=0.02)

    assert figures["by_distance"]["0.3-0.6 m"]["contact_error_m_p50"] == pytest.approx(0.02, abs=1e-6)


def test_a_contact_before_all_of_the_picture_is_found_when_the_floor_under_it_is_right():
    """Below the mask by more pixels than are forgiven, three centimetres off on the floor."""
    figures = figures_of(shift_m=-0.03)
    far = figures_of(shift_m=-0.12)

    assert (figures["recall"], figures["false_alarms_per_100"]) == (1.0, 0.0)
    assert far["recall"] == 0.0
    assert far["false_alarms_per_100"] == 100.0 * far["objects"] / far["frames"]


def test_a_detection_on_bare_floor_is_a_false_alarm():
    figures = figures_of(extra=((0.5, 0.35),))

    assert figures["false_alarms_per_100"] == 100.0
    assert figures["recall"] == 1.0
    assert figures["calibration"]["bins"] == [{"score": pytest.approx(0.9), "right": 0.5, "detections": 24}]
    assert figures["calibration"]["expected_calibration_error"] == pytest.approx(0.4)


def test_the_blind_detector_is_the_baseline(tmp_path: Path):
    rooms = write_rooms(tmp_path / "rooms", rooms=2, frames=3)

    found = evaluate.evaluate(evaluate.nothing, rooms, range_max_m=1.2, progress=silent)

    assert found.figures["recall"] == 0.0
    assert found.confusion[:, -1].sum() == found.figures["objects"] == 6


def test_curves_by_class_of_the_one_who_knows_all_and_of_one_who_also_sees_ghosts():
    knowing, ghosts = figures_of(), figures_of(extra=((0.5, 0.35),))  # ghosts are told as cables

    assert knowing["curves"]["average_precision_mean"] == knowing["curves"]["roc_auc_mean"] == 1.0
    assert knowing["curves"]["by_class"]["cable"]["objects"] == 0
    assert sum(one["objects"] for one in knowing["curves"]["by_class"].values()) == knowing["objects"]
    assert ghosts["curves"]["average_precision_mean"] == 1.0  # the ghosts' class has no object here
    assert (knowing["curves"]["any"]["average_precision"], ghosts["curves"]["any"]["average_precision"]) == (1.0, 0.5)


def test_objects_that_something_hides_do_not_count():
    sample = samples(1)[0]
    hidden = replace(sample, instances=sample.instances, segmentation=_walled(sample))

    verdict = evaluate.judge(hidden, told(hidden), CAMERA, 1.2)

    assert verdict.objects == ()
    assert verdict.unjudged_classes == {SMALL_OBJECTS.index(item.class_name) for item in sample.objects}
    assert [(one.at_thing, one.object_index) for one in verdict.told] == [(True, None)]


def test_labels_made_by_clustering_are_refused(tmp_path: Path):
    clustered = replace(samples(1)[0], provenance="cluster")
    sample_format.write_shard(tmp_path / sample_format.shard_name(0), [clustered])
    sample_format.write_manifest(tmp_path, seed=None, origin={})

    with pytest.raises(EvaluationError, match="clustering"):
        evaluate.evaluate(evaluate.nothing, tmp_path, range_max_m=1.2, progress=silent)


def test_a_leaking_split_is_refused(tmp_path: Path):
    write_rooms(tmp_path / "train", rooms=1, frames=1)
    write_rooms(tmp_path / "test", rooms=1, frames=1)

    with pytest.raises(EvaluationError, match="leaks"):
        evaluate.evaluate(evaluate.nothing, tmp_path, range_max_m=1.2, progress=silent)


def test_pictures_are_png_and_repeat(tmp_path: Path):
    found = evaluate.summary([evaluate.judge(s, told(s), CAMERA, 1.2) for s in samples(3)])

    for name in ("a", "b"):
        plots.confusion(found, tmp_path / f"{name}.png")
    plots.recall_by_distance(found, tmp_path / "recall.png")
    plots.scores(found, tmp_path / "scores.png")
    plots.curves(found, tmp_path / "curves.png")
    plots.sample_detections(lambda image, camera: told(samples(1)[0]), samples(4), tmp_path / "tiles.png")

    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    for name in ("a", "recall", "scores", "curves", "tiles"):
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def _walled(sample: Sample) -> bytes:
    """The same segmentation with a chair's leg right in front of each object."""
    import cv2

    segmentation = cv2.imdecode(np.frombuffer(sample.segmentation, np.uint8), cv2.IMREAD_UNCHANGED)
    for item in sample.objects:
        _, _, _, bottom = item.box_px
        segmentation[bottom:] = 2
    return cv2.imencode(".png", segmentation)[1].tobytes()
