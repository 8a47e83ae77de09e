"""When to drive back to the charger, and when to go on: decided while the way there is still affordable.

In: every tick the observation and the pose; now and then how long the way home is, when it is asked for. Out: whether
to ask, whether to go, whether it is charged, or will not be. The level is the battery's own where it is told, else full
at the beginning and falling with time. Nothing here plans, and a tick costs a few sums: between two answers the way
home is at most the last one and what was driven since.
"""

import math
from typing import Final

from foundation.geometry import Pose2D
from foundation.robot_config import Battery
from perception.observation import Observation

SPARE_M: Final = 5.0  # of drive, kept beyond the reserve: ways grow by what is met on them
STALLED_S: Final = 1800.0  # at the charger; gauges of a few coarse steps rise more often
_RISE_RATIO: Final = 0.01  # less than that is a gauge's noise
_CLOSE_M: Final = 2.0  # so near to the limit there is no point in going on


def affordable_m(level_ratio: float, battery: Battery, speed_mps: float) -> float:
    """Drive that is left until only the reserve is."""
    return max(level_ratio - battery.reserve_ratio, 0.0) * battery.full_drive_s * speed_mps


def must_return(level_ratio: float, way_home_m: float, battery: Battery, speed_mps: float) -> bool:
    """Going on for another bit, and then home, would eat into the spare drive."""
    return way_home_m + SPARE_M + _CLOSE_M > affordable_m(level_ratio, battery, speed_mps)


class RechargeWatch:
    """Of one drive; never asks for anything unless `battery.recharge` is set."""

    def __init__(self, battery: Battery, speed_mps: float) -> None:
        self._battery = battery
        self._speed_mps = speed_mps
        self._level_ratio = 1.0
        self._stamp_s: float | None = None
        self._pose: Pose2D | None = None
        self._way_home_m = math.inf  # when it was last told
        self._since_m = 0.0
        self._best_ratio, self._since_rise_s = 0.0, 0.0  # at the charger

    @property
    def level_ratio(self) -> float:
        """0 to 1."""
        return self._level_ratio

    def tick(self, observation: Observation, pose: Pose2D, charging: bool) -> None:
        """Once a tick, before anything is asked."""
        passed_s = 0.0 if self._stamp_s is None else observation.stamp_s - self._stamp_s
        self._since_m += 0.0 if self._pose is None else pose.distance_m(self._pose)
        self._stamp_s, self._pose = observation.stamp_s, pose
        if observation.battery_ratio is not None:
            self._level_ratio = observation.battery_ratio
        else:
            change = passed_s / self._battery.charge_s if charging else -passed_s / self._battery.full_drive_s
            self._level_ratio = min(max(self._level_ratio + change, 0.0), 1.0)
        if not charging or self._level_ratio >= self._best_ratio + _RISE_RATIO:
            self._best_ratio, self._since_rise_s = self._level_ratio, 0.0
        else:
            self._since_rise_s += passed_s

    @property
    def asks(self) -> bool:
        """The way home has to be known anew: by what is known, it may be too long to go on."""
        if not self._battery.recharge:
            return False
        left_m = affordable_m(self._level_ratio, self._battery, self._speed_mps)
        return self._way_home_m + self._since_m + SPARE_M > left_m

    def told(self, way_home_m: float) -> bool:
        """The answer, from where the robot stands; True: go home now."""
        self._way_home_m, self._since_m = way_home_m, 0.0
        return must_return(self._level_ratio, way_home_m, self._battery, self._speed_mps)

    @property
    def stalled(self) -> bool:
        """It stands at the charger, and its level has not risen for so long that it will not."""
        return self._since_rise_s >= max(STALLED_S, 2 * _RISE_RATIO * self._battery.charge_s)

    @property
    def charged(self) -> bool:
        return self._level_ratio >= self._battery.charged_ratio
