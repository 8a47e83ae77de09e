"""Whole jobs on a flat world: zones, spots, passes, the way back, as the loop drives them."""

import math

import numpy as np
import pytest
from flat_world import FlatWorld, TrueStart, box

from foundation.geometry import Pose2D, wrap_angle
from navigation.background import SteppedBackground
from navigation.covering import Covering
from navigation.job import JobProgress, parse
from navigation.map_handler import MapHandler
from navigation.planned_routes import PlannedRoutes
from navigation.robot_loop import run
from navigation.safety import Safety, SafetySettings
from navigation.wanted_floor import lay_out

START = Pose2D(0.4, 0.5, 0.5)
SPOT = "[[spots]]\ncentre_map_m = [1.6, 0.9]\nradius_m = 0.35\n"


class Loop:
    def __init__(self, world, text, **begun):
        self.world, self.events = world, []
        job = parse(text, "job.toml")
        self.room = MapHandler(world.config, TrueStart(world))
        self.localiser = self.room._static
        lay_out(job, self.room)
        self.planner = Covering(
            world.config,
            self.room,
            PlannedRoutes(world.config),
            SteppedBackground(3),
            self.events.append,
            JobProgress(job, **begun),
        )

    def drive(self, ticks=6000, on_tick=lambda report: None):
        self.world.ticks = ticks
        safety = Safety(SafetySettings.of(self.world.config))
        run(self.world, self.localiser, self.world, self.room, self.planner, safety, on_tick)
        return self.world.score()


def swept_share(score, wanted):
    """Of the coverable floor for which `wanted(x, y)` holds."""
    geometry = score["geometry"]
    rows, cols = np.nonzero(score["coverable"])
    x_m, y_m = geometry.centres(np.stack([rows, cols], axis=1)).T
    asked = wanted(x_m, y_m)
    return score["swept"][rows, cols][asked].mean()


def test_a_spot_is_swept_and_the_rest_of_the_room_is_only_driven_through():
    loop = Loop(FlatWorld((0, 0, 2.4, 1.8), start=START), SPOT)

    score = loop.drive()

    assert loop.planner.report().done and score["collisions"] == 0
    assert swept_share(score, lambda x, y: np.hypot(x - 1.6, y - 0.9) < 0.35) > 0.97
    assert swept_share(score, lambda x, y: np.hypot(x - 1.6, y - 0.9) > 0.65) < 0.35
    assert score["length_m"] < 8 and loop.room.coverage_ratio() > 0.97


def test_two_zones_are_swept_and_a_virtual_wall_is_kept_off():
    text = """
    zones = [{corners_map_m = [[0, 1.2], [0.9, 1.2], [0.9, 1.8], [0, 1.8]]},
             {corners_map_m = [[1.5, 0], [2.4, 0], [2.4, 0.6], [1.5, 0.6]]}]
    virtual_walls = [{from_map_m = [1.2, 0], to_map_m = [1.2, 1.1]}]
    """
    loop = Loop(FlatWorld((0, 0, 2.4, 1.8), start=START), text)

    score = loop.drive()

    assert loop.planner.report().done
    for wanted in (lambda x, y: (x < 0.9) & (y > 1.2), lambda x, y: (x > 1.5) & (y < 0.6)):
        assert swept_share(score, wanted) > 0.93
    near = min(abs(pose.x_m - 1.2) for pose in loop.world.track if pose.y_m < 1.1)
    assert near > loop.world.config.body.radius_m


