"""`update` on a real disk with a fake health check: what runs afterwards, and what is remembered."""

import pytest
from fake_health import FakeClock, FakeHealth
from fake_publisher import DAY_S, NOW_S, FakePublisher

from deploy import ota_updater
from deploy.update_errors import NoTrustedBundle, RollbackFailed


@pytest.fixture
def publisher(tmp_path):
    return FakePublisher(tmp_path)


@pytest.fixture
def home(publisher, tmp_path):
    return publisher.robot(tmp_path / "robot")


def update(home, *, now_s=NOW_S):
    health = FakeHealth()
    return ota_updater.update(home, health, health, FakeClock(now_s))


def delivered(publisher, home, model):
    publisher.publish(model)
    publisher.deliver(home)
    return update(home)


def running_model(home):
    return (ota_updater.active_bundle(home.path) / "model.onnx").read_bytes()


def test_a_good_model_is_confirmed_and_runs(publisher, home):
    report = delivered(publisher, home, b"good 1")

    assert (report.result, report.version) == ("confirmed", 1)
    assert running_model(home) == b"good 1"
    assert home.incoming() == []


def test_the_second_model_goes_into_the_other_slot(publisher, home):
    delivered(publisher, home, b"good 1")
    first = home.slots.active()

    delivered(publisher, home, b"good 2")

    assert home.slots.active() != first
    assert running_model(home) == b"good 2"


def test_a_model_that_fails_at_rest_is_never_switched_to(publisher, home):
    delivered(publisher, home, b"good 1")

    report = delivered(publisher, home, b"bad 2")

    assert (report.result, report.code) == ("failed", "health")
    assert "NaN" in report.message
    assert running_model(home) == b"good 1"


def test_a_model_that_fails_on_live_frames_is_rolled_back(publisher, home):
    delivered(publisher, home, b"good 1")

    report = delivered(publisher, home, b"worse 2")

    assert report.result == "rolled_back"
    assert running_model(home) == b"good 1"
    assert home.load_state().last_update.result == "failed"
    assert home.load_state().last_rollback.result == "rolled_back"


def test_a_version_that_failed_is_not_tried_again(publisher, home):
    delivered(publisher, home, b"good 1")
    delivered(publisher, home, b"bad 2")
    publisher.deliver(home)

    report = update(home)

    assert (report.result, report.code) == ("refused", "failed_before")


def test_a_first_model_that_fails_leaves_the_robot_on_its_lidar(publisher, home):
    report = delivered(publisher, home, b"worse 1")

    assert report.result == "rollback_failed"
    with pytest.raises(NoTrustedBundle):
        ota_updater.active_bundle(home.path)


class Cut(BaseException):
    """The power fails while the new model is examined."""


class CutWhileExamining(FakeHealth):
    def examine(self, bundle_dir):
        raise Cut


def damage(home, slot):
    (home.slots.bundle_dir(slot) / "model.onnx").write_bytes(b"good X")


@pytest.mark.parametrize("first", ["refused on live frames", "damaged"])
def test_a_model_whose_examination_was_cut_does_not_run_where_none_ran_before(publisher, home, first):
    if first == "damaged":
        delivered(publisher, home, b"good 1")
        damage(home, "A")
    else:
        delivered(publisher, home, b"worse 1")
    publisher.publish(b"bad 2")
    publisher.deliver(home)
    with pytest.raises(Cut):
        ota_updater.update(home, CutWhileExamining(), CutWhileExamining(), FakeClock(NOW_S))

    with pytest.raises(NoTrustedBundle):
        ota_updater.active_bundle(home.path)


def test_after_a_first_model_that_failed_the_next_good_one_runs(publisher, home):
    delivered(publisher, home, b"worse 1")
    delivered(publisher, home, b"worse 2")

    report = delivered(publisher, home, b"good 3")

    assert (report.result, running_model(home)) == ("confirmed", b"good 3")


def test_the_same_bytes_are_not_installed_twice(publisher, home):
    delivered(publisher, home, b"good 1")

    assert delivered(publisher, home, b"good 1").result == "already_installed"


def test_a_damaged_model_is_left_for_the_other_slot(publisher, home):
    delivered(publisher, home, b"good 1")
    delivered(publisher, home, b"good 2")
    (ota_updater.active_bundle(home.path) / "model.onnx").write_bytes(b"good X")

    assert running_model(home) == b"good 1"


def test_expiry_blocks_installing_but_not_what_is_installed(publisher, home):
    delivered(publisher, home, b"good 1")
    publisher.publish(b"good 2")
    publisher.deliver(home)

    report = update(home, now_s=NOW_S + 400 * DAY_S)

    assert (report.result, report.code) == ("refused", "expired")
    assert running_model(home) == b"good 1"


def test_a_wrong_clock_does_not_hide_that_an_offer_is_old(publisher, home):
    publisher.now_s = NOW_S + 100 * DAY_S
    delivered(publisher, home, b"good 1")

    assert home.load_trust().signed_time_s == NOW_S + 100 * DAY_S


def test_rollback_by_hand_goes_to_the_model_before(publisher, home):
    delivered(publisher, home, b"good 1")
    delivered(publisher, home, b"good 2")

    report = ota_updater.rollback(home)

    assert report.version == 1
    assert running_model(home) == b"good 1"


def test_rollback_without_an_older_model_says_so(publisher, home):
    delivered(publisher, home, b"good 1")

    with pytest.raises(RollbackFailed, match="no older model"):
        ota_updater.rollback(home)
