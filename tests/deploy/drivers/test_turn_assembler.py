"""Clockwise points become counter-clockwise scans."""

import math

import numpy as np

from deploy.drivers.turn_assembler import TurnAssembler


def turn(ranges_m, start_s=0.0):
    count = len(ranges_m)
    return np.arange(count) * math.tau / count, np.asarray(ranges_m, float), start_s + np.arange(count) * 0.1 / count


def test_a_point_a_quarter_turn_clockwise_lies_to_the_right():
    ranges = [1.0] * 360
    ranges[90] = 2.0
    assembler = TurnAssembler(360, 0.02, 12.0)

    scans = assembler.add(*turn(ranges)) + assembler.add(*turn(ranges, 0.1))

    (scan,) = scans
    (beam,) = np.flatnonzero(scan.ranges_m == 2.0)
    assert math.isclose(scan.bearings_rad()[beam], math.radians(270))


def test_nothing_in_range_is_inf_and_a_missing_beam_is_nan():
    angles, ranges, stamps = turn([1.0] * 360)
    ranges[10], ranges[20] = 0.0, 13.0
    kept = np.arange(360) != 30
    assembler = TurnAssembler(360, 0.02, 12.0)

    assembler.add(angles[kept], ranges[kept], stamps[kept])
    (scan,) = assembler.add(*turn([1.0] * 360, 0.1))

    assert np.isinf(scan.ranges_m[[350, 340]]).all()
    assert np.isnan(scan.ranges_m[330])


def test_the_newest_beam_gives_the_stamp_and_the_others_are_older():
    assembler = TurnAssembler(360, 0.02, 12.0)

    assembler.add(*turn([1.0] * 360, 5.0))
    (scan,) = assembler.add(*turn([1.0] * 360, 5.1))

    assert math.isclose(scan.stamp_s, 5.1 - 0.1 / 360)
    assert (scan.beam_offsets_s <= 0).all()
    assert math.isclose(scan.beam_offsets_s.min(), -0.1 * 359 / 360)


def test_half_a_turn_is_dropped():
    angles, ranges, stamps = turn([1.0] * 360)
    assembler = TurnAssembler(360, 0.02, 12.0)

    assembler.add(angles[250:], ranges[250:], stamps[250:])

    assert assembler.add(angles, ranges, stamps) == []


def test_points_in_pieces_give_the_same_scan_as_at_once():
    def scans(step):
        assembler, found = TurnAssembler(450, 0.02, 12.0), []
        angles, ranges, stamps = (
            np.concatenate(parts) for parts in zip(*(turn(np.arange(450) / 50, s) for s in (0, 0.1, 0.2)))
        )
        for at in range(0, len(angles), step):
            found += assembler.add(angles[at : at + step], ranges[at : at + step], stamps[at : at + step])
        return found

    assert [scan.ranges_m.tolist() for scan in scans(12)] == [scan.ranges_m.tolist() for scan in scans(1350)]
    assert len(scans(12)) == 2
