"""ROC and precision-recall curves of small objects by class, from judged frames.

Two things are counted, each where it is honest:

* precision-recall by OBJECT: recall is the share of the judged objects of a class told as that class, precision the
  share of the detections told as that class that lie at one. A detection at a thing that is not judged (hidden, too
  far, too small) is left out, as PASCAL VOC does with `difficult`. Several detections at one object are all right:
  long things are told in pieces.
* ROC by FRAME: "does this frame show an object of the class?", scored by the frame's best detection of that class, 0
  where there is none. Detection has no true negatives that could be counted by object (the background is no number of
  things), so an object-level ROC would be an invention. Frames that show the class only in things that are not judged
  are left out.

`any` takes all classes for one: what the robot's driving needs. Curves are those of the detector as it runs and end at
its threshold: neighbouring cells are joined by it, so the same network at a lower one is another detector, whose
figures at a high score are not the robot's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from perception import ranking_curves
from perception.ranking_curves import Curve

if TYPE_CHECKING:
    from perception.evaluate import FrameVerdict


ANY: Final = "any"


@dataclass(frozen=True, slots=True)
class ClassCurves:
    """Of one class; None where the data hold no positive (or no negative) of it."""

    roc: Curve | None
    precision_recall: Curve | None
    positives: int  # frames or inputs that show it: what the ROC is over
    negatives: int
    objects: int  # what the recall is over


def by_class(verdicts: Sequence["FrameVerdict"], names: Sequence[str]) -> dict[str, ClassCurves]:
    """Curves of each class, in the order of the names, and of ANY."""
    one_for_all = [_without_classes(verdict) for verdict in verdicts]
    return {ANY: _of_class(one_for_all, 0), **{name: _of_class(verdicts, at) for at, name in enumerate(names)}}


def figures(curves: Mapping[str, ClassCurves]) -> dict[str, Any]:
    """Areas by class and their means over the classes that have one, as JSON values."""
    told: dict[str, Any] = {
        name: {
            "roc_auc": _area(one.roc),
            "average_precision": _area(one.precision_recall),
            "positives": one.positives,
            "negatives": one.negatives,
            "objects": one.objects,
        }
        for name, one in curves.items()
    }
    whole = {ANY: told.pop(ANY)} if ANY in told else {}
    means = {f"{name}_mean": _mean([row[name] for row in told.values()]) for name in ("roc_auc", "average_precision")}
    return {**whole, **means, "by_class": told}


def _without_classes(verdict: "FrameVerdict") -> "FrameVerdict":
    return replace(
        verdict,
        objects=tuple(replace(item, class_index=0) for item in verdict.objects),
        told=tuple(replace(one, class_index=0) for one in verdict.told),
        unjudged_classes=frozenset({0} if verdict.unjudged_classes else ()),
    )


def _of_class(verdicts: Sequence["FrameVerdict"], index: int) -> ClassCurves:
    best, shown, found, scores, right = [], [], [], [], []
    for verdict in verdicts:
        objects = [at for at, item in enumerate(verdict.objects) if item.class_index == index]
        told = [one for one in verdict.told if one.class_index == index]
        found += [max((one.score for one in told if one.object_index == at), default=0.0) for at in objects]
        judged = [one for one in told if one.object_index is not None or not one.at_thing]
        scores += [one.score for one in judged]
        right += [one.object_index in objects for one in judged]
        if objects or index not in verdict.unjudged_classes:
            best.append(max((one.score for one in told), default=0.0))
            shown.append(bool(objects))
    truth = np.array(shown, dtype=bool)
    return ClassCurves(
        ranking_curves.roc(np.array(best), truth),
        ranking_curves.detection_precision_recall(np.array(found), np.array(scores), np.array(right, dtype=bool)),
        int(truth.sum()),
        int((~truth).sum()),
        len(found),
    )


def _area(curve: Curve | None) -> float | None:
    return None if curve is None else curve.area


def _mean(areas: Sequence[float | None]) -> float | None:
    known = [area for area in areas if area is not None]
    return float(np.mean(known)) if known else None
