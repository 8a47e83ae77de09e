import pytest
from fake_ticks import tick

from monitoring import stage_times
from monitoring.stage_times import StageTimes


class FakeClock:
    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


def test_a_tick_is_the_sum_of_its_stages_and_not_of_the_waiting():
    clock = FakeClock()
    told = []
    times = StageTimes(lambda stage, seconds: told.append((stage, round(seconds, 6))), clock)

    def takes(seconds):
        clock.now_s += seconds

    localise, plan = times.timed("localise", takes), times.timed("plan", takes)
    reports = []
    on_tick = times.on_tick(reports.append)
    for _ in range(2):
        clock.now_s += 50.0  # the host waits
        localise(0.002)
        plan(0.003)
        on_tick(tick())

    assert told[:4] == [("localise", 0.002), ("plan", 0.003), ("tick", 0.005), ("report", 0.0)]
    assert times.summary()["tick"].max_ms == pytest.approx(5.0)
    assert times.summary_json()["plan"]["count"] == 2
    assert len(reports) == 2


def test_a_stage_that_raises_is_timed_and_raises_on():
    clock = FakeClock()
    times = StageTimes(clock_s=clock)

    def breaks():
        clock.now_s += 0.25
        raise RuntimeError("wheel")

    with pytest.raises(RuntimeError, match="wheel"):
        times.timed("map", breaks)()

    assert times.summary()["map"].max_ms == pytest.approx(250.0)


def test_memory_stays_flat_and_the_newest_durations_are_kept(monkeypatch):
    monkeypatch.setattr(stage_times, "KEPT", 10)
    times = StageTimes()

    for i in range(25):
        times.add("plan", float(i))

    summary = times.summary()["plan"]
    assert (summary.count, summary.max_ms) == (25, 24_000.0)
    assert summary.p50_ms >= 15_000.0


def test_every_seam_of_the_loop_can_be_wrapped():
    times = StageTimes()
    seen = []

    class Stage:
        def update(self, observation):
            return ("pose", observation)

        def detect(self, observation):
            return ("seen", observation)

        def integrate(self, estimate, observation, detections, driven):
            seen.append((estimate, observation, detections, driven))

        def command(self, estimate, observation):
            return ("go", estimate)

        def __call__(self, wanted, observation):
            return ("less", wanted)

    stage = Stage()

    assert times.localiser(stage).update(1) == ("pose", 1)
    assert times.detector(stage).detect(1) == ("seen", 1)
    times.room(stage).integrate(1, 2, 3, 4)
    assert times.planner(stage).command(1, 2) == ("go", 1)
    assert times.limiter(stage)("w", 2) == ("less", "w")
    assert seen == [(1, 2, 3, 4)]
    assert set(times.summary()) == set(stage_times.STAGES)
