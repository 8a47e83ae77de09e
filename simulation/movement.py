"""Moves people, pets and pushed chairs on the stand-in; they wait while the robot is in their way."""

import itertools
import math
from typing import Any, Final

import numpy as np

from simulation.headless_mujoco import mujoco
from simulation.room_spec import Mover, Room

POLITE_M: Final = 0.55  # nobody steps on the robot


def place_at(mover: Mover, walked_m: float) -> tuple[float, float, float]:
    """x, y and heading after `walked_m` along the waypoints; pure."""
    points = mover.waypoints_m
    lengths = [math.dist(a, b) for a, b in itertools.pairwise(points)]
    total = sum(lengths)
    if total == 0:
        return (*points[0], 0.0)
    left = min(walked_m, total)
    back = False
    if mover.returns:
        left = walked_m % (2 * total)
        if left > total:
            left, back = 2 * total - left, True
    for (a, b), length in zip(itertools.pairwise(points), lengths, strict=True):
        if left <= length and length > 0:
            share = left / length
            heading = math.atan2(b[1] - a[1], b[0] - a[0]) + (math.pi if back else 0.0)
            return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), heading
        left -= length
    last, before = points[-1], points[-2]
    return (*last, math.atan2(last[1] - before[1], last[0] - before[0]))


class Movement:
    """One for `Engine.before_step`."""

    def __init__(self, room: Room, model: Any, robot_body: int) -> None:
        self._movers = room.movers
        self._walked_m = [0.0] * len(room.movers)
        self._robot = robot_body
        self._last_s = 0.0
        self._mocap = [
            int(model.body_mocapid[mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, mover.name)])
            for mover in room.movers
        ]

    def __call__(self, data: Any, now_s: float) -> None:
        passed_s, self._last_s = now_s - self._last_s, now_s
        robot = data.xpos[self._robot]
        for index, mover in enumerate(self._movers):
            if now_s < mover.start_s:
                continue
            ahead_m = self._walked_m[index] + mover.speed_mps * passed_s
            x, y, heading = place_at(mover, ahead_m)
            here = place_at(mover, self._walked_m[index])
            gap_m, gap_now_m = (math.hypot(robot[0] - place[0], robot[1] - place[1]) for place in ((x, y), here))
            if gap_m < POLITE_M and gap_m < gap_now_m:
                continue
            self._walked_m[index] = ahead_m
            data.mocap_pos[self._mocap[index]] = (x, y, 0.0)
            data.mocap_quat[self._mocap[index]] = np.array([math.cos(heading / 2), 0.0, 0.0, math.sin(heading / 2)])
