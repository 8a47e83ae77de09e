"""What goes wrong while driving: noticed, answered by a recovery, and, where none helps, the reason to end.

In: every tick the estimate, the observation and the last command. Out: whether a recovery has begun (the route is then
left), its commands, and `refused`: why the job is not gone on with. It stays unfinished then, and a person is told. No
recovery drives into a no-go zone. What is in the way is marked in the room before, so that the next plan keeps out.
"""

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from foundation.geometry import Pose2D
from foundation.robot_config import RobotConfig
from navigation.map_handler import MapHandler
from navigation.pose_estimate import PoseEstimate, Tracking
from navigation.recovery import Recovery, StandStill, Trouble
from navigation.robot_io import DriveCommand
from perception.observation import Observation

_LOST_LOOKS: Final = 4  # of half a minute each
_TRAPPED_TRIES: Final = 3  # to get free, without new floor in between
_NEW_FLOOR_M2: Final = 0.02
_HELD_TIMES: Final = 4  # recoveries from a bumper or cliff sensor that did not let go in between
_BEAMS_MIN: Final = 10  # of a scan that tells something
_BLIND_TICKS: Final = 50  # without one the robot stands and waits,
_BLIND_TICKS_MAX: Final = 300  # and then a person is needed
_LOOK_BEHIND_M: Final = 0.05  # before a recovery's move goes nearer to a zone
_IN_ZONE_M: Final = 0.05  # deeper than any error of the pose


