"""What a run leaves in its folder."""

from types import SimpleNamespace

from foundation.geometry import Pose2D
from monitoring.run_folder import RunFolder


def _tick(stamp_s: float) -> SimpleNamespace:
    estimate = SimpleNamespace(stamp_s=stamp_s, map_from_base=Pose2D(1.0, 2.0, 0.0))
    return SimpleNamespace(estimate=estimate, observation=SimpleNamespace(frame=None), detections=None)


def test_what_the_planner_said_is_kept_with_its_time(tmp_path):
    folder = RunFolder(tmp_path / "out")

    folder.on_event("begins")
    folder.on_tick(_tick(0.5))
    folder.on_tick(_tick(12.34))
    folder.on_event("stuck at 1.00, 2.00")
    folder.finish({}, {"finished": True}, [])

    lines = (tmp_path / "out" / "events.txt").read_text().splitlines()
    assert lines == ["0.0\tbegins", "12.3\tstuck at 1.00, 2.00"]
    assert len((tmp_path / "out" / "published.tum").read_text().splitlines()) == 2


def test_a_run_without_events_leaves_an_empty_list(tmp_path):
    RunFolder(tmp_path).finish({}, {"finished": False}, [])

    assert (tmp_path / "events.txt").read_text() == ""
