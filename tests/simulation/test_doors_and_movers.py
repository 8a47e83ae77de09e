"""Doors stand open or shut, and what moves keeps to its way and off the robot."""

import math

import numpy as np
import pytest

from foundation.robot_config import RobotConfig
from perception import labels
from simulation.errors import RoomError
from simulation.ground_truth import floor_truth
from simulation.movement import POLITE_M, Movement, place_at
from simulation.mujoco_world import build
from simulation.room_simulator import draw_room, solvable_ratio
from simulation.room_spec import Mover, Room
from simulation.standin.engine import Engine
from simulation.webots_file import parse
from simulation.webots_world import world_wbt

CONFIG = RobotConfig()


def _coverable_m2(room: Room) -> float:
    return floor_truth(room, body_radius_m=0.17, tool_width_m=0.26, cell_m=0.025).coverable_m2


def test_the_same_seed_with_doors_has_the_same_rooms_besides():
    gaps, doors = draw_room(2, rooms=3), draw_room(2, rooms=3, doors="open")

    assert doors.walls == gaps.walls
    leaves = [item for item in doors.furniture if item.kind == "door"]
    assert leaves
    assert doors.furniture[: len(gaps.furniture)] == gaps.furniture
    assert solvable_ratio(doors) >= 0.9


def test_what_lies_behind_a_shut_door_is_out_of_reach():
    shut, gaps = draw_room(2, rooms=3, doors="shut"), draw_room(2, rooms=3)

    assert [item.variant for item in shut.furniture if item.kind == "door"].count("shut") == 1
    assert _coverable_m2(shut) < 0.9 * _coverable_m2(gaps)


def test_a_room_with_movers_saves_builds_and_labels_them(tmp_path):
    room = draw_room(3, rooms=2, movers=3)
    room.save(tmp_path / "room.json")

    built = build(Room.load(tmp_path / "room.json"), CONFIG)

    assert {mover.kind for mover in room.movers} == {"person", "pet", "chair"}
    assert (built.labels.classes == labels.MOVING).sum() == sum(len(mover.parts) for mover in room.movers)
    names = {node.fields.get("name") for node in parse(world_wbt(room, CONFIG))}
    assert {mover.name for mover in room.movers} <= names


def _walker(returns: bool) -> Mover:
    part = draw_room(3, rooms=1).dock.parts
    return Mover("someone", "person", ((0.0, 0.0), (2.0, 0.0), (2.0, 1.0)), 0.5, 0.0, returns, part)


@pytest.mark.parametrize(
    ("walked_m", "x_m", "y_m"),
    [(0.0, 0, 0), (1.0, 1, 0), (2.5, 2, 0.5), (3.0, 2, 1), (4.0, 2, 0), (5.0, 1, 0), (6.0, 0, 0)],
)
def test_somebody_who_returns_walks_there_and_back(walked_m: float, x_m: float, y_m: float):
    assert place_at(_walker(True), walked_m)[:2] == pytest.approx((x_m, y_m))


def test_a_pushed_chair_stays_where_it_came_to():
    assert place_at(_walker(False), 99.0)[:2] == pytest.approx((2.0, 1.0))


def test_movers_move_and_stop_in_front_of_the_robot():
    room = draw_room(1, rooms=2, movers=2)  # whose first walk is straight for a metre: the robot stands in its way
    engine = Engine(build(room, CONFIG).model, CONFIG, seed=0)
    engine.before_step.append(Movement(room, engine.model, engine.robot_body))
    mover = room.movers[0]
    way = place_at(mover, 1.0)
    engine.place(engine.robot_body, np.array([way[0], way[1], 0.0]), None)
    engine.settle()
    started = engine.data.mocap_pos.copy()

    nearest = math.inf
    for _ in range(int((mover.start_s + 8) / 0.02)):
        engine.basic_step()
        nearest = min(nearest, math.dist(engine.data.mocap_pos[0][:2], way[:2]))

    moved = np.hypot(*(engine.data.mocap_pos - started)[:, :2].T)
    assert moved[0] > 0.1
    assert nearest > POLITE_M - 0.05


def test_a_mover_without_a_place_is_refused():
    with pytest.raises(RoomError, match="waypoints_m is empty"):
        Mover("nobody", "pet", (), 0.5, 0.0, True, ())
