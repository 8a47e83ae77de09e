"""The forced command in this process, for what the line's tests cannot see."""

import io
import json
import os
import sys
import time

import pytest
from fake_publisher import FakePublisher
from paramiko import SFTPAttributes
from paramiko.sftp import SFTP_FAILURE, SFTP_NO_SUCH_FILE, SFTP_OK, SFTP_PERMISSION_DENIED

from deploy import incoming_sftp, robot_shell
from deploy.incoming_sftp import IncomingFolder
from deploy.live_trial import daemon_on
from deploy.systemd_notify import notify


@pytest.fixture
def home(tmp_path):
    return FakePublisher(tmp_path).robot(tmp_path / "robot")


def said(monkeypatch, capsys, home, wish, *options):
    monkeypatch.setenv("SSH_ORIGINAL_COMMAND", wish)
    code = robot_shell.main(["--home", str(home.path), *map(str, options)])
    return code, capsys.readouterr()


def test_status_of_a_fresh_robot(monkeypatch, capsys, home):
    code, told = said(monkeypatch, capsys, home, "status")

    assert code == 0
    assert json.loads(told.out)["installed_version"] is None


def test_install_with_nothing_pushed_says_what_is_missing(monkeypatch, capsys, home):
    code, told = said(monkeypatch, capsys, home, "install")

    assert code == 1
    assert json.loads(told.out)["code"] == "missing"


@pytest.mark.parametrize(("options", "waited_s"), [((), "0.2"), (("--confirm-within-s", 0.1), "0.1")])
def test_an_install_waits_for_the_daemon_as_long_as_it_says(monkeypatch, capsys, tmp_path, options, waited_s):
    publisher = FakePublisher(tmp_path)
    publisher.now_s = time.time()  # the shell has the machine's clock
    home = publisher.robot(tmp_path / "robot")
    publisher.publish(b"good 1")
    publisher.deliver(home)
    healthy = tmp_path / "healthy.py"
    healthy.write_text("""print('{"healthy": true, "reason": "", "latency_ms_p50": 1}')""")

    with daemon_on(home.path, 0.2):
        _, told = said(monkeypatch, capsys, home, "install", *options, "--health-command", sys.executable, healthy)

    assert f"0 good live frames within {waited_s} s" in json.loads(told.out)["message"]


def test_rollback_with_nothing_to_go_back_to(monkeypatch, capsys, home):
    code, told = said(monkeypatch, capsys, home, "rollback")

    assert (code, json.loads(told.out)["code"]) == (1, "RollbackFailed")


def test_anything_else_is_not_allowed(monkeypatch, capsys, home):
    code, told = said(monkeypatch, capsys, home, "rm -rf /")

    assert code == 2
    assert "not allowed: 'rm -rf /'" in told.err


def test_a_home_that_is_not_there_is_a_line(monkeypatch, capsys, home, tmp_path):
    code, told = said(monkeypatch, capsys, type(home)(tmp_path / "nowhere", home.disk), "rollback")

    assert code == 1
    assert "nowhere" in json.loads(told.out)["message"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "incoming").mkdir()
    return IncomingFolder(None, tmp_path / "incoming")


def put(folder, name, data, flags=os.O_CREAT | os.O_RDWR):
    handle = folder.open(name, flags, SFTPAttributes())
    code = handle.write(0, data)
    handle.close()
    return code


def test_files_are_written_read_listed_renamed_and_removed(folder):
    assert put(folder, "/a", b"hello") == SFTP_OK
    handle = folder.open("a", os.O_RDONLY, SFTPAttributes())
    assert handle.read(1, 3) == b"ell"
    assert handle.stat().st_size == 5
    assert handle.chattr(SFTPAttributes()) == SFTP_OK
    handle.close()
    assert folder.posix_rename("a", "b") == SFTP_OK
    assert [entry.filename for entry in folder.list_folder("/")] == ["b"]
    assert folder.lstat("b").st_size == 5
    assert folder.remove("b") == SFTP_OK
    assert folder.remove("b") == folder.stat("b") == SFTP_NO_SUCH_FILE


def test_what_is_not_a_plain_file_of_the_folder_is_denied(folder):
    for answer in (
        folder.list_folder("/etc"),
        folder.stat("../x"),
        folder.open("../x", os.O_RDONLY, SFTPAttributes()),
        folder.remove("/etc/passwd"),
        folder.rename("a", "b"),
        folder.posix_rename("a", "../b"),
        folder.mkdir("a", SFTPAttributes()),
        folder.symlink("/etc/passwd", "a"),
        folder.chattr("../x", SFTPAttributes()),
    ):
        assert answer == SFTP_PERMISSION_DENIED


def test_the_quota_ends_an_endless_file(folder, monkeypatch):
    monkeypatch.setattr(incoming_sftp, "MAX_TOTAL_BYTES", 1000)

    assert put(folder, "a", bytes(900)) == SFTP_OK
    assert put(folder, "b", bytes(200)) == SFTP_FAILURE
    assert put(folder, "a", bytes(900)) == SFTP_OK  # the same bytes again: no growth


def test_the_number_of_files_is_bounded(folder, monkeypatch):
    monkeypatch.setattr(incoming_sftp, "MAX_FILES", 1)
    put(folder, "a", b"")

    assert folder.open("b", os.O_CREAT | os.O_RDWR, SFTPAttributes()) == SFTP_FAILURE


def test_systemd_is_told_where_it_listens(tmp_path, monkeypatch):
    import socket

    notify("READY=1")  # nobody asked
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notify("READY=1")
        assert listener.recv(100) == b"READY=1"
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    notify("READY=1")


def test_output_is_one_line_of_json(monkeypatch, home):
    monkeypatch.setenv("SSH_ORIGINAL_COMMAND", "status")
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)

    robot_shell.main(["--home", str(home.path)])

    assert out.getvalue().count("\n") == 1
