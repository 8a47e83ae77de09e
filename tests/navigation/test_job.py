import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import ConfigError
from navigation.job import WHOLE_FLOOR, Job, load, parse

FULL = """
passes = 2
return_to_start = true
rooms = [2, "kitchen"]
[[zones]]
corners_map_m = [[0, 0], [2, 0], [2, 1.5]]
[[spots]]
centre_map_m = [1.0, 2.0]
radius_m = 0.5
[[no_go]]
name = "bowls"
corners_map_m = [[3, 0], [4, 0], [4, 1], [3, 1]]
[[virtual_walls]]
from_map_m = [0, 2]
to_map_m = [2, 2]
width_m = 0.1
[[named_rooms]]
name = "kitchen"
place_map_m = [4, 3]
"""


def test_a_job_is_read_from_toml_and_from_json_alike(tmp_path):
    job = parse(FULL, "job.toml")
    path = tmp_path / "job.json"
    path.write_text(job.model_dump_json())

    assert load(path) == job
    assert (job.passes, job.return_to_start, job.rooms) == (2, True, (2, "kitchen"))
    assert job.zones[0].corners_map_m[2] == (2.0, 1.5) and job.spots[0].radius_m == 0.5


def test_an_empty_job_is_the_whole_floor():
    assert parse("", "job.toml") == WHOLE_FLOOR == Job()
    assert WHOLE_FLOOR.whole_floor and not WHOLE_FLOOR.keep_outs()
    assert parse("[[no_go]]\ncorners_map_m = [[0, 0], [1, 0], [1, 1]]", "job.toml").whole_floor
    assert not parse(FULL, "job.toml").whole_floor


def test_no_go_zones_and_walls_are_what_the_map_handler_keeps_out_of():
    zone, wall = parse(FULL, "job.toml").keep_outs()

    assert (zone.name, zone.corners_map) == ("bowls", ((3, 0), (4, 0), (4, 1), (3, 1)))
    assert (wall.name, wall.corners_map) == ("virtual wall", ((0, 1.95), (2, 1.95), (2, 2.05), (0, 2.05)))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("passes = 9", "job.toml: passes = 9: .* less than or equal to 4"),
        ("pases = 2", "unknown key pases, the nearest known one is passes"),
        ('rooms = ["den"]', "rooms has 'den', named_rooms has none"),
        ("rooms = [0]", "rooms has 0, numbers count from 1"),
        ("rooms = [true]", "rooms.0"),
        ("[[zones]]\ncorners_map_m = [[0, 0], [1, 1], [1, 0], [0, 1]]", "zones.0.corners_map_m .* crosses"),
        (
            "[[zones]]\ncorners_map = [[0, 0]]",
            "zones.0.corners_map_m is missing; .* nearest known one is corners_map_m",
        ),
        ("[[spots]]\ncentre_map_m = [0, nan]\nradius_m = 1", "spots.0.centre_map_m.1 = nan"),
        ("[[spots]]\ncentre_map_m = [0, 0]\nradius_m = 0.01", "spots.0.radius_m = 0.01"),
        ("[[virtual_walls]]\nfrom_map_m = [1, 2]\nto_map_m = [1, 2]", "virtual_walls.0 .* 0.0000 m apart"),
        ("[[zones]]\ncorners_map_m = [[0, 0], [2000, 0], [0, 1]]", "zones.0.corners_map_m.1.0 = 2000"),
        ("passes = ", "not TOML"),
        (FULL + '[[named_rooms]]\nname = "kitchen"\nplace_map_m = [1, 1]', "'kitchen' 2 times"),
    ],
)
def test_what_is_wrong_is_told_with_its_key_and_value(text, says):
    with pytest.raises(ConfigError, match=says):
        parse(text, "job.toml")


def test_a_file_that_is_no_job_is_told(tmp_path):
    for name, text, says in (("a.json", "[1]", "holds a list"), ("b.json", "{", "not JSON"), ("c.toml", "\0", "TOML")):
        (tmp_path / name).write_text(text)
        with pytest.raises(ConfigError, match=says):
            load(tmp_path / name)
    with pytest.raises(ConfigError, match=r"d\.toml: cannot be read"):
        load(tmp_path / "d.toml")


KEYS = ["corners_map_m", "radius_m", "centre_map_m", "name", "place_map_m", "from_map_m", "to_map_m", "else"]
plain = st.sampled_from([None, True, False, 0, 1, -3, 10**30, 0.5, -2.5, float("nan"), float("inf"), "", "den", "\0"])
places = st.lists(plain | st.lists(plain, max_size=3), max_size=4)
anything = plain | places | st.lists(st.dictionaries(st.sampled_from(KEYS), plain | places, max_size=3), max_size=2)


@given(st.dictionaries(st.sampled_from([*Job.model_fields, "other"]), anything, max_size=4))
def test_whatever_the_file_holds_it_is_a_job_or_refused(values):
    try:
        job = parse(json.dumps(values), "job.json")
    except ConfigError:
        return
    assert parse(job.model_dump_json(), "again.json") == job
