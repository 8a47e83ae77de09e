"""Speed of one wheel by its encoder: feed-forward plus a bounded integral, in share of full power. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WheelGains:
    """`full_speed_mps` is what the wheel does at full power on the floor."""

    full_speed_mps: float
    proportional_per_mps: float = 1.0
    integral_per_m: float = 2.0


class WheelControl:
    """`power` each control step; a wheel told to stand gets no power and forgets its integral."""

    def __init__(self, gains: WheelGains) -> None:
        self._gains = gains
        self._integral = 0.0

    def power(self, wanted_mps: float, measured_mps: float, step_s: float) -> float:
        """In [-1, 1]."""
        if wanted_mps == 0.0:
            self._integral = 0.0
            return 0.0
        error_mps = wanted_mps - measured_mps
        feed = wanted_mps / self._gains.full_speed_mps
        unbound = feed + self._gains.proportional_per_mps * error_mps + self._integral
        bound = min(max(unbound, -1.0), 1.0)
        if bound == unbound or (error_mps > 0) != (unbound > 0):  # no winding up against the stop
            self._integral += self._gains.integral_per_m * error_mps * step_s
        return bound
