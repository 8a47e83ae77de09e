import pytest

from foundation.progress import silent
from oxturn.job_cost import job_cost
from oxturn.verdict import JobFigures


def drive(seed, out):
    return JobFigures(0.9 + seed / 100, seed, 10, seed, 100.0 * seed, 50.0, seed / 1000)


def test_rooms_are_added_up_in_their_order(tmp_path):
    cost = job_cost("blind", [3, 1, 2], drive, tmp_path, side_by_side=2, progress=silent)

    assert [run.small_objects_hit for run in cost.runs] == [3, 1, 2]
    assert (cost.hits, cost.objects, cost.collisions, cost.duration_s) == (6, 30, 6, 600.0)
    assert cost.mean_coverage_ratio == pytest.approx(0.92)
    assert cost.worst_coverage_ratio == pytest.approx(0.91)
    assert cost.to_json()["localisation_error_m_worst"] == 0.003


def test_a_run_that_fails_is_not_left_out_of_the_sum(tmp_path):
    def breaks(seed, out):
        raise RuntimeError(f"room {seed}")

    with pytest.raises(RuntimeError, match="room 3"):
        job_cost("blind", [3, 1], breaks, tmp_path, side_by_side=1, progress=silent)