@pytest.mark.slow
def test_a_second_pass_sweeps_all_of_it_again_and_crosswise():
    loop, passes = Loop(FlatWorld((0, 0, 2.6, 1.3), start=START), "passes = 2"), []
    asked = loop.planner._plan_route

    def plan_route(*given, crosswise, **how):
        passes.append(crosswise)
        return asked(*given, crosswise=crosswise, **how)

    loop.planner._plan_route = plan_route
    before = []
    loop.drive(on_tick=lambda report: before.append((len(loop.world.track), loop.planner.progress().pass_number)))

    assert loop.planner.report().done and loop.planner.progress().pass_number == 2
    assert passes == sorted(passes) and set(passes) == {False, True}
    turned = next(length for length, number in before if number == 2)
    whole, track, tools = loop.world.score()["coverage"], loop.world.track, loop.world.tool_was_on
    for part, tool_was_on in ((track[:turned], tools[: turned - 1]), (track[turned:], tools[turned:])):
        loop.world.track, loop.world.tool_was_on = part, tool_was_on
        assert loop.world.score()["coverage"] > 0.95
    assert whole > 0.965 and "pass 1 of 2 is done" in loop.events


def test_when_it_is_done_it_drives_back_and_stands_as_it_stood():
    loop = Loop(FlatWorld((0, 0, 2.4, 1.8), start=START), "return_to_start = true\n" + SPOT)

    loop.drive()

    report, here = loop.planner.report(), loop.world.pose
    assert report.done and report.homecoming.arrived
    assert here.distance_m(START) < 0.08 and abs(wrap_angle(here.heading_rad - START.heading_rad)) < math.radians(8)
    assert not loop.world.commands[-2].tool_on, "nothing is swept on the way back"


def two_rooms():
    """A door at x 1.3, 0.6 m wide."""
    walls = [(1.28, 0, 1.32, 0.6), (1.28, 1.2, 1.32, 1.8)]
    return FlatWorld((0, 0, 2.6, 1.8), walls, start=Pose2D(0.4, 0.9, 0.0))


BEYOND = "return_to_start = true\n[[spots]]\ncentre_map_m = [2.0, 0.9]\nradius_m = 0.3\n"


def test_a_way_back_that_is_shut_ends_the_job_with_its_reason():
    loop = Loop(two_rooms(), BEYOND)

    def shut(report):
        if loop.planner.report().done and len(loop.world.segments) == 12:
            loop.world.segments = np.concatenate([loop.world.segments, box(1.28, 0.6, 1.32, 1.2)])
            loop.world.solid = loop.world.segments

    score = loop.drive(on_tick=shut)

    report = loop.planner.report()
    assert len(loop.world.segments) == 16, "the door was shut in time"
    assert report.done and not report.homecoming.arrived
    assert (
        "no way leads back to the start, " in report.homecoming.reason and loop.events[-1] == report.homecoming.reason
    )
    assert loop.world.tick < 4000 and score["collisions"] == 0


def test_called_home_it_leaves_the_rest():
    loop = Loop(two_rooms(), BEYOND)

    def call(report):
        if loop.world.pose.x_m > 1.5:
            loop.planner.return_to_start()

    loop.drive(on_tick=call)

    report = loop.planner.report()
    assert not report.done and report.homecoming.arrived
    assert loop.world.pose.distance_m(loop.world.start) < 0.08


def test_a_resumed_job_goes_home_to_where_its_first_part_began():
    home = Pose2D(1.9, 1.3, 1.0)
    loop = Loop(FlatWorld((0, 0, 2.4, 1.8), start=START), "return_to_start = true\n" + SPOT, home=home)

    loop.drive()

    assert loop.planner.report().homecoming.arrived and loop.world.pose.distance_m(home) < 0.08


def test_a_robot_put_into_a_no_go_zone_says_so_and_does_not_begin():
    zone = '[[no_go]]\nname = "bowls"\ncorners_map_m = [[0, 0], [1, 0], [1, 1], [0, 1]]'
    loop = Loop(FlatWorld((0, 0, 2.4, 1.8), start=START), zone)

    loop.drive(ticks=100)

    report = loop.planner.report()
    assert not report.done and loop.world.tick < 3 and loop.world.pose == START
    assert report.refused.startswith("stands in the no-go zone 'bowls' at 0.4") and loop.events == [report.refused]
