"""Whether the next leg of a route is driven backwards: in a nook, turning round on the spot is all that forward buys.

In: the next legs (headings at both ends, what driving them backwards costs) and the robot's heading; out: yes or no.
The quickest of all ways to drive these legs decides (some 2^4), so that a turn is not saved here and paid at the next
corner. Asked anew at each corner, when floor that the robot has driven on since the route was planned is known.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from foundation.geometry import wrap_angle

LEGS_AHEAD: Final = 4
_WORTH_S: Final = 0.5  # less is not worth driving with the camera behind


@dataclass(frozen=True, slots=True)
class Leg:
    """From one stop to the next."""

    begins_rad: float  # heading of its line in `map`
    ends_rad: float
    backward_s: float  # longer than forward; inf where it may not be driven backwards


def is_quicker_backward(legs: Sequence[Leg], heading_rad: float, turn_radps: float) -> bool:
    """Whether the quickest way along `legs`, each forward or backward, begins backward by more than a little."""
    best_s = {False: math.inf, True: math.inf}
    for ways in itertools.product((False, True), repeat=len(legs)):
        best_s[ways[0]] = min(best_s[ways[0]], _seconds(legs, ways, heading_rad, turn_radps))
    return best_s[True] < best_s[False] - _WORTH_S


def _seconds(legs: Sequence[Leg], ways: Sequence[bool], heading_rad: float, turn_radps: float) -> float:
    """Of turning on the spot, and of driving backwards longer than forward."""
    seconds = 0.0
    for leg, backward in zip(legs, ways, strict=True):
        turned_rad = math.pi if backward else 0.0
        seconds += abs(wrap_angle(leg.begins_rad + turned_rad - heading_rad)) / turn_radps
        seconds += leg.backward_s if backward else 0.0
        heading_rad = leg.ends_rad + turned_rad
    return seconds
