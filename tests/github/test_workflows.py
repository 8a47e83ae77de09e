import re
from pathlib import Path

import pytest
import typer
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = {path.name: path.read_text() for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))}


def commands(text):
    """Every shell line of every step."""
    steps = [step for job in yaml.safe_load(text)["jobs"].values() for step in job["steps"]]
    return [line.strip() for step in steps for line in step.get("run", "").splitlines()]


def test_the_two_workflows_exist():
    assert set(WORKFLOWS) == {"checks.yml", "train_model.yml"}


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_only_reads_and_always_ends(name):
    workflow = yaml.safe_load(WORKFLOWS[name])

    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 90


@pytest.mark.parametrize("name", WORKFLOWS)
def test_no_input_becomes_text_of_a_script(name):
    for line in commands(WORKFLOWS[name]):
        assert "inputs." not in line and "github." not in line, line


@pytest.mark.parametrize("name", WORKFLOWS)
def test_make_targets_and_images_that_workflows_name_exist(name):
    makefile = (ROOT / "Makefile").read_text()

    for target in re.findall(r"make ([\w./-]+)", "\n".join(commands(WORKFLOWS[name]))):
        assert re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE), target
    for image in re.findall(r"image: (\w+),", WORKFLOWS[name]):
        assert (ROOT / "docker" / f"{image}.Dockerfile").is_file(), image


def test_the_demos_report_is_uploaded_from_where_the_demo_writes_it():
    from oxturn.report import loop_report

    demo = yaml.safe_load(WORKFLOWS["checks.yml"])["jobs"]["demo"]["steps"]
    [upload] = [step for step in demo if "upload-artifact" in step.get("uses", "")]
    out = re.search(r"^OUT \?= (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]

    assert upload["with"]["path"].split() == [f"{out}/{loop_report.PAGE}", f"{out}/{loop_report.PICTURES}"]


def test_the_training_workflow_calls_verbs_that_exist():
    from oxturn.cli import app, mount

    mount()
    command = typer.main.get_command(app)
    for line in commands(WORKFLOWS["train_model.yml"]):
        words = line.split()
        if words[0] != ".venv/bin/oxturn":
            continue
        found = command
        for word in words[1:]:
            if not hasattr(found, "commands"):
                break
            assert word in found.commands, line
            found = found.commands[word]
        options = {option for parameter in found.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line
