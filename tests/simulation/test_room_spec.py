"""A room is its JSON, and JSON that is no room says where and why."""

import json
from pathlib import Path
from typing import get_args

import pytest

from simulation.errors import RoomError
from simulation.room_json import from_plain, to_plain
from simulation.room_simulator import draw_room
from simulation.room_spec import Part, Room, TextureName
from simulation.run_room import run_room
from simulation.textures import KINDS


@pytest.fixture(scope="module")
def room() -> Room:
    return draw_room(3, rooms=1)


def test_a_room_saved_loads_back_equal(room: Room, tmp_path: Path):
    room.save(tmp_path / "room.json")

    assert Room.load(tmp_path / "room.json") == room


@pytest.mark.parametrize(
    ("spoil", "names"),
    [
        (lambda plain: plain.pop("dock"), "dock: is missing"),
        (lambda plain: plain.update(colour=1), "colour: unknown field"),
        (
            lambda plain: plain["walls"][1].update(height_m="tall"),
            "walls[1].height_m = 'tall': must be a finite number",
        ),
        (lambda plain: plain["walls"][1].update(height_m=float("nan")), "walls[1].height_m = nan"),
        (lambda plain: plain["walls"][0].update(start_m=[1.0]), "walls[0].start_m: has 1 values, must have 2"),
        (lambda plain: plain.update(seed=True), "seed = True: must be of type int"),
        (lambda plain: plain.update(purpose="play"), "purpose = 'play': must be one of train, test"),
        (lambda plain: plain["small_objects"][0].update(kind="cat"), "kind = 'cat' is none of cable, sock"),
        (lambda plain: plain["floors"][0].update(kind="lava"), "kind = 'lava' is none of hardwood"),
        (lambda plain: plain["walls"][0].update(texture=99), "texture 99 of"),
        (lambda plain: plain["walls"][0].update(name=plain["walls"][1]["name"]), "names used twice: wall_1"),
        (lambda plain: plain.update(walls={}), "walls = {}: must be a list"),
        (lambda plain: plain.update(walls=[], floors=[]), "has neither walls nor floors"),
        (lambda plain: plain.update(seed=-4), "seed = -4: must not be below 0"),
        (
            lambda plain: plain["textures"][1].update(kind="velvet"),
            "textures[1].kind = 'velvet': must be one of",
        ),
        (lambda plain: plain["textures"][1].update(seed=-3), "textures[1]: seed = -3: must not be below 0"),
        (lambda plain: plain["textures"][0].update(colours=[]), "textures[0]: colours is empty"),
        (lambda plain: plain["small_objects"][0].update(name="dock"), "name 'dock': must hold no quote and be none of"),
        (lambda plain: plain["small_objects"][0].update(name='a"b'), "name 'a\"b': must hold no quote"),
        (lambda plain: plain["walls"][0].update(name="ground"), "name 'ground'"),
    ],
)
def test_a_bad_field_is_named_with_its_value(room: Room, tmp_path: Path, spoil, names: str):
    plain = json.loads(json.dumps(to_plain(room)))
    spoil(plain)
    path = tmp_path / "room.json"
    path.write_text(json.dumps(plain))

    with pytest.raises(RoomError) as error:
        Room.load(path)

    assert names in str(error.value)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 5000, '"room"'])
def test_a_file_that_is_no_room_is_refused(tmp_path: Path, text: str):
    path = tmp_path / "room.json"
    path.write_text(text)

    with pytest.raises(RoomError, match=r"room\.json"):
        Room.load(path)


def test_every_texture_that_a_file_may_name_can_be_painted():
    assert set(get_args(TextureName)) == set(KINDS)


def test_a_room_that_the_engine_refuses_is_said_in_one_line(room: Room, tmp_path: Path):
    plain = to_plain(room)
    plain["walls"][0]["name"] = f"{room.furniture[0].name}/0"

    with pytest.raises(RoomError, match=r"^room \S+: the engine refuses it: .*repeated name") as error:
        run_room(from_plain(json.loads(json.dumps(plain)), Room), seed=1, out=tmp_path / "out", bundle=None)

    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_furniture_must_stand_upright(room: Room):
    plain = to_plain(room.furniture[0])
    plain["parts"][0]["rotation"] = [1.0, 0.0, 0.0, 0.5]

    with pytest.raises(RoomError, match="not upright"):
        from_plain(plain, type(room.furniture[0]))


def test_a_part_without_extent_is_refused():
    with pytest.raises(RoomError, match="every extent must be above 0"):
        Part("box", (1.0, 0.0, 1.0), (0, 0, 0), (0, 0, 1, 0), (1, 1, 1))
