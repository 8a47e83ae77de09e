import re
import subprocess
from pathlib import Path

import pytest
import yaml
from local_prometheus import PROMTOOL

from monitoring import alert_rules
from monitoring.alert_rules import rules

TESTS = Path(__file__).parent / "alert_rules_test.yml"
ROOT = Path(__file__).parents[2]
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed: apt-get install prometheus")


def promtool(*arguments, cwd=ROOT):
    return subprocess.run([PROMTOOL, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False)


@needs_promtool
def test_promtool_accepts_the_configuration_and_every_rule():
    checked = promtool("check", "config", "monitoring/prometheus/prometheus.yml")

    assert checked.returncode == 0, checked.stderr
    assert f"{len(rules())} rules found" in checked.stdout


@needs_promtool
def test_the_rules_fire_when_they_should_and_only_then():
    tested = promtool("test", "rules", TESTS)

    assert tested.returncode == 0, tested.stdout + tested.stderr


@needs_promtool
@pytest.mark.parametrize("broken", ["vector(0) > 1", 'label_replace(vector(1), "instance", "other", "", "")'])
@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.name)
def test_no_rule_can_break_unnoticed(rule, broken, tmp_path):
    document = alert_rules.documents()["oxturn.rules.yml"]
    for group in document["groups"]:
        for written in group["rules"]:
            if written["alert"] == rule.name:
                written["expr"] = broken
    tests = yaml.safe_load(TESTS.read_text())
    tests["tests"] = [test for test in tests["tests"] if rule.name in str(test)]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(document))
    (tmp_path / "tests.yml").write_text(yaml.safe_dump({**tests, "rule_files": ["rules.yml"]}))

    assert promtool("test", "rules", "tests.yml", cwd=tmp_path).returncode != 0


def test_every_rule_has_a_runbook():
    runbooks = (ROOT / "docs" / "runbooks.md").read_text()

    assert re.findall(r"^## (\w+)$", runbooks, re.MULTILINE) == [rule.name for rule in rules()]


def test_alertmanager_routes_both_severities():
    config = yaml.safe_load((ROOT / "monitoring/alertmanager/alertmanager.yml").read_text())
    receivers = {receiver["name"] for receiver in config["receivers"]}

    assert {config["route"]["receiver"], config["route"]["routes"][0]["receiver"]} == receivers
    assert config["route"]["routes"][0]["matchers"] == ['severity="page"']
    assert {rule.severity for rule in rules()} == {"page", "ticket"}
