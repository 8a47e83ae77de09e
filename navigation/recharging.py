"""A job in as many drives as the battery needs: back to the start in time, wait until charged, go on with what is left.

Implements robot_loop.Planner around `Covering`. The way home is measured beside the loop, when the battery's watch
asks. What can fail: the way back is shut, a whole charge brings no new floor, or at the charger the level does not
rise; the job then ends unfinished, with its reason.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from foundation.geometry import FloatArray, Pose2D
from foundation.robot_config import RobotConfig
from navigation.background import Background
from navigation.covering import Covering, CoveringReport
from navigation.job import JobProgress
from navigation.map_handler import MapHandler
from navigation.planned_routes import whole_cells_m
from navigation.pose_estimate import PoseEstimate, Tracking
from navigation.recharge import STALLED_S, RechargeWatch
from navigation.robot_io import STOP, DriveCommand
from navigation.route import Route
from navigation.way_home import way_to
from perception.observation import Observation

_GAIN_M2: Final = 0.1  # a charge that brings less is the last


class Recharging:
    """What the loop and the daemon ask of a Covering, and the battery's say in it."""

    def __init__(
        self,
        config: RobotConfig,
        room: MapHandler,
        covering: Covering,
        background: Background,
        on_event: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._room = room
        self._covering = covering
        self._background = background
        self._on_event = on_event
        self._watch = RechargeWatch(config.battery, config.drive.slow_mps)
        self._clearance_m = whole_cells_m(config.clearance_m, config.planner.cell_m)
        self._going = False  # home, to be charged
        self._waiting = False
        self._called_home = False
        self._told_to_go_on = False
        self._gain_from = (1, 0.0)  # pass, and floor covered in it, when it last set out
        self._gave_up = ""
        self.charges = 0

    @property
    def route_ahead(self) -> FloatArray:
        return self._covering.route_ahead

    def report(self) -> CoveringReport:
        report = self._covering.report()
        return replace(report, refused=self._gave_up) if self._gave_up else report

    def progress(self) -> JobProgress:
        return self._covering.progress()

    def return_to_start(self) -> None:
        """As Covering's: leave the rest, drive back and end."""
        self._called_home = True
        self._covering.return_to_start()

    def go_on(self) -> None:
        """Do not wait for the rest of the charge."""
        self._told_to_go_on = True

    def command(self, estimate: PoseEstimate, observation: Observation) -> DriveCommand | None:
        self._watch.tick(observation, estimate.map_from_base, self._waiting)
        if self._waiting:
            return self._wait()
        self._weigh(estimate)
        wanted = self._covering.command(estimate, observation)
        return wanted if wanted is not None or not self._going else self._arrived()

    def _weigh(self, estimate: PoseEstimate) -> None:
        """Ask for the way home when it may have become too long, and go when it has."""
        way = self._background.poll()
        if isinstance(way, Route) and (len(way.points_map) < 2 or self._watch.told(way.length_m)):
            # without a way there is nothing to weigh: the homecoming tries what can be tried, while it can
            self._going = True
            level = f"battery at {self._watch.level_ratio:.0%}"
            self._on_event(f"{level}, {way.length_m:.1f} m from the start: going back")
            self._covering.return_to_start()
        home = self._covering.progress().home
        idle = not self._going and not self._background.busy and estimate.tracking is Tracking.TRACKING
        if idle and home is not None and self._watch.asks:
            self._ask(estimate.map_from_base, home)

    def _ask(self, pose: Pose2D, home: Pose2D) -> None:
        free, geometry = self._room.traversable()
        free, clearance_m = free.copy(), self._clearance_m

        def work() -> Any:
            return way_to(free, geometry, (pose.x_m, pose.y_m), home, clearance_m)

        self._background.submit(work)

    def _arrived(self) -> DriveCommand | None:
        """The inner job has ended on the way to the charger."""
        report = self._covering.report()
        if self._called_home or report.done or report.homecoming is None or not report.homecoming.arrived:
            return None
        if not self._has_gained():
            self._gave_up = f"a charge brings less than {_GAIN_M2} m2 of new floor: the rest is too far for the battery"
            self._on_event(self._gave_up)
            return None
        self._waiting = True
        self.charges += 1
        return STOP

    def _has_gained(self) -> bool:
        before_pass, before_m2 = self._gain_from
        self._gain_from = now_pass, now_m2 = self._covering.progress().pass_number, self._room.covered_m2()
        return now_pass > before_pass or now_m2 > before_m2 + _GAIN_M2 or self.charges == 0

    def _wait(self) -> DriveCommand | None:
        if self._called_home:
            return None
        if self._watch.charged or self._told_to_go_on:
            self._on_event(f"battery at {self._watch.level_ratio:.0%}: going on")
            self._waiting = self._going = self._told_to_go_on = False
            self._watch.told(0.0)
            self._covering.go_on()
        elif self._watch.stalled:
            level = f"battery at {self._watch.level_ratio:.0%}, and not risen for {STALLED_S / 60:.0f} minutes"
            self._gave_up = f"{level}: put the robot on its charger and start it again"
            self._on_event(self._gave_up)
            return None
        return STOP
