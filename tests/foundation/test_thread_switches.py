import sys

import pytest

from foundation.thread_switches import SWITCH_S, quick_switches


def test_threads_switch_quickly_inside_and_as_before_afterwards():
    before_s = sys.getswitchinterval()

    with pytest.raises(ZeroDivisionError), quick_switches():
        assert sys.getswitchinterval() == pytest.approx(SWITCH_S)
        raise ZeroDivisionError

    assert sys.getswitchinterval() == pytest.approx(before_s)
