"""The job told by `oxturn evaluate --job`: which rooms are driven how, what is kept, what is refused."""

import json
from pathlib import Path

import pytest
from empty_bundles import obstacle_bundle, row_bundle
from typer.testing import CliRunner

from foundation.progress import silent
from oxturn import cli, job_rooms
from oxturn.verdict import JobFigures
from perception.errors import BundleError
from simulation import run_key
from simulation.errors import RunError


class Driver:
    """Hits one thing in five with a bundle; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, bool, int | None]] = []
        self.folders: set[Path] = set()

    def __call__(self, seed: int, to: Path, bundle: Path | None, flat_rooms: int | None) -> JobFigures:
        self.asked.append((seed, bundle is not None, flat_rooms))
        self.folders.add(to.parent)
        return JobFigures(0.98, 0, 10, 2 if bundle is not None else 8, 300.0 + seed, 40.0, 0.02)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return obstacle_bundle(tmp_path_factory.mktemp("obstacles"))


def compared(bundle: Path, out: Path, drive: Driver, flat_rooms: int | None = 1) -> dict:
    return job_rooms.compare(bundle, [5, 6], out, flat_rooms=flat_rooms, side_by_side=1, progress=silent, drive=drive)


def test_the_same_rooms_are_driven_by_lidar_only_and_with_the_bundle(bundle: Path, tmp_path: Path):
    drive = Driver()

    costs = compared(bundle, tmp_path, drive)

    assert drive.asked == [(5, False, 1), (6, False, 1), (5, True, 1), (6, True, 1)]
    assert (costs["lidar"].hits, costs["model"].hits, costs["model"].objects) == (16, 4, 20)
    lines = job_rooms.table(costs, [5, 6])
    assert len(lines) == 7
    assert lines[-1].split() == ["model", "all", "98.00%", "4/20", "0", "611"]


def test_the_gates_job_is_driven_once_a_model_in_single_rooms(bundle: Path, tmp_path: Path, monkeypatch):
    from oxturn.jobs import training
    from perception.gate import JobWorth

    drive = Driver()
    monkeypatch.setattr(job_rooms, "driven", drive)
    monkeypatch.setattr(training.tempfile, "gettempdir", lambda: str(tmp_path))

    worth = training._job_of(bundle, 2)

    first = job_rooms.FIRST_SEED
    assert sorted(drive.asked) == [(first, True, 1), (first + 1, True, 1)]
    assert worth == JobWorth(0.98, 4, 0, 300.0 + first + 0.5)


def test_runs_of_another_bundle_or_other_rooms_are_never_taken_for_this_ones(bundle: Path, tmp_path: Path):
    from perception import model_bundle

    other = model_bundle.randomised(bundle, tmp_path / "random", seed=1).folder
    one, same, shuffled, larger = Driver(), Driver(), Driver(), Driver()

    compared(bundle, tmp_path, one)
    compared(bundle, tmp_path, same)
    compared(other, tmp_path, shuffled)
    compared(bundle, tmp_path, larger, flat_rooms=3)

    assert one.folders == same.folders
    assert len(one.folders & shuffled.folders) == 1  # LIDAR only is the same run
    assert not one.folders & larger.folders


def test_other_code_drives_again(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    before, after = Driver(), Driver()
    compared(bundle, tmp_path, before)
    monkeypatch.setattr(run_key, "DRIVEN_BY", ("foundation",))

    compared(bundle, tmp_path, after)

    assert not before.folders & after.folders


def test_a_finished_run_is_read_and_not_driven_again(tmp_path: Path):
    score = dict.fromkeys(JobFigures.__slots__, 1) | {"coverage_ratio": 0.5, "finished": True}
    (tmp_path / "run.json").write_text(json.dumps(score), encoding="utf-8")

    assert job_rooms.driven(-1, tmp_path, None, 1).coverage_ratio == 0.5  # seed -1 cannot be drawn


def test_a_robot_that_never_said_where_it_is_is_no_figure(tmp_path: Path):
    score = dict.fromkeys(JobFigures.__slots__, 1) | {"localisation_error_m": None}
    (tmp_path / "run.json").write_text(json.dumps(score), encoding="utf-8")

    with pytest.raises(RunError, match="room 5: the robot published no pose"):
        job_rooms.driven(5, tmp_path, None, 1)


def test_a_bundle_that_cannot_do_the_job_is_refused_before_anything_is_driven(tmp_path: Path):
    drive = Driver()

    with pytest.raises(BundleError, match="a bundle of tiny_rows; the job is driven with one of obstacles"):
        compared(row_bundle(tmp_path), tmp_path, drive)
    with pytest.raises(BundleError, match="nowhere"):
        compared(tmp_path / "nowhere", tmp_path, drive)
    assert drive.asked == []


def test_the_verb_tells_the_job_as_json_and_as_a_table(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(job_rooms, "driven", Driver())
    arguments = ["evaluate", "--bundle", str(bundle), "--job", "2", "--out", str(tmp_path)]

    document = json.loads(said(*arguments, "--json"))
    lines = said(*arguments).splitlines()

    assert document["job"]["lidar"]["small_objects_hit"] == 16
    assert document["job"]["model"] == {
        "name": "model", "rooms": 2, "coverage_ratio_mean": 0.98, "coverage_ratio_worst": 0.98, "small_objects": 20,
        "small_objects_hit": 4, "collisions": 0, "duration_s": 10601.0, "localisation_error_m_worst": 0.02,
    }  # fmt: skip
    assert any(line.startswith("lidar      all   98.00%   16/20") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "want either --bundle or --run"),
        (("--bundle", "b"), "want --data, --job or both"),
        (("--bundle", "b", "--run", "r", "--job", "1"), "want either --bundle or --run"),
        (("--bundle", "b", "--job", "-1"), "greater than or equal to 0"),
    ],
)
def test_wrong_usage_is_told(arguments: tuple[str, ...], message: str):
    result = runner().invoke(cli.app, ["evaluate", *arguments])

    assert result.exit_code == 2
    assert message in " ".join(result.output.replace("│", " ").split())


def said(*arguments: str) -> str:
    result = runner().invoke(cli.app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout


def runner() -> CliRunner:
    if not cli.app.registered_commands:
        cli.mount()
    return CliRunner()
