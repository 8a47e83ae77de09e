import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from navigation.coverage.clearance import centre_gaps, gap_at, line_clear, squared_distance
from navigation.coverage.sweep_labels import along_rows
from navigation.coverage.sweeping import count_line, count_path, ledger_of, swap_lines, sweeps_of


def blocks(seed: int, rows: int = 40, cols: int = 50) -> np.ndarray:
    rng = np.random.default_rng(seed)
    free = np.ones((rows, cols), bool)
    for _ in range(int(rng.integers(0, 6))):
        row, col = rng.integers(0, rows), rng.integers(0, cols)
        free[row : row + rng.integers(1, 9), col : col + rng.integers(1, 9)] = False
    return free


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_distances_are_those_of_an_exact_transform(seed: int):
    free = blocks(seed)

    ours = squared_distance(~free, True)

    exact = ndimage.distance_transform_edt(np.pad(free, 1))[1:-1, 1:-1]
    assert np.allclose(np.sqrt(ours), exact)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_a_line_called_clear_keeps_its_gap_at_every_point(seed: int):
    free = blocks(seed)
    gap = 2.5
    ground = (free, centre_gaps(free, squared_distance(~free, True), gap), gap)
    rng = np.random.default_rng(seed)

    for _ in range(40):
        r0, c0, r1, c1 = rng.uniform(0, 40), rng.uniform(0, 50), rng.uniform(0, 40), rng.uniform(0, 50)
        least = min(
            gap_at(free, r0 + (r1 - r0) * t, c0 + (c1 - c0) * t, gap + 1) for t in np.linspace(0, 1, 600)
        )  # fmt: skip
        assert line_clear(ground, r0, c0, r1, c1) == line_clear(ground, r1, c1, r0, c0)
        if line_clear(ground, r0, c0, r1, c1):
            assert least >= gap - 1e-3
        else:
            assert least < gap + 0.01


@settings(max_examples=40, deadline=None)
@given(st.floats(5, 30), st.floats(5, 30), st.floats(5, 30), st.floats(5, 30), st.floats(0.6, 6))
def test_a_swept_line_is_every_cell_within_the_radius(r0: float, c0: float, r1: float, c1: float, radius: float):
    wanted = np.ones((36, 36), bool)
    ledger = ledger_of(wanted)

    gained = count_line(ledger, r0, c0, r1, c1, (radius, True, 0.0), 1)

    cells = np.argwhere(wanted).astype(float)
    a, along = np.array([r0, c0]), np.array([r1 - r0, c1 - c0])
    share = np.clip((cells - a) @ along / max(float(along @ along), 1e-12), 0, 1)
    away = np.hypot(*(cells - a - share[:, None] * along).T).reshape(36, 36)
    assert not (ledger[away > radius + 1e-4] > 0).any()
    assert (ledger[away < radius - 1e-4] == 1).all()
    assert gained == (ledger > 0).sum()


def test_taking_a_sweep_back_leaves_nothing_behind():
    ledger = ledger_of(np.ones((20, 20), bool))
    tool = (2.0, False, 1.0)

    gained = count_line(ledger, 5.0, 4.0, 9.0, 15.0, tool, 1)

    assert gained > 0
    assert count_line(ledger, 5.0, 4.0, 9.0, 15.0, tool, -1) == gained
    assert not ledger.any()


TOOLS = ((3.0, True, 0.0), (2.5, False, 0.0), (2.5, True, 2.0))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(TOOLS))
def test_lines_swapped_at_once_count_as_one_after_the_other(seed: int, tool):
    rng = np.random.default_rng(seed)
    one_by_one = ledger_of(blocks(seed))
    old = rng.integers(0, 40, (int(rng.integers(1, 5)), 4)).astype(float)
    new = rng.integers(0, 40, (int(rng.integers(0, 5)), 4)).astype(float)
    new[: len(old)] = np.where(rng.random((min(len(new), len(old)), 4)) < 0.7, old[: len(new)], new[: len(old)])
    for line in old:
        count_line(one_by_one, *line, tool, 1)
    at_once = one_by_one.copy()
    swept = one_by_one > 0
    for line in new:
        count_line(one_by_one, *line, tool, 1)
    for line in old:
        count_line(one_by_one, *line, tool, -1)
    gained = int((one_by_one > 0).sum()) - int(swept.sum())
    lines = np.column_stack([np.concatenate([new, old]), [1.0] * len(new) + [-1.0] * len(old)])

    before, sweeps = at_once.copy(), sweeps_of(at_once)
    assert swap_lines(sweeps, lines, len(lines), tool, False, gained) == gained
    for more in (1, 5, 50):
        assert swap_lines(sweeps, lines, len(lines), tool, False, gained + more) < gained + more
    assert np.array_equal(at_once, before)
    assert swap_lines(sweeps, lines, len(lines), tool, True, 0) == gained
    assert np.array_equal(at_once, one_by_one)
    assert np.array_equal(sweeps.missed, sweeps_of(one_by_one).missed)


def test_all_the_floor_that_a_line_can_gain_is_expected_of_it():
    sweeps = sweeps_of(ledger_of(np.ones((20, 30), bool)))
    whole = np.array([[10.0, 2.0, 10.0, 27.0, 1.0]])

    assert swap_lines(sweeps, whole, 1, (20.0, True, 0.0), False, 600) == 600


def test_a_bar_sweeps_nothing_ahead_and_a_tool_to_the_left_sweeps_left():
    bar = ledger_of(np.ones((21, 21), bool))
    left = ledger_of(np.ones((21, 21), bool))

    count_line(bar, 10.0, 5.0, 10.0, 15.0, (2.0, False, 0.0), 1)
    count_line(left, 10.0, 5.0, 10.0, 15.0, (2.0, False, 3.0), 1)  # towards +x: left is +y, growing rows

    assert set(np.argwhere(bar)[:, 1]) == set(range(5, 16))
    assert set(np.argwhere(left)[:, 0]) == set(range(11, 16))


def test_floor_counts_once_for_the_leg_that_sweeps_it_first():
    ledger = ledger_of(np.ones((20, 30), bool))
    path = np.array([[10.0, 5.0], [10.0, 20.0], [10.0, 5.0]])

    fresh = count_path(ledger, path, (2.0, True, 0.0))

    assert fresh[0] > 0
    assert fresh[1] == 0


def test_a_corridor_is_swept_along_its_length():
    corridor = np.zeros((40, 40), bool)
    corridor[18:22] = True

    assert along_rows(corridor, 2)[corridor].all()
    assert not along_rows(corridor.T.copy(), 2)[corridor.T].any()
