"""Work beside the loop, on threads."""

import os
import sys
import threading
import time

import numpy as np
import pytest

from navigation.background import ThreadBackground
from navigation.coverage_planner import Budget, CoverageSettings, plan
from navigation.grid_geometry import GridGeometry


def awaited(background):
    until_s = time.monotonic() + 30
    while time.monotonic() < until_s:
        done = background.poll()
        if done is not None:
            return done
        time.sleep(0.005)
    raise AssertionError("nothing came")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere niceness is the whole process's")
def test_a_thread_beside_the_loop_gives_way_to_it_and_the_loop_stays_as_it_is():
    background, before = ThreadBackground("routes"), os.getpriority(os.PRIO_PROCESS, 0)

    background.submit(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    assert awaited(background) > before == os.getpriority(os.PRIO_PROCESS, 0)
    background.close()


def test_an_error_in_the_work_is_raised_where_its_result_is_asked_for():
    background = ThreadBackground("routes")
    background.submit(lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        awaited(background)
    background.close()


def test_a_plan_that_is_searched_for_leaves_the_interpreter_to_the_loop():
    free, settings = np.ones((160, 160), bool), CoverageSettings(robot_radius_m=0.15, tool_width_m=0.3)
    free[60:80, 40:90] = False
    geometry, background = GridGeometry(0.0, 0.0, 0.05, 160, 160), ThreadBackground("routes")
    plan(free, geometry, (1.0, 1.0), settings, budget=Budget(iterations=2000))  # compiled
    background.submit(lambda: plan(free, geometry, (1.0, 1.0), settings, budget=Budget(iterations=150_000)))
    last_s, waits_s = time.monotonic(), []
    while background.poll() is None:
        time.sleep(0.001)
        waits_s.append(time.monotonic() - last_s)
        last_s = time.monotonic()

    longest_s = sorted(waits_s)[-1 - len(waits_s) // 100]  # a busy machine holds up some
    assert len(waits_s) > 100 and longest_s < 0.02
    background.close()
