"""Every boundary of a software update is cut once; a robot comes up with whole software that is allowed to run.

The full campaign is `benchmarks/ota.py`.
"""

import logging
import random

import pytest
from fake_disk import PowerCut
from fake_health import FakeClock
from fake_publisher import NOW_S
from fake_software import behaviour, guard, install_software, start
from software_campaign import SOFTWARE_SCENARIOS, SoftwareCampaign
from update_campaign import HOME, deliver

from deploy import software_trial
from deploy.robot_home import RobotHome

UPDATES = [scenario for scenario in SOFTWARE_SCENARIOS if scenario.third is not None]
NAMES = {"ids": lambda scenario: scenario.name}


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    logging.getLogger("deploy").setLevel(logging.ERROR)  # a slot that is not whole is what these tests are about
    yield SoftwareCampaign(tmp_path_factory.mktemp("campaign"))
    logging.getLogger("deploy").setLevel(logging.NOTSET)


@pytest.mark.parametrize("scenario", SOFTWARE_SCENARIOS, **NAMES)
def test_a_power_cut_at_any_boundary_strands_nobody(campaign, scenario):
    boundaries = campaign.boundaries(scenario)
    first = 1 if scenario.name == "good software" else 40  # until the switch they are alike

    for boundary in range(min(first, len(boundaries)), len(boundaries) + 2):
        assert campaign.power_cut(scenario, boundary, seed=boundary).broken == []


@pytest.mark.parametrize("scenario", SOFTWARE_SCENARIOS, **NAMES)
def test_a_killed_process_or_a_full_disk_strands_nobody(campaign, scenario, tmp_path):
    boundaries = campaign.boundaries(scenario)

    for boundary in range(1, len(boundaries) + 2, 11):
        assert campaign.killed_process(scenario, boundary, tmp_path).broken == []
        assert campaign.full_disk(scenario, boundary).broken == []


@pytest.mark.parametrize("scenario", UPDATES, **NAMES)
def test_damaged_files_and_dropped_lines_strand_nobody(campaign, scenario):
    for seed in range(4):
        assert campaign.damaged_file(scenario, seed).broken == []
        assert campaign.cut_line(scenario, seed).broken == []


def test_the_campaign_notices_an_environment_that_is_not_on_the_disk(campaign, monkeypatch):
    from fake_disk import FakeDisk

    monkeypatch.setattr(FakeDisk, "sync", lambda self: None)

    cuts = range(50, 80)
    assert any(campaign.power_cut(UPDATES[0], boundary, seed=boundary * 7).broken for boundary in cuts)


def on_trial(campaign):
    """A robot whose new software waits for its first start."""
    disk, files = campaign.base["good software"]
    home = software_trial.home_of(RobotHome(HOME, disk.after_kill()))
    deliver(home, files)
    install_software(home, FakeClock(NOW_S))
    return home


def cut_in(act, home, cut_at, seed):
    """The robot's home after `act`, with the power cut at its boundary `cut_at` where it has so many."""
    home.disk.cut_at = len(home.disk.boundaries) + cut_at
    try:
        act(home)
    except PowerCut:
        return software_trial.home_of(RobotHome(HOME, home.disk.after_power_cut(random.Random(seed))))
    return home


@pytest.mark.parametrize("seed", range(12))
def test_what_was_given_up_is_not_confirmed_by_a_power_cut_on_the_way_back(campaign, seed):
    for cut_at in range(1, 20):
        home = on_trial(campaign)
        home = cut_in(lambda home: software_trial.go_back(home, "late"), home, cut_at, seed)
        given_up = bool(home.load_state().failed)

        for _ in range(2):
            assert start(home)
        if given_up:
            assert behaviour(home) == "good 2"
            assert home.load_state().last_rollback.result == "rolled_back"


@pytest.mark.parametrize("seed", range(12))
def test_what_is_told_as_confirmed_is_what_runs_also_when_the_last_start_is_cut(campaign, seed):
    """On its last start the guard would go back next: the link decides, and nothing may say otherwise."""
    for cut_at in range(1, 9):
        home = on_trial(campaign)
        for _ in range(software_trial.MAX_STARTS):
            guard(home.disk, home.root)
        home = cut_in(software_trial.confirm, home, cut_at, seed)

        assert start(home)
        told = home.load_state().last_update
        version_3 = told.result == "confirmed" and told.version == home.slots.claimed("A", home.load_trust()).version
        assert (behaviour(home) == "good 3") == version_3
