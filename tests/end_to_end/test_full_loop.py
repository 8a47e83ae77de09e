"""The whole loop, too small to learn anything: every joint is real, the figures may fall short."""

import json

import pytest

from foundation.progress import silent
from oxturn.full_loop import full_loop
from oxturn.loop_settings import LoopSettings

TINY = LoopSettings(seed=3, rooms=8, frames=12, train_minutes=0.1)


@pytest.mark.slow
def test_the_loop_runs_from_seed_to_report_and_resumes_without_doing_anything_twice(tmp_path):
    out = tmp_path / "loop"

    verdict = full_loop(out, TINY, silent)

    told = json.loads((out / "verdict.json").read_text())
    assert told == verdict.to_json()
    assert {row["name"] for row in told["rows"]} >= {"covered with the model", "metrics scraped over HTTP, times"}
    lidar_only = json.loads((out / "7-driven" / "lidar_only" / "run.json").read_text())
    assert lidar_only["coverage_ratio"] > 0.9
    assert lidar_only["collisions"] == 0
    assert "oxturn_" in (out / "7-driven" / "with_model" / "robot" / "metrics.prom").read_text()
    assert "data:image/png;base64," in (out / "report.html").read_text()
    stamps = {path: path.stat().st_mtime_ns for path in out.glob("*/stage.json")}
    assert len(stamps) == 7

    assert full_loop(out, TINY, silent).to_json() == told
    assert {path: path.stat().st_mtime_ns for path in out.glob("*/stage.json")} == stamps
