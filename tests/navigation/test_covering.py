"""The whole loop on a flat world: truth for localisation, the real planner, follower, map layers and limiter."""

import math
from dataclasses import replace

import numpy as np
import pytest
from flat_world import FlatWorld, TrueStart, box

from foundation.geometry import Pose2D
from navigation.background import SteppedBackground
from navigation.covering import Covering
from navigation.map_handler import KeepOut, MapHandler
from navigation.planned_routes import PlannedRoutes, whole_cells_m
from navigation.pose_estimate import Tracking
from navigation.robot_loop import run
from navigation.route import no_route
from navigation.safety import Safety, SafetySettings
from navigation.static_map import FREE, OCCUPIED

START = Pose2D(0.4, 0.5, 0.0)


class Loop:
    """Everything of one run, ready to be driven."""

    def __init__(self, world):
        self.world, self.events = world, []
        self.localiser = TrueStart(world)
        self.room = MapHandler(world.config, self.localiser)
        self.planner = Covering(
            world.config, self.room, PlannedRoutes(world.config), SteppedBackground(3), self.events.append
        )

    def drive(self, ticks=6000):
        self.world.ticks = ticks
        safety = Safety(SafetySettings.of(self.world.config))
        run(self.world, self.localiser, self.world, self.room, self.planner, safety, lambda report: None)
        return self.world.score()


def test_a_small_room_is_covered_without_touching_anything():
    loop = Loop(FlatWorld((0, 0, 2.2, 1.6), start=START))

    score = loop.drive()

    assert loop.planner.report().done
    assert score["coverage"] >= 0.965
    assert score["collisions"] == 0
    assert score["duration_s"] < 300


def test_small_objects_are_seen_in_time_and_driven_around():
    cable = [(1.5 + 0.01 * i, 1.0 + 0.02 * math.sin(i / 3), 0.004) for i in range(20)]
    loop = Loop(FlatWorld((0, 0, 2.4, 1.8), (), [(1.2, 0.5, 0.04), cable], START))

    score = loop.drive()

    assert loop.planner.report().done
    assert (score["hits"], score["collisions"]) == (0, 0)
    assert score["coverage"] >= 0.93
    assert 1 <= len(loop.room.objects()) <= 4


def test_without_a_detector_it_covers_and_runs_over_what_lies_there():
    loop = Loop(FlatWorld((0, 0, 2.2, 1.6), (), [(1.2, 0.8, 0.04)], START, detect=False))

    score = loop.drive()

    assert loop.planner.report().done
    assert (score["hits"], score["collisions"]) == (1, 0)


@pytest.mark.slow
def test_a_detector_that_sees_things_everywhere_does_not_stop_the_job():
    loop = Loop(FlatWorld((0, 0, 2.2, 1.6), start=START, false_alarms=0.9))

    score = loop.drive()

    report = loop.planner.report()
    assert report.done and not report.detector_trusted and report.detector_reason
    assert score["coverage"] >= 0.95


def test_a_detector_whose_things_come_and_go_is_not_believed_for_long():
    loop = Loop(FlatWorld((0, 0, 2.2, 1.6), start=START, false_alarms=0.9))

    loop.drive(300)

    report = loop.planner.report()
    assert not report.detector_trusted and "every frame" in report.detector_reason
    assert loop.room.claimed_m2() == 0


def test_a_glass_block_is_found_by_bumping_and_left_out():
    loop = Loop(FlatWorld((0, 0, 2.2, 1.6), start=START, glass=[(1.2, 0.6, 1.5, 0.9)]))

    score = loop.drive()

    assert loop.planner.report().done
    assert "bumped" in loop.planner.report().troubles
    assert 1 <= score["collisions"] <= 12


def test_a_no_go_zone_is_never_entered():
    loop = Loop(FlatWorld((0, 0, 2.4, 1.6), start=START))
    loop.room.set_zones([KeepOut(((1.6, 0.0), (2.4, 0.0), (2.4, 1.6), (1.6, 1.6)))])

    loop.drive()

    assert loop.planner.report().done
    assert max(pose.x_m for pose in loop.world.track) < 1.6 - 0.15


def test_equal_seeds_drive_equal_ways():
    tracks = []
    for _ in range(2):
        loop = Loop(FlatWorld((0, 0, 1.6, 1.4), (), [(1.1, 0.9, 0.03)], START, seed=4))
        loop.drive(400)
        tracks.append([(pose.x_m, pose.y_m) for pose in loop.world.track])

    assert tracks[0] == tracks[1]


