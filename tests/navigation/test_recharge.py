import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.geometry import Pose2D
from foundation.robot_config import Battery
from navigation.recharge import SPARE_M, STALLED_S, RechargeWatch, affordable_m, must_return
from perception.observation import Observation

SPEED_MPS = 0.12
ratios = st.floats(0, 1)
ways_m = st.floats(0, 500)


def seen(stamp_s, battery_ratio=None):
    return Observation(stamp_s, None, None, None, battery_ratio=battery_ratio)


@given(ratios, ways_m, st.floats(0, 0.9), st.floats(60, 20_000))
def test_what_it_goes_on_with_brings_it_home_before_the_reserve(level, way_m, reserve, full_s):
    battery = Battery(reserve_ratio=reserve, full_drive_s=full_s)

    if not must_return(level, way_m, battery, SPEED_MPS):
        at_home = level - (way_m + SPARE_M) / SPEED_MPS / full_s
        assert at_home >= reserve - 1e-9


@given(ratios, ratios, ways_m, ways_m)
def test_less_charge_or_a_longer_way_never_speaks_for_going_on(level, other_level, way_m, other_way_m):
    low, high = sorted((level, other_level))
    short, long = sorted((way_m, other_way_m))

    assert affordable_m(low, Battery(), SPEED_MPS) <= affordable_m(high, Battery(), SPEED_MPS)
    if must_return(high, short, Battery(), SPEED_MPS):
        assert must_return(low, short, Battery(), SPEED_MPS) and must_return(high, long, Battery(), SPEED_MPS)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.floats(0.3, 1.0))
def test_wherever_it_wanders_it_is_home_before_the_reserve_and_seldom_asks(seed, measured, drain):
    """Steps of up to 2 m; the true way home is straight; `drain`: how fast the battery falls beside what is told."""
    battery, rng = Battery(recharge=True, full_drive_s=3000.0), np.random.default_rng(seed)
    watch, pose, now_s, asked = RechargeWatch(battery, SPEED_MPS), Pose2D(0.0, 0.0, 0.0), 0.0, 0
    level = 1.0
    while True:
        heading, step_m = rng.uniform(-math.pi, math.pi), rng.uniform(0.01, 2.0)
        toward = Pose2D(pose.x_m + step_m * math.cos(heading), pose.y_m + step_m * math.sin(heading), 0.0)
        took_s = pose.distance_m(toward) / SPEED_MPS
        now_s, pose, level = now_s + took_s, toward, level - drain * took_s / battery.full_drive_s
        watch.tick(seen(now_s, level if measured else None), pose, charging=False)
        if watch.asks:
            asked += 1
            if watch.told(pose.distance_m(Pose2D(0.0, 0.0, 0.0))):
                break
    assert level - drain * pose.distance_m(Pose2D(0, 0, 0)) / SPEED_MPS / battery.full_drive_s >= battery.reserve_ratio
    assert asked < 60


def test_without_recharging_it_never_asks():
    watch = RechargeWatch(Battery(), SPEED_MPS)
    watch.tick(seen(0.0, 0.01), Pose2D(50.0, 0.0, 0.0), charging=False)

    assert not watch.asks


def test_a_battery_that_tells_nothing_falls_and_fills_with_time():
    watch = RechargeWatch(Battery(recharge=True, full_drive_s=1000.0, charge_s=500.0), SPEED_MPS)
    for stamp_s in (0.0, 400.0):
        watch.tick(seen(stamp_s), Pose2D(0, 0, 0), charging=False)
    assert watch.level_ratio == pytest.approx(0.6) and not watch.charged

    watch.tick(seen(570.0), Pose2D(0, 0, 0), charging=True)
    assert watch.level_ratio == pytest.approx(0.94) and not watch.charged
    watch.tick(seen(580.0), Pose2D(0, 0, 0), charging=True)
    assert watch.charged


def at_the_charger(levels, every_s=10.0):
    """A watch after each of the levels told there, the first on arriving."""
    watch = RechargeWatch(Battery(recharge=True), SPEED_MPS)
    for number, level in enumerate(levels):
        watch.tick(seen(every_s * number, level), Pose2D(0, 0, 0), charging=number > 0)
        yield watch


@given(st.floats(0, 0.9), st.floats(0, 0.004), st.integers(0, 99))
def test_a_level_that_does_not_rise_is_given_up_after_a_while_and_not_before(level, noise, seed):
    rng, count = np.random.default_rng(seed), round(STALLED_S / 10.0)
    told = [level, *(level + noise * rng.uniform(-1, 1, count + 1))]

    stalled = [watch.stalled for watch in at_the_charger(told)]

    assert stalled == [False] * count + [True] * 2


@given(st.floats(0, 0.5), st.sampled_from([0.01, 0.05, 0.1]))
def test_a_slow_charge_told_in_coarse_steps_is_waited_for(level, step):
    hours = 4.0
    told = [level + (k * 10.0 / 3600 / hours) // step * step for k in range(round(0.5 * hours * 360))]

    assert not any(watch.stalled for watch in at_the_charger(told))


def test_a_resumed_job_asks_at_once_how_far_home_is():
    watch = RechargeWatch(Battery(recharge=True), SPEED_MPS)
    watch.tick(seen(0.0, 1.0), Pose2D(30.0, 0.0, 0.0), charging=False)

    assert watch.asks and not watch.told(30.0) and not watch.asks
