"""The publisher's side when it dies in the middle: what was offered stays offered, and no key is lost."""

import os
from contextlib import contextmanager

import pytest
from fake_publisher import NOW_S, FakePublisher

from deploy import signing
from deploy.trust import verify_offer
from deploy.update_errors import KeysError

ROTATIONS = [("root",), ("targets",), ("root", "targets", "snapshot", "timestamp")]


class Died(Exception):
    pass


@contextmanager
def dies_before(number):
    """Whatever is written takes its name by a rename: the n-th of them does not happen any more."""
    rename, done = os.replace, []

    def replace(source, target):
        done.append(target)
        if len(done) == number:
            raise Died
        rename(source, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "replace", replace)
        yield


@pytest.fixture
def publisher(tmp_path):
    return FakePublisher(tmp_path)


def offered(publisher, kind="model"):
    """The version that a robot takes which knows the first root alone."""
    files = publisher.files()

    def fetch(name):
        if name not in files:
            raise FileNotFoundError(name)
        return files[name]

    verification = verify_offer(publisher.trust(), fetch, NOW_S, kind)
    assert verification.offer is not None, verification.refusal
    return verification.offer.target.version


@pytest.mark.parametrize("number", range(1, 7))
def test_a_publish_that_died_loses_nothing_that_was_offered(publisher, number):
    publisher.publish(b"good 1")
    publisher.publish_software("good 2")
    with dies_before(number), pytest.raises(Died):
        publisher.publish(b"good 3")
    between = offered(publisher), offered(publisher, "software")

    again = publisher.publish(b"good 3")

    assert between == (1, 2)
    assert (offered(publisher), offered(publisher, "software")) == (again.version, 2)


def test_a_repository_that_lacks_what_it_offers_is_told(publisher):
    publisher.publish(b"good 1")
    (publisher.repo / "1.targets.json").unlink()

    with pytest.raises(KeysError, match=r"1\.targets\.json"):
        publisher.publish(b"good 2")


@pytest.mark.parametrize("go_on", ["publish", "rotate"])
@pytest.mark.parametrize("roles", ROTATIONS, ids="+".join)
@pytest.mark.parametrize("number", range(1, 15))
def test_a_rotation_that_died_can_go_on(publisher, roles, number, go_on):
    publisher.publish(b"good 1")
    try:
        with dies_before(number):
            publisher.rotate(*roles)
    except Died:
        pass

    if go_on == "rotate":
        publisher.rotate(*roles)
    again = publisher.publish(b"good 2")

    assert offered(publisher) == again.version
    if go_on == "rotate":
        assert not list(publisher.keys.rglob("*.next"))


def test_root_keys_that_the_newest_root_does_not_know_sign_nothing(publisher, tmp_path):
    FakePublisher(tmp_path / "stranger").rotate("root")
    for path in (tmp_path / "stranger" / "keys" / "root").glob("*.pem"):
        (publisher.keys / "root" / path.name).write_bytes(path.read_bytes())

    with pytest.raises(KeysError, match=r"0 of the keys in .* are those of 1\.root\.json, 2 must sign"):
        publisher.rotate("targets")

    assert signing.newest_root(publisher.keys).version == 1
