"""Pictures of a run, many seeds in one table, and the comparison of engines where there is something to compare."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from empty_bundles import obstacle_bundle

from foundation.progress import silent
from perception import model_bundle
from perception.errors import BundleError
from simulation import engine_compare, run_key
from simulation.dataset_writer import CaptureSettings, robot_config
from simulation.errors import EngineError, RunError
from simulation.lidar_capture import samples
from simulation.room_simulator import draw_room
from simulation.run_view import view
from simulation.sweep import COLUMNS, runs_folder, sweep_seeds


def _finished_run(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    angles = np.linspace(0, 3, 300)
    trajectory = np.stack([angles * 10, 1 + 0.5 * np.cos(angles), 1 + 0.5 * np.sin(angles), angles + np.pi / 2], axis=1)
    obstacles = np.zeros((200, 240), np.uint8)
    obstacles[:5] = 1
    np.savez(
        folder / "run.npz",
        true_trajectory=trajectory,
        covered=np.zeros((200, 240), bool),
        coverable=np.ones((200, 240), bool),
        obstacles=obstacles,
        geometry=np.array([0.0, 0.0, 0.01]),
        small_objects=np.array([[1.5, 1.0, 0.05, 0]]),
        hit=np.array([True]),
        hit_at_s=np.array([5.0]),
    )
    return folder


def test_a_run_becomes_a_strip_and_a_film(tmp_path: Path):
    written = view(_finished_run(tmp_path / "run"), tmp_path / "view", seconds=2)

    strip = cv2.imread(str(tmp_path / "view" / "strip.png"))
    assert strip.shape[1] == 6 * 240
    swept = (strip == (190, 224, 168)).all(axis=2)
    assert swept[:, -240:].sum() > 3 * swept[:, :240].sum() > 0
    assert {path.name for path in written} <= {"strip.png", "run.mp4"}


def test_a_folder_without_a_run_is_refused(tmp_path: Path):
    with pytest.raises(RunError, match="no finished run here"):
        view(tmp_path, tmp_path / "view")

    assert not (tmp_path / "view").exists()


def test_a_sweep_keeps_finished_runs_and_writes_one_table(tmp_path: Path):
    for seed in (4, 5):
        _kept_run(runs_folder(tmp_path, rooms=1, bundle=None, time_limit_s=10) / f"seed-{seed}")

    rows = sweep_seeds([4, 5], tmp_path, rooms=1, bundle=None, side_by_side=1, time_limit_s=10, progress=silent)

    assert [row["seed"] for row in rows] == [4, 5]
    with (tmp_path / "table.csv").open() as file:
        assert [row["coverage_ratio"] for row in csv.DictReader(file)] == ["0.5", "0.5"]


def test_runs_of_other_settings_are_never_taken_for_this_sweeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    bundle = obstacle_bundle(tmp_path)
    other = model_bundle.randomised(bundle, tmp_path / "random", seed=1).folder
    asked = [(None, None, None), (1, None, None), (None, None, 9.0), (None, bundle, None), (None, other, None)]

    def folders() -> set[Path]:
        return {runs_folder(tmp_path, rooms=one, bundle=two, time_limit_s=three) for one, two, three in asked}

    before, again = folders(), folders()
    monkeypatch.setattr(run_key, "DRIVEN_BY", ("foundation",))

    assert len(before) == len(asked)
    assert before == again
    assert not before & folders()


def test_a_sweep_with_no_bundle_there_shows_no_kept_figures(tmp_path: Path):
    _kept_run(tmp_path / "seed-4")
    _kept_run(runs_folder(tmp_path, rooms=1, bundle=None, time_limit_s=None) / "seed-4")
    how = {"rooms": 1, "side_by_side": 1, "time_limit_s": None, "progress": silent}

    with pytest.raises(BundleError, match="nowhere"):
        sweep_seeds([4], tmp_path, bundle=tmp_path / "nowhere", **how)

    assert not (tmp_path / "table.csv").exists()


@pytest.mark.parametrize("keep", [0, 30, 700])
def test_an_empty_or_torn_run_is_named(tmp_path: Path, keep: int):
    path = _finished_run(tmp_path) / "run.npz"
    path.write_bytes(path.read_bytes()[:keep])

    with pytest.raises(RunError, match=r"no finished run here: .*run\.npz"):
        view(tmp_path, tmp_path / "view")

    assert not (tmp_path / "view").exists()


def test_arrays_of_no_run_are_named(tmp_path: Path):
    np.savez(tmp_path / "run.npz", covered=np.zeros(3))

    with pytest.raises(RunError, match=r"run\.npz: not a run's arrays, it lacks true_trajectory"):
        view(tmp_path, tmp_path / "view")


def _kept_run(folder: Path) -> None:
    folder.mkdir(parents=True)
    score = dict.fromkeys(COLUMNS[1:], 0.5) | {"finished": True}
    (folder / "run.json").write_text(json.dumps(score))


def test_without_webots_the_comparison_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("WEBOTS_HOME", raising=False)

    with pytest.raises(EngineError, match="Webots is not installed"):
        engine_compare.compare(draw_room(1, rooms=1), tmp_path / "out", frames=1, seed=1)

    assert not (tmp_path / "out").exists()


def test_the_stand_ins_own_samples_hardly_differ_from_the_truth():
    room = draw_room(2, rooms=1)
    config = robot_config(CaptureSettings(1, 4, 1, 160, 120))

    difference = engine_compare.difference_of(room, config, list(samples(room, config, frames=4, seed=1)))

    assert difference.samples == 4
    assert difference.class_disagree_ratio < 0.001
    assert 0.002 < difference.range_median_m < 0.02  # the LIDAR's own noise
    assert difference.range_finite_disagree_ratio == 0
