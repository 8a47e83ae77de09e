"""Frames judged by hand: what counts as a positive by object and by frame."""

import math

import pytest

from perception import detection_curves
from perception.evaluate import FrameVerdict, Judged, Told
from perception.labels import SMALL_OBJECTS

CABLE, SOCK, CUP = (SMALL_OBJECTS.index(name) for name in ("cable", "sock", "cup"))


def thing(kind: int) -> Judged:
    return Judged(kind, 0.5, None, math.nan)


def frame(*objects: int, told: tuple[Told, ...] = (), unjudged: tuple[int, ...] = ()) -> FrameVerdict:
    return FrameVerdict("r/0", tuple(thing(kind) for kind in objects), (), told, frozenset(unjudged))


def curves(*frames: FrameVerdict) -> dict:
    return detection_curves.by_class(frames, SMALL_OBJECTS)


def test_precision_recall_counts_objects_and_roc_counts_frames():
    frames = (
        frame(SOCK, SOCK, told=(Told(SOCK, 0.9, True, 0), Told(SOCK, 0.4, True, 1))),
        frame(told=(Told(SOCK, 0.6, False, None),)),
        frame(),
    )

    sock = curves(*frames)["sock"]

    assert (sock.objects, sock.positives, sock.negatives) == (2, 1, 2)
    assert sock.roc.area == 1.0
    assert sock.precision_recall.area == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_a_thing_told_as_another_class_is_missed_in_its_own_and_wrong_in_the_other():
    told = curves(frame(SOCK, CUP, told=(Told(CUP, 0.9, True, 0), Told(CUP, 0.8, True, 1))))

    assert told["sock"].precision_recall.area == 0.0
    assert told["cup"].precision_recall.area == pytest.approx(0.5)


def test_any_class_asks_only_whether_something_lies_there():
    frames = (
        frame(SOCK, told=(Told(CUP, 0.9, True, 0),)),
        frame(told=(Told(CUP, 0.7, False, None),)),
        frame(unjudged=(CABLE,)),
    )

    told = curves(*frames)["any"]

    assert (told.precision_recall.area, told.roc.area) == (1.0, 1.0)
    assert (told.positives, told.negatives) == (1, 1)


def test_a_detection_at_a_thing_that_does_not_count_is_neither_right_nor_wrong():
    frames = (
        frame(CUP, told=(Told(CUP, 0.5, True, 0), Told(CUP, 0.9, True, None)), unjudged=(CUP,)),
        frame(told=(Told(CUP, 0.9, True, None),), unjudged=(CUP,)),
        frame(),
    )

    cup = curves(*frames)["cup"]

    assert cup.precision_recall.area == 1.0
    assert (cup.positives, cup.negatives) == (1, 1)


def test_pieces_of_one_cable_are_all_right_and_one_object():
    pieces = tuple(Told(CABLE, score, True, 0) for score in (0.9, 0.8, 0.7))

    cable = curves(frame(CABLE, told=pieces))["cable"]

    assert (cable.objects, cable.precision_recall.area) == (1, 1.0)


def test_figures_are_means_over_the_classes_that_have_a_curve():
    told = detection_curves.figures(curves(frame(SOCK, told=(Told(SOCK, 0.9, True, 0),)), frame(CUP)))

    assert told["average_precision_mean"] == pytest.approx(0.5)
    assert told["roc_auc_mean"] == pytest.approx((1.0 + 0.5) / 2)
    assert told["by_class"]["book"] == {
        "roc_auc": None, "average_precision": None, "positives": 0, "negatives": 2, "objects": 0,
    }  # fmt: skip
    assert detection_curves.figures(curves())["average_precision_mean"] is None