def test_the_route_left_is_told():
    loop = Loop(FlatWorld((0, 0, 2.2, 1.6), start=START))
    assert loop.planner.route_ahead.shape == (0, 2)

    loop.drive(100)

    assert len(loop.planner.route_ahead) > 3
    assert np.isfinite(loop.planner.route_ahead).all()


@pytest.mark.parametrize(("clearance_m", "cell_m", "whole_m"), [(0.19, 0.025, 0.1875), (0.20, 0.05, 0.175)])
def test_the_clearance_is_what_whole_cells_can_keep(clearance_m, cell_m, whole_m):
    assert whole_cells_m(clearance_m, cell_m) == pytest.approx(whole_m)


def answered_ahead(route):
    """A whole drive in whose midst a route from a place ahead is asked for, and this comes of it."""
    loop = Loop(FlatWorld((0, 0, 2.2, 1.6), start=START))
    loop.world.ticks = 3000
    plan_route, ticks = loop.planner._plan_route, []

    def meddle(report):
        ticks.append(report)
        if len(ticks) == 120:
            assert not loop.planner._follower.finished
            loop.planner._plan_route = lambda *given, **how: route
            loop.planner._request_ahead(0.3)
            loop.planner._plan_route = plan_route

    safety = Safety(SafetySettings.of(loop.world.config))
    run(loop.world, loop.localiser, loop.world, loop.room, loop.planner, safety, meddle)
    return loop


def test_a_plan_that_finds_nothing_new_ahead_does_not_stop_the_route_being_driven():
    loop = answered_ahead(no_route())

    assert loop.planner.report().done and loop.world.score()["coverage"] >= 0.965
    assert not any("waited" in event for event in loop.events)


@pytest.mark.slow
def test_a_route_on_which_it_waits_for_nothing_is_given_up():
    loop = Loop(FlatWorld((0, 0, 2.2, 1.6), start=START))
    loop.world.ticks = 3000
    ticks = []

    def meddle(report):
        ticks.append(report)
        if len(ticks) == 120:
            loop.planner._join_m = loop.planner._follower.progress_m  # as if another route were to begin here

    safety = Safety(SafetySettings.of(loop.world.config))
    run(loop.world, loop.localiser, loop.world, loop.room, loop.planner, safety, meddle)

    assert loop.planner.report().done and loop.world.score()["coverage"] >= 0.965
    assert sum("waited" in event for event in loop.events) == 1


def test_detours_that_lead_nowhere_end_in_another_route(monkeypatch):
    loop = Loop(FlatWorld((0, 0, 2.2, 1.6), start=START))
    loop.drive(ticks=150)
    planner = loop.planner
    ahead = np.array([[0.7, 0.8], [1.2, 0.8]])  # on open floor
    planner._follower.follow(ahead)
    monkeypatch.setattr("navigation.covering.mended", lambda free, geometry, points, *rest: ahead)

    assert [planner._go_around() for _ in range(25)].count(True) <= 16
    assert not planner._go_around(), "turned to and fro on the spot"
    ahead = ahead + [0.2, 0.0]
    planner._follower.follow(ahead)
    assert planner._go_around(), "elsewhere a detour is tried again"


@pytest.mark.parametrize(("blocked_m", "anew"), [(1.2, True), (math.inf, False)])
def test_a_detour_on_a_route_that_is_blocked_again_asks_for_the_rest_anew(monkeypatch, blocked_m, anew):
    loop = Loop(FlatWorld((0, 0, 2.2, 1.6), start=START))
    loop.drive(ticks=150)
    planner = loop.planner
    ahead = np.array([[0.5, 0.8], [1.8, 0.8]])
    planner._background, planner._join_m = SteppedBackground(3), math.inf
    planner._follower.follow(ahead)
    monkeypatch.setattr("navigation.covering.mended", lambda free, geometry, points, *rest: ahead)
    monkeypatch.setattr(planner._watch, "first_blocked_m", lambda: blocked_m)

    assert planner._bypass()

    assert planner._background.busy == anew
    assert planner._join_m == (pytest.approx(0.4) if anew else math.inf)


