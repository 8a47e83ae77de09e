"""TUF's list of attacks, each refused with a code and a message of its own; nothing is installed."""

import json
import shutil

import pytest
from fake_health import FakeClock, FakeHealth
from fake_publisher import DAY_S, NOW_S, FakePublisher

from deploy import ota_updater, signing
from deploy.trust import Trust, verify_offer
from deploy.update_errors import KeysError, UpdateRefused


@pytest.fixture
def publisher(tmp_path):
    return FakePublisher(tmp_path)


def offered(files, trust, now_s=NOW_S):
    def fetch(name):
        if name not in files:
            raise FileNotFoundError(name)
        return files[name]

    return verify_offer(trust, fetch, now_s)


def refused(files, trust, now_s=NOW_S):
    verification = offered(files, trust, now_s)
    assert verification.offer is None
    return verification.refusal.code, str(verification.refusal)


def accepted(files, trust, now_s=NOW_S):
    verification = offered(files, trust, now_s)
    assert verification.refusal is None
    return verification.trust


def changed(data, change):
    value = json.loads(data)
    change(value)
    return json.dumps(value).encode()


def test_an_honest_offer_is_accepted(publisher):
    publisher.publish(b"one")

    verification = offered(publisher.files(), publisher.trust())

    assert verification.offer.target.version == 1
    assert verification.trust.signed_time_s == NOW_S


def test_rollback_to_an_older_version_is_refused(publisher):
    publisher.publish(b"one")
    old = publisher.files()
    publisher.publish(b"two")
    trust = accepted(publisher.files(), publisher.trust())

    code, message = refused(old, trust)

    assert code == "rollback"
    assert "older offer" in message


def test_freezing_a_robot_at_an_old_offer_ends_with_its_expiry(publisher):
    publisher.publish(b"one")

    code, message = refused(publisher.files(), publisher.trust(), now_s=NOW_S + 61 * DAY_S)

    assert code == "expired"
    assert "timestamp.json" in message


def test_a_clock_set_back_does_not_unfreeze(publisher):
    publisher.now_s = NOW_S - 61 * DAY_S
    publisher.publish(b"one")
    frozen = publisher.files()
    publisher.now_s = NOW_S
    publisher.publish(b"two")
    trust = accepted(publisher.files(), publisher.trust())
    forgetful = Trust(trust.roots, signed_time_s=trust.signed_time_s)

    code, _ = refused(frozen, forgetful, now_s=NOW_S - 365 * DAY_S)

    assert code == "expired"


def test_mixing_parts_of_two_offers_is_refused(publisher):
    publisher.publish(b"one")
    old = publisher.files()
    publisher.publish(b"two")
    mixed = {**publisher.files(), "2.snapshot.json": old["1.snapshot.json"]}

    code, message = refused(mixed, publisher.trust())

    assert code == "mix_and_match"
    assert "2.snapshot.json" in message


def test_mixing_targets_is_refused(publisher):
    publisher.publish(b"one")
    old = publisher.files()
    publisher.publish(b"two")
    mixed = {**publisher.files(), "2.targets.json": old["1.targets.json"]}

    assert refused(mixed, publisher.trust())[0] == "mix_and_match"


@pytest.mark.parametrize("name", ["timestamp.json"])
def test_another_publishers_keys_are_refused(publisher, tmp_path, name):
    stranger = FakePublisher(tmp_path / "stranger")
    stranger.publish(b"evil")

    code, message = refused(stranger.files(), publisher.trust())

    assert code == "wrong_key"
    assert name in message


def test_another_publishers_root_is_refused(publisher, tmp_path):
    stranger = FakePublisher(tmp_path / "stranger")
    stranger.rotate("root")
    stranger.publish(b"evil")

    assert refused(stranger.files(), publisher.trust())[0] == "wrong_key"


def test_a_tampered_timestamp_is_refused(publisher):
    publisher.publish(b"one")
    files = publisher.files()
    files["timestamp.json"] = changed(files["timestamp.json"], lambda value: value["signed"].update(version=99))

    assert refused(files, publisher.trust())[0] == "wrong_key"


@pytest.mark.parametrize("junk", [b"", b"{", b"[]", b"\xff\xfe", b"{}", b'{"signed": 1, "signatures": []}'])
@pytest.mark.parametrize("name", ["timestamp.json", "1.snapshot.json", "1.targets.json", "2.root.json"])
def test_junk_is_refused_and_never_raises(publisher, name, junk):
    publisher.publish(b"one")

    assert refused({**publisher.files(), name: junk}, publisher.trust())[0] in ("malformed", "mix_and_match")


def test_endless_metadata_is_refused(publisher):
    publisher.publish(b"one")
    files = publisher.files()
    files["timestamp.json"] += b" " * 10**6

    code, message = refused(files, publisher.trust())

    assert code == "endless_data"
    assert "65536" in message


def test_a_missing_file_says_which(publisher):
    publisher.publish(b"one")
    files = publisher.files()
    del files["1.snapshot.json"]

    code, message = refused(files, publisher.trust())

    assert code == "missing"
    assert "1.snapshot.json" in message


