"""Truth to grid and grid to detections: what the network is asked for, told back, is the truth."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.robot_config import RobotConfig
from perception import obstacle_decoding, obstacle_targets
from perception.labels import FLOORS, SMALL_OBJECTS, floor_number, small_object_number
from perception.obstacle_targets import IGNORED, UNKNOWN
from perception.sample_format import LabelledObject
from perception.tasks.obstacles import NOT_FLOOR, STRIDE_PX

CAMERA = RobotConfig().camera.pinhole()
SHAPE = (CAMERA.height_px, CAMERA.width_px)


def painted(*boxes, name="sock", beyond_m=0.0):
    """A tile floor with upright rectangles; each touches the floor along its lower edge."""
    segmentation = np.full(SHAPE, floor_number("tile"), np.uint8)
    segmentation[:24] = 1
    instances = np.zeros(SHAPE, np.uint16)
    objects = []
    for number, (x0, y0, x1, y1) in enumerate(boxes, 1):
        segmentation[y0:y1, x0:x1] = small_object_number(name)
        instances[y0:y1, x0:x1] = number
        edge = np.stack([np.arange(x0, x1) + 0.5, np.full(x1 - x0, y1)], axis=1).astype(float)
        points = CAMERA.floor_from_pixels(edge)
        nearest = points[np.argmin(np.hypot(*points.T))]
        nearest = nearest * (1 - beyond_m / np.hypot(*nearest))
        distance_m = float(np.hypot(*nearest))
        pixels = (x1 - x0) * (y1 - y0)
        objects.append(
            LabelledObject(number, name, (x0, y0, x1, y1), pixels, tuple(nearest), tuple(nearest), 0.03, distance_m)
        )
    return segmentation, instances, objects


def answers(targets):
    """The grid as a network that knows everything would answer it."""
    kinds = np.eye(len(SMALL_OBJECTS) + 1, dtype=np.float32)[np.minimum(targets.kind, len(SMALL_OBJECTS))]
    floors = np.eye(NOT_FLOOR + 2, dtype=np.float32)[np.minimum(targets.floor, NOT_FLOOR + 1)]
    return {
        "thing": np.where(targets.thing == 1, 9.0, -9.0).astype(np.float32)[None],
        "mask": np.where(targets.mask > 0, 9.0, -9.0).astype(np.float32)[None],
        "kind": 9 * kinds.transpose(2, 0, 1)[:-1],
        "box": np.maximum(targets.box, 0),
        "floor": 9 * floors.transpose(2, 0, 1)[:-1],
    }


def told(truth, camera=CAMERA, **change):
    targets = obstacle_targets.encode(*truth, camera)
    wanted = {"stamp_s": 4.0, "min_score": 0.5, "range_max_m": 1.5, "piece_m": 0.12, **change}
    return obstacle_decoding.decode(answers(targets), camera, **wanted)


@settings(max_examples=40, deadline=None)
@given(
    x0=st.integers(4, 270),
    y0=st.integers(60, 200),
    width=st.integers(6, 40),
    height=st.integers(4, 30),
    name=st.sampled_from(SMALL_OBJECTS[1:]),  # a cable is never as tall as this
)
def test_a_thing_anywhere_is_told_where_it_is(x0, y0, width, height, name):
    box = (x0, y0, x0 + width, min(y0 + height, 236))
    truth = painted(box, name=name)

    detections = told(truth)

    distances_m = np.hypot(*detections.contacts_base_m.T)
    nearest = int(distances_m.argmin())
    error_m = np.hypot(*(detections.contacts_base_m[nearest] - truth[2][0].contact_base_m))
    assert error_m < 0.01 + 0.05 * truth[2][0].distance_m
    assert {SMALL_OBJECTS[index] for index in detections.class_ids} == {name}
    x0s, y0s, x1s, y1s = detections.boxes_px.T
    apart = np.abs(np.array([x0s.min(), y0s.min(), x1s.max(), y1s.max()]) - box)
    assert apart.max() <= 1.5 * STRIDE_PX  # one column or row more or less decides over a cell


def test_a_round_thing_is_told_nearer_than_it_seems_to_end():
    truth = painted((150, 100, 170, 120), beyond_m=0.03)

    detections = told(truth)

    assert np.hypot(*detections.contacts_base_m[0]) == pytest.approx(truth[2][0].distance_m, abs=0.005)
    assert detections.boxes_px[0, 3] == pytest.approx(120)


def test_two_things_apart_are_two_and_nothing_is_nothing():
    assert len(told(painted((60, 120, 80, 140), (200, 100, 225, 120))).scores) == 2

    empty = told(painted())

    assert len(empty.scores) == 0
    assert empty.contacts_base_m.shape == (0, 2)


def test_a_long_thing_is_told_in_pieces_of_the_size_asked_for():
    truth = painted((60, 100, 260, 110))

    few, many = told(truth, piece_m=0.3), told(truth, piece_m=0.05)

    assert 2 * len(few.scores) < len(many.scores)
    assert many.radii_m.max() < 0.1 < few.radii_m.max()


def test_the_near_edge_is_told_cell_by_cell_and_does_not_stick_out():
    """A box askew: its lower edge falls by a row every other column."""
    segmentation, instances, _ = painted()
    for column in range(120, 184):
        row = 120 + (column - 120) // 2
        segmentation[row - 12 : row, column] = small_object_number("sock")
        instances[row - 12 : row, column] = 1
    edge = np.stack([np.arange(120, 184) + 0.5, 120.0 + (np.arange(120, 184) - 120) // 2], axis=1)
    outline = CAMERA.floor_from_pixels(edge)
    nearest = outline[np.argmin(np.hypot(*outline.T))]
    thing = LabelledObject(
        1, "sock", (120, 108, 184, 152), 64 * 12, tuple(nearest), tuple(nearest), 0.1, float(np.hypot(*nearest))
    )

    detections = told((segmentation, instances, [thing]), piece_m=0.05)

    places, halves_m, owners = detections.edges[:, :2], detections.edges[:, 2], detections.edges[:, 3]
    assert set(owners) == set(range(len(detections.scores)))
    assert 7 <= len(places) <= 10, "one a column"
    off_m = np.hypot(*(places[:, None] - outline[None]).transpose(2, 0, 1)).min(axis=1)
    assert off_m.max() < 0.012
    ends = np.abs(outline[[0, -1], 1] - np.array([places[:, 1].max(), places[:, 1].min()]))
    assert ends.max() < 0.015 and halves_m.max() < 0.012


def test_a_faint_cell_below_a_thing_does_not_pull_its_contact_nearer():
    targets = obstacle_targets.encode(*painted((120, 100, 200, 150)), CAMERA)
    clear = answers(targets)
    faint = {name: values.copy() for name, values in clear.items()}
    row = int(np.flatnonzero(targets.thing.any(axis=1)).max()) + 1
    faint["thing"][0, row, 15:25] = 0.0  # a score of .5, which would be one of the piece
    faint["mask"][0, row, 15:25] = 0.0
    faint["box"][:3, row, 15:25] = np.array([0.5, 0.6, 1.0])[:, None]

    without, along = (
        obstacle_decoding.decode(held, CAMERA, stamp_s=0.0, min_score=0.5, range_max_m=1.5, piece_m=0.5)
        for held in (clear, faint)
    )

    assert np.allclose(without.contacts_base_m, along.contacts_base_m)
    assert along.edges[:, 0].max() < without.edges[:, 0].min(), "the map keeps off what is unsure"
    assert np.allclose(without.boxes_px, along.boxes_px)


def test_what_lies_beyond_the_range_is_left_out():
    truth = painted((150, 60, 170, 66))

    assert len(told(truth, range_max_m=1.5).scores) == 1
    assert len(told(truth, range_max_m=0.5).scores) == 0


def test_a_frame_of_twice_the_size_gives_the_same_metres_and_twice_the_pixels():
    targets = obstacle_targets.encode(*painted((150, 100, 170, 120)), CAMERA)
    large = CAMERA.scaled(640, 480)

    small = told(painted((150, 100, 170, 120)))
    twice = obstacle_decoding.decode(answers(targets), large, stamp_s=0.0, min_score=0.5, range_max_m=1.5, piece_m=0.12)

    np.testing.assert_allclose(twice.contacts_base_m, small.contacts_base_m)
    np.testing.assert_allclose(twice.boxes_px, 2 * small.boxes_px)


def test_the_contact_is_not_where_something_nearer_hides_it():
    segmentation, instances, objects = painted((100, 80, 140, 110))
    segmentation[105:150, 110:130] = 2  # a chair's leg before it

    targets = obstacle_targets.encode(segmentation, instances * (segmentation != 2), objects, CAMERA)

    columns = np.nonzero(targets.thing == 1)[1]
    assert set(columns) & {14, 15} == set()
    assert {12, 13} & set(columns) and {16, 17} & set(columns)


def test_far_and_tiny_things_are_neither_wanted_nor_punished():
    segmentation, instances, (item,) = painted((100, 80, 120, 100))

    far = obstacle_targets.encode(segmentation, instances, [dataclasses.replace(item, distance_m=3.0)], CAMERA)
    tiny = obstacle_targets.encode(segmentation, instances, [dataclasses.replace(item, pixels=3)], CAMERA)

    for targets in (far, tiny):
        assert not (targets.thing == 1).any()
        assert (targets.thing == IGNORED).any()


def test_the_drop_is_unknown_where_the_border_cuts_the_thing():
    cut = obstacle_targets.encode(*painted((0, 100, 20, 120)), CAMERA)
    whole = obstacle_targets.encode(*painted((40, 100, 60, 120)), CAMERA)

    assert set(cut.box[4][cut.thing == 1]) == {np.float32(UNKNOWN)}
    assert (np.abs(whole.box[4][whole.thing == 1]) < 0.2).all()


def test_floor_cells_say_what_most_of_them_is():
    segmentation, instances, objects = painted()
    segmentation[200:, :160] = floor_number("carpet")
    segmentation[120:128, 0:4] = 1

    floor = obstacle_targets.encode(segmentation, instances, objects, CAMERA).floor

    assert floor[26, 3] == FLOORS.index("carpet")
    assert floor[26, 30] == FLOORS.index("tile")
    assert floor[0, 0] == NOT_FLOOR
    assert floor[15, 0] == IGNORED


def test_floor_seen_is_floor_without_things():
    detections = told(painted((120, 150, 200, 190)))

    pixels = CAMERA.pixels_from_floor(detections.floor_seen)
    on_contact = (pixels[:, 0] > 124) & (pixels[:, 0] < 196) & (pixels[:, 1] > 153) & (pixels[:, 1] < 190)
    assert len(pixels) > 100
    assert not on_contact.any()
    assert (pixels[:, 1] > 24).all()
    assert (np.hypot(*detections.floor_seen.T) <= 1.5).all()


def test_floor_seen_tells_its_kind():
    segmentation, instances, objects = painted((120, 150, 200, 190))
    segmentation[:, :160][segmentation[:, :160] == floor_number("tile")] = floor_number("carpet")

    detections = told((segmentation, instances, objects))

    pixels, kinds = CAMERA.pixels_from_floor(detections.floor_seen), detections.floor_kinds
    assert len(kinds) == len(pixels)
    assert set(kinds[pixels[:, 0] < 150]) == {FLOORS.index("carpet")}
    assert set(kinds[pixels[:, 0] > 170]) == {FLOORS.index("tile")}


def test_a_contact_with_nothing_seen_beside_it_is_a_floor_pattern():
    targets = obstacle_targets.encode(*painted((100, 120, 140, 150)), CAMERA)
    nothing_seen = {**answers(targets), "mask": np.full((1, *targets.mask.shape), -9.0, np.float32)}

    found = obstacle_decoding.decode(nothing_seen, CAMERA, stamp_s=0.0, min_score=0.5, range_max_m=1.5, piece_m=0.12)

    assert len(found.scores) == 0


def test_the_mask_is_where_small_objects_fill_a_cell_and_unsure_where_they_touch_it():
    targets = obstacle_targets.encode(*painted((96, 120, 137, 144)), CAMERA)

    assert (targets.mask[15:18, 12:17] == 1).all()
    assert (targets.mask[15:18, 17] == 1).all()  # one column of eight pixels is an eighth
    assert targets.mask.sum() == 18
