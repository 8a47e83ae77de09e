"""A floor larger than the battery, on a flat world that charges where it started."""

from dataclasses import replace

import pytest
from flat_world import FlatWorld, TrueStart

from foundation.geometry import Pose2D
from foundation.robot_config import RobotConfig
from navigation.background import SteppedBackground
from navigation.covering import Covering
from navigation.job import JobProgress, parse
from navigation.map_handler import MapHandler
from navigation.planned_routes import PlannedRoutes
from navigation.recharging import Recharging
from navigation.robot_loop import run
from navigation.safety import Safety, SafetySettings
from navigation.stages import build

START = Pose2D(0.4, 0.5, 0.0)


def config(**battery):
    return RobotConfig.model_validate({"battery": {"recharge": True, "charge_s": 30.0, **battery}})


class ChargedWorld(FlatWorld):
    """Its battery falls with time, and fills within 0.15 m of the start while the robot stands."""

    def __init__(self, *given, full_s, **how):
        super().__init__(*given, **how)
        self.full_s, self.level, self.lowest, self.charging = full_s, 1.0, 1.0, 0

    def observations(self):
        for observation in super().observations():
            stands = self.command.speed_mps == self.command.turn_radps == 0
            if stands and self.tick > 100 and self.pose.distance_m(self.start) < 0.15:
                self.charging += 1
                self.level = min(self.level + 0.1 / 30.0, 1.0)
            else:
                self.level -= 0.1 / self.full_s
            self.lowest = min(self.lowest, self.level)
            yield replace(observation, battery_ratio=self.level)


class Loop:
    def __init__(self, world, text=""):
        self.world, self.events = world, []
        self.localiser = TrueStart(world)
        self.room = MapHandler(world.config, self.localiser)
        covering = Covering(
            world.config, self.room, PlannedRoutes(world.config), SteppedBackground(3), self.events.append,
            JobProgress(parse(text, "job.toml")),
        )  # fmt: skip
        self.planner = Recharging(world.config, self.room, covering, SteppedBackground(1), self.events.append)

    def drive(self, ticks=9000, on_tick=lambda report: None):
        self.world.ticks = ticks
        safety = Safety(SafetySettings.of(self.world.config))
        run(self.world, self.localiser, self.world, self.room, self.planner, safety, on_tick)
        return self.world.score()


@pytest.mark.parametrize("measured", [pytest.param(True, marks=pytest.mark.slow), False])
def test_a_floor_larger_than_a_charge_is_covered_in_parts(measured):
    made = config(full_drive_s=150.0)
    world = ChargedWorld((0, 0, 2.4, 1.6), start=START, config=made, full_s=150.0)
    loop = Loop(world)
    if not measured:
        world.observations = lambda: FlatWorld.observations(world)

    score = loop.drive()

    assert loop.planner.report().done and loop.planner.charges >= 1
    assert score["coverage"] >= 0.965 and score["collisions"] == 0
    assert world.lowest > made.battery.reserve_ratio
    assert sum("going back" in event for event in loop.events) == loop.planner.charges
    assert sum("going on" in event for event in loop.events) == loop.planner.charges


def test_a_charge_that_brings_nothing_ends_the_job_with_its_reason():
    world = ChargedWorld((0, 0, 2.4, 1.6), start=START, config=config(full_drive_s=60.0), full_s=60.0)
    loop = Loop(world, "[[spots]]\ncentre_map_m = [2.1, 1.3]\nradius_m = 0.2")

    loop.drive()

    assert not loop.planner.report().done
    assert loop.planner.report().refused == loop.events[-1]
    assert "the rest is too far for the battery" in loop.events[-1]


def test_a_charger_that_does_not_charge_ends_the_job_unfinished_with_its_reason():
    world = ChargedWorld((0, 0, 2.4, 1.6), start=START, config=config(full_drive_s=150.0), full_s=150.0)
    loop = Loop(world)
    charged = world.observations

    def not_charged():
        waited_s = 0.0
        for observation in charged():
            if loop.planner.charges:
                waited_s += 60.0  # a minute a tick
                observation = replace(observation, stamp_s=observation.stamp_s + waited_s, battery_ratio=0.3)
            yield observation

    world.observations = not_charged

    loop.drive(ticks=3000)

    report = loop.planner.report()
    assert loop.planner.charges == 1 and world.tick < 2000
    assert not report.done and report.refused == loop.events[-1]
    assert report.refused.startswith("battery at 30%, and not risen for 30 minutes: put the robot on its charger")


@pytest.mark.slow
def test_called_home_while_it_waits_it_ends_and_told_to_go_on_it_does():
    for call in ("return_to_start", "go_on"):
        world = ChargedWorld(
            (0, 0, 2.4, 1.6), start=START, config=config(full_drive_s=150.0, charged_ratio=1.0), full_s=150.0
        )
        loop = Loop(world)
        levels = []

        def meddle(report, world=world, loop=loop, call=call, levels=levels):
            if world.charging == 20 and not levels:
                levels.append(world.level)
                getattr(loop.planner, call)()

        loop.drive(ticks=2500, on_tick=meddle)

        assert levels and levels[0] < 0.9
        if call == "return_to_start":
            assert world.charging == 20 + 1 and not loop.planner.report().done
        else:
            assert any("going on" in event for event in loop.events) and world.tick > 1000


def test_only_a_robot_that_recharges_gets_one():
    def planner(made):
        return build(made, background=lambda name: SteppedBackground(1)).planner

    assert isinstance(planner(config()), Recharging)
    assert isinstance(planner(RobotConfig()), Covering)