class KnownGround(TrueStart):
    """The map of a job before this one: walls alone, and it never changes."""

    def __init__(self, world):
        super().__init__(world)
        x0, y0, x1, y1 = world.bounds
        low, high = self._geometry.cells(np.array([[x0, y0], [x1 - 1e-6, y1 - 1e-6]]))
        self._cells[low[0] - 1 : high[0] + 2, low[1] - 1 : high[1] + 2] = OCCUPIED
        self._cells[low[0] : high[0] + 1, low[1] : high[1] + 1] = FREE

    def update(self, observation):
        cells = self._cells.copy()
        estimate = super().update(observation)
        self._cells[:] = cells
        return estimate


class Visited(FlatWorld):
    """Something stands on the floor from one tick on, until another."""

    def __init__(self, *args, thing, from_tick, until_tick=10**9, **more):
        super().__init__(*args, **more)
        self.walls, self.thing, self.stands = self.segments, thing, (from_tick, until_tick)

    def observe(self):
        stands = self.stands[0] <= self.tick < self.stands[1]
        self.segments = self.solid = np.concatenate([self.walls, box(*self.thing)]) if stands else self.walls
        return super().observe()


def visited(until_tick):
    world = Visited((0, 0, 2.6, 1.8), start=START, thing=(1.4, 0.8, 1.7, 1.1), from_tick=60, until_tick=until_tick)
    loop = Loop(world)
    loop.localiser = KnownGround(world)
    loop.room = MapHandler(world.config, loop.localiser)
    loop.planner = Covering(
        world.config, loop.room, PlannedRoutes(world.config), SteppedBackground(3), loop.events.append
    )
    return loop


def test_what_comes_to_stand_on_a_known_map_is_driven_around_and_told():
    loop = visited(until_tick=10**9)

    score = loop.drive()

    report = loop.planner.report()
    assert report.done and score["collisions"] == 0
    told = [left.area_m2 for left in report.left_out if "came" in left.reason]
    assert len(told) == 1 and 0.05 < told[0] < 0.8


@pytest.mark.slow
def test_floor_is_swept_after_all_when_what_stood_there_has_gone():
    loop = visited(until_tick=700)

    score = loop.drive()

    report = loop.planner.report()
    assert report.done and score["collisions"] == 0
    assert score["coverage"] >= 0.95
    assert not [left for left in report.left_out if "came" in left.reason]


class ShutIn(FlatWorld):
    """A crate comes down around the robot, or stands there from the start, and is lifted again."""

    def __init__(self, *args, from_tick, until_tick=10**9, **more):
        super().__init__(*args, **more)
        self.walls, self.shut, self.crate = self.segments, range(from_tick, until_tick), None

    def observe(self):
        if self.tick in self.shut and self.crate is None:
            half_m = self.config.body.radius_m + 0.012
            x_m, y_m = self.pose.x_m, self.pose.y_m
            self.crate = box(x_m - half_m, y_m - half_m, x_m + half_m, y_m + half_m)
        stands = self.tick in self.shut
        self.segments = self.solid = np.concatenate([self.walls, self.crate]) if stands else self.walls
        return super().observe()


@pytest.mark.parametrize("from_tick", [0, 150])
def test_a_robot_that_no_plan_leads_away_tries_to_get_free_and_ends_not_done(from_tick):
    loop = Loop(ShutIn((0, 0, 2.2, 1.6), start=START, from_tick=from_tick))

    loop.drive(3000)

    report = loop.planner.report()
    assert not report.done and loop.events[-1] == report.refused
    assert report.refused.startswith("trapped: no plan leaves this place, tried 3 times: ")
    assert report.troubles.count("trapped") == 3 and loop.world.now_s < 120


def test_a_robot_that_gets_free_again_goes_on_to_its_end():
    loop = Loop(ShutIn((0, 0, 2.2, 1.6), start=START, from_tick=0, until_tick=190))

    score = loop.drive()

    report = loop.planner.report()
    assert report.done and not report.refused and 1 <= report.troubles.count("trapped") <= 3
    assert score["coverage"] >= 0.95


def test_a_route_that_cannot_be_planned_from_a_place_ahead_is_no_end_of_the_pass():
    loop = answered_ahead(no_route("start (1.00, 1.00): blocked"))

    assert loop.planner.report().done and loop.world.score()["coverage"] >= 0.965
    assert "trapped" not in loop.planner.report().troubles


def lost_between(loop, begin_s, end_s):
    """The localiser knows nothing in that time."""
    update = loop.localiser.update

    def blind(observation):
        estimate = update(observation)
        lost = begin_s <= observation.stamp_s < end_s
        return replace(estimate, tracking=Tracking.LOST) if lost else estimate

    loop.localiser.update = blind