def test_rotated_online_keys_are_followed_and_the_old_ones_refused(publisher, tmp_path):
    publisher.publish(b"one")
    trust = accepted(publisher.files(), publisher.trust())
    stolen = tmp_path / "stolen"
    shutil.copytree(publisher.keys, stolen)

    publisher.rotate("targets", "snapshot", "timestamp")
    publisher.publish(b"two")
    trust = accepted(publisher.files(), trust)
    bundle = tmp_path / "bundle"
    signing.publish(bundle, stolen, tmp_path / "evil", now_s=NOW_S)
    signing.publish(bundle, stolen, tmp_path / "evil", now_s=NOW_S)
    signing.publish(bundle, stolen, tmp_path / "evil", now_s=NOW_S)
    evil = {path.name: path.read_bytes() for path in (tmp_path / "evil").glob("*.json")}

    assert len(trust.roots) == 2
    assert refused(evil, trust)[0] == "wrong_key"


def test_a_rotated_root_is_followed_over_several_versions(publisher):
    publisher.rotate("root")
    publisher.rotate("root")
    publisher.rotate("timestamp")
    publisher.publish(b"one")

    assert len(accepted(publisher.files(), publisher.trust()).roots) == 4


def test_a_root_rotation_sticks_although_the_offer_is_refused(publisher):
    publisher.rotate("timestamp")
    publisher.publish(b"one")
    files = publisher.files()
    del files["1.targets.json"]

    verification = offered(files, publisher.trust())

    assert verification.refusal.code == "missing"
    assert len(verification.trust.roots) == 2


def test_a_forged_time_goes_with_the_rotated_key(publisher):
    publisher.now_s = NOW_S + 10_000 * DAY_S  # a stolen timestamp key claims the far future
    publisher.publish(b"one")
    trust = accepted(publisher.files(), publisher.trust(), now_s=NOW_S)
    publisher.now_s = NOW_S
    publisher.rotate("targets", "snapshot", "timestamp")
    publisher.publish(b"two")

    assert accepted(publisher.files(), trust).signed_time_s == NOW_S


def test_one_root_key_of_three_cannot_make_a_root(publisher):
    root = json.loads(publisher.first_root.read_bytes())

    assert root["signed"]["roles"]["root"]["threshold"] == 2
    assert len(root["signed"]["roles"]["root"]["keyids"]) == 3
    publisher.publish(b"one")
    lone = changed(publisher.first_root.read_bytes(), lambda value: value["signatures"].pop())
    assert refused({**publisher.files(), "2.root.json": lone}, publisher.trust())[0] in ("wrong_key", "rollback")


def test_a_target_that_is_not_the_signed_one_is_refused_and_removed(publisher, tmp_path):
    home = publisher.robot(tmp_path / "robot")
    publisher.publish(b"one")
    publisher.deliver(home)
    other = FakePublisher(tmp_path / "other")
    other.publish(b"two")
    (archive,) = [data for name, data in other.files().items() if name.endswith(".zst")]
    (name,) = [name for name in home.incoming() if name.endswith(".zst")]
    (home.path / "incoming" / name).write_bytes(archive)
    health = FakeHealth()

    report = ota_updater.update(home, health, health, FakeClock(NOW_S))

    assert (report.result, report.code) == ("refused", "tampered_target")
    assert health.examined == []
    assert name not in home.incoming()


def test_a_zip_bomb_is_cut_at_the_signed_length(publisher, tmp_path):
    from deploy.patches import compress

    home = publisher.robot(tmp_path / "robot")
    publisher.publish(b"one")
    publisher.deliver(home)
    (name,) = [name for name in home.incoming() if name.endswith(".zst")]
    (home.path / "incoming" / name).write_bytes(compress(bytes(20_000_000)))
    health = FakeHealth()

    report = ota_updater.update(home, health, health, FakeClock(NOW_S))

    assert report.code == "tampered_target"
    assert "signed are" in report.message


def test_root_keys_need_their_passphrase(publisher):
    with pytest.raises(KeysError, match=r"root0\.pem"):
        signing.rotate(publisher.keys, ["targets"], root_passphrase="wrong")


def test_root_keys_are_not_readable_without_it(publisher):
    assert b"ENCRYPTED" in (publisher.keys / "root" / "root0.pem").read_bytes()
    assert (publisher.keys / "root" / "root0.pem").stat().st_mode & 0o077 == 0


def test_keys_are_never_overwritten(publisher):
    with pytest.raises(KeysError, match="already holds keys"):
        signing.create_keys(publisher.keys)


def test_a_lost_repository_does_not_start_again_at_one(publisher):
    publisher.publish(b"one")
    shutil.rmtree(publisher.repo)

    assert publisher.publish(b"two").version == 2


def test_a_damaged_trust_file_is_refused():
    with pytest.raises(UpdateRefused, match="not what was written"):
        Trust.from_bytes(b"{")


def test_trust_survives_its_file(publisher):
    publisher.publish(b"one")
    trust = accepted(publisher.files(), publisher.trust())

    assert Trust.from_bytes(trust.to_bytes()) == trust
