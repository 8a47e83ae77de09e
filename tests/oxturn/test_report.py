import json
import math
import re

import numpy as np
import pytest

from foundation.errors import OxturnError
from oxturn.report import driven_run, page, pictures
from oxturn.verdict import Row, Verdict


@pytest.fixture
def run_folder(tmp_path):
    """A robot that drove a square in a 3 m room, its map turned by 30 degrees against the world."""
    corners = np.array([[0.5, 0.5], [2.5, 0.5], [2.5, 2.5], [0.5, 2.5]])
    true = np.column_stack([np.arange(4.0), corners, np.zeros(4)])
    turn = math.radians(30)
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    published = np.column_stack([np.arange(4.0), (corners - [0.5, 0.5]) @ rotation, np.zeros(4)])
    obstacles = np.ones((30, 30), np.uint8)
    obstacles[1:-1, 1:-1] = 0
    coverable = obstacles == 0
    folder = tmp_path / "run"
    (folder / "robot").mkdir(parents=True)
    np.savez(
        folder / "run.npz",
        true_trajectory=true,
        published_trajectory=published,
        covered=coverable & (np.arange(30) < 25),
        coverable=coverable,
        obstacles=obstacles,
        geometry=np.array([0.0, 0.0, 0.1]),
        small_objects=np.array([[1.0, 1.0, 0.05, 0], [2.0, 2.0, 0.1, 4]]),
        hit=np.array([True, False]),
        robot_map=np.full((10, 10), 100, np.int8),
        robot_map_geometry=np.array([-0.5, -0.5, 0.1]),
    )
    (folder / "run.json").write_text(json.dumps({"coverage_ratio": 0.89, "localisation_error_m": 0.01}))
    (folder / "robot" / "tick_ms.json").write_text(json.dumps({"localise": {"p50": 2.0, "p99": 5.0, "max": 9.0}}))
    return folder


def test_every_picture_of_a_run_is_drawn(run_folder, tmp_path):
    run = driven_run.load(run_folder, "with the model")

    drawn = [
        draw(run, tmp_path / f"{draw.__name__}.png")
        for draw in (pictures.driven_path, pictures.coverage, pictures.map_over_truth, pictures.loop_timings)
    ]

    assert all(path.read_bytes().startswith(b"\x89PNG") for path in drawn)


def test_the_robots_map_is_laid_over_the_truth_by_the_fit_of_the_trajectories(run_folder):
    run = driven_run.load(run_folder, "run")

    late = run.published_trajectory[1:]  # the first pose was not published
    published, true = pictures.matched(late, run.true_trajectory)
    laid = pictures.rigid_fit(published, true).transform(published)

    np.testing.assert_allclose(laid, run.true_trajectory[1:, 1:3])


def test_a_run_that_left_no_map_gives_no_map_picture(run_folder, tmp_path):
    with np.load(run_folder / "run.npz") as arrays:
        kept = {key: arrays[key] for key in arrays.files if not key.startswith("robot_map")}
    np.savez(run_folder / "run.npz", **kept)

    assert pictures.map_over_truth(driven_run.load(run_folder, "run"), tmp_path / "map.png") is None


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(OxturnError, match="not a finished coverage run"):
        driven_run.load(tmp_path, "run")


def test_the_page_is_self_contained_and_escapes_what_it_is_told(run_folder, tmp_path):
    picture = pictures.coverage(driven_run.load(run_folder, "run"), tmp_path / "coverage.png")
    verdict = Verdict((Row("covered", 0.89, ">=", 0.97), Row("collisions", 0, "==", 0)))
    sections = [page.Section("Rooms <b>", "a & b", page.Table(("k",), [("<v>",)]), [page.Picture(picture, "it's")])]

    text = page.write(tmp_path / "report.html", "A run", "lead", verdict, sections).read_text()

    assert "failed" in text
    assert "Rooms &lt;b&gt;" in text
    assert "&lt;v&gt;" in text
    assert not re.search(r"(src|href)=.(?!data:)", text)
    assert "✓" in text
    assert "✗" in text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(None, "m", "not measured"), (0.98123, "", "0.9812"), (3.0, "", "3"), (480000, "bytes", "480,000 bytes")],
)
def test_figures_read_as_people_write_them(value, unit, text):
    assert page.shown(value, unit) == text
