"""What is tried before floor is given up."""

import pytest
from detected import detections
from drawn_map import DrawnMap

from foundation.robot_config import RobotConfig
from navigation.last_tries import LastTries
from navigation.map_handler import MapHandler
from navigation.robot_io import DriveCommand
from navigation.route import LeftOut
from perception.observation import Observation


@pytest.mark.parametrize(("left_m2", "narrower"), [(0.0, False), (0.2, False), (40.0, True)])
def test_things_are_passed_at_less_distance_only_where_much_floor_is_left(left_m2, narrower):
    static = DrawnMap()
    room = MapHandler(RobotConfig(), static)
    for k in range(8):
        aside_m = 0.06 * (k % 2)
        estimate = static.estimate(1.0, 1.0 + aside_m, 0.0)
        nothing_else = Observation(estimate.stamp_s, None, None, None)
        room.integrate(estimate, nothing_else, detections((0.45, -aside_m, 0.02)), DriveCommand(0.1, 0.0))
    ((_, _, before_m),) = room.object_discs()
    tries, left = LastTries(room, lambda text: None), (LeftOut(left_m2, "behind something"),)

    assert tries.another(left) is narrower
    ((_, _, after_m),) = room.object_discs()
    assert (after_m < before_m) is narrower
