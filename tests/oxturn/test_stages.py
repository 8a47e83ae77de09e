import pytest

from foundation.errors import OxturnError
from oxturn.stages import Stages


def writes(text, calls):
    def work(folder):
        calls.append(text)
        (folder / "work").write_text(text)
        return {"length": len(text)}

    return work


def test_a_finished_stage_is_not_run_again(tmp_path):
    calls = []
    first = Stages(tmp_path / "out").run("data", {"seed": 1}, writes("rooms", calls))

    again = Stages(tmp_path / "out").run("data", {"seed": 1}, writes("rooms", calls))

    assert calls == ["rooms"]
    assert (again.resumed, again.facts, again.key) == (True, {"length": 5}, first.key)


def test_other_settings_or_another_source_run_it_again(tmp_path):
    calls = []
    out = tmp_path / "out"
    for seed in (1, 2):
        stages = Stages(out)
        data = stages.run("data", {"seed": seed}, writes("rooms", calls))
        stages.run("model", {}, writes("model", calls), after=(data,))

    assert calls == ["rooms", "model", "rooms", "model"]


def test_a_stage_that_fails_leaves_nothing_under_its_name(tmp_path):
    def fails(folder):
        (folder / "half").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Stages(tmp_path / "out").run("data", {}, fails)

    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["oxturn.json"]


def test_a_record_that_is_not_json_means_run_it_again(tmp_path):
    calls = []
    Stages(tmp_path).run("data", {}, writes("rooms", calls))
    (tmp_path / "data" / "stage.json").write_text("{")

    Stages(tmp_path).run("data", {}, writes("rooms", calls))

    assert calls == ["rooms", "rooms"]


def test_somebody_elses_folder_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")

    with pytest.raises(OxturnError, match="not of an Oxturn run"):
        Stages(tmp_path)


def test_a_file_as_out_is_refused(tmp_path):
    (tmp_path / "out").write_text("")

    with pytest.raises(OxturnError, match="is a file"):
        Stages(tmp_path / "out")
