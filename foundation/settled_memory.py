"""Keeps Python's cyclic collector from walking what was loaded before a loop began.

The libraries of the robot are a few hundred thousand objects that never go; a walk over them held one update in some
ten thousand for 40 to 55 ms. What is made inside the block is collected as ever.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def settled_memory() -> Iterator[None]:
    """For the length of a loop with deadlines; not to be nested."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
