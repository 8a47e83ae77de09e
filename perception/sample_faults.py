"""What is wrong with one sample by itself, by docs/data_format.md: its pictures, masks, boxes and numbers.

`data check` and `data clean` both ask here, so that what one calls sound the other keeps. Whether a picture is worth
learning from, and what shows only against other samples, is `quality`'s.
"""

import math
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from perception import data_processor
from perception.errors import SampleError
from perception.labels import FIRST_SMALL_OBJECT, small_object_number

if TYPE_CHECKING:
    from perception.sample_format import LabelledObject, Sample

RANGE_LIMIT_M: Final = 200.0
INVALID_RATIO_MAX: Final = 0.8
INSTANCE_MAX: Final = 65_535


def faults(sample: "Sample") -> list[str]:
    """Empty for a sound sample; each fault is `kind: figures`."""
    return judged(sample)[0]


def judged(sample: "Sample") -> tuple[list[str], data_processor.Image | None]:
    """The faults, and the decoded picture if it is one."""
    why = number_faults(sample) + range_faults(sample.ranges_m)
    try:
        image = data_processor.decode(sample.image)
    except SampleError as error:
        return [*why, f"unreadable: {error}"], None
    return why + label_faults(sample, image.shape[0], image.shape[1]), image


def number_faults(sample: "Sample") -> list[str]:
    """Stamp, pose, camera or bearings that are no numbers."""
    pose, camera = sample.pose, sample.camera
    held = {
        "time": (sample.stamp_s,),
        "pose": (pose.x_m, pose.y_m, pose.heading_rad),
        "camera": (camera.horizontal_fov_rad, camera.x_m, camera.z_m, camera.pitch_down_rad, camera.roll_rad),
        "bearings": (sample.first_bearing_rad, sample.step_rad),
    }
    return [f"{name}: {values}, want finite numbers" for name, values in held.items() if not _finite(*values)]


def range_faults(ranges_m: NDArray[np.float64]) -> list[str]:
    """What is wrong with a scan by itself; no scan at all is no fault."""
    if not len(ranges_m):
        return []
    told = ranges_m[ranges_m < np.inf]  # neither inf, which is nothing met, nor NaN, which is invalid
    if len(told) and (told.min() < 0 or told.max() > RANGE_LIMIT_M):
        return [f"ranges: {told.min():.2f} to {told.max():.2f} m, allowed 0 to {RANGE_LIMIT_M:g}"]
    invalid_ratio = float(np.isnan(ranges_m).mean())
    if invalid_ratio > INVALID_RATIO_MAX:
        return [f"ranges: {invalid_ratio:.0%} invalid, limit {INVALID_RATIO_MAX:.0%}"]
    return []


def label_faults(sample: "Sample", height_px: int, width_px: int) -> list[str]:
    """The first thing in which labels do not fit their picture or each other."""
    if (sample.camera.height_px, sample.camera.width_px) != (height_px, width_px):
        return [f"size: image {width_px}x{height_px}, camera {sample.camera.width_px}x{sample.camera.height_px}"]
    try:
        segmentation = (
            data_processor.decode_labels(sample.segmentation, "segmentation") if sample.segmentation else None
        )
        numbers = data_processor.decode_labels(sample.instances, "instances") if sample.instances else None
    except SampleError as error:
        return [f"labels: {error}"]
    for what, found in (("segmentation", segmentation), ("instances", numbers)):
        if found is not None and found.shape != (height_px, width_px):
            return [f"labels: {what} is {found.shape}, image is {(height_px, width_px)}"]
    for item in sample.objects:
        if fault := _object_fault(item, numbers, height_px, width_px):
            return [f"labels: {fault}"]
    if numbers is None:
        return []
    fault = _disagreement(sample.objects, numbers, segmentation)
    return [f"labels: {fault}"] if fault else []


def _object_fault(
    item: "LabelledObject", numbers: NDArray[np.integer] | None, height_px: int, width_px: int
) -> str | None:
    x0, y0, x1, y1 = item.box_px
    if not (0 <= x0 < x1 <= width_px and 0 <= y0 < y1 <= height_px):
        return f"box {item.box_px} of a {item.class_name} lies outside of {width_px}x{height_px}"
    if not 1 <= item.instance <= INSTANCE_MAX:
        return f"instance {item.instance} of a {item.class_name}, want 1 to {INSTANCE_MAX}"
    if not _finite(*item.contact_base_m, *item.centre_base_m, item.radius_m, item.distance_m):
        return f"{item.class_name} {item.instance} lies at no place: {item.contact_base_m}, {item.distance_m} m away"
    if numbers is not None and not (numbers[y0:y1, x0:x1] == item.instance).any():
        return f"no pixel of {item.class_name} {item.instance} in its box"
    return None


def _disagreement(
    objects: "tuple[LabelledObject, ...]", numbers: NDArray[np.integer], segmentation: NDArray[np.integer] | None
) -> str | None:
    """Between what `instances` shows, what `objects` lists and what the segmentation calls it."""
    class_of = np.zeros(INSTANCE_MAX + 1, np.uint8)  # number in the segmentation of each instance listed, else 0
    for item in objects:
        if class_of[item.instance]:
            return f"instance {item.instance} is listed twice"
        class_of[item.instance] = small_object_number(item.class_name)
    shown = np.flatnonzero(numbers)
    instance = numbers.ravel()[shown]
    wanted = class_of[instance]
    if segmentation is not None:
        seen = segmentation.ravel()[shown]
        if (seen < FIRST_SMALL_OBJECT).any():
            return "instances where the segmentation has no small object"
    if not wanted.all():
        return f"instances shows {int(instance[wanted == 0][0])}, which objects does not list"
    if segmentation is not None and (wrong := np.flatnonzero(seen != wanted)).size:
        at = wrong[0]
        return f"instance {int(instance[at])} is {int(wanted[at])} by objects, {int(seen[at])} in the segmentation"
    return None


def _finite(*values: float) -> bool:
    return all(math.isfinite(value) for value in values)
