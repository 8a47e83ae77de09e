"""What a thing is that was seen at some looks and not at others."""

import math
from dataclasses import replace

import numpy as np
import pytest
from detected import detections

from foundation.geometry import IDENTITY, Pose2D
from foundation.robot_config import RobotConfig
from navigation.edge_points import EdgePoint, contradicted, grouped
from navigation.object_layer import ObjectLayer

AHEAD = Pose2D(0.0, 0.0, 0.0)


def point(seen, missed, *, x_m=0.4, number=0, entered=True):
    return EdgePoint(
        number, x_m, 0.0, 0.01, 0.005, 0, (x_m, 0.0), 5.0, AHEAD, 1.0, 3.0, 0.4, {0: 1.0}, seen, entered, missed, True
    )


@pytest.mark.parametrize(
    ("looks", "entered", "is_contradicted"),
    [
        ([(75, 25)], True, False),
        ([(74, 26)], True, True),
        ([(6, 3)], True, False),  # too few looks to say
        ([(6, 4)], True, True),
        ([(40, 0), (33, 27)], True, True),  # the thing is asked, not the point
        ([(70, 10), (3, 7)], True, False),
        ([(79, 21)], False, True),  # one that has left comes back later than it left
        ([(80, 20)], False, False),
    ],
)
def test_a_thing_that_too_few_looks_saw_is_contradicted(looks, entered, is_contradicted):
    thing = [point(seen, missed, entered=entered) for seen, missed in looks]
    elsewhere = [point(1, 99, x_m=2.0), point(99, 1, x_m=3.0)]

    assert contradicted([*elsewhere, *thing], 0.75).tolist() == [True, False] + [is_contradicted] * len(thing)


def test_chains_are_one_group_and_what_lies_apart_is_another():
    groups = grouped([point(1, 0, x_m=x_m, number=k) for k, x_m in enumerate((0.0, 0.09, 0.5, 0.18))])

    assert sorted(sorted(one.number for one in group) for group in groups) == [[0, 1, 3], [2]]
    assert grouped([]) == [] and not len(contradicted([], 0.75))


class Looker:
    """A robot that stands before a place and looks, now a little from the left, now from the right."""

    def __init__(self) -> None:
        self.layer = ObjectLayer(RobotConfig().camera.pinhole(), 1.5)
        self.looks = 0

    def look(self, *, sees: bool) -> None:
        self.looks += 1
        view = Pose2D(0.0, 0.06 * (self.looks % 2), 0.0)
        ((x_m, y_m),) = view.inverse().transform(np.array([[0.45, 0.0]]))
        self.layer.update(detections((x_m, y_m, 0.02)) if sees else detections(), view, 0, IDENTITY, lambda *_: False)


def test_what_is_seen_at_two_looks_of_three_leaves_the_plan_and_a_thing_stays():
    flickers, thing = Looker(), Looker()
    for k in range(60):
        flickers.look(sees=k % 3 != 0)
        thing.look(sees=k % 20 != 7)

    assert thing.layer.discs() and not flickers.layer.discs()
    assert flickers.layer.suspects()  # driven past slowly


def test_a_thing_wrongly_doubted_comes_back_when_it_is_seen_again():
    looker = Looker()
    for k in range(30):
        looker.look(sees=k % 3 != 0)
    assert not looker.layer.discs()
    looker.layer.take_changed()
    for _ in range(60):
        looker.look(sees=True)

    assert looker.layer.discs()
    assert looker.layer.take_changed()  # the plan hears of it


def test_leaving_the_plan_is_told_as_a_change():
    layer = ObjectLayer(RobotConfig().camera.pinhole(), 1.5)
    layer.restore([point(30, 30)])
    assert layer.take_changed()
    for _ in range(5):
        layer.update(detections(), Pose2D(5.0, 5.0, math.pi), 0, IDENTITY, lambda *_: False)

    assert layer.take_changed() == [(0.4, 0.0, pytest.approx(0.030))]
    assert layer.take_changed() == []


def test_what_is_driven_over_is_gone_even_when_it_had_left_the_plan():
    layer = ObjectLayer(RobotConfig().camera.pinhole(), 1.5)
    layer.restore([point(30, 30, entered=False), replace(point(9, 0, number=1, x_m=0.41))])
    layer.judge(Pose2D(0.4, 0.0, 0.0), 0.17, 10.0)

    assert not layer.points()
    assert layer.health.driven_over == 1


def test_points_of_an_older_file_are_believed_as_far_as_they_were_in_the_plan():
    layer = ObjectLayer(RobotConfig().camera.pinhole(), 1.5)
    old = EdgePoint(0, 0.4, 0.0, 0.01, 0.005, 0, (0.4, 0.0), 5.0, AHEAD, 1.0, 3.0, 0.4, {0: 1.0}, 4, True)
    layer.restore([old])

    assert old.believed and old.missed == 0
