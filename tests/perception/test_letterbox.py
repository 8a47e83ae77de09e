"""Pictures of any shape: what is told of them is where it is, and 4:3 goes its old way."""

import dataclasses
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from empty_bundles import obstacle_bundle
from hypothesis import given
from hypothesis import strategies as st
from painted_rooms import CAMERA, painted

from perception import data_processor, evaluate, grid_cache, obstacle_decoding
from perception.letterbox import letterbox, middle_of, network_camera, same_aspect
from perception.observation import Frame, ObservationError
from perception.obstacle_detector import ObstacleDetector
from perception.onnx_model import OnnxModel
from perception.prediction import Predictor
from perception.sample_format import Sample
from perception.tasks.obstacles import OBSTACLES
from tests.perception.test_obstacle_grid import answers

SIZE = OBSTACLES.input


def scene(seed: int) -> Sample:
    return painted("a/0", "a", np.random.default_rng(seed))


def reshaped(sample: Sample, shape: str) -> Sample:
    """The same scene through a camera of another aspect: rows or columns cut off, or columns added at both sides."""
    image = data_processor.decode(sample.image)
    labels = [data_processor.decode_labels(held) for held in (sample.segmentation, sample.instances)]
    camera, (across, down) = sample.camera, (0, 0)
    if shape == "wide":
        image, *labels = (held[30:210] for held in (image, *labels))
        camera, down = dataclasses.replace(camera, height_px=180), -30
    elif shape == "wide and large":
        image, *labels = (np.repeat(np.repeat(held[30:210], 4, axis=0), 4, axis=1) for held in (image, *labels))
        camera = dataclasses.replace(camera, width_px=1280, height_px=720)
        boxes = [tuple(4 * (v - d) for v, d in zip(item.box_px, (0, 30, 0, 30))) for item in sample.objects]
        objects = tuple(
            dataclasses.replace(item, box_px=box, pixels=16 * item.pixels)
            for item, box in zip(sample.objects, boxes, strict=True)
        )
        return _with(sample, image, labels, camera, objects)
    elif shape == "padded":  # 16:9 by 54 columns more at either side
        image = cv2.copyMakeBorder(image, 0, 0, 54, 54, cv2.BORDER_REPLICATE)
        labels = [cv2.copyMakeBorder(held, 0, 0, 54, 54, cv2.BORDER_REPLICATE) for held in labels]
        fov_rad = 2 * math.atan(428 / 320 * math.tan(camera.horizontal_fov_rad / 2))
        camera, across = dataclasses.replace(camera, width_px=428, horizontal_fov_rad=fov_rad), 54
    elif shape == "tall":
        image, *labels = (held[:, 80:240] for held in (image, *labels))
        fov_rad = 2 * math.atan(160 / 320 * math.tan(camera.horizontal_fov_rad / 2))
        camera, across = dataclasses.replace(camera, width_px=160, horizontal_fov_rad=fov_rad), -80
    moved = np.array([across, down, across, down])
    objects = tuple(
        dataclasses.replace(item, box_px=tuple(int(v) for v in np.array(item.box_px) + moved))
        for item in sample.objects
    )
    return _with(sample, image, labels, camera, objects)


def _with(sample, image, labels, camera, objects):
    segmentation, instances = (cv2.imencode(".png", held)[1].tobytes() for held in labels)
    held = cv2.imencode(".png", image)[1].tobytes()
    return dataclasses.replace(
        sample, image=held, segmentation=segmentation, instances=instances, camera=camera, objects=objects
    )


def told(sample: Sample):
    """By a network that answers what it was taught of this very sample."""
    _, targets = grid_cache.learned(sample, SIZE)
    return obstacle_decoding.decode(
        answers(targets), sample.camera, stamp_s=0.0, min_score=0.5, range_max_m=1.5, piece_m=0.5
    )


def whole(sample: Sample) -> bool:
    """Well inside of the tighter pictures, so that no border cuts it."""
    x0, y0, x1, y1 = sample.objects[0].box_px
    return x0 >= 84 and x1 <= 236 and y0 >= 34 and y1 <= 206


SEEDS = [seed for seed in range(60) if whole(scene(seed))][:12]


CUTS = {"wide": (0, 30, 1), "wide and large": (0, 30, 4), "tall": (80, 0, 1)}  # columns, rows before; scale


@pytest.mark.parametrize("shape", CUTS)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_scene_cut_to_another_aspect_is_told_the_same(seed: int, shape: str):
    across, down, scale = CUTS[shape]
    plain, cut = told(scene(seed)), told(reshaped(scene(seed), shape))

    assert len(plain.scores) == len(cut.scores) == 1
    boxes_px = cut.boxes_px / scale + [across, down, across, down]
    assert np.abs(boxes_px - plain.boxes_px).max() <= 2
    assert np.abs(cut.contacts_base_m - plain.contacts_base_m).max() <= 0.005


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_scene_in_a_wider_view_is_told_where_it_is(seed: int):
    sample = scene(seed)

    found = told(reshaped(sample, "padded"))

    (item,) = sample.objects
    assert len(found.scores) == 1
    assert abs(found.boxes_px[0, 3] - item.box_px[3]) <= 2
    assert np.abs(found.boxes_px[0] - [54, 0, 54, 0] - item.box_px).max() <= 1.5 * 8 / 320 * 428
    assert np.hypot(*(found.contacts_base_m[0] - item.contact_base_m)) < 0.01 + 0.05 * item.distance_m


