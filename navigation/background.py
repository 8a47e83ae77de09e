"""Work beside the loop: a pose-graph solve, a re-optimised plan, a detector's frame, a shadow model.

In the daemon a `Background` is a thread. In simulation it is stepped: the work is done at once and its result delivered
after a fixed number of ticks, so that equal seeds give equal runs whatever the machine's speed.
"""

import os
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, Protocol

PI_TICKS: Final[Mapping[str, int]] = {
    "detector": 1,
    "routes": 20,
    "way home": 2,
    "pose graph": 5,
    "job": 2,
}  # of .1 s; estimated


_BESIDE_NICE: Final = 5


class Background(Protocol):
    """One piece of work at a time."""

    @property
    def busy(self) -> bool: ...

    def submit(self, work: Callable[[], Any]) -> None:
        """Start `work`; only when not busy."""
        ...

    def poll(self) -> Any | None:
        """Once a tick: the result when it has come (once), else None. An error in the work is raised here."""
        ...


class SteppedBackground:
    """Delivers at the `ticks`-th poll after the submit."""

    def __init__(self, ticks: int) -> None:
        self._ticks = max(ticks, 1)
        self._left = 0
        self._result: Any = None

    @property
    def busy(self) -> bool:
        return self._left > 0

    def submit(self, work: Callable[[], Any]) -> None:
        self._result = work()
        self._left = self._ticks

    def poll(self) -> Any | None:
        if not self._left:
            return None
        self._left -= 1
        if self._left:
            return None
        result, self._result = self._result, None
        return result


def stepped(name: str) -> Background:
    """Delivers after what a Raspberry Pi is thought to need for that kind of work."""
    return SteppedBackground(PI_TICKS.get(name, 1))


def _give_way() -> None:
    """On Linux a thread's niceness is its own: a loop that shares a processor with this thread is not kept waiting."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _BESIDE_NICE)


class ThreadBackground:
    """A thread of its own; `poll` never waits. Where threads have a niceness, the loop's goes first."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name, initializer=_give_way)
        self._future: Future[Any] | None = None

    @property
    def busy(self) -> bool:
        return self._future is not None

    def submit(self, work: Callable[[], Any]) -> None:
        self._future = self._pool.submit(work)

    def poll(self) -> Any | None:
        if self._future is None or not self._future.done():
            return None
        future, self._future = self._future, None
        return future.result()

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
