"""Webots worlds: only what Webots knows, the same walls as the other engine, and faults refused by line."""

import re
from pathlib import Path

import numpy as np
import pytest

from foundation.geometry import Pose2D
from foundation.robot_config import RobotConfig
from simulation.errors import RoomError
from simulation.ground_truth import scan_slice, true_ranges
from simulation.mujoco_world import build
from simulation.recognition_palette import colour_of
from simulation.room_simulator import draw_room
from simulation.standin.engine import Engine
from simulation.webots_file import HEADER, WorldFileError, parse, walk
from simulation.webots_solids import standing_solids
from simulation.webots_world import world_wbt
from simulation.world_files import NAMES, write_world

CONFIG = RobotConfig()
SAMPLES = Path(__file__).parents[2] / "simulation" / "webots" / "worlds"


def test_a_world_parses_and_holds_what_the_room_holds():
    room = draw_room(3, purpose="test")

    roots = parse(world_wbt(room, CONFIG))

    solids = {node.fields["name"] for node in roots if node.kind == "Solid"}
    assert solids == {item.name for item in (*room.walls, *room.floors, *room.furniture, *room.small_objects)} | {
        "dock"
    }
    robot = next(node for node in roots if node.kind == "Robot")
    assert robot.fields["controller"] == "coverage"
    assert robot.fields["supervisor"] is False
    assert not [node for node in walk([robot]) if node.kind in ("GPS", "InertialUnit", "Recognition")]


def test_a_capture_world_gives_its_robot_the_truth():
    roots = parse(world_wbt(draw_room(3), CONFIG, controller="capture", arguments=("--frames", "5")))

    robot = next(node for node in roots if node.kind == "Robot")
    assert robot.fields["supervisor"] is True
    assert robot.fields["controllerArgs"] == ["--frames", "5"]
    assert next(node for node in walk([robot]) if node.kind == "Recognition").fields["segmentation"] is True


def test_small_objects_are_recognised_by_number_and_stand_in_nobodys_way():
    room = draw_room(3)
    roots = {node.fields.get("name"): node for node in parse(world_wbt(room, CONFIG))}

    for number, item in enumerate(room.small_objects):
        node = roots[item.name]
        assert "boundingObject" not in node.fields
        colour = node.fields["recognitionColors"][0]
        assert colour[1] == pytest.approx(colour_of(1, number + 1)[1])


@pytest.mark.parametrize("seed", range(8))
def test_the_same_walls_in_both_engines_and_on_paper(seed: int):
    room = draw_room(seed, purpose="test" if seed % 2 else "train")
    height_m = CONFIG.lidar.z_m
    bearings = np.linspace(-np.pi, np.pi, 360, endpoint=False)
    laser = room.dock.start

    from_wbt = true_ranges(standing_solids(parse(world_wbt(room, CONFIG)), height_m), laser, bearings, 12.0)
    on_paper = true_ranges(scan_slice(room, height_m), laser, bearings, 12.0)

    np.testing.assert_allclose(from_wbt, on_paper, atol=1e-6)


def test_the_engines_noise_free_scan_is_the_analytic_one():
    room = draw_room(5, rooms=1)
    engine = Engine(build(room, CONFIG).model, CONFIG, seed=0)

    counter_clockwise = engine.ranges(noise=False)[::-1].astype(np.float64)

    position, rotation = engine.robot_pose()
    laser = Pose2D(float(position[0]), float(position[1]), float(np.arctan2(rotation[1, 0], rotation[0, 0])))
    bearings = -np.pi + (np.arange(450) + 0.5) * 2 * np.pi / 450
    expected = true_ranges(scan_slice(room, float(position[2]) + CONFIG.lidar.z_m), laser, bearings, 12.0)
    assert np.quantile(np.abs(counter_clockwise - expected), 0.99) < 1e-5


FAULTS = {
    "no header": ("Solid {}", "must begin with"),
    "unknown node": (f"{HEADER}\nSofa {{ }}", "line 2: unknown node Sofa"),
    "unknown field": (f"{HEADER}\n\nSolid {{ weight 3 }}", "line 3: Solid has no field weight"),
    "wrong type": (f"{HEADER}\nSolid {{ translation 1 2 high }}", "translation is a SFVec3f: 'high' is no number"),
    "too few numbers": (f"{HEADER}\nSolid {{ translation 1 2 }}", "'}' is no number"),
    "not a bool": (f"{HEADER}\nRobot {{ supervisor yes }}", "must be TRUE or FALSE"),
    "not a whole number": (f"{HEADER}\nCamera {{ width 1.5 }}", "no whole number"),
    "not a string": (f"{HEADER}\nSolid {{ name chair }}", "must be a string"),
    "twice the same name": (f'{HEADER}\nSolid {{ name "a" }}\nSolid {{ name "a" }}', "line 3: two solids named 'a'"),
    "twice the default name": (f"{HEADER}\nSolid {{ }}\nSolid {{ }}", "two solids named 'solid'"),
    "twice the same field": (f'{HEADER}\nSolid {{ name "a" name "b" }}', "Solid.name is given twice"),
    "twice the same DEF": (f"{HEADER}\nDEF A Box {{ }}\nDEF A Box {{ }}", "DEF A is given twice"),
    "USE before DEF": (f"{HEADER}\nShape {{ geometry USE A }}", "USE A: no DEF"),
    "cut off": (f"{HEADER}\nSolid {{ children [ Group {{", "the file ends"),
    "colour out of range": (f"{HEADER}\nPBRAppearance {{ baseColor 1 2 0 }}", "colours lie between 0 and 1"),
    "no axis": (f"{HEADER}\nPose {{ rotation 0 0 0 1 }}", "cannot be 0 0 0"),
    "stray brace": (f"{HEADER}\n}}", "unknown node }"),
}


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_is_refused_with_its_line(fault: str):
    text, says = FAULTS[fault]

    with pytest.raises(WorldFileError, match=re.escape(says)):
        parse(text)


def test_def_and_use_are_one_node():
    root = parse(f"{HEADER}\n# note\nGroup {{ children [ DEF A Box {{ size 1 2 3 }}, USE A ] }}")[0]

    first, second = root.fields["children"]
    assert first is second
    assert first.fields["size"] == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.wbt")), ids=lambda path: path.name)
def test_the_committed_sample_worlds_are_sound(path: Path):
    assert any(node.kind == "Robot" for node in parse(path.read_text(encoding="utf-8")))


def test_there_are_sample_worlds():
    assert len(list(SAMPLES.glob("*.wbt"))) >= 2


def test_a_world_is_exactly_three_files(tmp_path: Path):
    write_world(draw_room(2, rooms=1), tmp_path / "w")
    write_world(draw_room(3, rooms=1), tmp_path / "w")

    assert sorted(path.name for path in (tmp_path / "w").iterdir()) == sorted(NAMES)


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("mine")

    with pytest.raises(RoomError, match=r"holds thesis\.txt"):
        write_world(draw_room(2, rooms=1), tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
