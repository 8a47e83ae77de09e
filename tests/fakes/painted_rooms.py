"""Labelled samples without a simulator: coloured boxes lying on a plain floor, placed by the camera's own geometry."""

import math
from pathlib import Path

import cv2
import numpy as np

from foundation.camera_geometry import PinholeCamera
from foundation.geometry import Pose2D
from perception import sample_format
from perception.labels import floor_number, small_object_number
from perception.sample_format import LabelledObject, Sample

CAMERA = PinholeCamera(320, 240, math.radians(62.2), 0.14, 0.12, math.radians(20))
FLOOR = "tile"


def painted(sample_id: str, group: str, rng: np.random.Generator, *, objects: int = 1) -> Sample:
    """One frame; each object is a bright upright rectangle 4 to 8 cm wide on a darker floor."""
    shade = int(rng.integers(60, 120))
    image = np.full((240, 320, 3), shade, np.uint8) + rng.integers(0, 12, (240, 320, 3)).astype(np.uint8)
    segmentation = np.full((240, 320), floor_number(FLOOR), np.uint8)
    segmentation[:20] = 0
    instances = np.zeros((240, 320), np.uint16)
    labelled = []
    for number in sorted(range(1, objects + 1), reverse=True):
        kind = str(rng.choice(["cup", "sock", "book"]))
        distance_m, aside_m = float(rng.uniform(0.34, 0.9)), float(rng.uniform(-0.1, 0.1))
        width_m = float(rng.uniform(0.04, 0.08))
        foot = np.array([[distance_m, aside_m + width_m / 2], [distance_m, aside_m - width_m / 2]])
        (left, bottom), (right, _) = CAMERA.pixels_from_floor(foot)
        tall_px = (right - left) * 0.8
        box = (max(round(left), 0), max(round(bottom - tall_px), 0), min(round(right), 320), min(round(bottom), 240))
        rows, columns = slice(box[1], box[3]), slice(box[0], box[2])
        image[rows, columns] = rng.integers(170, 255, 3)
        segmentation[rows, columns] = small_object_number(kind)
        instances[rows, columns] = number
        labelled.append(
            LabelledObject(
                number,
                kind,
                box,
                int((instances == number).sum()),
                (distance_m, float(np.clip(0, aside_m - width_m / 2, aside_m + width_m / 2))),
                (distance_m + 0.02, aside_m),
                width_m / 2,
                distance_m,
            )
        )
    return Sample(
        sample_id=sample_id,
        group=group,
        stamp_s=0.0,
        image=_png(image),
        ranges_m=np.full(90, 2.0),
        first_bearing_rad=-math.pi,
        step_rad=2 * math.pi / 90,
        segmentation=_png(segmentation),
        instances=_png(instances),
        objects=tuple(labelled),
        floor_under=FLOOR,
        pose=Pose2D(0.0, 0.0, 0.0),
        camera=CAMERA,
        draws="{}",
        provenance="simulator",
    )


def write_rooms(folder: Path, *, rooms: int, frames: int, seed: int = 0, objects: int = 1) -> Path:
    """A sample folder with one shard a room."""
    folder.mkdir(parents=True)
    for room in range(rooms):
        rng = np.random.default_rng([seed, room])
        samples = [painted(f"room-{room}/{index}", f"room-{room}", rng, objects=objects) for index in range(frames)]
        sample_format.write_shard(folder / sample_format.shard_name(room), samples)
    sample_format.write_manifest(folder, seed=seed, origin={"renderer": "paint"})
    return folder


def _png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()
