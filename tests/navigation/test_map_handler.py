import math
from dataclasses import replace

import numpy as np
import pytest
from detected import detections
from drawn_map import DrawnMap
from hypothesis import given
from hypothesis import strategies as st

from foundation.geometry import Pose2D
from foundation.robot_config import RobotConfig
from navigation.map_handler import KeepOut, MapHandler
from navigation.object_layer import evidence_of
from navigation.pose_estimate import Tracking
from navigation.robot_io import STOP, DriveCommand
from navigation.static_map import OCCUPIED, UNKNOWN
from perception.observation import Observation

CONFIG = RobotConfig()
DRIVE = DriveCommand(0.1, 0.0)


def nothing_new(stamp_s=0.0):
    return Observation(stamp_s, None, None, None)


def handler(static=None):
    static = static or DrawnMap()
    return MapHandler(CONFIG, static), static


def tick(room, estimate, seen=None, driven=DRIVE):
    room.integrate(estimate, nothing_new(estimate.stamp_s), seen, driven)


def is_free(room, x_m, y_m):
    free, geometry = room.traversable()
    row, col = geometry.cells(np.array([[x_m, y_m]]))[0]
    return bool(free[row, col])


def show(room, static, *things, times=3, pose=(1.0, 1.0, 0.0), score=0.9):
    for _ in range(times):
        tick(room, static.estimate(*pose), detections(*things, score=score))


def test_free_floor_is_what_the_lidar_calls_free():
    room, static = handler()
    static.draw(40, 40, 60, 60, OCCUPIED)
    static.draw(80, 80, 90, 90, UNKNOWN)

    tick(room, static.estimate(0.5, 0.5))

    free, _ = room.traversable()
    assert np.array_equal(free, static.cells == 0)
    assert room.free_floor_m2() == pytest.approx((static.cells == 0).sum() * 0.025**2)


def test_a_pinhole_of_unknown_between_free_cells_is_floor():
    room, static = handler()
    static.draw(50, 50, 51, 51, UNKNOWN)

    tick(room, static.estimate(0.5, 0.5))

    assert is_free(room, 50.5 * 0.025, 50.5 * 0.025)


def test_unknown_under_the_body_is_floor():
    room, static = handler()
    static.draw(30, 30, 50, 50, UNKNOWN)

    tick(room, static.estimate(1.0, 1.0))

    assert is_free(room, 1.0, 1.0)
    assert not is_free(room, 0.8, 0.8)


def test_only_the_changed_block_is_composed_again():
    room, static = handler()
    tick(room, static.estimate(0.5, 0.5))
    revision = room.revision_of_plan_relevant_change

    static.cells[20:30, 100:110] = OCCUPIED  # changed, but not reported
    static.draw(60, 60, 70, 70, OCCUPIED)
    tick(room, static.estimate(0.5, 0.5))

    assert is_free(room, 105 * 0.025, 25 * 0.025)
    assert not is_free(room, 65 * 0.025, 65 * 0.025)
    assert room.revision_of_plan_relevant_change == revision + 1


def test_a_tick_without_change_keeps_the_revision():
    room, static = handler()
    tick(room, static.estimate(0.5, 0.5))
    revision = room.revision_of_plan_relevant_change

    tick(room, static.estimate(0.5, 0.5))

    assert room.revision_of_plan_relevant_change == revision


def test_an_object_enters_by_agreeing_frames_and_not_by_one():
    room, static = handler()

    show(room, static, (0.4, 0.0, 0.03), times=1)
    assert not room.objects() and len(room.suspects()) == 1

    show(room, static, (0.4, 0.0, 0.03), times=1)
    assert len(room.objects()) == 1
    assert not is_free(room, 1.44, 1.0)
    assert is_free(room, 1.44, 1.2)


def test_frames_are_fused_into_one_object_nearer_to_the_truth():
    room, static = handler()
    rng = np.random.default_rng(0)

    for _ in range(12):
        error = 0.012 * rng.standard_normal(2)
        tick(room, static.estimate(1.0, 1.0), detections((0.5 + error[0], error[1], 0.03)))

    (thing,) = room.objects()
    assert math.hypot(thing.x_m - 1.53, thing.y_m - 1.0) < 0.008
    assert thing.radius_m == pytest.approx(0.03)


