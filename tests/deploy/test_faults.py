"""Every boundary of the disk is cut once in an update; a robot always comes back with a verified model and can update.

The full campaign (ten thousand faults, a thousand of them killed processes) is `benchmarks/ota.py`.
"""

import logging

import pytest
from update_campaign import SCENARIOS, Campaign

UPDATES = [scenario for scenario in SCENARIOS if scenario.third is not None]


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    logging.getLogger("deploy").setLevel(logging.ERROR)  # a damaged slot is what these tests are about
    yield Campaign(tmp_path_factory.mktemp("campaign"))
    logging.getLogger("deploy").setLevel(logging.NOTSET)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_power_cut_at_any_boundary_strands_nobody(campaign, scenario):
    boundaries = campaign.boundaries(scenario)
    step = 1 if scenario.name in ("good update", "rollback by hand") else 3  # the others begin alike

    for boundary in range(1, len(boundaries) + 2, step):
        assert campaign.power_cut(scenario, boundary, seed=boundary).broken == []


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_killed_process_strands_nobody(campaign, scenario, tmp_path):
    boundaries = campaign.boundaries(scenario)

    for boundary in range(1, len(boundaries) + 2, 9):
        assert campaign.killed_process(scenario, boundary, tmp_path).broken == []


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_full_disk_strands_nobody(campaign, scenario):
    boundaries = campaign.boundaries(scenario)

    for boundary in range(1, len(boundaries) + 1, 6):
        assert campaign.full_disk(scenario, boundary).broken == []


@pytest.mark.parametrize("scenario", UPDATES, ids=lambda scenario: scenario.name)
def test_damaged_files_and_dropped_lines_strand_nobody(campaign, scenario):
    for seed in range(6):
        assert campaign.damaged_file(scenario, seed).broken == []
        assert campaign.cut_line(scenario, seed).broken == []


def test_the_campaign_notices_a_missing_fsync(campaign, monkeypatch):
    from deploy import robot_home

    def careless(disk, path, data):
        staged = path.with_name(f".{path.name}.new")
        disk.write(staged, data)
        disk.rename(staged, path)
        disk.fsync_folder(path.parent)

    monkeypatch.setattr(robot_home, "replace_file", careless)

    assert any(campaign.power_cut(UPDATES[0], boundary, seed=3).broken for boundary in range(1, 12))