def test_floor_and_things_are_never_told_where_the_camera_did_not_look():
    sample = reshaped(scene(SEEDS[0]), "wide")
    _, targets = grid_cache.learned(sample, SIZE)
    dreamt = answers(targets)
    dreamt["floor"][:] = 0
    dreamt["floor"][0] = 9  # floor all over, the borders too
    for name in ("thing", "mask"):
        dreamt[name][0, :2] = dreamt[name][0, 28:] = 9

    found = obstacle_decoding.decode(dreamt, sample.camera, stamp_s=0.0, min_score=0.5, range_max_m=1.5, piece_m=0.5)

    pixels = sample.camera.pixels_from_floor(found.floor_seen)
    assert len(found.scores) == 1
    assert (pixels[:, 1] <= 180 + 1e-6).all() and len(pixels) > 100


def test_every_way_into_the_network_shows_it_the_same_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    sample = reshaped(scene(SEEDS[0]), "wide and large")
    image = data_processor.decode(sample.image)
    taught, targets = grid_cache.learned(sample, SIZE)
    given = []

    def run(self: OnnxModel, one: np.ndarray) -> dict[str, np.ndarray]:
        given.append(one)
        return answers(targets)

    bundle = obstacle_bundle(tmp_path)
    monkeypatch.setattr(OnnxModel, "run", run)
    detector = ObstacleDetector(bundle, min_score=0.5, camera=sample.camera, range_max_m=1.2, piece_m=0.12)

    seen = detector.detect_frame(Frame(0.0, image))
    judged = evaluate.of_bundle(bundle, min_score=0.5, range_max_m=1.2)(image, sample.camera)
    (asked,) = Predictor(bundle, min_score=0.5, range_max_m=1.2).image(image)["detections"]

    assert len(given) == 3
    for one in given:
        np.testing.assert_array_equal(one, taught)
    np.testing.assert_array_equal(seen.boxes_px, judged.boxes_px)
    np.testing.assert_array_equal(seen.contacts_base_m, judged.contacts_base_m)
    np.testing.assert_allclose(asked["box"], seen.boxes_px[0], atol=0.1)
    np.testing.assert_allclose(asked["contact_m"], seen.contacts_base_m[0], atol=1e-3)


def test_a_frame_that_is_not_of_the_cameras_aspect_is_refused_in_one_line(tmp_path: Path):
    detector = ObstacleDetector(obstacle_bundle(tmp_path), min_score=0.5, camera=CAMERA, range_max_m=1.2)

    with pytest.raises(ObservationError, match="frame is 640x360, the camera is configured as 320x240"):
        detector.detect_frame(Frame(0.0, np.zeros((360, 640, 3), np.uint8)))


def test_a_picture_of_the_networks_size_is_not_even_copied():
    image = np.zeros((240, 320, 3), np.uint8)

    assert data_processor.fitted(image, 320, 240) is image


@given(st.integers(1, 1024))
def test_four_to_three_of_any_size_fills_the_networks_picture(times: int):
    fit = letterbox(4 * times, 3 * times, 320, 240)

    assert (fit.left_px, fit.top_px) == (0, 0)
    assert fit.column_scale == fit.row_scale == 4 * times / 320
    assert network_camera(CAMERA.scaled(4 * times, 3 * times), fit) == CAMERA
    assert middle_of(CAMERA, 4 * times, 3 * times) == CAMERA.scaled(4 * times, 3 * times)
    assert same_aspect(CAMERA, 4 * times, 3 * times)


@given(st.integers(16, 4096), st.integers(16, 4096))
def test_any_shape_keeps_its_middle_and_one_scale(width: int, height: int):
    fit = letterbox(width, height, 320, 240)
    corners = np.array([[fit.left_px, fit.top_px], [320 - fit.left_px, 240 - fit.top_px], [160, 120]], np.float64)

    np.testing.assert_allclose(
        fit.picture_pixels(corners), [[0, 0], [width, height], [width / 2, height / 2]], atol=1e-9 * max(width, height)
    )
    assert min(fit.inner_width_px, fit.inner_height_px) >= 1
    assert min(fit.left_px, fit.top_px) == 0
    # Borders are whole pixels: the finer side is off by at most one of the network's.
    exact = min(width, height) / max(fit.column_scale, fit.row_scale)
    assert fit.row_scale / fit.column_scale == pytest.approx(1, abs=1.5 / max(exact - 1, 1))


def test_the_networks_camera_sees_the_floor_that_the_pictures_camera_sees():
    for width, height in ((640, 360), (360, 640), (428, 240), (3280, 2464)):
        camera = dataclasses.replace(CAMERA, width_px=width, height_px=height)
        fit = letterbox(width, height, 320, 240)
        inner = np.array([[170.0, 150.0], [140.0, 190.0], [160.0, 130.0]])

        np.testing.assert_allclose(
            network_camera(camera, fit).floor_from_pixels(inner),
            camera.floor_from_pixels(fit.picture_pixels(inner)),
            atol=0.004,
        )
