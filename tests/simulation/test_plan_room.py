"""A floor plan's picture as a room."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from foundation.robot_config import RobotConfig
from simulation.errors import RoomError
from simulation.ground_truth import floor_truth
from simulation.mujoco_world import build
from simulation.plan_room import rectangles, room_from_plan


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """8 x 6 m, two rooms joined by a doorway of 1 m, 5 cm a pixel."""
    picture = np.zeros((120, 160), np.uint8)
    picture[4:-4, 4:-4] = 254
    picture[:, 80:83] = 0
    picture[50:70, 80:83] = 254
    path = tmp_path / "plan.png"
    cv2.imwrite(str(path), picture)
    return path


def test_a_plan_becomes_a_room_whose_floor_can_be_reached(plan: Path):
    room = room_from_plan(plan, cell_m=0.05, seed=1, small_objects=8)

    truth = floor_truth(room, body_radius_m=0.17, tool_width_m=0.26, cell_m=0.025)
    assert room == room_from_plan(plan, cell_m=0.05, seed=1, small_objects=8)
    assert 25 < truth.coverable_m2 < 8 * 6
    assert len(room.small_objects) == 8
    assert room.furniture
    build(room, RobotConfig())


@given(arrays.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
@settings(max_examples=60, deadline=None)
def test_rectangles_tile_the_mask_once(mask: np.ndarray):
    painted = np.zeros(mask.shape, int)

    for row0, col0, row1, col1 in rectangles(mask):
        painted[row0:row1, col0:col1] += 1

    assert (painted == mask).all()


def test_what_is_no_plan_is_refused(tmp_path: Path):
    (tmp_path / "text.png").write_text("no picture")
    cv2.imwrite(str(tmp_path / "black.png"), np.zeros((50, 50), np.uint8))

    with pytest.raises(RoomError, match="cannot be read as a picture"):
        room_from_plan(tmp_path / "text.png", cell_m=0.05, seed=1)
    with pytest.raises(RoomError, match="of connected floor"):
        room_from_plan(tmp_path / "black.png", cell_m=0.05, seed=1)
    with pytest.raises(RoomError, match=r"cell = 3"):
        room_from_plan(tmp_path / "black.png", cell_m=3, seed=1)


def test_a_seed_below_zero_is_refused(plan: Path):
    with pytest.raises(RoomError, match="seed = -1"):
        room_from_plan(plan, cell_m=0.05, seed=-1)
