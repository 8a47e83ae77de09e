import itertools
import math

import numpy as np
import pytest
from drawn_map import DrawnMap

from foundation.robot_config import RobotConfig
from navigation.map_handler import MapHandler
from navigation.path_follower import FollowerSettings, PathFollower
from navigation.robot_io import DriveCommand
from navigation.route_watch import RouteWatch
from navigation.static_map import OCCUPIED
from perception.observation import Observation

CONFIG = RobotConfig()


def driven(static, *places):
    """A watch over a room in which the body has stood at the places (x, y), 1 cm apart along the line through them."""
    room = MapHandler(CONFIG, static)
    for (x0, y0), (x1, y1) in itertools.pairwise(places):
        for share in np.linspace(0, 1, round(math.dist((x0, y0), (x1, y1)) / 0.01) + 1):
            estimate = static.estimate(x0 + share * (x1 - x0), y0 + share * (y1 - y0))
            room.integrate(estimate, Observation(estimate.stamp_s, None, None, None), None, DriveCommand(0.1, 0.0))
    return RouteWatch(CONFIG, room, PathFollower(FollowerSettings.of(CONFIG)))


def test_backwards_it_drives_only_where_it_has_been():
    watch = driven(DrawnMap(), (1.0, 1.5), (1.6, 1.5))

    assert watch.backward_s(np.array([[1.6, 1.5], [1.0, 1.5]])) < math.inf
    assert watch.backward_s(np.array([[1.6, 1.51], [1.0, 1.51]])) < math.inf, "two drives differ by a little"
    assert watch.backward_s(np.array([[1.6, 1.5], [0.8, 1.5]])) == math.inf
    assert watch.backward_s(np.array([[1.6, 1.54], [1.0, 1.54]])) == math.inf
    assert watch.backward_s(np.array([[1.6, 1.5], [1.0, 1.7]])) == math.inf


def test_it_does_not_drive_backwards_far():
    watch = driven(DrawnMap(), (0.5, 1.5), (2.5, 1.5))

    assert watch.backward_s(np.array([[2.5, 1.5], [1.8, 1.5]])) < math.inf
    assert watch.backward_s(np.array([[2.5, 1.5], [1.6, 1.5]])) == math.inf


def test_backwards_costs_time_only_where_forward_would_be_faster():
    static = DrawnMap()
    leg = np.array([[1.6, 1.5], [1.0, 1.5]])
    assert driven(static, (1.0, 1.5), (1.6, 1.5)).backward_s(leg) == pytest.approx(0.6 / 0.12 - 0.6 / 0.25)

    static.draw(68, 40, 70, 64, OCCUPIED)  # a wall 2 cm beside the body
    assert driven(static, (1.0, 1.5), (1.6, 1.5)).backward_s(leg) == 0