def test_an_edge_told_cell_by_cell_is_mapped_where_its_cells_are():
    room, static = handler()
    slanted = np.array([[0.40, -0.03, 0.006, 0.0], [0.42, 0.0, 0.006, 0.0], [0.44, 0.03, 0.006, 0.0]])
    for _ in range(3):
        tick(room, static.estimate(1.0, 1.0), replace(detections((0.40, -0.03, 0.04)), edges=slanted))

    found = np.array(room.object_discs())

    assert len(found) == 3
    wanted = slanted[:, :2] * (1 + 0.012 / np.hypot(*slanted[:, :2].T))[:, None] + 1.0  # behind the edge by its radius
    gaps = np.hypot(*(found[:, None, :2] - wanted[None]).transpose(2, 0, 1)).min(axis=1)
    assert gaps.max() < 1e-6


def test_an_edge_told_beside_a_thing_is_taken_back_by_looks_that_tell_only_the_thing():
    room, static = handler()
    thing = np.array([[0.36, -0.02, 0.006, 0.0], [0.36, 0.0, 0.006, 0.0], [0.36, 0.02, 0.006, 0.0]])
    beside = np.array([[0.36, 0.055, 0.006, 1.0]])
    both = replace(detections((0.36, 0.0, 0.03), (0.36, 0.055, 0.006)), edges=np.concatenate([thing, beside]))
    for _ in range(2):
        tick(room, static.estimate(1.0, 1.0), both)
    assert max(y_m for _, y_m, _ in room.object_discs()) > 1.05
    for _ in range(8):
        tick(room, static.estimate(1.0, 1.0), replace(detections((0.36, 0.0, 0.03)), edges=thing))

    assert max(y_m for _, y_m, _ in room.object_discs()) < 1.03


def test_an_object_stays_when_out_of_view_and_leaves_when_its_place_is_seen_free():
    room, static = handler()
    show(room, static, (0.4, 0.0, 0.03))

    for _ in range(50):
        tick(room, static.estimate(1.0, 1.0, math.pi), detections())  # looks the other way
    assert len(room.objects()) == 1

    for _ in range(12):
        tick(room, static.estimate(1.0, 1.0), detections())
    assert not room.objects()
    assert is_free(room, 1.44, 1.0)


def test_an_object_below_the_near_edge_of_the_image_is_remembered():
    room, static = handler()
    show(room, static, (0.4, 0.0, 0.03))

    for _ in range(50):
        tick(room, static.estimate(1.22, 1.0), detections())  # now .18 m ahead of the contact

    assert len(room.objects()) == 1


def test_detections_on_walls_and_furniture_are_not_small_objects():
    room, static = handler()
    static.draw(30, 56, 50, 70, OCCUPIED)

    show(room, static, (0.42, 0.0, 0.03))

    assert not room.objects() and not room.suspects()


def test_an_old_frame_is_placed_by_the_pose_of_its_time():
    room, static = handler()
    for index in range(10):
        seen = detections((0.5, 0.0, 0.03), stamp_s=0.0) if index in (5, 7, 9) else None
        tick(room, static.estimate(1.0 + 0.02 * index, 1.0, 0.0, stamp_s=0.1 * index), seen)

    (thing,) = room.objects()
    assert thing.x_m == pytest.approx(1.53, abs=1e-6)


def test_a_frame_between_two_ticks_is_placed_between_their_poses():
    room, static = handler()
    for index in range(4):
        tick(room, static.estimate(1.0 + 0.1 * index, 1.0, 0.0, stamp_s=0.1 * index))
    tick(room, static.estimate(1.4, 1.0, 0.0, stamp_s=0.4), detections((0.5, 0.0, 0.03), stamp_s=0.15))

    (thing,) = room.suspects()
    assert thing.x_m == pytest.approx(1.68, abs=1e-6)


def test_objects_marks_and_swept_floor_move_with_their_keyframe():
    room, static = handler()
    show(room, static, (0.4, 0.0, 0.03))
    room.mark(static.estimate(1.0, 1.0), 0.0, 0.5, 0.05, "bumped")
    tick(room, static.estimate(1.0, 1.0))
    assert not is_free(room, 1.0, 1.5)

    static.keyframes[0] = Pose2D(0.5, 0.25, 0.0)
    tick(room, static.estimate(1.5, 1.25, revision=1))

    (thing,) = room.objects()
    assert (thing.x_m, thing.y_m) == pytest.approx((1.93, 1.25))
    assert is_free(room, 1.44, 1.0) and not is_free(room, 1.93, 1.25)
    assert is_free(room, 1.0, 1.5) and not is_free(room, 1.5, 1.75)