def test_a_robot_that_stays_lost_gives_up_after_some_looks_round_and_says_what_to_do():
    loop = Loop(FlatWorld((0, 0, 2.2, 1.6), start=START))
    lost_between(loop, 10.0, 1e9)

    loop.drive(3000)

    report = loop.planner.report()
    assert not report.done and report.refused.startswith("lost: ") and loop.events[-1] == report.refused
    assert report.troubles.count("lost") == 4
    assert 60 < loop.world.now_s < 200
    assert all(command.speed_mps == 0 for command in loop.world.commands[110:])


def test_a_robot_that_finds_itself_again_goes_on_however_often():
    loop = Loop(FlatWorld((0, 0, 2.2, 1.6), start=START))
    rounds = 6
    for number in range(rounds):
        lost_between(loop, 10.0 + 8 * number, 12.0 + 8 * number)

    score = loop.drive()

    assert loop.planner.report().done
    assert loop.planner.report().troubles.count("lost") == rounds
    assert score["coverage"] >= 0.93


class Held(FlatWorld):
    """From a tick on a sensor never lets go."""

    def __init__(self, *args, from_tick, until_tick=10**9, **held):
        super().__init__(*args, start=START)
        self.from_tick, self.until_tick, self.held = from_tick, until_tick, held

    def observe(self):
        held = self.held if self.from_tick <= self.tick < self.until_tick else {}
        return replace(super().observe(), **held)


@pytest.mark.parametrize(
    ("held", "what"),
    [({"cliffs": (False, True, False, False)}, "cliff sensor"), ({"bumper_pressed": True}, "bumper stays pressed")],
)
def test_a_sensor_that_never_lets_go_is_told_and_ends_the_drive(held, what):
    loop = Loop(Held((0, 0, 2.2, 1.6), from_tick=100, **held))

    loop.drive(1500)

    report = loop.planner.report()
    assert what in report.refused and not report.done
    assert len(report.troubles) == 4
    assert loop.world.now_s < 60
    begun_at = loop.world.track[505]
    assert max(begun_at.distance_m(pose) for pose in loop.world.track[505:]) < 0.6


def test_a_sensor_that_lets_go_is_forgiven_however_often():
    class Flickering(Held):
        def observe(self):
            self.until_tick = 10**9 if self.tick % 200 < 3 else 0
            return super().observe()

    loop = Loop(Flickering((0, 0, 2.2, 1.6), from_tick=100, cliffs=(True, False, False, False)))

    loop.drive(1400)

    report = loop.planner.report()
    assert len(report.troubles) >= 6 and not report.refused


def test_a_robot_that_sees_nothing_any_more_stands_and_says_that_it_needs_help():
    class Covered(FlatWorld):
        def observe(self):
            seen = super().observe()
            blind = self.tick > 100
            return replace(seen, scan=replace(seen.scan, ranges_m=np.full(450, np.inf))) if blind else seen

    loop = Loop(Covered((0, 0, 2.2, 1.6), start=START))

    loop.drive(2500)

    report = loop.planner.report()
    assert "LIDAR" in report.refused and not report.done and len(report.troubles) <= 1
    assert 30 < loop.world.now_s - 10 < 40
    assert all(command.speed_mps == 0 for command in loop.world.commands[108:])


@pytest.mark.parametrize("held", [{"bumper_pressed": True}, {"cliffs": (True, True, False, False)}])
def test_no_recovery_backs_into_a_no_go_zone(held):
    loop = Loop(Held((0, 0, 2.2, 1.6), from_tick=20, until_tick=60, **held))
    behind_m = START.x_m - loop.world.config.body.radius_m - 0.03
    loop.room.set_zones([KeepOut(((behind_m - 0.01, 0.0), (behind_m, 0.0), (behind_m, 1.6), (behind_m - 0.01, 1.6)))])

    loop.drive(400)

    nearest_m = min(pose.x_m for pose in loop.world.track) - loop.world.config.body.radius_m
    assert nearest_m > behind_m
    assert loop.planner.report().troubles


def test_a_robot_that_was_carried_into_a_no_go_zone_does_not_sweep_it():
    loop = Loop(FlatWorld((0, 0, 2.4, 1.6), start=START))
    loop.drive(100)

    loop.room.set_zones([KeepOut(((0.0, 0.0), (2.4, 0.0), (2.4, 1.6), (0.0, 1.6)), "stairs")])
    loop.drive(20)

    assert "'stairs'" in loop.planner.report().refused and not loop.planner.report().done