class Troubles:
    """Of one job."""

    def __init__(self, config: RobotConfig, room: MapHandler, on_event: Callable[[str], None]) -> None:
        self._body_radius_m = config.body.radius_m
        self._room = room
        self._on_event = on_event
        self._recovery = Recovery(config.drive.slow_mps, config.drive.turn_radps)
        self._still = StandStill()
        self._lost_looks = 0  # in a row
        self._blind_ticks = 0  # in a row
        self._held = 0  # recoveries since bumper and cliff sensors were last free
        self._trapped_tries, self._covered_when_trapped_m2 = 0, 0.0
        self.refused = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Of all so far, in their order."""
        return tuple(place.trouble.value for place in self._recovery.log)

    def refuse(self, reason: str) -> None:
        """The job is not gone on with."""
        self.refused = reason
        self._on_event(reason)

    def refuse_zone(self, pose: Pose2D, *, at_all: bool) -> None:
        """Stands in a no-go zone: carried there, or put down there (`at_all`: the least of it counts)."""
        zone = self._room.zone_at(pose.x_m, pose.y_m, 0.0 if at_all else _IN_ZONE_M)
        if zone is not None and not self.refused:
            self.refuse(f"stands in the no-go zone {zone.name!r} at {pose.x_m:.2f}, {pose.y_m:.2f}: move it out")

    def sees_nothing(self, estimate: PoseEstimate, observation: Observation) -> bool:
        """A LIDAR that is silent or covered: the limiter lets nothing move, no recovery helps. Wait, then give up."""
        scan = observation.scan
        tells = scan is not None and np.count_nonzero(np.isfinite(scan.ranges_m)) >= _BEAMS_MIN
        self._blind_ticks = 0 if tells or estimate.tracking is Tracking.LOST else self._blind_ticks + 1
        if self._blind_ticks > _BLIND_TICKS_MAX:
            self.refuse("the LIDAR sees nothing: look whether it turns, is plugged in and is not covered")
        return self._blind_ticks > _BLIND_TICKS

    def notice(self, estimate: PoseEstimate, observation: Observation, last: DriveCommand) -> bool:
        """Whether a recovery has begun now. `last` is what was wanted in the tick before."""
        pose, stamp_s = estimate.map_from_base, observation.stamp_s
        if estimate.tracking is Tracking.LOST:
            return not self._recovery.active and self._look_where_it_is(estimate, stamp_s)
        self._lost_looks = 0
        if self._recovery.active:
            if self._recovery.log[-1].trouble is Trouble.LOST:
                self._recovery.end()
            return False
        held = observation.bumper_pressed or any(observation.cliffs)
        self._held = self._held if held else 0
        if not (held or self._still.stuck(last, pose, stamp_s)):
            return False
        reason = self._beyond_help(observation, pose, stamp_s)
        if reason:
            self.refuse(reason)
            return False
        if observation.bumper_pressed:
            self._room.mark(estimate, self._body_radius_m + 0.03, 0.0, 0.05, "bumped")
            return self._begin(Trouble.BUMPED, pose, stamp_s)
        if held:
            self._room.mark(estimate, self._body_radius_m + 0.08, 0.0, 0.12, "cliff")
            return self._begin(Trouble.CLIFF, pose, stamp_s)
        self._room.mark(estimate, self._body_radius_m + 0.02, 0.0, 0.03, "stuck")
        return self._begin(Trouble.STUCK, pose, stamp_s)

    def trapped(self, pose: Pose2D, stamp_s: float, why: str) -> bool:
        """No plan leaves this place: whether a recovery has begun. After some tries a person is needed."""
        covered_m2 = self._room.covered_m2()
        if abs(covered_m2 - self._covered_when_trapped_m2) > _NEW_FLOOR_M2:
            self._trapped_tries = 0
        if self._trapped_tries >= _TRAPPED_TRIES:
            self.refuse(f"trapped: no plan leaves this place, tried {self._trapped_tries} times: {why}")
            return False
        self._trapped_tries += 1
        self._covered_when_trapped_m2 = covered_m2
        return self._begin(Trouble.TRAPPED, pose, stamp_s)

    def command(self, pose: Pose2D) -> DriveCommand | None:
        """The recovery's move; None without one."""
        command = self._recovery.command(pose)
        while command is not None and self._nears_zone(pose, command):
            self._recovery.skip_move()
            command = self._recovery.command(pose)
        return command

    def _beyond_help(self, observation: Observation, pose: Pose2D, stamp_s: float) -> str:
        """Why another recovery would be in vain; empty when it may help."""
        here = f"at {pose.x_m:.2f}, {pose.y_m:.2f}"
        if self._held >= _HELD_TIMES:
            what = "the bumper stays pressed" if observation.bumper_pressed else "a cliff sensor sees no floor any more"
            return f"{what} {here}: look at it, and at where the robot stands"
        return f"in trouble again and again {here}: put it elsewhere" if self._recovery.no_end(stamp_s) else ""

    def _look_where_it_is(self, estimate: PoseEstimate, stamp_s: float) -> bool:
        """A few looks round; then a person is needed, and what is kept of the job waits for them."""
        if self._lost_looks >= _LOST_LOOKS:
            self.refuse("lost: nothing here is on the map; carry it back to where it was, or begin a new job")
            return False
        self._lost_looks += 1
        return self._begin(Trouble.LOST, estimate.map_from_base, stamp_s)

    def _nears_zone(self, pose: Pose2D, command: DriveCommand) -> bool:
        """Whether a move without a plan would bring the body into a no-go zone, or deeper into one."""
        if command.speed_mps == 0:
            return False
        there = pose @ Pose2D(math.copysign(_LOOK_BEHIND_M, command.speed_mps), 0.0, 0.0)
        gap_m = self._room.zone_gap_m(there.x_m, there.y_m)
        return gap_m < min(self._body_radius_m, self._room.zone_gap_m(pose.x_m, pose.y_m))

    def _begin(self, trouble: Trouble, pose: Pose2D, stamp_s: float) -> bool:
        self._held += trouble in (Trouble.BUMPED, Trouble.CLIFF)
        taken_for = self._recovery.begin(trouble, pose, stamp_s)
        self._on_event(f"{taken_for.value} at {pose.x_m:.2f}, {pose.y_m:.2f}")
        self._still.reset()
        return True