def test_a_graph_correction_carries_the_swept_floor():
    room, static = handler()
    for index in range(11):
        tick(room, static.estimate(1.0 + 0.05 * index, 1.0))
    before = room.covered().copy()

    static.keyframes[0] = Pose2D(0.25, 0.5, 0.0)
    tick(room, static.estimate(1.75, 1.5, revision=1))

    moved = np.zeros_like(before)
    moved[20:, 10:] = before[:-20, :-10]
    assert (room.covered() ^ moved).sum() <= 12


def test_the_tool_sweeps_its_width_and_no_more():
    room, static = handler()
    for index in range(21):
        tick(room, static.estimate(1.0 + 0.05 * index, 1.0))

    column = room.covered()[:, 60] * 0.025
    assert column.sum() == pytest.approx(0.26, abs=0.026)
    assert room.coverage_ratio() == pytest.approx(1.0 * 0.26 / room.free_floor_m2(), rel=0.1)


def test_a_lifted_tool_and_a_lost_pose_sweep_nothing():
    room, static = handler()
    tick(room, static.estimate(1.0, 1.0), driven=STOP)
    tick(room, static.estimate(2.0, 1.0), driven=STOP)
    tick(room, static.estimate(2.5, 1.0, tracking=Tracking.LOST))

    assert not room.covered().any()


def test_layers_grow_with_the_map():
    room, static = handler()
    show(room, static, (0.4, 0.0, 0.03))
    free, geometry = room.traversable()
    covered = room.covered().copy()

    static.grow(40)
    tick(room, static.estimate(1.0, 1.0))

    grown, after = room.traversable()
    assert (after.rows, after.cols) == (geometry.rows + 80, geometry.cols + 80)
    assert np.array_equal(grown[40:-40, 40:-40], free)
    assert np.array_equal(room.covered()[40:-40, 40:-40], covered)
    assert not is_free(room, 1.44, 1.0)


def test_a_zone_is_never_floor_to_plan_on():
    room, static = handler()
    room.set_zones([KeepOut(((2.0, 1.0), (3.0, 1.0), (3.0, 2.0), (2.0, 2.0)))])

    tick(room, static.estimate(0.5, 0.5))

    assert not is_free(room, 2.5, 1.5) and not is_free(room, 2.01, 1.01)
    assert is_free(room, 1.9, 1.5)

    room.set_zones([])
    tick(room, static.estimate(0.5, 0.5))
    assert is_free(room, 2.5, 1.5)


def test_marks_can_be_given_another_chance():
    room, static = handler()
    room.mark(static.estimate(1.0, 1.0), 0.5, 0.0, 0.05, "stuck")
    tick(room, static.estimate(1.0, 1.0))
    assert [mark.reason for mark in room.marks()] == ["stuck"] and not is_free(room, 1.5, 1.0)

    room.unmark_all()
    tick(room, static.estimate(1.0, 1.0))

    assert not room.marks() and is_free(room, 1.5, 1.0)


def test_the_first_blocked_place_of_a_line_is_found():
    room, static = handler()
    static.draw(30, 80, 50, 90, OCCUPIED)
    tick(room, static.estimate(0.5, 0.5))
    line = np.stack([np.linspace(0.5, 3.0, 101), np.full(101, 1.0)], axis=1)

    first = room.first_blocked(line, 0.19, 0.0)

    assert line[first, 0] == pytest.approx(2.0 - 0.19, abs=0.026)
    assert room.gap_m(1.5, 1.0, 1.0) == pytest.approx(0.5)
    assert room.first_blocked(line[:40], 0.19, 0.0) is None


def test_a_detector_that_floods_the_floor_is_switched_off():
    room, static = handler()
    rng = np.random.default_rng(0)

    for _ in range(300):
        things = np.stack([rng.uniform(0.3, 1.0, 9), rng.uniform(-0.4, 0.4, 9), rng.uniform(0.03, 0.1, 9)], axis=1)
        tick(room, static.estimate(*rng.uniform(0.8, 1.8, 2), rng.uniform(-3, 3)), detections(*things))

    health = room.detector_health()
    assert not health.trusted and health.reason
    assert not room.objects() and (room.traversable()[0] == (static.cells == 0)).all()


