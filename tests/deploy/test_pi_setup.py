"""Setting up a Pi: in order, only what is missing, twice is once."""

import subprocess

import pytest

from deploy.pi_commands import UNIT_FOLDER
from deploy.pi_setup import SetupError, SetupFiles, SetupStep, carry_out, plan
from deploy.software_watch import RESTART_EXIT

FILES = SetupFiles(
    "oxturn-0.1.0-py3-none-any.whl", b"wheel", b"root", "ssh-ed25519 AAAA me", b"unit", {"guard.sh": b"guard"}, b"toml"
)


class FakePi:
    """Knows which steps' checks pass; an action makes its check pass."""

    def __init__(self, steps, done=(), broken=()):
        self.by_action = {step.action: step.title for step in steps}
        self.by_check = {step.done_when: step.title for step in steps}
        self.done, self.broken, self.acted = set(done), set(broken), []

    def run(self, command, stdin=b""):
        if command in self.by_action and self.by_action[command] not in self.done:
            title = self.by_action[command]
            self.acted.append(title)
            if title in self.broken:
                return 1, "E: no network\n"
            self.done.add(title)
            return 0, ""
        return (0 if self.by_check.get(command) in self.done else 1), ""


def test_a_fresh_pi_gets_everything_and_a_second_run_does_nothing():
    steps = plan(FILES)
    pi = FakePi(steps)

    first = carry_out(steps, pi, check_only=False)
    second = carry_out(steps, pi, check_only=False)

    assert (first, second) == (len(steps), 0)
    assert pi.acted == [step.title for step in steps]


def test_check_changes_nothing():
    steps = plan(FILES)
    pi = FakePi(steps, done=[steps[0].title])

    assert carry_out(steps, pi, check_only=True) == len(steps) - 1
    assert pi.acted == []


def test_a_step_that_fails_is_named_and_ends_it():
    steps = plan(FILES)
    pi = FakePi(steps, broken=[steps[1].title])

    with pytest.raises(SetupError, match=r"packages.*no network"):
        carry_out(steps, pi, check_only=False)

    assert len(pi.acted) == 2


def test_the_push_key_is_restricted_to_the_forced_command():
    (step,) = [step for step in plan(FILES) if "push key" in step.title]

    assert step.stdin.startswith(b'restrict,command="sh /opt/oxturn/lib/robot_shell.sh /var/lib/oxturn"')
    assert step.stdin.endswith(b"AAAA me\n")


def test_an_existing_robot_toml_and_trust_root_are_kept():
    kept = [step for step in plan(FILES) if step.done_when.startswith("sudo test -f")]

    assert {step.title.split(":")[0] for step in kept} == {"robot.toml", "trust root"}


def test_the_first_software_goes_into_slot_a_and_the_unit_starts_it_through_the_link():
    (step,) = [step for step in plan(FILES) if "first software" in step.title]
    unit = (UNIT_FOLDER / "oxturn.service").read_text()

    assert "python3 -m venv --clear --system-site-packages /var/lib/oxturn/software/slots/A/venv" in step.action
    assert step.action.index("slots/A/complete") < step.action.index("ln -sfn slots/A /var/lib/oxturn/software/current")
    assert step.done_when == "sudo test -e /var/lib/oxturn/software/current/complete"  # later ones are kept
    assert "ExecStart=/var/lib/oxturn/software/current/venv/bin/oxturn robotd" in unit
    assert "ExecStartPre=-/usr/bin/env sh /opt/oxturn/lib/software_guard.sh /var/lib/oxturn/software" in unit
    assert f"RestartForceExitStatus={RESTART_EXIT}" in unit


@pytest.mark.parametrize("step", plan(FILES), ids=lambda step: step.title)
def test_every_command_is_shell(step: SetupStep):
    for command in (step.done_when, step.action):
        assert subprocess.run(["sh", "-n", "-c", command], check=False).returncode == 0


def test_a_file_step_really_writes_what_it_checks(tmp_path):
    """With `sudo` as a function that just runs, and this user as owner."""
    from deploy import pi_setup

    target = tmp_path / "file"
    step = pi_setup._file("x", target, b"content\n", "root")

    def run(command):
        shell = f'sudo() {{ "$@"; }}; install() {{ cat > "${{@: -1}}"; }}; {command}'
        return subprocess.run(["bash", "-c", shell], input=step.stdin, check=False).returncode

    assert run(step.done_when) != 0
    assert run(step.action) == 0
    assert run(step.done_when) == 0
    assert target.read_bytes() == b"content\n"
