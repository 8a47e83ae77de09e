"""The online behaviour: cover what is known, and learn the rest on the way. Implements robot_loop.Planner.

A route is planned over the floor known now, minus what is swept; it is followed while the map grows. When a wall or an
object appears on what is left of the route, or new floor appears, a new route is planned in the background from a place
a little ahead, and joined there. A pass is done when a plan over the swept floor has nothing left, and the job when its
last pass is; then, if the job says so or the robot was called, it drives back to where it began (`way_home`). Where no
plan can be made at all, the robot is trapped: it tries to get free a few times, and ends with the reason, not done.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from foundation.geometry import FloatArray, Pose2D
from foundation.robot_config import RobotConfig
from navigation.background import Background
from navigation.detour import mended
from navigation.hooks import without_hooks
from navigation.job import JobProgress
from navigation.last_tries import LastTries
from navigation.look_round import LookRound
from navigation.map_handler import MapHandler
from navigation.path_follower import FollowerSettings, PathFollower
from navigation.planned_routes import whole_cells_m
from navigation.pose_estimate import PoseEstimate, Tracking
from navigation.robot_io import DriveCommand
from navigation.route import LeftOut, Route, RoutePlanner, no_route
from navigation.route_watch import RouteWatch
from navigation.safety import scan_points
from navigation.troubles import Troubles
from navigation.wall_offset import WallOffset
from navigation.way_home import Homecoming, HomeStep, WayHome, way_to
from perception.observation import Observation

_HALT: Final = DriveCommand(0.0, 0.0)
_STOP_SHORT_M: Final = 0.06  # before a blocked place
_MEND_WITHIN_M: Final = 0.45  # what blocks the route further on is looked at from nearer first
_OFF_ROUTE_M: Final = 0.08
_NEW_FLOOR_M2: Final = 0.4
_FUTILE_ROUTES: Final = 3  # in a row, each with less new floor than:
_SAME_PLACE_M: Final = 0.25
_BLOCKED_TIMES: Final = 2
_BLOCKED_RADIUS_M: Final = 0.06
_DETOURS_HERE: Final = 15  # after so many without getting away from a place only another route helps
_HERE_M: Final = 0.1
_GAIN_M2: Final = 0.02
_LOOK_AGAIN_M2: Final = 0.15  # swept since the last look round: another one may pay
_JOIN_M: Final = 0.4  # how far ahead of the robot a new route begins, unless something blocks earlier
_WALL_GAP_M: Final = 0.017  # between body and wall on edge passes
_OBJECT_NEAR_M: Final = 0.10
_WAIT_TICKS: Final = 50
_START_TICKS: Final = 15  # let the first scans draw the room
_STOOD_ON: Final = "something that came after the map was drawn stands there"
_CARPET: Final = "carpet, which the job leaves out"
_NEW_JOB: Final = JobProgress()


@dataclass(frozen=True, slots=True)
class CoveringReport:
    """For status pages and the end of the job."""

    done: bool
    plans: int
    detours: int
    left_out: tuple[LeftOut, ...]
    troubles: tuple[str, ...]
    detector_trusted: bool
    detector_reason: str
    homecoming: Homecoming | None = None  # None: not asked for, or not ended yet
    refused: str = ""  # why the job was not begun, or not gone on with
    homing: bool = False  # a drive back has begun, and not ended

    @property
    def over(self) -> bool:
        """Done, and no drive home open: nothing is left that a restart would have to go on with."""
        return self.done and not self.homing


class Covering:
    """One job: all of its floor that can be reached."""

    def __init__(
        self,
        config: RobotConfig,
        room: MapHandler,
        plan_route: RoutePlanner,
        background: Background,
        on_event: Callable[[str], None] = lambda text: None,
        begun: JobProgress = _NEW_JOB,
    ) -> None:
        self._progress = begun
        self._drive = config.drive
        self._body_radius_m = config.body.radius_m
        self._room = room
        self._plan_route = plan_route
        self._background = background
        self._on_event = on_event
        self._follower = PathFollower(FollowerSettings.of(config))
        self._watch = RouteWatch(config, room, self._follower)
        self._last_tries = LastTries(room, on_event)
        self._troubles = Troubles(config, room, on_event)
        self._last = _HALT
        self._ticks = 0
        self._waited_ticks = 0
        self._base_from_laser = Pose2D(config.lidar.x_m, config.lidar.y_m, config.lidar.yaw_rad)
        self._wall_offset = WallOffset(config.body.radius_m + _WALL_GAP_M)
        self._plans = 0
        self._detours = 0
        self._blocked_places: list[tuple[float, float]] = []
        self._detour_place, self._detours_here = (math.inf, math.inf), 0
        self._futile = 0
        self._covered_before_m2 = 0.0
        self._detour_clearance_m = whole_cells_m(config.clearance_m, config.planner.cell_m)
        self._revision_checked = -1
        self._floor_at_plan_m2 = 0.0
        self._blocked_m = math.inf  # arc length of the first blocked place on the route
        self._join_m = math.inf  # arc length where the route being planned begins
        self._empty_plans = 0
        self._left_out: tuple[LeftOut, ...] = ()
        self._round = LookRound()
        self._round.begin()
        self._covered_at_look_m2 = 0.0
        self._done = False
        self._begun = False
        self._no_plan, self._no_plan_ahead = "", False  # why the newest plan could not be made; not from here
        self._called_home = False
        self._way_home: WayHome | None = None
        self._homecoming: Homecoming | None = None
        self._planned_home = False  # what the background plans is a way home

    @property
    def route_ahead(self) -> FloatArray:
        """(N, 2) in `map`: what is left of the route, for views."""
        if self._follower.finished:
            return np.zeros((0, 2))
        return self._follower.points[self._follower.arc_m >= self._follower.progress_m]

    def report(self) -> CoveringReport:
        health = self._room.detector_health()
        return CoveringReport(
            self._done,
            self._plans,
            self._detours,
            self._left_out,
            self._troubles.names,
            health.trusted,
            health.reason,
            self._homecoming,
            self._troubles.refused,
            self._way_home is not None and self._homecoming is None,
        )

    def progress(self) -> JobProgress:
        """What a resumed job goes on with."""
        return replace(self._progress, pass_begins_at=self._room.pass_begins_at)

    def return_to_start(self) -> None:
        """Leave the rest of the job, drive back to where it began, and end. Safe to call from another thread."""
        self._called_home = True

    def go_on(self) -> None:
        """After a return that was called for: take up the rest of the job from here."""
        self._called_home, self._way_home, self._homecoming = False, None, None
        self._room.shut_carpets()
        self._empty_plans = self._futile = 0
        self._begin_look_round()

    def command(self, estimate: PoseEstimate, observation: Observation) -> DriveCommand | None:
        self._ticks += 1
        wanted = None if self._troubles.refused else self._decide(estimate, observation)
        wanted = None if self._troubles.refused else wanted
        self._notice_waiting(wanted, estimate)
        if wanted is None:
            return None
        self._last = wanted
        sweeps = self._way_home is None and self._room.tool_may_sweep(estimate.map_from_base)
        return wanted if sweeps else replace(wanted, tool_on=False)

    def _notice_waiting(self, wanted: DriveCommand | None, estimate: PoseEstimate) -> None:
        """Standing on a route with nothing to wait for: whatever the reason, another route is better."""
        waits = wanted == _HALT and not self._background.busy and not self._follower.finished
        self._waited_ticks = self._waited_ticks + 1 if waits and estimate.tracking is not Tracking.LOST else 0
        if self._waited_ticks >= _WAIT_TICKS:
            self._on_event(f"waited {_WAIT_TICKS} ticks on a route: another one")
            self._follower.stop()
            self._waited_ticks = 0

    def _decide(self, estimate: PoseEstimate, observation: Observation) -> DriveCommand | None:
        pose = estimate.map_from_base
        if not self._begun and estimate.tracking is Tracking.TRACKING:
            self._begin_at(pose)
        if estimate.tracking is Tracking.TRACKING:
            self._troubles.refuse_zone(pose, at_all=False)
        if self._called_home and self._way_home is None:
            self._begin_way_home(pose)
        self._poll(pose)
        if self._troubles.sees_nothing(estimate, observation):
            return _HALT
        if self._troubles.notice(estimate, observation, self._last):
            self._leave_route()
        recovering = self._troubles.command(pose)
        if recovering is not None:
            return recovering
        if self._ticks <= _START_TICKS or estimate.tracking is Tracking.LOST:
            return _HALT
        if self._round.active:
            self._round.turned(pose)
            return DriveCommand(0.0, self._drive.turn_radps) if self._round.active else _HALT
        if self._follower.finished:
            return self._between_routes(pose, observation.stamp_s)
        if not self._route_stands(estimate):
            return _HALT
        return self._follow(self._beside_walls(pose, observation), estimate.tracking)

    def _begin_at(self, pose: Pose2D) -> None:
        """Where the robot stands when it first knows."""
        self._begun = True
        self._progress = replace(self._progress, home=self._progress.home or pose)
        self._troubles.refuse_zone(pose, at_all=True)

    # routes

    def _between_routes(self, pose: Pose2D, stamp_s: float) -> DriveCommand | None:
        """No route: wait for the one being planned, ask for one, or be done."""
        if self._background.busy:
            return _HALT
        if self._way_home is not None:
            return self._between_ways(self._way_home, pose)
        if self._empty_plans >= 1 or self._futile >= _FUTILE_ROUTES:
            if self._room.covered_m2() - self._covered_at_look_m2 > _LOOK_AGAIN_M2:
                self._begin_look_round()  # what shuts the rest off may not be there any more, or never was
                self._empty_plans = self._futile = 0
                return _HALT
            if self._last_tries.another(self._left_out):
                self._empty_plans = self._futile = 0
                return _HALT
            return self._end_of_pass(pose, stamp_s)
        covered_m2 = self._room.covered_m2()
        self._futile = self._futile + 1 if covered_m2 - self._covered_before_m2 < _GAIN_M2 else 0
        self._covered_before_m2 = covered_m2
        self._request((pose.x_m, pose.y_m), math.inf)
        return _HALT

    def _end_of_pass(self, pose: Pose2D, stamp_s: float) -> DriveCommand | None:
        progress = self._progress
        if self._room.open_carpets():
            self._empty_plans = self._futile = 0  # there may be floor behind them
            return _HALT
        if self._no_plan and self._no_plan_ahead:
            self._no_plan, self._empty_plans = "", 0  # none from a place ahead: there may be one from here
            return _HALT
        if self._no_plan:
            if self._troubles.trapped(pose, stamp_s, self._no_plan):
                self._leave_route()
            self._empty_plans = self._futile = 0
            return _HALT
        if progress.pass_number < progress.job.passes:
            self._progress = replace(progress, pass_number=progress.pass_number + 1)
            self._on_event(f"pass {progress.pass_number} of {progress.job.passes} is done")
            self._room.begin_pass()
            self._covered_before_m2 = self._covered_at_look_m2 = 0.0
            self._empty_plans = self._futile = 0
            return _HALT
        self._done = True
        stood_on_m2 = self._room.stood_on_m2()
        if stood_on_m2 > 0:
            self._left_out += (LeftOut(stood_on_m2, _STOOD_ON),)
        carpet_m2 = self._room.carpet_m2()
        if carpet_m2 > 0:
            self._left_out += (LeftOut(carpet_m2, _CARPET),)
        if not progress.job.return_to_start:
            return None
        self._begin_way_home(pose)
        return _HALT

    def _begin_way_home(self, pose: Pose2D) -> None:
        self._room.open_carpets()  # the way may lead over them
        self._way_home = WayHome(self._progress.home or pose)
        self._leave_route()
        self._round.end()

    def _between_ways(self, way_home: WayHome, pose: Pose2D) -> DriveCommand | None:
        """On the way home, and no way being driven."""
        step = way_home.step(pose)
        if step in (HomeStep.ARRIVED, HomeStep.GIVEN_UP):
            self._homecoming = way_home.ended(pose)
            self._on_event(self._homecoming.reason or "back at the start")
            return None
        if step is HomeStep.TURN:
            turn_rad = way_home.turn_rad(pose)
            return DriveCommand(0.0, math.copysign(min(2 * abs(turn_rad), self._drive.turn_radps), turn_rad))
        if step is HomeStep.LOOK_ROUND:
            self._begin_look_round()
        elif step is HomeStep.LIFT_DOUBTS:
            self._room.forget_doubtful_objects()
            self._room.unmark_all()
        else:
            self._request((pose.x_m, pose.y_m), math.inf)
        return _HALT

    def _begin_look_round(self) -> None:
        self._round.begin()
        self._covered_at_look_m2 = self._room.covered_m2()

    def _request(self, start_map: tuple[float, float], join_m: float, rest: FloatArray | None = None) -> None:
        free, geometry = self._room.traversable()
        free, covered = free.copy(), self._room.needs_no_sweep()
        self._join_m = join_m
        self._floor_at_plan_m2 = self._room.free_floor_m2()
        plan_route, crosswise = self._plan_route, self._progress.pass_number % 2 == 0
        home = None if self._way_home is None else self._way_home.home
        clearance_m = self._detour_clearance_m
        self._planned_home = home is not None

        def work() -> Any:
            if home is not None:
                return way_to(free, geometry, start_map, home, clearance_m)
            return plan_route(free, geometry, start_map, covered, quick=False, crosswise=crosswise, rest=rest)

        self._background.submit(work)

    def _poll(self, pose: Pose2D) -> None:
        route = self._background.poll()
        if route is None:
            return
        assert isinstance(route, Route)
        if self._planned_home != (self._way_home is not None):
            return  # called home meanwhile
        self._plans += 1
        if self._way_home is not None:
            self._way_home.heard(route)
            route = no_route() if self._way_home.spent else route
        else:
            self._left_out = route.left_out
        if len(route.points_map) < 2:
            joining, self._join_m = self._join_m < math.inf, math.inf
            joining = joining and not self._follower.finished
            self._empty_plans += 1
            self._no_plan, self._no_plan_ahead = route.refused, joining
            if joining:
                return  # nothing new from there on: finish the old route first
            self._follower.stop()
            return
        self._empty_plans, self._no_plan = 0, ""
        points = self._watch.joined(route.points_map, self._join_m, pose)
        self._follower.follow(without_hooks(points, pose.heading_rad, self._watch.is_clear))
        self._blocked_m = math.inf
        self._join_m = math.inf
        self._revision_checked = -1

    def _route_stands(self, estimate: PoseEstimate) -> bool:
        """Look along the rest of the route; ask for another when it is blocked, left or no longer the best."""
        follower, pose = self._follower, estimate.map_from_base
        revision = self._room.revision_of_plan_relevant_change
        if revision != self._revision_checked:
            self._revision_checked = revision
            self._blocked_m = self._watch.first_blocked_m()
        if self._background.busy:
            return True
        if abs(follower.lateral_error_m) > _OFF_ROUTE_M:
            self._on_event(f"off the route by {follower.lateral_error_m:.2f} m")
            follower.stop()
            self._request((pose.x_m, pose.y_m), math.inf)
        elif (room_m := self._blocked_m - follower.progress_m - _STOP_SHORT_M) < _MEND_WITHIN_M:
            if room_m < 0.05:
                if self._last.speed_mps < 0.02 and not self._bypass():
                    self._note_blocked(estimate)
                    follower.stop()
                    self._request((pose.x_m, pose.y_m), math.inf)
            elif not self._bypass():
                self._note_blocked(estimate)
                self._request_ahead(min(_JOIN_M, room_m))
        elif self._new_floor_m2() > _NEW_FLOOR_M2:
            self._request_ahead(_JOIN_M)
        return not follower.finished

    def _note_blocked(self, estimate: PoseEstimate) -> None:
        """A place that blocks a route again and again is kept out of, until the rest is done: no driving to and fro."""
        place = self._follower.at(min(self._blocked_m, float(self._follower.arc_m[-1])))
        again = sum(math.dist(place, other) < _SAME_PLACE_M for other in self._blocked_places)
        self._blocked_places.append(place)
        if again >= _BLOCKED_TIMES:
            point_base = estimate.map_from_base.inverse().transform(np.array([place]))[0]
            self._room.mark(estimate, float(point_base[0]), float(point_base[1]), _BLOCKED_RADIUS_M, "blocked")
            self._on_event(f"blocked again at {place[0]:.2f}, {place[1]:.2f}: left for later")

    def _bypass(self) -> bool:
        """Around what blocks the route. Where it crosses more of that, the rest is arranged anew on the way."""
        if not self._go_around():
            return False
        if self._blocked_m < math.inf:
            self._request_ahead(_JOIN_M)
        return True

    def _go_around(self) -> bool:
        """Bypass what blocks the route and keep the rest of it; False when only another route helps."""
        free, geometry = self._room.traversable()
        follower = self._follower
        if self._detours_in_vain():
            return False
        points = mended(
            free, geometry, follower.points, follower.arc_m, follower.progress_m, self._detour_clearance_m,
            self._watch.keep_m(), _STOP_SHORT_M, _MEND_WITHIN_M + _STOP_SHORT_M,
        )  # fmt: skip
        if points is None:
            return False
        follower.follow(points)
        self._detours += 1
        self._blocked_m = self._watch.first_blocked_m()
        return self._blocked_m > _MEND_WITHIN_M

    def _detours_in_vain(self) -> bool:
        """Where one detour's blocked place is the next one's way, the robot would turn to and fro for ever."""
        here = self._follower.at(self._follower.progress_m)
        if math.dist(here, self._detour_place) > _HERE_M:
            self._detour_place, self._detours_here = here, 0
        self._detours_here += 1
        return self._detours_here > _DETOURS_HERE

    def _request_ahead(self, ahead_m: float) -> None:
        """Another route from a place further on, made from what is left of this one behind it."""
        follower = self._follower
        join_m = min(follower.progress_m + ahead_m, float(follower.arc_m[-1]))
        start_map = follower.at(join_m)
        self._request(start_map, join_m, np.vstack([start_map, follower.points[follower.arc_m > join_m]]))

    def _new_floor_m2(self) -> float:
        return self._room.free_floor_m2() - self._floor_at_plan_m2

    # driving

    def _beside_walls(self, pose: Pose2D, observation: Observation) -> Pose2D:
        """The pose as the follower should believe it, so that it drives the wall offset beside its line."""
        if observation.scan is None or self._last.speed_mps <= 0:
            return pose
        points_base = scan_points(observation.scan, self._base_from_laser)
        near_m = self._body_radius_m + _OBJECT_NEAR_M
        object_near = any(
            math.hypot(x_m - pose.x_m, y_m - pose.y_m) < near_m + radius_m
            for x_m, y_m, radius_m in self._room.object_discs()
        )
        left_m = self._wall_offset.update(points_base, may_go_nearer=not object_near)
        return pose @ Pose2D(0.0, -left_m, 0.0)

    def _follow(self, pose: Pose2D, tracking: Tracking) -> DriveCommand:
        slow = tracking is not Tracking.TRACKING or self._watch.wants_slow(pose)
        top_mps = self._drive.slow_mps if slow else self._drive.cruise_mps
        stop_at_m = min(self._blocked_m - _STOP_SHORT_M, self._join_m)
        if stop_at_m < math.inf:
            left_m = stop_at_m - self._follower.progress_m
            if left_m < 0.01:
                return _HALT
            top_mps = min(top_mps, math.sqrt(2 * 0.8 * self._drive.brake_mps2 * left_m))
        return self._follower.command(pose, self._last, top_mps)

    def _leave_route(self) -> None:
        self._follower.stop()
        self._join_m = math.inf


__all__ = ["Covering", "CoveringReport", "no_route"]