def test_a_true_room_full_of_toys_does_not_switch_it_off():
    room, static = handler()
    rng = np.random.default_rng(0)
    toys = np.array([(x, y) for x in np.linspace(0.6, 3.2, 5) for y in np.linspace(0.5, 2.4, 3)])
    camera = CONFIG.camera.pinhole()

    for _ in range(600):
        pose = Pose2D(*rng.uniform((0.3, 0.3), (3.7, 2.7)), rng.uniform(-3, 3))
        if np.hypot(*(toys - (pose.x_m, pose.y_m)).T).min() < 0.22:
            continue
        seen = pose.inverse().transform(toys)
        pixels = camera.pixels_from_floor(seen)
        ok = (pixels > 0).all(axis=1) & (pixels[:, 0] < 320) & (pixels[:, 1] < 240) & (np.hypot(*seen.T) < 1.1)
        contacts = seen[ok] * (1 - 0.04 / np.hypot(*seen[ok].T))[:, None]
        tick(
            room,
            static.estimate(pose.x_m, pose.y_m, pose.heading_rad),
            detections(*np.concatenate([contacts, np.full((ok.sum(), 1), 0.04)], axis=1)),
        )

    assert room.detector_health().trusted
    found = np.array([(thing.x_m, thing.y_m) for thing in room.objects()])
    gaps = np.hypot(toys[:, None, 0] - found[None, :, 0], toys[:, None, 1] - found[None, :, 1])
    assert gaps.min(axis=1).max() < 0.05


def test_what_an_earlier_run_knew_is_known_again():
    earlier, static = handler()
    tick(earlier, static.estimate(1.0, 1.0))
    tick(earlier, static.estimate(1.1, 1.0))
    show(earlier, static, (0.4, 0.0, 0.03))
    earlier.mark(static.estimate(1.1, 1.0), 0.0, 0.5, 0.06, "bumper")
    room, _ = handler(static)

    room.restore(earlier.sweeps(0), earlier.edge_points(), earlier.marks())
    tick(room, static.estimate(1.1, 1.0), driven=STOP)

    assert earlier.covered().any() and np.array_equal(room.covered(), earlier.covered())
    assert room.object_discs() == earlier.object_discs() != []
    assert not is_free(room, 1.1, 1.5)
    assert np.array_equal(room.sweeps(0), earlier.sweeps(0)) and len(earlier.sweeps(1)) == len(earlier.sweeps(0)) - 1


def looked(*things, floor):
    """Detections that also tell free floor, (M, 2) in base_link."""
    return replace(detections(*things), floor_seen=np.asarray(floor, dtype=float).reshape(-1, 2))


def floor_patch(x0, y0, x1, y1):
    x, y = np.meshgrid(np.arange(x0, x1, 0.01), np.arange(y0, y1, 0.01))
    return np.stack([x.ravel(), y.ravel()], axis=1)


def test_floor_behind_a_thing_is_not_free_until_the_camera_has_seen_it():
    room, static = handler()
    front = floor_patch(0.3, -0.2, 0.39, 0.2)
    for _ in range(3):
        tick(room, static.estimate(1.0, 1.0), looked((0.4, 0.0, 0.02), floor=front))

    assert is_free(room, 1.36, 1.0)
    assert not is_free(room, 1.50, 1.0)  # 8 cm behind the edge: the thing may be that deep
    assert is_free(room, 1.60, 1.0)  # farther than anything is taken to reach

    behind = floor_patch(0.34, -0.2, 0.5, 0.2)  # now from the other side
    for _ in range(2):
        tick(room, static.estimate(1.95, 1.0, math.pi), looked(floor=behind))

    assert is_free(room, 1.50, 1.0)
    assert not is_free(room, 1.42, 1.0)


def test_one_careless_frame_opens_nothing():
    room, static = handler()
    for _ in range(3):
        tick(room, static.estimate(1.0, 1.0), looked((0.4, 0.0, 0.02), floor=floor_patch(0.3, -0.2, 0.39, 0.2)))

    tick(room, static.estimate(1.95, 1.0, math.pi), looked(floor=floor_patch(0.34, -0.2, 0.5, 0.2)))

    assert not is_free(room, 1.50, 1.0)


def test_a_detector_that_never_tells_floor_hides_none():
    room, static = handler()
    show(room, static, (0.4, 0.0, 0.02))

    assert is_free(room, 1.50, 1.0)
    assert not is_free(room, 1.42, 1.0)


def test_where_the_body_stood_nothing_is_hidden():
    room, static = handler()
    tick(room, static.estimate(1.55, 1.0))
    for _ in range(3):
        tick(room, static.estimate(1.0, 1.0), looked((0.4, 0.0, 0.02), floor=floor_patch(0.3, -0.2, 0.39, 0.2)))

    assert is_free(room, 1.50, 1.0)


