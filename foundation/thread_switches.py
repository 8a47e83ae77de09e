"""How long a thread that computes in Python may hold up one that has become due.

Python's default is 5 ms, the whole jitter that a loop of 10 Hz is allowed. Half a millisecond costs
less than a percent.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

SWITCH_S: Final = 5e-4


@contextmanager
def quick_switches() -> Iterator[None]:
    """For the length of a loop with deadlines."""
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before_s)
