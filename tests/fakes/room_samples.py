"""Small captured-looking sample folders: a textured floor with a blob, a room a shard, sound or spoiled to order."""

import cv2
import numpy as np

from foundation.camera_geometry import PinholeCamera
from foundation.geometry import Pose2D
from perception.labels import FIRST_SMALL_OBJECT, floor_number
from perception.sample_format import LabelledObject, Sample, shard_name, write_manifest, write_shard

WIDTH, HEIGHT = 96, 72


def png(image):
    return cv2.imencode(".png", image)[1].tobytes()


def sample(group, number, seed, *, black=False, scale=1):
    width, height, side = WIDTH * scale, HEIGHT * scale, 14 * scale
    rng = np.random.default_rng([seed, number, *group.encode()])
    image = cv2.resize(rng.integers(40, 215, (9, 12, 3), dtype=np.uint8), (width, height))
    image = np.clip(image.astype(int) + rng.integers(-12, 12, image.shape), 0, 255).astype(np.uint8)
    x0, y0 = (int(v) for v in scale * rng.integers((4, 30), (70, 50)))
    box = (x0, y0, x0 + side, y0 + side)
    image[y0 : y0 + side, x0 : x0 + side] = rng.integers(0, 255, 3)
    segmentation = np.full((height, width), floor_number("tile"), dtype=np.uint8)
    segmentation[y0 : y0 + side, x0 : x0 + side] = FIRST_SMALL_OBJECT
    instances = np.zeros((height, width), dtype=np.uint16)
    instances[y0 : y0 + side, x0 : x0 + side] = 1
    item = LabelledObject(1, "cable", box, side * side, (0.5, 0.0), (0.55, 0.0), 0.05, 0.5)
    return Sample(
        sample_id=f"{group}/{number:04d}",
        group=group,
        stamp_s=float(number),
        image=png(image * 0 if black else image),
        ranges_m=rng.uniform(0.5, 3.0, 90),
        first_bearing_rad=-np.pi,
        step_rad=2 * np.pi / 90,
        segmentation=png(segmentation),
        instances=png(instances),
        objects=(item,),
        floor_under="tile",
        pose=Pose2D(0.0, 0.0, 0.0),
        camera=PinholeCamera(width, height, 1.0856, 0.14, 0.12, 0.349),
        draws="{}",
        provenance="simulator",
    )


def capture(folder, rooms=4, frames=6, seed=1, black_every=0, scale=1):
    """A sample folder as `oxturn sim capture` leaves it: a shard a room, and the manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    for room in range(rooms):
        rows = [
            sample(f"room-{seed}-{room}", i, seed, black=bool(black_every) and i % black_every == 0, scale=scale)
            for i in range(frames)
        ]
        write_shard(folder / shard_name(room), rows)
    return write_manifest(folder, seed=seed, origin={"renderer": "none"})