def test_edges_of_few_frames_may_be_forgotten_and_others_stay():
    room, static = handler()
    show(room, static, (0.4, 0.0, 0.02), times=3)
    assert room.objects()

    assert room.forget_doubtful_objects() == 1
    assert not room.objects()

    show(room, static, (0.4, 0.0, 0.02), times=12)
    assert room.forget_doubtful_objects() == 0
    assert len(room.objects()) == 1


def test_frames_from_one_place_are_one_look():
    room, static = handler()
    weak = 0.67  # log-odds 1.1: one look is not enough
    show(room, static, (0.5, 0.0, 0.04), times=30, score=weak)
    assert is_free(room, 1.5, 1.0)

    for step in range(4):
        pose = (1.0, 0.9 + 0.06 * step, 0.0)
        show(room, static, (0.5, 1.0 - pose[1], 0.04), times=1, pose=pose, score=weak)
    assert not is_free(room, 1.5, 1.0)


def test_a_thing_of_which_no_look_was_clear_is_not_planned_around():
    room, static = handler()
    for step in range(6):
        y_m = 0.85 + 0.06 * step
        show(room, static, (0.5, 1.0 - y_m, 0.04), times=1, pose=(1.0, y_m, 0.0), score=0.63)
    assert is_free(room, 1.5, 1.0) and room.suspects()

    show(room, static, (0.5, 0.0, 0.04), times=1, score=0.75)
    assert not is_free(room, 1.5, 1.0)


def test_scores_that_are_mostly_wrong_keep_nothing_off_and_speak_against_what_is_known():
    room, static = handler()
    show(room, static, (0.5, 0.0, 0.04), times=30, score=0.53)
    assert is_free(room, 1.5, 1.0) and not room.suspects()
    show(room, static, (0.5, 0.0, 0.04), times=3, score=0.9)
    assert not is_free(room, 1.5, 1.0)
    show(room, static, (0.5, 0.0, 0.04), times=30, score=0.52)
    assert is_free(room, 1.5, 1.0)


def test_what_was_seen_from_far_alone_is_suspected_and_not_planned_around():
    room, static = handler()
    for step in range(8):
        pose = (0.5, 0.8 + 0.06 * step, 0.0)
        show(room, static, (1.1, 1.0 - pose[1], 0.04), times=2, pose=pose)
    assert is_free(room, 1.6, 1.0) and room.suspects()
    show(room, static, (0.6, 0.0, 0.04), times=2)
    assert not is_free(room, 1.6, 1.0)


def test_a_higher_demand_forgets_what_was_never_seen_clearly():
    def glimpse(place):  # from four places, each look weak
        for step in range(4):
            y_m = 0.9 + 0.06 * step
            show(room, static, (0.5, place - y_m, 0.04), times=1, pose=(1.0, y_m, 0.0), score=0.67)

    room, static = handler()
    show(room, static, (0.5, 0.0, 0.04), pose=(2.0, 1.0, 0.0))
    glimpse(1.0)
    assert not is_free(room, 1.5, 1.0) and not is_free(room, 2.5, 1.0)

    assert room.demand_of_objects(2.0) == 1
    tick(room, static.estimate(0.5, 0.5))
    assert is_free(room, 1.5, 1.0) and not is_free(room, 2.5, 1.0)
    glimpse(1.0)
    assert is_free(room, 1.5, 1.0)
    assert room.demand_of_objects(3.0) == 0 and room.demand_of_objects(1.0) == 0
    tick(room, static.estimate(0.5, 0.5))
    assert not is_free(room, 2.5, 1.0)  # the clearest looks meet every demand
    assert room.demanded_of_objects == 3.0


def test_unclear_edges_beside_a_clear_thing_are_its_own():
    room, static = handler()
    show(room, static, (0.5, 0.0, 0.02), pose=(1.0, 1.0, 0.0))
    for step in range(4):
        y_m = 0.9 + 0.06 * step
        show(room, static, (0.5, 1.07 - y_m, 0.02), times=1, pose=(1.0, y_m, 0.0), score=0.67)
    edges = len(room.object_discs())

    assert room.demand_of_objects(2.0) == 0
    assert len(room.object_discs()) == edges


@given(st.floats(0.02, 0.98), st.floats(0.02, 0.98))
def test_a_higher_score_is_never_less_evidence(one, other):
    low, high = sorted((one, other))
    assert evidence_of(low) <= evidence_of(high)
    assert evidence_of(low) >= -0.7 and evidence_of(high) <= 3.0
