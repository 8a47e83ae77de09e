"""Rendered segmentation against exact rays through the room's own solids."""

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
from scipy import ndimage

from foundation.camera_geometry import PinholeCamera
from foundation.geometry import Pose2D
from perception import labels
from simulation.analytic_camera import segmentation, solids_of
from simulation.dataset_writer import CaptureSettings, robot_config
from simulation.lidar_capture import samples
from simulation.room_simulator import draw_room
from simulation.shape_parts import sphere


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_pixel_away_from_an_edge_is_what_the_rays_say(seed: int):
    room = draw_room(seed)
    config = robot_config(CaptureSettings(rooms=1, frames=4, seed=1, width_px=160, height_px=120))
    solids = solids_of(room)

    wrong = 0
    for sample in samples(room, config, frames=4, seed=seed):
        classes, instances = segmentation(solids, sample.camera, sample.pose)
        drawn = cv2.imdecode(np.frombuffer(sample.segmentation, np.uint8), cv2.IMREAD_UNCHANGED)
        drawn_instances = cv2.imdecode(np.frombuffer(sample.instances, np.uint8), cv2.IMREAD_UNCHANGED)
        differs = (drawn != classes) | (drawn_instances != instances)
        key = classes.astype(np.int64) * 1000 + instances
        inside = ndimage.maximum_filter(key, 3) == ndimage.minimum_filter(key, 3)
        assert not (differs & inside).any()
        wrong += int(differs.sum())

    assert wrong <= 0.001 * 4 * 160 * 120


def test_a_ball_on_the_floor_is_a_disc_of_the_right_size():
    room = draw_room(3, rooms=1, small_objects=(1, 1), classes=("toy",))
    place = replace(room.small_objects[0], parts=(sphere(0.08, (0.0, 0.0, 0.04), (0.9, 0.1, 0.1)),))
    solids = solids_of(replace(room, small_objects=(place,)))
    camera = PinholeCamera(160, 120, math.radians(60), 0.0, 0.12, math.radians(20))

    views = []
    for heading in np.arange(8) * math.pi / 4:
        eye = Pose2D(place.x_m - 0.4 * math.cos(heading), place.y_m - 0.4 * math.sin(heading), heading)
        views.append(segmentation(solids, camera, eye)[1] == 1)

    rows, cols = np.nonzero(max(views, key=np.count_nonzero))  # furniture may hide it from some sides
    (expected,) = camera.pixels_from_floor(np.array([[0.4, 0.0]]))
    assert abs(cols.mean() - expected[0]) < 2
    assert np.ptp(cols) + 1 == pytest.approx(0.08 * camera.focal_px / 0.4, rel=0.15)
    assert rows.max() <= expected[1] + 1


def test_nothing_is_void_when_looking_above_the_walls():
    room = draw_room(3, rooms=1)
    up = PinholeCamera(32, 24, math.radians(60), 0.0, 0.12, math.radians(-80))

    classes, _ = segmentation(solids_of(room), up, room.dock.start)

    assert (classes == labels.VOID).mean() > 0.5
