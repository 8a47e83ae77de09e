"""Rooms drawn from seeds: equal again, solvable, and never the same shapes for training and testing."""

import math

import numpy as np
import pytest

from perception.labels import SMALL_OBJECTS
from simulation import furniture_shapes, small_object_shapes, textures
from simulation.errors import RoomError
from simulation.ground_truth import floor_truth
from simulation.room_simulator import SOLVABLE_RATIO, draw_room, solvable_ratio
from simulation.room_spec import SMALL_OBJECT_HEIGHT_MAX_M, UPRIGHT
from simulation.shape_parts import axis_of
from simulation.training_shapes import stretched

TRAINED = [shape for shape in small_object_shapes.SHAPES if shape.purpose == "train"]


def test_equal_seeds_draw_equal_rooms():
    assert draw_room(5) == draw_room(5)
    assert draw_room(5) != draw_room(6)
    assert draw_room(5, purpose="test") != draw_room(5)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("purpose", ["train", "test"])
def test_every_room_is_solvable_and_furnished(seed: int, purpose):
    room = draw_room(seed, purpose=purpose)

    assert solvable_ratio(room) >= SOLVABLE_RATIO
    assert len(room.small_objects) >= 8
    assert room.furniture
    assert all(kind in SMALL_OBJECTS for kind in (item.kind for item in room.small_objects))


def test_small_objects_are_spread_and_touch_no_furniture():
    room = draw_room(4, rooms=1, small_objects=(10, 10))
    truth = floor_truth(room, body_radius_m=0.17, tool_width_m=0.26, cell_m=0.02)

    gaps = [
        math.dist((a.x_m, a.y_m), (b.x_m, b.y_m)) for a in room.small_objects for b in room.small_objects if a is not b
    ]

    assert min(gaps) > 0.35
    cells = truth.geometry.cells([(item.x_m, item.y_m) for item in room.small_objects])
    assert all(truth.standing_clear_m[row, col] > 0.04 for row, col in cells)
    assert all(truth.inside[row, col] for row, col in cells)


@pytest.mark.parametrize("shape", small_object_shapes.SHAPES, ids=lambda shape: f"{shape.kind}-{shape.variant}")
def test_small_objects_stay_below_the_lidar(shape):
    from simulation.footprints import rotation_matrix

    for seed in range(20):
        for part in shape.build(np.random.default_rng(seed)):
            reach = np.abs(rotation_matrix(part.rotation)) @ (np.array(part.size_m) / 2)
            if part.shape in ("capsule", "cylinder", "ellipsoid", "sphere"):
                reach[2] = min(reach[2], max(part.size_m) / 2)
            assert part.position_m[2] + min(reach[2], 1) < SMALL_OBJECT_HEIGHT_MAX_M + 0.03


@pytest.mark.parametrize("shape", TRAINED, ids=lambda shape: f"{shape.kind}-{shape.variant}")
def test_a_stretched_thing_stands_as_it_stood_and_stays_below_the_lidar(shape):
    for seed in range(20):
        plain = shape.build(np.random.default_rng(seed))
        other = stretched(plain, np.random.default_rng(seed))

        assert [part.shape for part in other if part.shape != "ellipsoid"] == [
            part.shape for part in plain if part.shape not in ("sphere", "ellipsoid")
        ]
        assert max(part.position_m[2] + min(part.size_m) / 2 for part in other) < SMALL_OBJECT_HEIGHT_MAX_M + 0.01
        for before, after in zip(plain, other, strict=True):
            rise = after.position_m[2] / before.position_m[2] if before.position_m[2] > 1e-9 else 1.0
            assert 0.4 < rise < 1.7
            if before.shape == "capsule" and abs(axis_of(before.rotation)[2]) < 1e-9:  # as thick as it lies high
                assert after.size_m[0] / before.size_m[0] == pytest.approx(rise)
            if before.shape == "cylinder" and before.rotation == UPRIGHT:
                assert after.size_m[2] / before.size_m[2] == pytest.approx(rise)


def test_testing_draws_its_shapes_as_they_are_built():
    build = next(shape.build for shape in small_object_shapes.SHAPES if shape.variant == "duck")
    draws = np.random.default_rng(5), np.random.default_rng(5)

    draws[1].integers(1)
    assert small_object_shapes.draw_parts("toy", "test", draws[0]) == ("duck", tuple(build(draws[1])))


def test_shapes_and_textures_for_testing_are_never_drawn_for_training():
    for table in (small_object_shapes.SHAPES, furniture_shapes.SHAPES):
        train = {(shape.kind, shape.variant) for shape in table if shape.purpose == "train"}
        test = {(shape.kind, shape.variant) for shape in table if shape.purpose == "test"}
        assert train and test and not train & test
        builders = {shape.build for shape in table if shape.purpose == "train"}
        assert not builders & {shape.build for shape in table if shape.purpose == "test"}
    drawn = {"train": set(), "test": set()}
    for purpose, seen in drawn.items():
        for seed in range(10):
            room = draw_room(seed, purpose=purpose)
            seen |= {("texture", texture.kind) for texture in room.textures}
            seen |= {(item.kind, item.variant) for item in room.small_objects}
            seen |= {(item.kind, item.variant) for item in room.furniture if item.kind != "wall_block"}
    assert drawn["train"] and not drawn["train"] & drawn["test"]


def test_every_class_has_a_shape_of_each_purpose():
    for purpose in ("train", "test"):
        assert {shape.kind for shape in small_object_shapes.SHAPES if shape.purpose == purpose} == set(SMALL_OBJECTS)
        assert {kind.use for kind in textures.KINDS.values() if kind.purpose == purpose} == {
            "hardwood", "tile", "carpet", "rug", "concrete", "wall", "thing",
        }  # fmt: skip


@pytest.mark.parametrize("kind", sorted(textures.KINDS))
def test_a_texture_paints_the_same_pixels_again(kind: str):
    import numpy as np

    texture = textures.draw_texture(textures.KINDS[kind].use, textures.KINDS[kind].purpose, np.random.default_rng(1))

    picture = textures.paint(texture, 64)

    assert picture.shape == (64, 64, 3)
    assert picture.std() > 0
    assert (picture == textures.paint(texture, 64)).all()


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"seed": -1}, "seed = -1"),
        ({"seed": 1, "rooms": 0}, "rooms = 0"),
        ({"seed": 1, "small_objects": (5, 3)}, r"small_objects = \(5, 3\)"),
    ],
)
def test_numbers_out_of_range_are_refused(arguments, names: str):
    with pytest.raises(RoomError, match=names):
        draw_room(arguments.pop("seed"), **arguments)
