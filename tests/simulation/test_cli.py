"""The `sim` verbs as a user types them."""

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import simulation.cli
from foundation.errors import OxturnError

APP = typer.Typer()
simulation.cli.register(APP)


def _said(*words: str) -> str:
    result = CliRunner().invoke(APP, ["sim", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_world_writes_exactly_three_files(tmp_path: Path):
    _said("world", "--seed", "4", "--out", str(tmp_path / "w"))

    assert sorted(path.name for path in (tmp_path / "w").iterdir()) == ["room.json", "world.wbt", "world.xml"]


def test_capture_prints_one_json_document(tmp_path: Path):
    out = tmp_path / "c"
    words = ("--rooms", "1", "--frames", "2", "--seed", "4", "--width", "64", "--height", "48")

    said = json.loads(_said("capture", *words, "--workers", "1", "--out", str(out), "--json"))

    assert said["samples"] == 2


@pytest.mark.parametrize(
    "words",
    [("world", "--seed", "1"), ("sweep", "--seeds", "1:1"), ("run", "--seed", "1"), ("view", "RUN")],
    ids=lambda words: words[0],
)
def test_a_file_as_out_is_named_and_kept(tmp_path: Path, words: tuple[str, ...]):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "run").mkdir()
    names = ("true_trajectory", "geometry", "covered", "coverable", "obstacles", "small_objects", "hit")
    np.savez(tmp_path / "run" / "run.npz", **dict.fromkeys(names, np.zeros(1)))

    with pytest.raises(OxturnError, match=r"file is a file"):
        _said(*(str(tmp_path / "run") if word == "RUN" else word for word in words), "--out", str(tmp_path / "file"))

    assert (tmp_path / "file").read_text() == "mine"


def test_no_runs_at_a_time_is_wrong_usage(tmp_path: Path):
    words = ["sim", "sweep", "--seeds", "1:1", "--side-by-side", "0", "--out", str(tmp_path / "out")]

    result = CliRunner().invoke(APP, words)

    assert result.exit_code == 2
    assert "--side-by-side" in result.output


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("world", "--seed", "-1", "--out", "OUT"), "seed = -1"),
        (("world", "--seed", "-1", "--plan", "no.png", "--out", "OUT"), "seed = -1"),
        (("run", "--out", "OUT"), "either --seed or --room"),
        (("run", "--room", "missing.json", "--out", "OUT"), "missing.json: cannot be read"),
        (("sweep", "--seeds", "9:3", "--out", "OUT"), "--seeds 9:3"),
        (("capture", "--rooms", "0", "--frames", "1", "--seed", "1", "--out", "OUT"), "rooms = 0"),
        (("view", "missing", "--out", "OUT"), "no finished run here"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(tmp_path: Path, words: tuple[str, ...], says: str):
    out = tmp_path / "out"

    with pytest.raises(OxturnError) as error:
        _said(*(str(out) if word == "OUT" else word for word in words))

    assert says in str(error.value)
    assert "\n" not in str(error.value)
    assert not out.exists()
