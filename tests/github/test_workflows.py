import re
from pathlib import Path

import pytest
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
