import gc
import weakref

import pytest

from foundation.settled_memory import settled_memory


class Knot:
    def __init__(self) -> None:
        self.me = self


def test_what_was_there_before_is_not_walked() -> None:
    gc.unfreeze()
    old = [Knot() for _ in range(100)]
    with settled_memory():
        assert gc.get_freeze_count() > 1000
        assert not any(one is old for one in gc.get_objects())
    assert gc.get_freeze_count() == 0


def test_knots_made_inside_are_collected() -> None:
    with settled_memory():
        gone = weakref.ref(Knot())
        gc.collect()
        assert gone() is None


def test_an_error_unfreezes() -> None:
    with pytest.raises(ZeroDivisionError), settled_memory():
        _ = 1 / 0
    assert gc.get_freeze_count() == 0
