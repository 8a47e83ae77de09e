import importlib.metadata
import json

from typer.testing import CliRunner

from oxturn import doctor
from oxturn.cli import app, mount


def test_whatever_is_not_in_order_comes_with_a_command_that_mends_it():
    findings = doctor.examine()

    assert {finding.what for finding in findings} >= {"Python", "extra robot", "GL for rendering", "Webots"}
    assert all(finding.mend for finding in findings if finding.state != "ok")


def test_a_package_that_is_not_installed_is_named(monkeypatch):
    def version(name):
        if name == "mujoco":
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(importlib.metadata, "version", version)

    finding = doctor.extra("sim")

    assert finding.state == "missing"
    assert "lacks mujoco" in finding.detail
    assert ".[sim]" in finding.mend


def test_the_verb_prints_one_json_document():
    mount()

    result = CliRunner().invoke(app, ["doctor", "--json"])

    assert json.loads(result.stdout)["findings"]
