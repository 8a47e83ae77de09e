"""The detector beside the loop: newest frame, no queue, swaps between frames, faults that do not end the loop."""

import numpy as np
from fake_models import FakeModel, frame, seen, tick

from deploy.model_runner import ModelRunner, run_guarded
from deploy.shadow_rules import MIN_FRAMES, FramePair, ShadowRecord, judged
from navigation.background import SteppedBackground


def guarded(model, one):
    return run_guarded(model, one, (Exception,))


def runner(model, ticks=1, shadow_ticks=1):
    return ModelRunner(model, SteppedBackground(ticks), SteppedBackground(shadow_ticks), guarded)


def answers(robot, count, first=0):
    found = [robot.detect(tick(float(number))) for number in range(first, first + count)]
    return [None if one is None else (one.stamp_s, one.contacts_base_m.tolist()) for one in found]


def test_a_slow_model_sees_the_newest_frame_and_never_a_queue():
    model = FakeModel([])
    robot = runner(model, ticks=3)

    answers(robot, 10)

    assert model.stamps == [0.0, 3.0, 6.0, 9.0]


def test_without_a_model_the_loop_gets_nothing():
    assert answers(runner(None), 3) == [None] * 3


def test_a_model_that_raises_is_a_fault_and_not_the_loops_end():
    robot = runner(FakeModel([], error=RuntimeError("bad input")))

    assert answers(robot, 3) == [None] * 3
    assert robot.fault == "RuntimeError: bad input"


def test_an_answer_that_is_not_finite_is_a_fault():
    answer = guarded(FakeModel([(np.nan, 0.0)]), frame(0.0))

    assert answer.detections is None
    assert "not finite" in answer.fault


def test_the_shadow_answers_nothing_until_it_is_promoted():
    robot = runner(FakeModel([(1.0, 0.0)]))
    answers(robot, 2)

    robot.shadow(FakeModel([(2.0, 0.0)]))
    during = answers(robot, 5, first=2)
    robot.promote()
    after = answers(robot, 4, first=7)

    assert all(places == [[1.0, 0.0]] for _, places in during)
    gap = [one is None for one in after]
    assert gap.count(True) <= 1
    assert after[-1] == (9.0, [[2.0, 0.0]])


def test_good_frames_of_the_shadow_are_counted_from_its_start():
    robot = runner(FakeModel([(1.0, 0.0)]))
    answers(robot, 5)

    robot.shadow(FakeModel([(1.0, 0.05)]))
    answers(robot, 6, first=5)

    assert robot.evidence.complaint is None
    assert robot.evidence.good_ticks == 5


def test_a_shadow_that_raises_is_complained_of_and_the_old_one_goes_on():
    robot = runner(FakeModel([(1.0, 0.0)]))
    robot.shadow(FakeModel([], error=ValueError("shape")))

    found = answers(robot, 4)

    assert robot.evidence.complaint == "ValueError: shape"
    assert found[-1] == (2.0, [[1.0, 0.0]])


def test_a_slow_shadow_costs_the_loop_no_answer_and_skips_frames_itself():
    robot, slow = runner(FakeModel([(1.0, 0.0)]), shadow_ticks=4), FakeModel([(1.0, 0.05)])
    answers(robot, 2)
    robot.shadow(slow)

    during = answers(robot, 12, first=2)

    assert None not in during
    assert slow.stamps == [1.0, 5.0, 9.0]
    assert robot.evidence.good_ticks == 2


def test_a_shadow_without_a_model_before_it_sees_the_newest_frames():
    robot, first = runner(None), FakeModel([(1.0, 0.0)])
    robot.shadow(first)

    assert answers(robot, 4) == [None] * 4
    robot.promote()

    assert first.stamps[:4] == [0.0, 1.0, 2.0, 3.0] and robot.evidence.good_ticks == 3
    assert answers(robot, 2, first=4)[-1] == (4.0, [[1.0, 0.0]])


def test_a_shadow_that_takes_long_is_complained_of_at_once_and_one_slow_frame_is_nothing():
    assert record_of([], [], duration_s=0.6, frames=2).complaint == "2 of 2 frames took 600 ms each"
    assert record_of([], [], duration_s=5.0, frames=1).complaint is None


def record_of(old, new, *, duration_s=0.01, frames=MIN_FRAMES + 4):
    record = ShadowRecord()
    for number in range(frames):
        record = judged(
            record, FramePair(seen(number, old) if old is not None else None, seen(number, new), duration_s, None)
        )
    return record.evidence


def test_a_slow_shadow_is_complained_of():
    assert "longer than 80 ms" in record_of([], [], duration_s=0.1).complaint


def test_a_shadow_that_floods_the_floor_is_complained_of():
    assert "more than before" in record_of([(1, 0)], [(x, 1.0) for x in range(9)]).complaint


def test_a_blind_shadow_is_complained_of():
    assert "misses 10 of 10" in record_of([(1, 0)], []).complaint


def test_a_shadow_that_sees_elsewhere_is_complained_of():
    assert "sure of" in record_of([(1, 0)], [(1, 0.3)]).complaint


def test_a_first_model_is_judged_alone():
    assert record_of(None, [(1, 0)]).complaint is None


def test_a_complaint_is_final():
    record = judged(ShadowRecord(), FramePair(None, None, 0.0, "boom"))

    assert judged(record, FramePair(None, seen(0, []), 0.0, None)).evidence.complaint == "boom"
