"""A push over real SSH, to OpenSSH's sshd where it is installed and to the embedded server always."""

import random
import shutil
import socket
import struct
import sys
import time
from contextlib import contextmanager

import pytest
from fake_publisher import FakePublisher

from deploy import ota_updater
from deploy.local_robot import local_robot_end
from deploy.push import ask, push
from deploy.transport import RobotAddress, SshTransport, connected, create_client_key
from deploy.update_errors import HostKeyError, TransportError

HAS_SSHD = shutil.which("sshd", path="/usr/sbin:/sbin:/usr/bin") is not None
KINDS = [pytest.param("openssh", marks=pytest.mark.skipif(not HAS_SSHD, reason="no sshd installed")), "embedded"]


@pytest.fixture
def publisher(tmp_path):
    return FakePublisher(tmp_path)


@pytest.fixture
def home(publisher, tmp_path):
    return publisher.robot(tmp_path / "robot")


@pytest.fixture(params=KINDS)
def robot(request, tmp_path, home):
    """The address of a robot whose health check always passes."""
    healthy = tmp_path / "healthy.py"
    healthy.write_text("""print('{"healthy": true, "reason": "", "latency_ms_p50": 1}')""")
    key = create_client_key(tmp_path / "client_key")
    shell_arguments = ["--health-command", sys.executable, str(healthy)]
    openssh = request.param == "openssh"
    with local_robot_end(home.path, key, prefer_openssh=openssh, shell_arguments=shell_arguments) as end:
        assert end.kind == request.param
        yield RobotAddress(end.host, end.port, end.user, end.host_key, tmp_path / "client_key")


def test_a_push_installs_and_the_next_one_sends_a_patch(publisher, home, robot):
    shutil.rmtree(publisher.keys / "root")  # a push never needs the root keys
    model = bytes(range(256)) * 400
    publisher.publish(model)

    first = push(publisher.repo, robot)
    publisher.publish(model[:5000] + b"retrained" + model[5009:])
    second = push(publisher.repo, robot)

    assert (first.result, first.how) == ("confirmed", "whole")
    assert (second.result, second.how) == ("confirmed", "patch")
    assert second.archive_bytes < 400
    assert b"retrained" in (ota_updater.active_bundle(home.path) / "model.onnx").read_bytes()


def test_a_transfer_that_is_cut_is_resumed_by_offset(publisher, home, robot):
    publisher.publish(random.Random(1).randbytes(400_000))

    with pytest.raises(TransportError, match="push again"):
        push(publisher.repo, robot, connect=cut_after(150_000, home.path / "incoming"))
    report = push(publisher.repo, robot)

    assert report.result == "confirmed"
    assert 0 < report.resumed_bytes < 400_000
    assert report.archive_bytes + report.resumed_bytes > 400_000


def arrived_bytes(incoming):
    return sum(path.stat().st_size for path in incoming.glob("*.part"))


def cut_after(limit_bytes, incoming):
    """A line whose connection is closed under the transfer."""

    @contextmanager
    def connect(address):
        with connected(address) as line:
            sent = 0

            def send(name, data, on_bytes):
                def counted(count):
                    nonlocal sent
                    sent += count
                    if sent > limit_bytes:
                        deadline_s = time.monotonic() + 20
                        while not arrived_bytes(incoming) and time.monotonic() < deadline_s:
                            time.sleep(0.01)
                        line._client.get_transport().sock.close()
                    on_bytes(count)

                return SshTransport.send(line, name, data, counted)

            line.send = send
            yield line

    return connect


def test_a_changed_host_key_is_refused_before_anything_is_sent(publisher, robot, tmp_path):
    publisher.publish(b"good")
    other = create_client_key(tmp_path / "other")
    wrong = RobotAddress(robot.host, robot.port, robot.user, other, robot.key_file)

    with pytest.raises(HostKeyError, match="CHANGED"):
        push(publisher.repo, wrong)


def test_an_unknown_host_key_is_refused(publisher, robot):
    publisher.publish(b"good")
    unpinned = RobotAddress(robot.host, robot.port, robot.user, None, robot.key_file)

    with pytest.raises(HostKeyError, match="pinned"):
        push(publisher.repo, unpinned)


def test_a_foreign_client_key_is_not_let_in(robot, tmp_path):
    create_client_key(tmp_path / "foreign")
    stranger = RobotAddress(robot.host, robot.port, robot.user, robot.host_key, tmp_path / "foreign")

    with pytest.raises(TransportError, match="does not take this key"):
        ask(stranger, "status")


def test_the_account_can_do_nothing_but_its_verbs(robot):
    for wish in ("bash", "install; id", "cat /etc/passwd"):
        with connected(robot) as line:
            answer = line.run(wish)

        assert answer.exit_code == 2
        assert "not allowed" in answer.complaint


def test_sftp_writes_nothing_outside_incoming(robot):
    with connected(robot) as line:
        sftp = line._client.open_sftp()
        for name in ("../state.json", "/etc/passwd", ".hidden", "a/b", "..", "x" * 200):
            with pytest.raises(OSError):
                sftp.open(name, "w")
        with pytest.raises(OSError):
            sftp.symlink("/etc/passwd", "link")
        with pytest.raises(OSError):
            sftp.mkdir("folder")
        sftp.close()


def test_sftp_follows_no_link_out_of_incoming(robot, home, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (home.path / "incoming" / "link").symlink_to(tmp_path / "secret")

    with connected(robot) as line, line._client.open_sftp() as sftp, pytest.raises(OSError):
        sftp.open("link", "r").read()


@pytest.mark.slow
def test_status_and_rollback_over_the_line(publisher, robot):
    publisher.publish(b"good 1")
    push(publisher.repo, robot)
    publisher.publish(b"good 2")
    push(publisher.repo, robot)

    before = ask(robot, "status")
    answer = ask(robot, "rollback")

    assert (before["installed_version"], before["verified"]) == (2, True)
    assert answer["version"] == 1
    assert ask(robot, "status")["installed_version"] == 1


def test_a_client_that_hangs_up_is_not_told_on_the_console(home, tmp_path, caplog):
    key = create_client_key(tmp_path / "client_key")
    with local_robot_end(home.path, key, prefer_openssh=False) as end:
        for _ in range(3):
            with socket.create_connection((end.host, end.port)) as line:
                line.recv(100)
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, no farewell
        time.sleep(0.3)

    assert "reset" not in caplog.text
