"""Carpets are told by the camera, frame by frame, and kept to the job's rule."""

import numpy as np
import pytest
from flat_world import FlatWorld
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.geometry import Pose2D
from foundation.robot_config import RobotConfig
from navigation.background import SteppedBackground
from navigation.carpets import Carpets
from navigation.floor_kinds import UNKNOWN, FloorKinds
from navigation.grid_geometry import GridGeometry
from navigation.job import parse
from navigation.robot_loop import run
from navigation.stages import build
from perception.labels import FLOORS

GRID = GridGeometry(-1.0, -1.0, 0.025, 120, 160)
HARDWOOD, CARPET, RUG = (FLOORS.index(name) for name in ("hardwood", "carpet", "rug"))
HERE = Pose2D(0.0, 0.0, 0.0)
WORLD = (0, 0, 2.6, 1.8)
RUG_BOX = (1.3, 0.5, 2.1, 1.3)  # 0.64 m2
START = Pose2D(0.4, 0.5, 0.0)


def look(kinds, box, *, frames, wrong=0.15, seed=0, soft=CARPET):
    """All the grid, seen from everywhere."""
    rng = np.random.default_rng(seed)
    places = GRID.centres(np.argwhere(np.ones(GRID.shape, bool)))
    near = np.zeros_like(places)
    inside = (places[:, 0] > box[0]) & (places[:, 1] > box[1]) & (places[:, 0] < box[2]) & (places[:, 1] < box[3])
    for _ in range(frames):
        one = rng.permutation(len(places))[: len(places) // 16]  # a place or so of each coarse cell
        told = inside[one] ^ (rng.random(len(one)) < wrong)
        kinds.look(near[one], places[one], np.where(told, soft, HARDWOOD).astype(np.uint8))
    return inside.reshape(GRID.shape)


@settings(max_examples=20, deadline=None)
@given(st.integers(-8, 10), st.integers(-8, 8), st.integers(5, 18), st.integers(5, 12), st.integers(0, 99))
def test_a_carpet_is_found_to_a_cell_in_spite_of_frames_that_err(x, y, wide, high, seed):
    kinds, box = FloorKinds(GRID), (0.1 * x, 0.1 * y, 0.1 * (x + wide), 0.1 * (y + high))

    true = look(kinds, box, frames=30, seed=seed)
    wrong = kinds.soft(GRID) != true

    edge = np.zeros(GRID.shape, bool)
    for rows, cols in np.ndindex(9, 9):
        edge |= np.roll(true, (rows - 4, cols - 4), (0, 1)) != true
    assert not (wrong & ~edge).any()


def test_a_few_frames_and_specks_are_no_carpet():
    few, specks = FloorKinds(GRID), FloorKinds(GRID)
    look(few, (0, 0, 1, 1), frames=2, wrong=0)
    look(specks, (0.0, 0.0, 0.2, 0.2), frames=30, wrong=0)

    assert not few.soft(GRID).any() and not specks.soft(GRID).any()
    assert specks.kind_at(0.1, 0.1) == CARPET and specks.kind_at(0.5, 0.5) == HARDWOOD
    assert specks.kind_at(90.0, 0.0) == UNKNOWN == few.kind_at(0.5, 0.5)


def test_a_carpet_that_is_rolled_up_is_forgotten_and_a_rug_is_one_too():
    kinds = FloorKinds(GRID)
    look(kinds, (0, 0, 1, 1), frames=150, wrong=0, soft=RUG)
    assert kinds.kind_at(0.5, 0.5) == RUG and kinds.soft(GRID)[60, 60]

    look(kinds, (9, 9, 9, 9), frames=220, wrong=0)

    assert kinds.kind_at(0.5, 0.5) == HARDWOOD and not kinds.soft(GRID).any()


def test_votes_stay_in_place_when_the_map_grows():
    kinds, grown = FloorKinds(GRID), GridGeometry(-1.525, -1.3, 0.025, 200, 260)
    look(kinds, (0, 0, 1, 1), frames=10, wrong=0)
    before = kinds.soft(GRID)

    kinds.resize(grown)

    assert np.array_equal(kinds.soft(grown)[12 : 12 + 120, 21 : 21 + 160], before)


def test_without_a_rule_nothing_is_weighed_and_with_one_the_carpet_under_the_body_stays_open():
    under = np.zeros(GRID.shape, bool)
    under[44:48, 44:48] = True
    places = GRID.centres(np.argwhere(np.ones(GRID.shape, bool)))
    carpets, kinds = Carpets(GRID, RobotConfig().tool), np.full(len(places), CARPET, np.uint8)
    for stamp_s in range(6):
        assert carpets.look(float(stamp_s), 0.2 * places, 0.2 * places, kinds, lambda: under).empty
    carpets.set_rule(swept=False, entered=False)
    assert carpets.known.any() and not carpets.tool_may_sweep(HERE)

    changed = carpets.look(9.0, 0.2 * places, 0.2 * places, kinds, lambda: under)

    assert not carpets.known[under].any() and carpets.known.any()
    assert (changed.row0, changed.col0, changed.row1, changed.col1) == (44, 44, 48, 48)


def drive(rule, rugs=(RUG_BOX,)):
    world = FlatWorld(WORLD, (), (), START, carpets=rugs, ticks=6000)
    told = []
    stages = build(
        RobotConfig(), background=lambda name: SteppedBackground(2), job=parse(f"carpet = '{rule}'", "job.toml"),
        on_event=told.append,
    )  # fmt: skip
    run(world, stages.localiser, world, stages.room, stages.planner, stages.limit, lambda report: None)
    assert stages.planner.report().done, told
    return world, world.score(), stages.planner.report()


def on_the_rug(score, margin_m):
    """(R, C): cells of the score that lie so far inside the rug."""
    geometry = score["geometry"]
    x = geometry.origin_x_m + (np.arange(geometry.cols) + 0.5) * geometry.cell_m
    y = geometry.origin_y_m + (np.arange(geometry.rows) + 0.5) * geometry.cell_m
    x0, y0, x1, y1 = RUG_BOX
    across, up = (x > x0 + margin_m) & (x < x1 - margin_m), (y > y0 + margin_m) & (y < y1 - margin_m)
    return up[:, None] & across


@pytest.mark.parametrize(
    ("rule", "swept", "entered"),
    [("tool_up", False, True), pytest.param("avoid", False, False), pytest.param("sweep", True, True)],
)
def test_a_job_keeps_to_its_rule_for_carpets(rule, swept, entered):
    world, score, report = drive(rule)
    rug, around = on_the_rug(score, 0.12), score["coverable"] & ~on_the_rug(score, -0.1)

    assert score["collisions"] == 0
    assert score["swept"][around].mean() > 0.95
    assert (score["swept"][rug].mean() > 0.95) if swept else (score["swept"][rug].mean() < 0.02)
    x0, y0, x1, y1 = RUG_BOX
    deep = sum(x0 + 0.15 < pose.x_m < x1 - 0.15 and y0 + 0.15 < pose.y_m < y1 - 0.15 for pose in world.track)
    assert (deep > 0) if swept else (deep == 0 or entered)
    told = [one for one in report.left_out if "carpet" in one.reason]
    assert bool(told) is not swept
    assert all(0.4 < one.area_m2 < 0.85 for one in told)


def test_a_carpet_from_wall_to_wall_is_crossed_with_the_tool_up_when_nothing_else_is_left():
    across = (1.1, -0.1, 1.6, 1.9)
    world, score, _ = drive("tool_up", [across])
    geometry, swept = score["geometry"], score["swept"]
    x = geometry.origin_x_m + (np.arange(geometry.cols) + 0.5) * geometry.cell_m

    assert score["coverable"][:, x > 1.85].sum() > 0.2 * score["coverable"].sum()
    assert swept[:, x > 1.85][score["coverable"][:, x > 1.85]].mean() > 0.93
    assert swept[:, x < 1.0][score["coverable"][:, x < 1.0]].mean() > 0.93
    assert swept[:, (x > 1.25) & (x < 1.45)].mean() < 0.02
    first = next(k for k, pose in enumerate(world.track) if pose.x_m > 1.3)
    assert first > 0.3 * len(world.track), "first what lies on this side"


def soft_everywhere(carpets):
    places = GRID.centres(np.argwhere(np.ones(GRID.shape, bool)))
    for stamp_s in range(6):
        carpets.look(float(stamp_s), 0.2 * places, 0.2 * places, np.full(len(places), RUG, np.uint8), lambda: 0)


def test_carpets_that_were_opened_are_shut_again_but_not_under_the_body():
    carpets, under = Carpets(GRID, RobotConfig().tool), np.zeros(GRID.shape, bool)
    soft_everywhere(carpets)
    carpets.set_rule(swept=False, entered=True)
    under[44:48, 44:48] = True
    beside = carpets.unwanted().copy()
    assert not carpets.shut(lambda: under) and carpets.open()

    assert carpets.shut(lambda: under) and not carpets.entered

    assert np.array_equal(carpets.unwanted(), beside & ~under) and carpets.open()
    carpets.set_rule(swept=True, entered=True)
    assert not carpets.shut(lambda: under) and carpets.entered


def swept_beside_the_rug(world):
    """Share of the floor that a pass along its edge reaches, and that is nearer to it than half the tool."""
    score = world.score()
    return score["swept"][score["coverable"] & on_the_rug(score, -0.12) & ~on_the_rug(score, -0.06)].mean()


@pytest.mark.slow
def test_floor_beside_a_carpet_is_swept_in_every_pass():
    world = FlatWorld(WORLD, (), (), START, carpets=[RUG_BOX], ticks=9000)
    text = "carpet = 'tool_up'\npasses = 2"
    stages = build(RobotConfig(), background=lambda name: SteppedBackground(2), job=parse(text, "job.toml"))
    ends = []

    def on_tick(report):
        if stages.planner.progress().pass_number == 2 and not ends:
            ends.append(len(world.tool_was_on))

    run(world, stages.localiser, world, stages.room, stages.planner, stages.limit, on_tick)

    assert stages.planner.report().done and ends
    world.track, world.tool_was_on = world.track[ends[0] :], world.tool_was_on[ends[0] :]
    assert swept_beside_the_rug(world) > 0.97


def test_floor_beside_a_carpet_is_swept_after_the_robot_was_called_home_and_told_to_go_on():
    world = FlatWorld(WORLD, (), (), START, carpets=[RUG_BOX], ticks=6000)
    stages = build(
        RobotConfig(), background=lambda name: SteppedBackground(2), job=parse("carpet = 'tool_up'", "job.toml")
    )
    planner = stages.planner

    class Called:
        """Home as soon as the carpet is known, and on from there."""

        def __init__(self):
            self.gone = 0

        def command(self, estimate, observation):
            if stages.room.carpet_m2() > 0.12 and not self.gone:
                self.gone = 1
                planner.return_to_start()
            wanted = planner.command(estimate, observation)
            if wanted is None and self.gone == 1:
                self.gone = 2
                planner.go_on()
                wanted = planner.command(estimate, observation)
            return wanted

    called = Called()
    run(world, stages.localiser, world, stages.room, called, stages.limit, lambda report: None)

    assert planner.report().done and called.gone == 2
    assert swept_beside_the_rug(world) > 0.97


def test_a_carpet_that_may_not_be_entered_is_not_opened():
    carpets, places = Carpets(GRID, RobotConfig().tool), GRID.centres(np.argwhere(np.ones(GRID.shape, bool)))
    for stamp_s in range(6):
        carpets.look(float(stamp_s), 0.2 * places, 0.2 * places, np.full(len(places), RUG, np.uint8), lambda: 0)
    carpets.set_rule(swept=False, entered=False)
    assert not carpets.open() and not carpets.entered

    carpets.set_rule(swept=False, entered=True)
    beside = carpets.unwanted().sum()
    assert not carpets.entered and carpets.open() and carpets.entered and not carpets.open()
    assert carpets.unwanted().sum() > beside == carpets.known.sum()
