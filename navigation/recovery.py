"""What the robot does when driving goes wrong: bumped, stuck, wedged, trapped, at a cliff, lost. Each has an end.

A recovery is a short list of moves with limits in ticks and metres; it marks the bad place first, so that the next plan
keeps out of it. Nothing here plans: when a recovery ends, the caller asks for a new route, unless `no_end` is in sight.
"""

import math
from dataclasses import dataclass
from enum import Enum
from typing import Final

from foundation.geometry import Pose2D, wrap_angle
from navigation.robot_io import DriveCommand


class Trouble(Enum):
    """Why a recovery began."""

    BUMPED = "bumped"
    CLIFF = "cliff"
    STUCK = "stuck"  # wheels are told to drive and the pose stands still
    WEDGED = "wedged"  # the third trouble within a small circle: turn away and leave
    TRAPPED = "trapped"  # no plan leaves this place
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Move:
    """One command held until it has moved that far, or its ticks are over."""

    command: DriveCommand
    until_m: float
    until_rad: float
    ticks_max: int


@dataclass(frozen=True, slots=True)
class TroublePlace:
    """For the report: what happened where."""

    trouble: Trouble
    x_m: float
    y_m: float
    stamp_s: float


_BACK_M: Final = 0.10
_SAME_PLACE_M: Final = 0.25
_WEDGED_AFTER: Final = 3
_LOST_TICKS_MAX: Final = 300
_NO_END_TIMES: Final = 10  # in so many seconds:
_NO_END_S: Final = 180.0
_STILL_S: Final = 3.0
_STILL_M: Final = 0.02
_STILL_RAD: Final = 0.10


class Recovery:
    """At most one recovery at a time; `active` while it has moves left."""

    def __init__(self, slow_mps: float, turn_radps: float) -> None:
        self._slow_mps = slow_mps
        self._turn_radps = turn_radps
        self._moves: list[Move] = []
        self._began: Pose2D | None = None
        self._ticks = 0
        self._side = 1.0
        self.log: list[TroublePlace] = []

    @property
    def active(self) -> bool:
        return bool(self._moves)

    def begin(self, trouble: Trouble, pose: Pose2D, stamp_s: float) -> Trouble:
        """Start the moves for `trouble`; several at one place become WEDGED. Returns what it was taken for."""
        here = [place for place in self.log if math.hypot(place.x_m - pose.x_m, place.y_m - pose.y_m) < _SAME_PLACE_M]
        recent = [place for place in here if stamp_s - place.stamp_s < 60 and place.trouble is not Trouble.LOST]
        if trouble in (Trouble.BUMPED, Trouble.STUCK) and len(recent) >= _WEDGED_AFTER - 1:
            trouble = Trouble.WEDGED
        self.log.append(TroublePlace(trouble, pose.x_m, pose.y_m, stamp_s))
        self._moves = self._moves_for(trouble)
        self._began, self._ticks = pose, 0
        return trouble

    def command(self, pose: Pose2D) -> DriveCommand | None:
        """The current move; None when the last one has ended."""
        while self._moves:
            move = self._moves[0]
            began = self._began = self._began or pose
            moved = pose.distance_m(began) >= move.until_m if move.until_m else False
            turned = (
                abs(wrap_angle(pose.heading_rad - began.heading_rad)) >= move.until_rad if move.until_rad else False
            )
            if not (moved or turned or self._ticks >= move.ticks_max):
                self._ticks += 1
                return move.command
            self._moves.pop(0)
            self._began, self._ticks = pose, 0
        return None

    def skip_move(self) -> None:
        """The current move must not be driven here: on with the next."""
        self._moves = self._moves[1:]
        self._began, self._ticks = None, 0

    def no_end(self, stamp_s: float) -> bool:
        """One trouble after the other: a sensor that stays pressed, or a place with no way out, needs a person."""
        newest = self.log[-_NO_END_TIMES:]
        return len(newest) == _NO_END_TIMES and stamp_s - newest[0].stamp_s < _NO_END_S

    def end(self) -> None:
        """The trouble is over by itself."""
        self._moves = []

    def _moves_for(self, trouble: Trouble) -> list[Move]:
        back = Move(DriveCommand(-0.6 * self._slow_mps, 0.0), _BACK_M, 0.0, 25)
        self._side = -self._side
        turn = DriveCommand(0.0, self._side * 0.7 * self._turn_radps)
        forward = Move(DriveCommand(0.6 * self._slow_mps, 0.0), 0.15, 0.0, 30)
        if trouble in (Trouble.BUMPED, Trouble.CLIFF):
            return [back]
        if trouble is Trouble.STUCK:
            return [Move(back.command, 0.5 * _BACK_M, 0.0, 15)]
        if trouble in (Trouble.WEDGED, Trouble.TRAPPED):
            return [Move(turn, 0.0, math.radians(100), 40), forward, back]
        # LOST: stand, then look around slowly; the localiser ends it
        look = DriveCommand(0.0, self._side * 0.3 * self._turn_radps, tool_on=False)
        return [Move(DriveCommand(0.0, 0.0, tool_on=False), 0.0, 0.0, 20), Move(look, 0.0, 0.0, _LOST_TICKS_MAX)]


class StandStill:
    """Whether the robot has been told to move for some seconds and its pose stands still."""

    def __init__(self) -> None:
        self._since_s = 0.0
        self._pose: Pose2D | None = None

    def reset(self) -> None:
        """Begin to watch anew."""
        self._pose = None

    def stuck(self, told: DriveCommand, pose: Pose2D, stamp_s: float) -> bool:
        """`told` is the last command; once a tick."""
        wants = abs(told.speed_mps) > 0.015 or abs(told.turn_radps) > 0.05
        before = self._pose
        moved = before is None or (
            pose.distance_m(before) > _STILL_M or abs(pose.heading_rad - before.heading_rad) > _STILL_RAD
        )
        if moved or not wants:
            self._pose, self._since_s = pose, stamp_s
            return False
        return stamp_s - self._since_s > _STILL_S
