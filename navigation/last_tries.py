"""What is tried before floor is given up: doubtful things forgotten, clearer looks asked for, marks lifted once, places
where something had come to stand visited once more, things passed at less distance where much is left.

In: the room, what the last plan left out. Out: whether something was changed, so that another plan may find more. Each
try is made at most a few times, so that asking again and again comes to an end.
"""

from collections.abc import Callable
from typing import Final

from navigation.map_handler import MapHandler
from navigation.route import LeftOut

_END_DEMAND: Final = 2.0  # log-odds of a thing's best look: patches behind unclear things are tried at the end
_ALL_DEMAND: Final = 3.0  # the clearest looks there are
_SHUT_LEFT_RATIO: Final = 0.02  # of the floor: more than lies around things
_MUCH_LEFT_RATIO: Final = 0.08  # of the floor


class LastTries:
    """Of one job."""

    def __init__(self, room: MapHandler, on_event: Callable[[str], None]) -> None:
        self._room = room
        self._on_event = on_event
        self._marks_lifted = False
        self._gone_looked_for = False

    def another(self, left_out: tuple[LeftOut, ...]) -> bool:
        """True: the room says something else now."""
        if self._room.forget_doubtful_objects() or self._room.demand_of_objects(_END_DEMAND):
            return True
        if self._room.marks() and not self._marks_lifted:
            self._marks_lifted = True  # patches behind marked places get a second try
            self._room.unmark_all()
            return True
        if not self._gone_looked_for and self._room.forget_what_came():
            self._gone_looked_for = True
            return True
        left_m2 = sum(area.area_m2 for area in left_out)
        if left_m2 >= _SHUT_LEFT_RATIO * self._room.free_floor_m2() and self._room.narrow_objects():
            return True  # a thing in a doorway
        return self._doubts_detector(left_m2)

    def _doubts_detector(self, left_m2: float) -> bool:
        """Much floor left out behind claims: keep off only the clearest of them; in the end go on by LIDAR alone."""
        health, floor_m2 = self._room.detector_health(), self._room.free_floor_m2()
        if not (health.trusted and self._room.object_discs()) or left_m2 < _MUCH_LEFT_RATIO * floor_m2:
            return False
        reason = f"{left_m2:.2f} of {floor_m2:.2f} m2 left out behind {self._room.claimed_m2():.2f} m2 of claims"
        if self._room.demanded_of_objects < _ALL_DEMAND:
            self._on_event(f"detector doubted: {reason}; clearer looks wanted")
            self._room.demand_of_objects(_ALL_DEMAND)
            return True
        if health.vanished <= 0.4 * health.entered and self._room.claimed_m2() <= 0.05 * floor_m2:
            return False
        self._on_event(f"detector not trusted: {reason}")
        self._room.distrust_detector(reason)
        return True
