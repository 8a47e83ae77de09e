"""What the updater learns of the daemon: whether it runs, and how long to wait for it."""

import pytest
from fake_health import FakeClock, FakeHealth
from fake_publisher import NOW_S

from deploy.live_trial import CONFIRM_WITHIN_S, ExaminedAgain, WatchedByDaemon, daemon_on, daemon_runs, watcher


def watcher_of(home, confirm_within_s=None):
    return watcher(home, FakeHealth(), FakeClock(NOW_S), confirm_within_s)


def test_the_daemon_tells_how_long_to_wait_for_it(tmp_path):
    for told_s in (9.5, 3.0):
        with daemon_on(tmp_path, told_s):
            live = watcher_of(tmp_path)
            assert isinstance(live, WatchedByDaemon)
            assert live.confirm_within_s == told_s


def test_a_deadline_of_the_administrator_counts_instead(tmp_path):
    with daemon_on(tmp_path, 9.5):
        assert watcher_of(tmp_path, 2.0).confirm_within_s == 2.0


def test_without_a_daemon_nobody_is_waited_for(tmp_path):
    with daemon_on(tmp_path, 9.5):
        pass

    assert isinstance(watcher_of(tmp_path), ExaminedAgain)


@pytest.mark.parametrize("said", ["", "nonsense", "nan", "-1", "inf"])
def test_a_daemon_that_tells_no_deadline_gets_the_default(tmp_path, said):
    with daemon_on(tmp_path, 9.5):
        (tmp_path / "daemon.lock").write_text(said)

        assert watcher_of(tmp_path).confirm_within_s == CONFIRM_WITHIN_S


def test_a_full_disk_keeps_no_daemon_from_driving(tmp_path):
    (tmp_path / "daemon.lock").symlink_to("/dev/full")

    with daemon_on(tmp_path, 9.5):
        assert daemon_runs(tmp_path)
