"""What a robot does with a folder that is not as it was left."""

import json

import pytest
from fake_health import FakeClock, FakeHealth
from fake_publisher import NOW_S, FakePublisher
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy import ota_updater
from deploy import update_rules as rules
from deploy.robot_status import robot_status
from deploy.update_errors import UpdateRefused
from deploy.update_rules import Trial


@pytest.fixture(scope="module")
def publisher(tmp_path_factory):
    return FakePublisher(tmp_path_factory.mktemp("publisher"))


@pytest.fixture(scope="module")
def home(publisher, tmp_path_factory):
    """A robot that runs a model signed by the second root."""
    home = publisher.robot(tmp_path_factory.mktemp("robot") / "home")
    publisher.rotate("targets")
    update(publisher, home, b"good 1")
    return home


@pytest.fixture
def trusted(home):
    path = home.path / "trust" / "trusted.json"
    whole = path.read_bytes()
    yield path
    path.write_bytes(whole)


def update(publisher, home, model):
    publisher.publish(model)
    publisher.deliver(home)
    return ota_updater.update(home, FakeHealth(), FakeHealth(), FakeClock(NOW_S))


@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happened_to_what_is_trusted_it_is_refused_or_can_be_used(home, trusted, data):
    whole = trusted.read_bytes()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 40)))
    trusted.write_bytes(whole[:start] + data.draw(st.binary(max_size=4)) + whole[end:])

    refusal = None
    try:
        home.load_trust()
    except UpdateRefused as error:
        refusal = error
    assert refusal is None or (refusal.code, str(trusted) in str(refusal)) == ("no_trust", True)
    ota_updater.settle(home)
    robot_status(home)
    trusted.write_bytes(whole)


@pytest.mark.parametrize(
    "change",
    [
        {"roots": []},
        {"roots": ["{}"]},
        {"timestamp": "{}"},
        {"signed_time_s": 1e300},
        {"signed_time_s": float("nan")},
        {"roots": 3},
    ],
)
def test_trust_that_parses_but_cannot_be_used_is_refused(home, trusted, change):
    trusted.write_text(json.dumps({**json.loads(trusted.read_bytes()), **change}))

    with pytest.raises(UpdateRefused, match="cannot be used"):
        home.load_trust()


def test_the_advice_for_damaged_trust_helps(publisher, home, trusted):
    trusted.write_bytes(b"")
    with pytest.raises(UpdateRefused, match=f"sudo rm {trusted}"):
        home.load_trust()
    assert update(publisher, home, b"good 2").code == "no_trust"

    trusted.unlink()
    report = update(publisher, home, b"good 3")

    assert (report.result, ota_updater.settle(home)) == ("confirmed", home.slots.active())


def test_a_damaged_first_root_says_what_to_do(publisher, tmp_path):
    home = publisher.robot(tmp_path / "robot")
    (home.path / "trust" / "first_root.json").write_bytes(b"{")

    with pytest.raises(UpdateRefused, match="remove it on the robot and run `oxturn pi setup`"):
        home.load_trust()


def test_trust_that_cannot_be_read_for_a_moment_ends_no_trial(home, trusted):
    whole, before = trusted.read_bytes(), home.load_state()
    home.save_state(rules.begun(before, Trial("B", "A", 9, FakeClock(NOW_S).instant())))
    trusted.write_bytes(b"")

    assert ota_updater.settle(home) is None
    assert home.load_state().trial is not None

    trusted.write_bytes(whole)
    ota_updater.settle(home)
    assert home.load_state().last_rollback.version == 9
    home.save_state(before)
