"""Ticks by absolute deadlines: a late tick does not shift those after it; missed ones are skipped, not caught up."""

import time
from collections.abc import Callable, Iterator


class Pacer:
    """`deadlines()` yields the monotonic time at each tick, in seconds."""

    def __init__(
        self,
        period_s: float,
        clock_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._period_s = period_s
        self._clock_s = clock_s
        self._sleep = sleep
        self.skipped = 0

    def deadlines(self) -> Iterator[float]:
        deadline_s = self._clock_s()
        while True:
            wait_s = deadline_s - self._clock_s()
            if wait_s > 0:
                self._sleep(wait_s)
            yield self._clock_s()
            deadline_s += self._period_s
            missed = int((self._clock_s() - deadline_s) // self._period_s)
            if missed > 0:
                self.skipped += missed
                deadline_s += missed * self._period_s
