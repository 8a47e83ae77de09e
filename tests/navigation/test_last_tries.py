"""What is tried before floor is given up."""

import numpy as np
from drawn_map import DrawnMap

from foundation.robot_config import RobotConfig
from navigation.last_tries import LastTries
from navigation.map_handler import MapHandler
from navigation.robot_io import DriveCommand
from perception.observation import Detections, Observation


def look(room, estimate, *places):
    """One frame with things at (x, y) in base_link."""
    array, count = np.array(places, float).reshape(-1, 2), len(places)
    seen = Detections(
        estimate.stamp_s, array, np.full(count, 0.02), np.full(count, 0.9), np.zeros(count, np.int64),
        np.zeros((count, 4)),
    )  # fmt: skip
    room.integrate(estimate, Observation(estimate.stamp_s, None, None, None), seen, DriveCommand(0.1, 0.0))


def things_at(room):
    return {round(y_m, 1) for _, y_m, _ in room.object_discs()}


def test_a_thing_that_was_not_seen_at_every_fifth_look_is_given_up_at_the_end_and_a_steady_one_is_not():
    static = DrawnMap()
    room = MapHandler(RobotConfig(), static)
    for k in range(60):
        aside_m = 0.06 * (k % 2)
        flickers = [(0.45, 0.15 - aside_m)] if k % 5 else []
        look(room, static.estimate(1.0, 1.0 + aside_m, 0.0), (0.45, -0.15 - aside_m), *flickers)
    assert things_at(room) == {0.8, 1.2}
    tries = LastTries(room, lambda text: None)

    assert tries.another(())
    assert things_at(room) == {0.8}
    assert tries.another(())  # the other is passed more narrowly
    assert things_at(room) == {0.8}
    assert not any(tries.another(()) for _ in range(3))
